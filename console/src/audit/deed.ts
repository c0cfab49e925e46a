// What somebody did, in words, from an entry of the audit log.

/** An entry of the log, as far as it is shown; what is unknown is missing or empty. */
export interface AuditEntry {
  id: string | number;
  time: string;
  actor: string;
  actorKind?: string;
  address?: string;
  agent?: string;
  tenant?: string;
  cluster?: string;
  verb: string;
  resource: string;
  namespace?: string;
  name?: string;
  path?: string;
  decision: string;
  reason?: string;
  status?: number;
  durationMicroseconds?: number;
  request?: string;
}

const past: Record<string, string> = {
  get: "read",
  create: "made",
  update: "changed",
  patch: "changed",
  delete: "deleted",
  deletecollection: "deleted all of",
  sleep: "put to sleep",
  wake: "woke",
  upgrade: "upgraded",
  scale: "scaled",
  approve: "let in",
  deny: "turned away",
  connect: "got into",
  join: "took the import command of",
  rotate: "had the agent's token replaced of",
  transfer: "handed over",
  clone: "cloned",
  backup: "changed backups of",
  restore: "restored",
  migrate: "moved to another data store",
  kubeconfig: "took a kubeconfig of",
};

/** What people call otherwise than by verb and resource: when it was done, and when it was tried. */
const called: Record<string, readonly [done: string, tried: string]> = {
  "create sessions": ["signed in", "sign in"],
  "get pods/exec": ["opened a shell in the pod", "open a shell in the pod"],
  "create pods/exec": ["opened a shell in the pod", "open a shell in the pod"],
};

/** Such as `put to sleep the cluster`; what was not allowed was only tried. */
export function deed({ verb, resource, path, decision }: AuditEntry): string {
  const isDone = decision === "allowed";
  const [done, tried] = called[`${verb} ${resource}`] ?? [];
  if (done !== undefined && tried !== undefined) {
    return isDone ? done : `tried to ${tried}`;
  }
  const what = resource === "" ? (path ?? "something") : `the ${one(resource)}`;
  return isDone ? `${past[verb] ?? verb} ${what}` : `tried to ${verb} ${what}`;
}

/** One of a resource, or a part of one: `users/password` is the password of a user. */
function one(resource: string): string {
  const [noun = "", part] = resource.split("/");
  const single = noun.replace(/s$/, "");
  return part === undefined ? single : `${part} of the ${single}`;
}
