// Makes a provider of identities, or changes one.

import { useParams, useSearchParams } from "react-router";
import { TenantField } from "../clusters/tenant-field";
import { useTenants } from "../clusters/tenants";
import { NameFields } from "../objects/name-fields";
import { objectName } from "../objects/names";
import { ObjectForm } from "../objects/object-form";
import { useOne } from "../objects/objects";
import { OnePage } from "../objects/one-page";
import { AreaField, CheckField } from "../ui/field";
import { Loading, Page } from "../ui/page";
import { LdapFields, OidcFields } from "./provider-fields";
import { kindOf, type Provider, type ProviderKind, typedOf, wantedOf } from "./provider-spec";

export function NewProviderPage() {
  const kind = useSearchParams()[0].get("kind") === "ldap" ? "ldap" : "oidc";
  const title = kind === "ldap" ? "Add a directory" : "Add an OpenID Connect provider";
  return (
    <Page title={title} lead="Its secret is set afterwards, on its page.">
      <ProviderForm kind={kind} />
    </Page>
  );
}

export function EditProviderPage() {
  const { name = "" } = useParams();
  const query = useOne("providers", name);
  return (
    <OnePage title={`Edit ${name}`} noun="providers" query={query}>
      {(provider) => <ProviderForm provider={provider} kind={kindOf(provider)} />}
    </OnePage>
  );
}

function ProviderForm({ provider, kind }: { provider?: Provider; kind: ProviderKind }) {
  const tenants = useTenants();
  const isNew = provider === undefined;
  if (tenants === undefined) {
    return <Loading label="The form is on its way" />;
  }
  return (
    <ObjectForm
      noun="providers"
      object={provider}
      typedOf={typedOf}
      wantedOf={(typed, object) => wantedOf(kind, typed, object)}
    >
      {({ register, formState: { errors } }) => (
        <>
          <div className="grid gap-5 sm:grid-cols-2">
            <NameFields
              name={register("name", objectName)}
              displayName={register("displayName")}
              errors={errors}
              isNew={isNew}
              hint="Groups are named by it, such as corp:developers. It cannot be changed later."
            />
            <TenantField
              tenants={tenants}
              none="The platform: everybody"
              hint="What it vouches for ends in this tenant, whatever grants say."
              error={errors.tenant?.message}
              registration={register("tenant")}
            />
          </div>
          <CheckField
            label="Whoever signs in first gets a user"
            hint="Otherwise people link their identity after they have signed in in another way."
            {...register("createUsers")}
          />
          <div className="grid gap-5 sm:grid-cols-2">
            {kind === "oidc" ? (
              <OidcFields register={register} errors={errors} isNew={isNew} />
            ) : (
              <LdapFields register={register} errors={errors} isNew={isNew} />
            )}
          </div>
          <AreaField
            label="Authorities of its certificate (PEM)"
            hint="Those of the system if it is empty."
            placeholder="-----BEGIN CERTIFICATE-----"
            error={errors.caBundle?.message}
            {...register("caBundle")}
          />
        </>
      )}
    </ObjectForm>
  );
}
