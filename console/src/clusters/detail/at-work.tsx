// How far a cluster is that is being filled from a backup, or is on its way to another tenant.

import type { Cluster } from "../../api/hub";
import { Spinner } from "../../ui/button";

const works: Record<string, { told: string; title: string }> = {
  Restoring: { told: "Restored", title: "It is being filled from a backup" },
  Transferring: { told: "Transferred", title: "It is on its way to another tenant" },
};

export function AtWork({ cluster: { state, conditions } }: { cluster: Cluster }) {
  const work = works[state];
  if (work === undefined) {
    return null;
  }
  const told = conditions.find(({ type }) => type === work.told);
  return (
    <div
      role="status"
      className="flex gap-3 rounded-xl border border-accent bg-accent-soft px-4 py-3 text-sm"
    >
      <span className="mt-0.5 text-accent">
        <Spinner />
      </span>
      <div className="min-w-0">
        <p className="font-semibold">{work.title}</p>
        <p className="mt-0.5 wrap-anywhere">
          {told?.message || "It starts when all of it is there."} {told !== undefined && `(${told.reason})`}
        </p>
      </div>
    </div>
  );
}
