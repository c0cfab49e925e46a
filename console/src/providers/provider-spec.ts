// What the form of a provider holds, and the spec that comes of it.

import type { Shown, Specs, Wanted } from "../objects/objects";
import { readList } from "../ui/lists";

export type Provider = Shown<"providers">;
export type ProviderKind = "oidc" | "ldap";

type Oidc = NonNullable<Specs["providers"]["oidc"]>;
type Ldap = NonNullable<Specs["providers"]["ldap"]>;

export interface TypedProvider {
  name: string;
  displayName: string;
  tenant: string;
  createUsers: boolean;
  issuer: string;
  clientId: string;
  scopes: string;
  usernameClaim: string;
  groupsClaim: string;
  caBundle: string;
  url: string;
  startTls: boolean;
  bindDn: string;
  userBase: string;
  userFilter: string;
  userNameAttribute: string;
  idAttribute: string;
  groupBase: string;
  groupFilter: string;
  groupNameAttribute: string;
}

export function kindOf({ spec }: Provider): ProviderKind {
  return spec.ldap == null ? "oidc" : "ldap";
}

const blank: TypedProvider = {
  name: "",
  displayName: "",
  tenant: "",
  createUsers: false,
  issuer: "",
  clientId: "",
  scopes: "",
  usernameClaim: "",
  groupsClaim: "",
  caBundle: "",
  url: "",
  startTls: false,
  bindDn: "",
  userBase: "",
  userFilter: "(uid={user})",
  userNameAttribute: "",
  idAttribute: "",
  groupBase: "",
  groupFilter: "",
  groupNameAttribute: "",
};

export function typedOf(provider: Provider | undefined): TypedProvider {
  const { oidc, ldap, ...spec } = provider?.spec ?? {};
  const scopes = oidc?.scopes?.join(" ");
  const all = { name: provider?.name, ...spec, ...oidc, ...ldap, scopes };
  const known = Object.entries(all).filter(([name, value]) => name in blank && value != null);
  return { ...blank, ...Object.fromEntries(known) };
}

/** What is left empty is as the hub has it otherwise. */
const given = (text: string) => (text.trim() === "" ? null : text.trim());

function oidcOf(typed: TypedProvider): Oidc {
  return {
    issuer: typed.issuer.trim(),
    clientId: typed.clientId.trim(),
    scopes: readList(typed.scopes),
    usernameClaim: given(typed.usernameClaim),
    groupsClaim: given(typed.groupsClaim),
    caBundle: given(typed.caBundle),
  };
}

function ldapOf(typed: TypedProvider): Ldap {
  return {
    url: typed.url.trim(),
    startTls: typed.startTls,
    bindDn: typed.bindDn.trim(),
    userBase: typed.userBase.trim(),
    userFilter: typed.userFilter.trim(),
    userNameAttribute: given(typed.userNameAttribute),
    idAttribute: given(typed.idAttribute),
    groupBase: given(typed.groupBase),
    groupFilter: given(typed.groupFilter),
    groupNameAttribute: given(typed.groupNameAttribute),
    caBundle: given(typed.caBundle),
  };
}

export function wantedOf(
  kind: ProviderKind,
  typed: TypedProvider,
  provider: Provider | undefined,
): Wanted<"providers"> {
  return {
    name: typed.name.trim(),
    labels: provider?.labels ?? {},
    spec: {
      displayName: given(typed.displayName),
      tenant: given(typed.tenant),
      createUsers: typed.createUsers,
      ...(kind === "oidc" ? { oidc: oidcOf(typed) } : { ldap: ldapOf(typed) }),
    },
  };
}

/** What is registered at an OpenID Connect provider. */
export function redirectUrl(origin: string, name: string): string {
  return `${origin}/api/v1/session/oidc/${encodeURIComponent(name)}/callback`;
}
