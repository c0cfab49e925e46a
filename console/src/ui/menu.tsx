// Menus: a button that opens a list of actions.

import { Menu as Base } from "@base-ui/react/menu";
import type { ReactElement, ReactNode } from "react";

export const menuPopup =
  "max-h-[70dvh] min-w-48 overflow-y-auto rounded-lg border border-line bg-raised py-1 text-sm text-text shadow-raised outline-none";
export const menuItem =
  "flex items-center gap-2 px-3 py-1.5 outline-none select-none data-[highlighted]:bg-accent-soft data-[disabled]:opacity-50";

interface MenuProps {
  /** The button that opens it, without its content. */
  trigger: ReactElement;
  /** What is in the button. */
  face: ReactNode;
  children: ReactNode;
}

export function Menu({ trigger, face, children }: MenuProps) {
  return (
    <Base.Root>
      <Base.Trigger render={trigger}>{face}</Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={6} align="end" className="z-30 outline-none">
          <Base.Popup className={menuPopup}>{children}</Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  );
}

interface MenuItemProps {
  onClick: () => void;
  isDangerous?: boolean;
  isDisabled?: boolean;
  children: ReactNode;
}

export function MenuItem({ onClick, isDangerous = false, isDisabled = false, children }: MenuItemProps) {
  return (
    <Base.Item
      className={`${menuItem} ${isDangerous ? "text-bad" : ""}`}
      disabled={isDisabled}
      onClick={onClick}
    >
      {children}
    </Base.Item>
  );
}

/** Leads out of the console, to a page of its own. */
export function MenuLink({ href, children }: { href: string; children: ReactNode }) {
  return (
    <Base.Item className={menuItem} render={<a href={href} target="_blank" rel="noreferrer" />}>
      {children}
    </Base.Item>
  );
}

export function MenuSeparator() {
  return <Base.Separator className="my-1 h-px bg-line" />;
}
