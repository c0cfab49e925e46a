// How one gets into a cluster with kubectl.

import { useMutation } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { answer, type Cluster, hub } from "../../api/hub";
import { Button } from "../../ui/button";
import { CopyText } from "../../ui/copy";
import { ProblemPanel } from "../../ui/problem-panel";

function save(name: string, content: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type: "application/yaml" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

export function Kubeconfig({ cluster: { id } }: { cluster: Cluster }) {
  const file = `${id}.yaml`;
  const download = useMutation({
    mutationFn: async () => {
      const call = hub.GET("/api/v1/clusters/{name}/kubeconfig", {
        params: { path: { name: id } },
        parseAs: "text",
      });
      return String(await answer<unknown>(call));
    },
    onSuccess: (text) => save(file, text),
  });
  return (
    <div className="flex flex-col gap-3">
      <p className="text-sm text-muted">
        The kubeconfig holds no secret: kubectl asks <code className="font-mono">flotilla</code> for an
        identity of ten minutes whenever it needs one. Sign in with{" "}
        <code className="font-mono">flotilla login</code> once.
      </p>
      <Button className="self-start" isBusy={download.isPending} onClick={() => download.mutate()}>
        <Download aria-hidden className="size-4" />
        Download kubeconfig
      </Button>
      <ProblemPanel error={download.error} />
      <CopyText label="the command" text={`kubectl --kubeconfig ${file} get pods --all-namespaces`} />
    </div>
  );
}
