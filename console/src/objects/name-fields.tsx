// What all forms of objects begin with: the name that stays, and the one for people.

import type { FieldErrors, UseFormRegisterReturn } from "react-hook-form";
import { TextField } from "../ui/field";

interface NameFieldsProps {
  name: UseFormRegisterReturn;
  displayName: UseFormRegisterReturn;
  errors: FieldErrors<{ name: string; displayName: string }>;
  /** Whether the object is yet to be made. */
  isNew: boolean;
  hint?: string;
}

export function NameFields({ name, displayName, errors, isNew, hint }: NameFieldsProps) {
  return (
    <>
      <TextField
        label="Name"
        hint={hint}
        autoFocus={isNew}
        readOnly={!isNew}
        spellCheck={false}
        error={errors.name?.message}
        {...name}
      />
      <TextField label="Name for people" error={errors.displayName?.message} {...displayName} />
    </>
  );
}
