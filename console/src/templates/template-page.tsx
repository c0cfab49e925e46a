// One template: its versions and their parameters; a version is deprecated, or tried.

import { useState } from "react";
import { useNavigate, useParams } from "react-router";
import { change, pathTo, remove, type TemplateVersion, useOne } from "../objects/objects";
import { OnePage } from "../objects/one-page";
import { Badge } from "../ui/badge";
import { Button, ButtonLink } from "../ui/button";
import { Confirmed } from "../ui/confirmed";
import { TextField } from "../ui/field";
import { Section } from "../ui/page";
import { limitsText, newest, type Template } from "./template";

export function TemplatePage() {
  const { name = "" } = useParams();
  const query = useOne("templates", name);
  const navigate = useNavigate();
  const [isDeleting, setDeleting] = useState(false);
  return (
    <OnePage
      title={name}
      noun="templates"
      query={query}
      lead={({ spec }) => spec.description ?? spec.displayName}
      actions={() => (
        <>
          <Button look="danger" onClick={() => setDeleting(true)}>
            Delete
          </Button>
          <ButtonLink to={`${pathTo("templates", name)}/edit`}>Edit</ButtonLink>
          <ButtonLink to={`/clusters/create?template=${encodeURIComponent(name)}`} look="primary">
            Create a cluster
          </ButtonLink>
        </>
      )}
    >
      {(template) => (
        <>
          <p className="text-sm text-muted">
            Of {template.spec.tenant ?? "the platform"},{" "}
            {template.spec.shareDown === false ? "for nobody below" : "for all tenants below, too"}.
          </p>
          {template.spec.versions.toReversed().map((version) => (
            <Version key={version.version} template={template} version={version} />
          ))}
          {isDeleting && (
            <Confirmed
              title={`Delete ${name}?`}
              action="Delete"
              done={`${name} is deleted`}
              run={() => remove("templates", name)}
              onClose={() => setDeleting(false)}
              onDone={() => navigate("/templates")}
              isDangerous
              typed={name}
            >
              <p>All its versions go. Clusters that were made from it stay as they are.</p>
            </Confirmed>
          )}
        </>
      )}
    </OnePage>
  );
}

function Version({ template, version }: { template: Template; version: TemplateVersion }) {
  const [isDeprecating, setDeprecating] = useState(false);
  const parameters = version.parameters ?? [];
  const isNewest = newest(template.spec.versions) === version;
  return (
    <Section
      title={`Version ${version.version}`}
      actions={
        version.deprecated == null ? (
          <>
            {isNewest && <Badge tone="ok">Newest</Badge>}
            <Button onClick={() => setDeprecating(true)}>Deprecate</Button>
          </>
        ) : (
          <Badge tone="warn">Deprecated</Badge>
        )
      }
    >
      {version.deprecated != null && <p className="mb-3 text-sm wrap-anywhere">{version.deprecated}</p>}
      {parameters.length === 0 && <p className="text-sm text-muted">It leaves nothing open.</p>}
      <dl className="flex flex-col gap-2 text-sm">
        {parameters.map((parameter) => (
          <div key={parameter.name} className="flex flex-wrap gap-x-3">
            <dt className="font-medium wrap-anywhere">{parameter.displayName ?? parameter.name}</dt>
            <dd className="text-muted wrap-anywhere">
              {[
                parameter.type,
                parameter.required === true ? "required" : undefined,
                parameter.default == null ? undefined : `${String(parameter.default)} if nothing is said`,
                (parameter.choices ?? []).join(" or "),
                limitsText(parameter),
                parameter.description,
              ]
                .filter(Boolean)
                .join(" · ")}
            </dd>
          </div>
        ))}
      </dl>
      {isDeprecating && (
        <Deprecate template={template} version={version} onClose={() => setDeprecating(false)} />
      )}
    </Section>
  );
}

interface DeprecateProps {
  template: Template;
  version: TemplateVersion;
  onClose: () => void;
}

function Deprecate({ template, version, onClose }: DeprecateProps) {
  const [why, setWhy] = useState("");
  const versions = template.spec.versions.map((each) =>
    each === version ? { ...each, deprecated: why.trim() } : each,
  );
  return (
    <Confirmed
      title={`Deprecate ${template.name} ${version.version}?`}
      action="Deprecate"
      done={`${template.name} ${version.version} is deprecated`}
      run={() => change("templates", template, { versions })}
      onClose={onClose}
      isDisabled={why.trim() === ""}
    >
      <p>It is taken only where it is named. Clusters that were made from it stay as they are.</p>
      <TextField
        label="Why, and what to take instead"
        placeholder="Certificates lacked the zone; take 1.1."
        value={why}
        onChange={(event) => setWhy(event.target.value)}
      />
    </Confirmed>
  );
}
