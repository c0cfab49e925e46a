// What an object belongs to, and what belongs to it.

import { Link } from "react-router";
import { collectionPath, type Kind, kindOf, titleOf } from "../../kubernetes/kinds";
import { at, type KubernetesObject } from "../../kubernetes/objects";
import { useList } from "../../kubernetes/use-list";
import { Badge } from "../../ui/badge";
import { Section } from "../../ui/page";
import { cellText, toneOf } from "../list/columns";
import { objectPath } from "../paths";
import { useShownObject } from "./object-page";

/** Which kinds a kind makes objects of. */
const made: Record<string, string[]> = {
  "deployments.apps": ["replicasets.apps", "pods"],
  "replicasets.apps": ["pods"],
  "statefulsets.apps": ["pods"],
  "daemonsets.apps": ["pods"],
  "jobs.batch": ["pods"],
  "cronjobs.batch": ["jobs.batch"],
  services: ["pods"],
  nodes: ["pods"],
};

/** So many of each are shown. */
const most = 50;

export function Related() {
  const { cluster, kind, kinds, object } = useShownObject();
  const owners = object.metadata.ownerReferences ?? [];
  const children = (made[kind.id] ?? []).flatMap((id) => kinds.find((found) => found.id === id) ?? []);
  return (
    <>
      {owners.length > 0 && (
        <Section title="Belongs to">
          <ul className="flex flex-col gap-2 text-sm">
            {owners.map((owner) => {
              const its = kindOf(kinds, owner);
              const namespace = its?.isNamespaced === true ? object.metadata.namespace : undefined;
              return (
                <li key={owner.uid} className="flex flex-wrap gap-x-2">
                  <span className="text-muted">{owner.kind}</span>
                  {its === undefined ? (
                    <span>{owner.name}</span>
                  ) : (
                    <Link
                      to={objectPath(cluster, its, namespace, owner.name)}
                      className="min-w-0 break-words text-accent hover:underline"
                    >
                      {owner.name}
                    </Link>
                  )}
                </li>
              );
            })}
          </ul>
        </Section>
      )}
      {children.map((child) => (
        <Children key={child.id} child={child} />
      ))}
    </>
  );
}

/** What narrows children on the server; nothing if it cannot be said there. */
function narrowing(kind: Kind, object: KubernetesObject): { labels?: string; fields?: string } | undefined {
  if (kind.id === "nodes") {
    return { fields: `spec.nodeName=${object.metadata.name}` };
  }
  const isService = kind.id === "services";
  const labels = at(object, "spec", "selector", ...(isService ? [] : ["matchLabels"]));
  if (typeof labels !== "object" || labels === null || Object.keys(labels).length === 0) {
    // A CronJob has no selector; its Jobs are found by their owner.
    return isService ? undefined : {};
  }
  return {
    labels: Object.entries(labels)
      .map(([name, value]) => `${name}=${String(value)}`)
      .join(","),
  };
}

function Children({ child }: { child: Kind }) {
  const { cluster, kind, object } = useShownObject();
  const narrow = narrowing(kind, object);
  const path = collectionPath(child, object.metadata.namespace);
  const { list } = useList(narrow === undefined ? undefined : { cluster, path, ...narrow });
  // Pods of a Deployment belong to its ReplicaSets: there, labels say it.
  const isByOwner =
    !["nodes", "services"].includes(kind.id) && !(kind.id === "deployments.apps" && child.id === "pods");
  const rows = list.rows.filter(({ owners }) => !isByOwner || owners.includes(object.metadata.uid ?? ""));
  const names = list.columns.map(({ name }) => name);
  const place = names.indexOf(names.includes("Status") ? "Status" : "Ready");
  return (
    <Section title={`${titleOf(child)} (${rows.length})`}>
      {rows.length === 0 ? (
        <p className="text-sm text-muted">
          {list.stale === undefined
            ? list.isComplete
              ? "None."
              : "On their way."
            : list.stale.problem.message}
        </p>
      ) : (
        <ul className="-my-2 divide-y divide-line">
          {rows.slice(0, most).map(({ id, name, namespace, cells }) => {
            const state = cellText(cells[place]);
            return (
              <li key={id} className="flex items-center gap-3 py-2 text-sm">
                <Link
                  to={objectPath(cluster, child, namespace, name)}
                  className="min-w-0 flex-1 truncate text-accent hover:underline"
                >
                  {name}
                </Link>
                {state !== "" && <Badge tone={toneOf(state)}>{state}</Badge>}
              </li>
            );
          })}
        </ul>
      )}
      {rows.length > most && <p className="mt-3 text-sm text-muted">And {rows.length - most} more.</p>}
    </Section>
  );
}
