// Chooses a role: one that every hub has, or one that was made here.

import type { UseFormRegisterReturn } from "react-hook-form";
import { useAll } from "../objects/objects";
import { builtinRoles } from "../roles/builtin";
import { SelectField } from "../ui/field";

interface RoleFieldProps {
  registration: UseFormRegisterReturn;
  error: string | undefined;
}

export function RoleField({ registration, error }: RoleFieldProps) {
  const roles = useAll("roles").data ?? [];
  return (
    <SelectField label="Role" error={error} {...registration}>
      <option value="">Choose a role</option>
      <optgroup label="Built in">
        {builtinRoles.map(({ name }) => (
          <option key={name}>{name}</option>
        ))}
      </optgroup>
      {roles.length > 0 && (
        <optgroup label="Made here">
          {roles.map(({ name }) => (
            <option key={name}>{name}</option>
          ))}
        </optgroup>
      )}
    </SelectField>
  );
}
