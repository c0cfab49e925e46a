// When the certificates of a hosted cluster's control plane end.

import { useQuery } from "@tanstack/react-query";
import { answer, hub } from "../../api/hub";
import { Badge } from "../../ui/badge";
import { Facts } from "../../ui/facts";
import { exactly } from "../../ui/format";
import { Loading, Section } from "../../ui/page";
import { ProblemPanel } from "../../ui/problem-panel";

/** What people call them. */
const titles: Record<string, string> = {
  ca: "Authority",
  "front-proxy-ca-certificate": "Authority of the front proxy",
  "api-server-certificate": "API server",
  "api-server-kubelet-client-certificate": "API server at kubelets",
  "front-proxy-client-certificate": "Front proxy",
  "admin-kubeconfig": "Administrator's kubeconfig",
  "controller-manager-kubeconfig": "Controller manager",
  "scheduler-kubeconfig": "Scheduler",
  "konnectivity-certificate": "Tunnel",
  "konnectivity-kubeconfig": "Tunnel's kubeconfig",
};

const day = 86_400_000;

/** How long before its end a certificate should have been renewed. */
const near = 7 * day;

/** What is to be said of an end beside its time. */
export function warningOf(ends: string, now: number): string | undefined {
  const left = Date.parse(ends) - now;
  return left <= 0 ? "Ended" : left < near ? "Ends soon" : undefined;
}

export function Certificates({ id }: { id: string }) {
  const { data, error, refetch } = useQuery({
    queryKey: ["certificates", id],
    queryFn: () =>
      answer(hub.GET("/api/v1/clusters/{name}/certificates", { params: { path: { name: id } } })),
    refetchInterval: 60_000,
  });
  const items = data?.items.toSorted((one, other) => Date.parse(one.ends) - Date.parse(other.ends));
  return (
    <Section title="Certificates">
      <ProblemPanel error={error} onRetry={refetch} />
      {items === undefined && error === null && <Loading label="Certificates are on their way" />}
      {items?.length === 0 && <p className="text-sm text-muted">None has been issued yet.</p>}
      {items !== undefined && items.length > 0 && (
        <>
          <p className="mb-3 text-sm text-muted">They end then, and are renewed before by themselves.</p>
          <Facts
            facts={items.map(({ name, ends }) => [titles[name] ?? name, <End key={name} time={ends} />])}
          />
        </>
      )}
    </Section>
  );
}

function End({ time }: { time: string }) {
  const warning = warningOf(time, Date.now());
  return (
    <span className="flex flex-wrap items-center gap-2">
      <time dateTime={time} title={exactly(time)}>
        {new Date(time).toLocaleDateString(undefined, { dateStyle: "medium" })}
      </time>
      {warning !== undefined && <Badge tone={warning === "Ended" ? "bad" : "warn"}>{warning}</Badge>}
    </span>
  );
}
