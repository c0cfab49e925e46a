// One project: its namespaces, quota and members.

import { useState } from "react";
import { Link, useNavigate, useParams } from "react-router";
import { Members } from "../grants/members";
import { pathTo, remove, type Shown, useOne } from "../objects/objects";
import { OnePage } from "../objects/one-page";
import { Button, ButtonLink } from "../ui/button";
import { Confirmed } from "../ui/confirmed";
import { Facts } from "../ui/facts";
import { Section } from "../ui/page";

export function ProjectPage() {
  const { name = "" } = useParams();
  const query = useOne("projects", name);
  const [isDeleting, setDeleting] = useState(false);
  const navigate = useNavigate();
  const actions = (
    <>
      <Button look="danger" onClick={() => setDeleting(true)}>
        Delete
      </Button>
      <ButtonLink to={`${pathTo("projects", name)}/edit`} look="primary">
        Edit
      </ButtonLink>
    </>
  );
  return (
    <OnePage
      title={name}
      noun="projects"
      query={query}
      lead={({ spec }) => (
        <>
          {spec.displayName} · Tenant{" "}
          <Link to={pathTo("tenants", spec.tenant)} className="text-accent underline">
            {spec.tenant}
          </Link>
        </>
      )}
      actions={() => actions}
    >
      {(project) => (
        <div className="grid items-start gap-5 lg:grid-cols-2">
          <div className="flex flex-col gap-5">
            <Namespaces project={project} />
            <Quota project={project} />
          </div>
          <Members noun="projects" name={name} />
          {isDeleting && (
            <Confirmed
              title={`Delete ${name}?`}
              action="Delete"
              done={`${name} is deleted`}
              run={() => remove("projects", name)}
              onClose={() => setDeleting(false)}
              onDone={() => navigate("/projects")}
              isDangerous
              typed={name}
            >
              <p>
                Its members lose their rights in its namespaces, and its quota goes. The namespaces stay, with
                all that runs in them.
              </p>
            </Confirmed>
          )}
        </div>
      )}
    </OnePage>
  );
}

function Namespaces({ project: { spec } }: { project: Shown<"projects"> }) {
  const namespaces = spec.namespaces ?? [];
  return (
    <Section title="Namespaces">
      {namespaces.length === 0 && (
        <p className="text-sm text-muted">
          None yet: its members reach nothing. Edit the project to add some.
        </p>
      )}
      <ul className="flex flex-col gap-1.5 text-sm">
        {namespaces.map(({ cluster, namespace }) => (
          <li key={`${cluster}/${namespace}`} className="wrap-anywhere">
            <span className="font-medium">{namespace}</span>{" "}
            <span className="text-muted">
              in{" "}
              <Link to={`/clusters/${encodeURIComponent(cluster)}`} className="text-accent underline">
                {cluster}
              </Link>
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Quota({ project: { spec } }: { project: Shown<"projects"> }) {
  const quota = Object.entries(spec.quota ?? {});
  return (
    <Section title="Quota of each namespace">
      {quota.length === 0 ? (
        <p className="text-sm text-muted">Nothing is limited.</p>
      ) : (
        <Facts facts={quota} />
      )}
    </Section>
  );
}
