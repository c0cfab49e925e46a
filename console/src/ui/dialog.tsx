// Dialogs: something over the page that is to be done or left first.

import { AlertDialog as Alert } from "@base-ui/react/alert-dialog";
import { Dialog as Base } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { Button, IconButton } from "./button";

const backdrop =
  "fixed inset-0 z-40 bg-black/45 transition-opacity data-[ending-style]:opacity-0 data-[starting-style]:opacity-0";
const popup =
  "fixed top-[8dvh] left-1/2 z-50 flex max-h-[84dvh] w-[min(36rem,calc(100vw-1.5rem))] -translate-x-1/2 flex-col overflow-hidden rounded-xl border border-line bg-raised text-text shadow-raised outline-none transition-all data-[ending-style]:opacity-0 data-[starting-style]:opacity-0";

interface DialogProps {
  isOpen: boolean;
  onClose: () => void;
  title: string;
  description?: string;
  /** Whether a click beside it leaves it open: something is typed in it, or shown only once. */
  isKept?: boolean;
  children: ReactNode;
}

export function Dialog({ isOpen, onClose, title, description, isKept = false, children }: DialogProps) {
  return (
    <Base.Root open={isOpen} onOpenChange={(next) => !next && onClose()} disablePointerDismissal={isKept}>
      <Base.Portal>
        <Base.Backdrop className={backdrop} />
        <Base.Popup className={popup}>
          <header className="flex items-start gap-4 border-b border-line px-5 py-4">
            <div className="min-w-0 flex-1">
              <Base.Title className="text-lg font-semibold">{title}</Base.Title>
              {description !== undefined && (
                <Base.Description className="mt-0.5 text-sm text-muted">{description}</Base.Description>
              )}
            </div>
            <Base.Close render={<IconButton label="Close" />}>
              <X aria-hidden className="size-4" />
            </Base.Close>
          </header>
          <div className="overflow-y-auto px-5 py-4">{children}</div>
        </Base.Popup>
      </Base.Portal>
    </Base.Root>
  );
}

interface ConfirmProps {
  isOpen: boolean;
  onClose: () => void;
  title: string;
  /** What will happen. */
  children: ReactNode;
  /** What the button does, as a verb. */
  action: string;
  isDangerous?: boolean;
  isBusy?: boolean;
  isDisabled?: boolean;
  onConfirm: () => void;
}

/** Asks before something that is not easily undone. */
export function Confirm(props: ConfirmProps) {
  const {
    isOpen,
    onClose,
    title,
    children,
    action,
    isDangerous = false,
    isBusy = false,
    isDisabled = false,
    onConfirm,
  } = props;
  return (
    <Alert.Root open={isOpen} onOpenChange={(next) => !next && onClose()}>
      <Alert.Portal>
        <Alert.Backdrop className={backdrop} />
        <Alert.Popup className={popup}>
          <form
            className="flex flex-col overflow-hidden"
            onSubmit={(event) => {
              event.preventDefault();
              onConfirm();
            }}
          >
            <div className="flex flex-col gap-3 overflow-y-auto px-5 py-5">
              <Alert.Title className="text-lg font-semibold">{title}</Alert.Title>
              <Alert.Description render={<div />} className="flex flex-col gap-3 text-sm text-muted">
                {children}
              </Alert.Description>
            </div>
            <footer className="flex justify-end gap-2 border-t border-line bg-surface px-5 py-3">
              <Alert.Close render={<Button />}>Cancel</Alert.Close>
              <Button
                type="submit"
                look={isDangerous ? "danger" : "primary"}
                isBusy={isBusy}
                disabled={isDisabled}
              >
                {action}
              </Button>
            </footer>
          </form>
        </Alert.Popup>
      </Alert.Portal>
    </Alert.Root>
  );
}
