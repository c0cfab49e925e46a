// Schemas of a played cluster (OpenAPI 3): as much of them as shows how they help.

const workload = {
  type: "object",
  description: "Deployment enables declarative updates for Pods and ReplicaSets.",
  "x-kubernetes-group-version-kind": [{ group: "apps", kind: "Deployment", version: "v1" }],
  properties: {
    apiVersion: { type: "string", description: "The versioned schema of this object." },
    kind: { type: "string", description: "The kind of this object." },
    metadata: { type: "object", description: "Name, labels and what else all objects have." },
    spec: { allOf: [{ $ref: "#/components/schemas/DeploymentSpec" }], description: "How it shall be." },
  },
};

const spec = {
  type: "object",
  properties: {
    replicas: { type: "integer", description: "Number of desired pods. Defaults to 1." },
    paused: { type: "boolean", description: "Indicates that the deployment is paused." },
    minReadySeconds: { type: "integer", description: "How long a new pod has to be ready." },
  },
};

export function schemas(path: string): Response {
  return path === "/openapi/v3"
    ? Response.json({ paths: { "apis/apps/v1": { serverRelativeURL: "/openapi/v3/apis/apps/v1?hash=A1" } } })
    : Response.json({ components: { schemas: { Deployment: workload, DeploymentSpec: spec } } });
}
