// The fields of an OpenID Connect provider, and those of a directory.

import type { FieldErrors, UseFormRegister } from "react-hook-form";
import { CheckField, TextField } from "../ui/field";
import type { TypedProvider } from "./provider-spec";

interface FieldsProps {
  register: UseFormRegister<TypedProvider>;
  errors: FieldErrors<TypedProvider>;
  isNew: boolean;
}

export function OidcFields({ register, errors, isNew }: FieldsProps) {
  const field = (name: keyof TypedProvider, rules = {}) => ({
    spellCheck: false,
    error: errors[name]?.message,
    ...register(name, rules),
  });
  return (
    <>
      <TextField
        label="Issuer"
        hint="To the letter as the provider says it. It cannot be changed later."
        placeholder="https://id.example.com"
        readOnly={!isNew}
        {...field("issuer", { required: "Name the issuer." })}
      />
      <TextField
        label="Client id"
        hint="What the provider knows the hub by."
        {...field("clientId", { required: "Name the client." })}
      />
      <TextField
        label="Scopes beside openid"
        placeholder="profile email groups offline_access"
        hint="Without offline_access groups hold for ten minutes."
        {...field("scopes")}
      />
      <TextField label="Claim with the name" placeholder="preferred_username" {...field("usernameClaim")} />
      <TextField label="Claim with the groups" placeholder="groups" {...field("groupsClaim")} />
    </>
  );
}

export function LdapFields({ register, errors, isNew }: FieldsProps) {
  const field = (name: keyof TypedProvider, rules = {}) => ({
    spellCheck: false,
    error: errors[name]?.message,
    ...register(name, rules),
  });
  return (
    <>
      <TextField
        label="Address"
        placeholder="ldaps://ldap.example.com"
        hint="It cannot be changed later: another directory would be sent the password."
        readOnly={!isNew}
        {...field("url", {
          pattern: { value: /^ldaps?:\/\/.+/, message: "As in ldaps://ldap.example.com." },
        })}
      />
      <TextField
        label="Who searches"
        placeholder="cn=flotilla,ou=services,dc=example,dc=com"
        hint="Allowed to read users and groups, and nothing else."
        {...field("bindDn", { required: "Name who searches." })}
      />
      <TextField
        label="Users are below"
        placeholder="ou=people,dc=example,dc=com"
        {...field("userBase", { required: "Say where users are." })}
      />
      <TextField
        label="Which entry is a user's"
        hint="{user} stands for the name that was typed."
        {...field("userFilter", { required: "Say how a user is found." })}
      />
      <TextField label="Attribute with the name" placeholder="uid" {...field("userNameAttribute")} />
      <TextField
        label="Attribute that never changes"
        placeholder="entryUUID"
        hint="objectGUID in Active Directory. It cannot be changed later."
        readOnly={!isNew}
        {...field("idAttribute")}
      />
      <TextField label="Groups are below" placeholder="ou=groups,dc=example,dc=com" {...field("groupBase")} />
      <TextField
        label="Which entries are a user's groups"
        placeholder="(member={dn})"
        {...field("groupFilter")}
      />
      <TextField label="Attribute with a group's name" placeholder="cn" {...field("groupNameAttribute")} />
      <CheckField label="StartTLS" hint="For ldap:// only." {...register("startTls")} />
    </>
  );
}
