// Chooses a place where a role holds: its kind, and which one.

import { useId } from "react";
import type { FieldErrors, FieldPath, UseFormRegister } from "react-hook-form";
import { useFleet } from "../live/clusters";
import { useAll } from "../objects/objects";
import { SelectField, TextField } from "../ui/field";
import { type PlaceKind, placeKinds } from "./place";

export interface TypedPlace {
  kind: PlaceKind;
  place: string;
}

interface PlaceFieldsProps {
  register: UseFormRegister<TypedPlace>;
  errors: FieldErrors<TypedPlace>;
  kind: PlaceKind;
}

const field = (name: FieldPath<TypedPlace>) => name;

export function PlaceFields({ register, errors, kind }: PlaceFieldsProps) {
  const known = useKnown(kind);
  const list = useId();
  return (
    <>
      <SelectField label="Where" {...register(field("kind"))}>
        {Object.entries(placeKinds).map(([value, label]) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
      </SelectField>
      {kind !== "platform" && (
        <>
          <TextField
            label={`Which ${kind}`}
            hint="Those that you see are offered."
            list={list}
            spellCheck={false}
            error={errors.place?.message}
            {...register(field("place"), { required: "Name the place." })}
          />
          <datalist id={list}>
            {known.map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </>
      )}
    </>
  );
}

function useKnown(kind: PlaceKind): string[] {
  const tenants = useAll("tenants").data ?? [];
  const projects = useAll("projects").data ?? [];
  const { rows } = useFleet();
  const all = {
    tenant: tenants.map(({ name }) => name),
    project: projects.map(({ name }) => name),
    cluster: rows.map(({ id }) => id),
    platform: [],
  };
  return all[kind];
}
