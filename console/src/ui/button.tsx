// Buttons, and links that look like them.

import type { AnchorHTMLAttributes, ButtonHTMLAttributes, ReactNode } from "react";
import { Link, type LinkProps } from "react-router";

type Look = "primary" | "plain" | "quiet" | "danger";

const looks: Record<Look, string> = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong",
  plain: "border border-line-strong bg-surface text-text hover:bg-sunken",
  quiet: "text-muted hover:bg-sunken hover:text-text",
  danger: "border border-bad text-bad hover:bg-bad-soft",
};

function classes(look: Look, isSquare: boolean, more = ""): string {
  const shape = isSquare ? "size-9 justify-center" : "h-9 px-3.5";
  return `inline-flex shrink-0 items-center gap-2 rounded-md text-sm font-medium whitespace-nowrap transition-colors disabled:opacity-50 ${shape} ${looks[look]} ${more}`;
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: Look;
  /** While it works it cannot be pressed again, and says so. */
  isBusy?: boolean;
}

export function Button({
  look = "plain",
  isBusy = false,
  className,
  children,
  disabled,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled === true || isBusy}
      aria-busy={isBusy || undefined}
      className={classes(look, false, className)}
    >
      {isBusy && <Spinner />}
      {children}
    </button>
  );
}

interface IconButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  label: string;
  look?: Look;
}

/** A button with an icon alone; the label is for whoever does not see it. */
export function IconButton({ label, look = "quiet", className, children, ...rest }: IconButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      aria-label={label}
      title={label}
      className={classes(look, true, className)}
    >
      {children}
    </button>
  );
}

export function ButtonLink({
  look = "plain",
  className,
  children,
  ...rest
}: LinkProps & { look?: Look; children: ReactNode }) {
  return (
    <Link {...rest} className={classes(look, false, className)}>
      {children}
    </Link>
  );
}

/** Leads to a file of the hub that is saved, not shown. */
export function DownloadLink({ children, className, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement>) {
  return (
    <a {...rest} className={classes("plain", false, className)}>
      {children}
    </a>
  );
}

export function Spinner() {
  return (
    <span
      aria-hidden
      className="inline-block size-4 animate-spin rounded-full border-2 border-current border-r-transparent"
    />
  );
}
