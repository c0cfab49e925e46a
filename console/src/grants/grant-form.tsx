// Gives somebody a role at a place.

import { useId } from "react";
import type { FieldErrors, UseFormRegister } from "react-hook-form";
import { useNavigate, useSearchParams } from "react-router";
import { clusterName } from "../clusters/rules";
import { nameOf } from "../objects/names";
import { ObjectForm } from "../objects/object-form";
import { useAll, type Wanted } from "../objects/objects";
import { SelectField, TextField } from "../ui/field";
import { Loading, Page } from "../ui/page";
import { toast } from "../ui/toast";
import { type Place, placeIn, scopeOf } from "./place";
import { PlaceFields, type TypedPlace } from "./place-fields";
import { RoleField } from "./role-field";

interface Typed extends TypedPlace {
  who: "user" | "group";
  to: string;
  role: string;
  name: string;
}

function wantedOf({ who, to, role, kind, place, name }: Typed): Wanted<"grants"> {
  return {
    name: name.trim() === "" ? nameOf(to, role, kind, place) : name.trim(),
    spec: { [who]: to.trim(), role, scope: scopeOf({ kind, name: place }) },
  };
}

export function NewGrantPage() {
  const [query] = useSearchParams();
  const { isPending } = useAll("roles");
  return (
    <Page title="Give a role" lead="It holds from the next request on. Nobody gives what they lack.">
      {isPending ? (
        <Loading label="The form is on its way" />
      ) : (
        <GrantForm user={query.get("user") ?? ""} place={placeIn(query)} />
      )}
    </Page>
  );
}

function GrantForm({ user, place }: { user: string; place: Place | undefined }) {
  const navigate = useNavigate();
  const initial: Typed = {
    who: "user",
    to: user,
    role: "",
    kind: place?.kind ?? "tenant",
    place: place?.name ?? "",
    name: "",
  };
  return (
    <ObjectForm
      noun="grants"
      typedOf={() => initial}
      wantedOf={wantedOf}
      fields={{ user: "to", group: "to", scope: "place", "scope.tenant": "place" }}
      action="Give"
      onSaved={({ spec }) => {
        toast.done(`${spec.user ?? spec.group} has the role ${spec.role}`);
        navigate(-1);
      }}
    >
      {({ register, watch, formState: { errors } }) => {
        const [who, kind] = watch(["who", "kind"]);
        return (
          <div className="grid gap-5 sm:grid-cols-2">
            <SelectField label="To" {...register("who")}>
              <option value="user">A person</option>
              <option value="group">A group of a provider</option>
            </SelectField>
            <Whom who={who} register={register} errors={errors} />
            <RoleField
              registration={register("role", { required: "Choose a role." })}
              error={errors.role?.message}
            />
            <div className="max-sm:hidden" />
            <PlaceFields
              kind={kind}
              register={register as unknown as UseFormRegister<TypedPlace>}
              errors={errors as FieldErrors<TypedPlace>}
            />
            <TextField
              label="Name of the grant"
              hint="Made from the rest if it is empty."
              spellCheck={false}
              error={errors.name?.message}
              {...register("name", { pattern: clusterName.pattern, maxLength: clusterName.maxLength })}
            />
          </div>
        );
      }}
    </ObjectForm>
  );
}

interface WhomProps {
  who: Typed["who"];
  register: UseFormRegister<Typed>;
  errors: FieldErrors<Typed>;
}

function Whom({ who, register, errors }: WhomProps) {
  const users = useAll("users").data ?? [];
  const list = useId();
  const isUser = who === "user";
  return (
    <>
      <TextField
        label={isUser ? "User" : "Group"}
        hint={isUser ? "Those that you see are offered." : "As provider:group, such as corp:developers."}
        spellCheck={false}
        error={errors.to?.message}
        {...(isUser ? { list } : {})}
        {...register("to", {
          required: isUser ? "Name a user." : "Name a group.",
          validate: (text) => isUser || text.includes(":") || "A group is named as provider:group.",
        })}
      />
      <datalist id={list}>
        {users.map(({ name, spec }) => (
          <option key={name} value={name}>
            {spec.displayName ?? name}
          </option>
        ))}
      </datalist>
    </>
  );
}
