// The line that imports a cluster, and how far it is, live.

import { useMutation } from "@tanstack/react-query";
import { useEffect } from "react";
import { answer, hub } from "../../api/hub";
import { useCluster } from "../../live/clusters";
import { Button, ButtonLink } from "../../ui/button";
import { CopyText } from "../../ui/copy";
import { exactly } from "../../ui/format";
import { Loading } from "../../ui/page";
import { ProblemPanel } from "../../ui/problem-panel";
import { Steps } from "../../ui/steps";
import { pathOf } from "../columns";
import { progress } from "./progress";

export function ImportSteps({ name }: { name: string }) {
  const { cluster } = useCluster(name);
  const token = useMutation({
    mutationFn: () => answer(hub.POST("/api/v1/imports/{name}/token", { params: { path: { name } } })),
  });
  const { mutate } = token;
  const hasCome = cluster !== undefined && cluster.state !== "Waiting";
  useEffect(() => {
    if (!hasCome) {
      mutate();
    }
  }, [mutate, hasCome]);

  return (
    <div className="flex flex-col gap-5">
      {!hasCome && (
        <section aria-label="Command" className="flex flex-col gap-3">
          <p className="text-sm">
            Run this where <code className="font-mono">kubectl</code> has all rights in the cluster. It works
            once.
          </p>
          <ProblemPanel error={token.error} onRetry={() => mutate()} />
          {token.isPending && <Loading label="The command is on its way" rows={2} />}
          {token.data !== undefined && (
            <>
              <CopyText label="the command" text={token.data.command} />
              <p className="text-xs text-muted">
                Good until {exactly(token.data.expires)}. Whoever has it can import one cluster under this
                name.
              </p>
              <Button className="self-start" onClick={() => mutate()}>
                Make another command
              </Button>
            </>
          )}
        </section>
      )}
      <Steps steps={progress(cluster)} />
      {cluster?.state === "Ready" && (
        <ButtonLink to={pathOf(cluster)} look="primary" className="self-start">
          Open the cluster
        </ButtonLink>
      )}
    </div>
  );
}
