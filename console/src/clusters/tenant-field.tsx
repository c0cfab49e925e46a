// Whose something is: chosen from the tenants that the user sees, or typed where they see none.

import type { UseFormRegisterReturn } from "react-hook-form";
import { SelectField, TextField } from "../ui/field";

interface TenantFieldProps {
  tenants: readonly string[];
  registration: UseFormRegisterReturn;
  /** What no tenant means. */
  none?: string;
  hint: string;
  error?: string | undefined;
}

export function TenantField({
  tenants,
  registration,
  none = "Choose a tenant",
  hint,
  error,
}: TenantFieldProps) {
  if (tenants.length === 0) {
    return <TextField label="Tenant" hint={hint} error={error} spellCheck={false} {...registration} />;
  }
  return (
    <SelectField label="Tenant" hint={hint} error={error} {...registration}>
      <option value="">{none}</option>
      {tenants.map((tenant) => (
        <option key={tenant} value={tenant}>
          {tenant}
        </option>
      ))}
    </SelectField>
  );
}
