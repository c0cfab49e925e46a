// One set of form fields: label, control, what it is for, and what is wrong with it.

import type { ComponentProps, ReactNode } from "react";
import { useId } from "react";

export const control =
  "h-9 min-w-0 rounded-md border border-line-strong bg-surface px-3 text-sm text-text any-pointer-coarse:text-base placeholder:text-muted aria-invalid:border-bad disabled:opacity-60";

interface Frame {
  label: string;
  /** What it is for. */
  hint?: ReactNode;
  /** What is wrong, and what would be right. */
  error?: string | undefined;
}

interface Wiring {
  id: string;
  "aria-describedby"?: string;
  "aria-invalid"?: true;
}

/** Label, hint and error around any control. */
export function Field({ label, hint, error, children }: Frame & { children: (wiring: Wiring) => ReactNode }) {
  const id = useId();
  const told = [hint !== undefined && `${id}-hint`, error !== undefined && `${id}-error`]
    .filter(Boolean)
    .join(" ");
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      {children({
        id,
        ...(told === "" ? {} : { "aria-describedby": told }),
        ...(error === undefined ? {} : { "aria-invalid": true }),
      })}
      {hint !== undefined && (
        <p id={`${id}-hint`} className="text-xs text-muted">
          {hint}
        </p>
      )}
      {error !== undefined && (
        <p id={`${id}-error`} role="alert" className="text-xs font-medium text-bad">
          {error}
        </p>
      )}
    </div>
  );
}

export function TextField({ label, hint, error, ...input }: Frame & ComponentProps<"input">) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(wiring) => <input autoComplete="off" {...input} {...wiring} className={`${control} w-full`} />}
    </Field>
  );
}

export function SelectField({ label, hint, error, children, ...select }: Frame & ComponentProps<"select">) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(wiring) => (
        <select {...select} {...wiring} className={`${control} w-full`}>
          {children}
        </select>
      )}
    </Field>
  );
}

export function AreaField({ label, hint, error, ...area }: Frame & ComponentProps<"textarea">) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(wiring) => (
        <textarea
          rows={4}
          spellCheck={false}
          {...area}
          {...wiring}
          className={`${control} h-auto w-full py-2 font-mono text-xs leading-5`}
        />
      )}
    </Field>
  );
}

/** Something that is or is not. */
export function CheckField({ label, hint, ...box }: Omit<Frame, "error"> & ComponentProps<"input">) {
  const id = useId();
  return (
    <div className="flex items-start gap-2.5">
      <input
        type="checkbox"
        {...box}
        id={id}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        className="mt-0.5 size-4 shrink-0 accent-accent"
      />
      <span className="flex flex-col gap-0.5">
        <label htmlFor={id} className="text-sm font-medium">
          {label}
        </label>
        {hint !== undefined && (
          <span id={`${id}-hint`} className="text-xs text-muted">
            {hint}
          </span>
        )}
      </span>
    </div>
  );
}
