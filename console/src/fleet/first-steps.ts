// What whoever sets up a hub does first, and what of it is done.

import { useQuery } from "@tanstack/react-query";
import { answer, hub } from "../api/hub";

const parameter = "first-steps";

/** Where they are shown, also to whoever has put them away. */
export const firstStepsPath = `/?${parameter}=shown`;

export function isAskedFor(query: URLSearchParams): boolean {
  return query.has(parameter);
}

/** What the hub tells that steps are ticked by. */
export interface SetUp {
  hasFactor: boolean;
  tenants: number;
  users: number;
  providers: number;
}

export interface Step {
  title: string;
  text: string;
  /** What is led to, with the words of the link. */
  links: readonly (readonly [to: string, label: string])[];
  isDone: boolean;
}

/** How far the hub is set up; nothing for those who do not set it up. It is asked anew whenever it is looked at. */
export function useSetUp(isShown: boolean) {
  return useQuery({ queryKey: ["first-steps"], queryFn: ask, enabled: isShown, staleTime: 0 });
}

async function ask(): Promise<SetUp | null> {
  const query = { verb: "create", resource: "tenants" };
  const { allowed } = await answer(hub.GET("/api/v1/access", { params: { query } }));
  if (allowed !== true) {
    return null;
  }
  const one = { params: { query: { limit: 1, fields: "name" } } };
  const [factors, tenants, users, providers] = await Promise.all([
    answer(hub.GET("/api/v1/me/factors")),
    answer(hub.GET("/api/v1/tenants", one)),
    answer(hub.GET("/api/v1/users", one)),
    answer(hub.GET("/api/v1/providers", one)),
  ]);
  return {
    hasFactor: factors.totp || factors.passkeys > 0,
    tenants: tenants.total,
    users: users.total,
    providers: providers.total,
  };
}

export function stepsOf({ hasFactor, tenants, users, providers }: SetUp, clusters: number): Step[] {
  return [
    {
      title: "Make your sign-in safe",
      text: "Set a password of your own, and add a second factor or a passkey.",
      links: [["/account", "Your account"]],
      isDone: hasFactor,
    },
    {
      title: "Make a tenant",
      text: "Clusters and people belong to one: a team, a customer, a department.",
      links: [["/tenants/new", "Make a tenant"]],
      isDone: tenants > 0,
    },
    {
      title: "Bring in a cluster",
      text: "Make one, and its control plane runs here in seconds; or import one that runs elsewhere.",
      links: [
        ["/clusters/create", "Create a cluster"],
        ["/clusters/import", "Import a cluster"],
      ],
      isDone: clusters > 0,
    },
    {
      title: "Invite people",
      text: "Each gets a password that you hand over, and a role in a tenant.",
      links: [["/users/invite", "Invite somebody"]],
      isDone: users > 1,
    },
    {
      title: "Add an identity provider",
      text: "People sign in with what they have already: OpenID Connect, or LDAP.",
      links: [["/providers/new", "Add a provider"]],
      isDone: providers > 0,
    },
  ];
}
