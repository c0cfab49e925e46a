// Where one is signed in.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { answer, hub } from "../api/hub";
import type { components } from "../api/schema";
import { queries } from "../app/queries";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Confirmed } from "../ui/confirmed";
import { Loading, Section } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";
import { Ago } from "../ui/time";

type Session = components["schemas"]["SessionShown"];

const key = ["me", "sessions"];
const anew = () => queries.invalidateQueries({ queryKey: key });

export function SessionSection() {
  const { data, error, refetch } = useQuery({
    queryKey: key,
    queryFn: () => answer(hub.GET("/api/v1/sessions")),
  });
  const [ended, setEnded] = useState<Session | "others">();
  const hasOthers = (data?.length ?? 0) > 1;
  return (
    <Section
      title="Where you are signed in"
      actions={hasOthers && <Button onClick={() => setEnded("others")}>End all others</Button>}
    >
      <ProblemPanel error={error} onRetry={refetch} />
      {data === undefined && error === null && <Loading label="Sessions are on their way" />}
      <ul className="-my-3 divide-y divide-line">
        {data?.map((session) => (
          <li key={session.id} className="flex flex-wrap items-center gap-3 py-3 text-sm">
            <span className="min-w-0 flex-1 basis-48 wrap-anywhere">
              <span className="font-medium">{session.agent || "An unknown program"}</span>
              <span className="block text-xs text-muted">
                {session.address}, since <Ago time={session.created} />, last used{" "}
                <Ago time={session.lastUsed} />
              </span>
            </span>
            {session.current ? (
              <Badge tone="ok">This one</Badge>
            ) : (
              <Button
                look="quiet"
                aria-label={`End the session of ${session.agent}`}
                onClick={() => setEnded(session)}
              >
                End
              </Button>
            )}
          </li>
        ))}
      </ul>
      {ended !== undefined && (
        <Confirmed
          title={ended === "others" ? "End all other sessions?" : "End this session?"}
          action="End"
          done={ended === "others" ? "You are signed in only here" : "The session has ended"}
          run={() =>
            ended === "others"
              ? hub.DELETE("/api/v1/sessions")
              : hub.DELETE("/api/v1/sessions/{name}", { params: { path: { name: ended.id } } })
          }
          onClose={() => setEnded(undefined)}
          onDone={anew}
        >
          <p>Whoever uses it has to sign in again. If it was not you, change your password, too.</p>
        </Confirmed>
      )}
    </Section>
  );
}
