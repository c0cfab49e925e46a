// The form that a version's parameters make: a field for each, by its type, default, limits and choices.

import {
  type FieldPath,
  type FieldValues,
  type UseFormRegisterReturn,
  type UseFormReturn,
  useFormState,
} from "react-hook-form";
import type { FieldFault } from "../api/problem";
import type { TemplateParameter } from "../objects/objects";
import { CheckField, SelectField, TextField } from "../ui/field";
import { faultOf, limitsText, type TypedParameters } from "./template";

export interface WithParameters extends FieldValues {
  parameters: TypedParameters;
}

interface ParameterFieldsProps<T extends WithParameters> {
  form: UseFormReturn<T>;
  parameters: readonly TemplateParameter[];
}

export function ParameterFields<T extends WithParameters>({ form, parameters }: ParameterFieldsProps<T>) {
  const { errors } = useFormState({ control: form.control });
  const told = errors.parameters as Record<string, { message?: string } | undefined> | undefined;
  return parameters.map((parameter) => (
    <ParameterField
      key={parameter.name}
      parameter={parameter}
      error={told?.[parameter.name]?.message}
      registration={form.register(pathOf<T>(parameter), {
        validate: (value) => faultOf(parameter, value as string | boolean) ?? true,
      })}
    />
  ));
}

function pathOf<T extends WithParameters>({ name }: TemplateParameter): FieldPath<T> {
  return `parameters.${name}` as FieldPath<T>;
}

interface ParameterFieldProps {
  parameter: TemplateParameter;
  error: string | undefined;
  registration: UseFormRegisterReturn;
}

function ParameterField({ parameter, error, registration }: ParameterFieldProps) {
  const { name, displayName, description, required, type, choices = [] } = parameter;
  const hint = [description, limitsText(parameter)].filter(Boolean).join(" · ") || undefined;
  const label = displayName ?? name;
  if (type === "boolean") {
    return <CheckField label={label} hint={hint} {...registration} />;
  }
  const frame = { label: required === true ? `${label} (required)` : label, hint, error };
  if (choices.length > 0) {
    return (
      <SelectField {...frame} {...registration}>
        <option value="">{required === true ? "Choose one" : "Nothing said"}</option>
        {choices.map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
      </SelectField>
    );
  }
  return (
    <TextField
      {...frame}
      spellCheck={false}
      inputMode={type === "integer" ? "numeric" : "text"}
      placeholder={type === "version" ? "v1.36.3" : ""}
      {...registration}
    />
  );
}

/** Puts what the hub says of parameters at their fields, which it names `parameters.zone`. */
export function tellParameters<T extends WithParameters>(
  form: UseFormReturn<T>,
  parameters: readonly TemplateParameter[],
  faults: readonly FieldFault[],
): void {
  for (const { field, detail } of faults) {
    const found = parameters.find(({ name }) => field.endsWith(`parameters.${name}`));
    if (found !== undefined) {
      form.setError(pathOf<T>(found), { message: detail });
    }
  }
}
