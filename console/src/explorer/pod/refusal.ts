// Why a shell did not begin: browsers do not tell what answered their WebSocket, so the cluster is asked.

import { Problem } from "../../api/problem";
import { type KubernetesObject, textAt } from "../../kubernetes/objects";
import { askJson } from "../../kubernetes/request";

const path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

interface Review {
  status?: { allowed?: boolean; reason?: string };
}

/** What is told instead, if more is known; a session that has ended is renewed by asking. */
export async function explained(
  cluster: string,
  pod: KubernetesObject,
  otherwise: Problem,
): Promise<Problem> {
  const { name, namespace } = pod.metadata;
  const phase = textAt(pod, "status", "phase");
  const because = (detail: string) =>
    new Problem({ status: 0, code: "denied", title: otherwise.title, detail });
  const resourceAttributes = { verb: "create", resource: "pods", subresource: "exec", namespace, name };
  const body = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes },
  };
  try {
    const { status } = await askJson<Review>(cluster, path, { method: "POST", body });
    if (status?.allowed === false) {
      const place = namespace === undefined ? "" : ` in namespace ${namespace}`;
      return because(
        `You may not create pods/exec${place}; ask who manages the cluster for a role that does.`,
      );
    }
  } catch (error) {
    return Problem.from(error);
  }
  return phase === undefined || phase === "Running"
    ? otherwise
    : because(`The pod is ${phase.toLowerCase()}: a shell needs one that runs.`);
}
