// One's keys for programs: what they may do, until when, and when they were last used.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answer, hub } from "../api/hub";
import type { components } from "../api/schema";
import { queries } from "../app/queries";
import { Button } from "../ui/button";
import { Confirmed } from "../ui/confirmed";
import { Empty, Loading, Section } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";
import { Ago } from "../ui/time";
import { KeyDialog } from "./key-dialog";

type Key = components["schemas"]["KeyShown"];

const key = ["me", "keys"];
const anew = () => queries.invalidateQueries({ queryKey: key });

/** Such as `reads only, in acme`. */
export function scopeText({ scope }: Pick<Key, "scope">): string {
  if (scope == null) {
    return "nothing: its scope cannot be read";
  }
  const where = [...(scope.tenants ?? []), ...(scope.clusters ?? [])];
  const what = scope.readOnly === true ? "reads" : "does what you may";
  return where.length === 0 ? `${what} everywhere` : `${what} in ${where.join(", ")}`;
}

export function KeySection() {
  const { data, error, refetch } = useQuery({
    queryKey: key,
    queryFn: () => answer(hub.GET("/api/v1/keys")),
  });
  const [isMaking, setMaking] = useState(false);
  const [removed, setRemoved] = useState<Key>();
  return (
    <Section title="Keys for programs" actions={<Button onClick={() => setMaking(true)}>Make a key</Button>}>
      <ProblemPanel error={error} onRetry={refetch} />
      {data === undefined && error === null && <Loading label="Keys are on their way" />}
      {data?.length === 0 && (
        <Empty title="You have no keys">
          A program signs in with a key: it has the rights that you have by name, within a scope, until it
          ends.
        </Empty>
      )}
      <ul className="-my-3 divide-y divide-line">
        {data?.map((shown) => (
          <li key={shown.id} className="flex flex-wrap items-center gap-3 py-3 text-sm">
            <span className="min-w-0 flex-1 basis-48 wrap-anywhere">
              <span className="font-medium">{shown.name}</span>{" "}
              <span className="text-muted">{scopeText(shown)}</span>
              <span className="block text-xs text-muted">
                {shown.lastUsed == null ? (
                  "Never used"
                ) : (
                  <>
                    Last used <Ago time={shown.lastUsed} /> from {shown.lastAddress}
                  </>
                )}
                {shown.expires != null && `, ends ${new Date(shown.expires).toLocaleDateString()}`}
              </span>
            </span>
            <Button
              look="quiet"
              aria-label={`Delete the key ${shown.name}`}
              onClick={() => setRemoved(shown)}
            >
              Delete
            </Button>
          </li>
        ))}
      </ul>
      {isMaking && <KeyDialog onClose={() => setMaking(false)} onMade={anew} />}
      {removed !== undefined && (
        <Confirmed
          title={`Delete the key ${removed.name}?`}
          action="Delete"
          done={`${removed.name} is deleted`}
          run={() => hub.DELETE("/api/v1/keys/{name}", { params: { path: { name: removed.id } } })}
          onClose={() => setRemoved(undefined)}
          onDone={anew}
          isDangerous
        >
          <p>Programs that use it are let in no more, from the next request on.</p>
        </Confirmed>
      )}
    </Section>
  );
}
