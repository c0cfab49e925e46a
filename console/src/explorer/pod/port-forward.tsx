// How a port of a pod or service is reached from one's own machine.

import { listAt } from "../../kubernetes/objects";
import { CopyText } from "../../ui/copy";
import { useShownObject } from "../object/object-page";
import { containersOf } from "./containers";

/** Ports below it need rights on one's own machine. */
const unprivileged = 1024;

export function PortForward() {
  const { cluster, kind, object } = useShownObject();
  const { name, namespace = "default" } = object.metadata;
  const ports =
    kind.id === "pods"
      ? containersOf(object).flatMap((container) => container.ports)
      : listAt<{ port: number }>(object, "spec", "ports").map(({ port }) => port);
  const all = ports.length === 0 ? [8080] : [...new Set(ports)];
  const pairs = all.map((port) => (port < unprivileged ? `${port + 8000}:${port}` : `${port}:${port}`));
  const what = kind.id === "pods" ? `pod/${name}` : `service/${name}`;
  return (
    <div className="flex flex-col gap-3 text-sm">
      <p className="text-muted">
        With the cluster's kubeconfig, this listens at <code className="font-mono">localhost</code> as long as
        it runs{ports.length === 0 && "; it names no port, so put in yours"}.
      </p>
      <CopyText
        label="the command"
        text={`kubectl --kubeconfig ${cluster}.yaml --namespace ${namespace} port-forward ${what} ${pairs.join(" ")}`}
      />
    </div>
  );
}
