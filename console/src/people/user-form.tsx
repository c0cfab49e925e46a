// Changes a user.

import { useParams } from "react-router";
import { ObjectForm } from "../objects/object-form";
import { useAll, useOne } from "../objects/objects";
import { OnePage } from "../objects/one-page";
import { SelectField, TextField } from "../ui/field";

export function EditUserPage() {
  const { name = "" } = useParams();
  const query = useOne("users", name);
  const tenants = useAll("tenants").data ?? [];
  return (
    <OnePage title={`Edit ${name}`} noun="users" query={query}>
      {(user) => (
        <ObjectForm
          noun="users"
          object={user}
          typedOf={(object) => ({
            displayName: object?.spec.displayName ?? "",
            email: object?.spec.email ?? "",
            tenant: object?.spec.tenant ?? "",
          })}
          wantedOf={(typed, object) => ({
            name,
            labels: object?.labels ?? {},
            spec: {
              ...object?.spec,
              displayName: typed.displayName.trim() || null,
              email: typed.email.trim() || null,
              tenant: typed.tenant || null,
            },
          })}
        >
          {({ register, formState: { errors } }) => (
            <>
              <TextField label="Name" error={errors.displayName?.message} {...register("displayName")} />
              <TextField label="E-mail" type="email" error={errors.email?.message} {...register("email")} />
              <SelectField
                label="Looked after by"
                hint="The owners of this tenant may change the user."
                error={errors.tenant?.message}
                {...register("tenant")}
              >
                <option value="">The platform's administrators</option>
                {[...new Set([user.spec.tenant ?? "", ...tenants.map((tenant) => tenant.name)])]
                  .filter(Boolean)
                  .map((tenant) => (
                    <option key={tenant}>{tenant}</option>
                  ))}
              </SelectField>
            </>
          )}
        </ObjectForm>
      )}
    </OnePage>
  );
}
