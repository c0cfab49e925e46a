// What the palette finds, and which of it first.

import type { Cluster } from "../api/hub";
import { stateOf } from "../clusters/state";
import { listPath } from "../explorer/paths";
import { firstStepsPath } from "../fleet/first-steps";
import { type Kind, titleOf } from "../kubernetes/kinds";
import type { Area } from "./navigation";

export interface Entry {
  label: string;
  to: string;
  note?: string;
  /** In small letters: what it is found by. */
  words: string;
}

export interface Group {
  value: string;
  items: Entry[];
}

/** Of each group so many are shown. */
const most = 12;

export const actions: Entry[] = [
  { label: "Create a cluster", to: "/clusters/create", words: "create new hosted cluster make" },
  { label: "Import a cluster", to: "/clusters/import", words: "import existing cluster agent connect" },
  { label: "Invite somebody", to: "/users/invite", words: "invite somebody new user person add people" },
  { label: "Give a role", to: "/grants/new", words: "give a role grant rights permission" },
  { label: "Make a tenant", to: "/tenants/new", words: "make a tenant new create organisation" },
  { label: "Make a project", to: "/projects/new", words: "make a project new create namespaces" },
  { label: "Write a template", to: "/templates/new", words: "write a template new create" },
  { label: "Who may do what?", to: "/access", words: "who may do what access rights explain can i" },
  {
    label: "Your account",
    to: "/account",
    words: "your account password passkey second factor keys sessions",
  },
  { label: "First steps", to: firstStepsPath, words: "first steps guide begin help set up" },
  { label: "Let a program in", to: "/device", words: "device code login cli let a program in" },
];

/** The cluster whose page is open, with the kinds that it has. */
export interface OpenCluster {
  id: string;
  kinds: readonly Kind[];
}

export function entries(areas: readonly Area[], clusters: readonly Cluster[], open?: OpenCluster): Group[] {
  const destinations = areas.flatMap((area) => area.destinations);
  return [
    ...(open === undefined ? [] : [ofKinds(open)]),
    { value: "Actions", items: actions },
    {
      value: "Pages",
      items: destinations.map(({ label, to, words }) => ({
        label,
        to,
        words: `${label} ${words}`.toLowerCase(),
      })),
    },
    {
      value: "Clusters",
      items: clusters.map(({ id, name, tenant, state }) => ({
        label: name,
        to: `/clusters/${encodeURIComponent(id)}`,
        note: [tenant, stateOf(state).label].filter(Boolean).join(" · "),
        words: `${name} ${id} ${tenant ?? ""}`.toLowerCase(),
      })),
    },
  ];
}

function ofKinds({ id, kinds }: OpenCluster): Group {
  const items = kinds.map((kind) => ({
    label: titleOf(kind),
    to: listPath(id, kind),
    ...(kind.group === "" ? {} : { note: kind.group }),
    words: [titleOf(kind), kind.id, ...kind.shortNames].join(" ").toLowerCase(),
  }));
  return { value: "In this cluster", items };
}

/** Entries that have all words that were typed; those that begin with them first. */
export function search(groups: readonly Group[], typed: string): Group[] {
  const wanted = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const isFound = ({ words }: Entry) => wanted.every((word) => words.includes(word));
  const begins = ({ words }: Entry) => (wanted[0] !== undefined && words.startsWith(wanted[0]) ? 0 : 1);
  return groups
    .map(({ value, items }) => ({
      value,
      items: items
        .filter(isFound)
        .sort((one, other) => begins(one) - begins(other))
        .slice(0, most),
    }))
    .filter(({ items }) => items.length > 0);
}
