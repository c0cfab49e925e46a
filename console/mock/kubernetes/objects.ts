// What stands in a played cluster: a shop of a few workloads on three nodes, and as many pods as are asked for.

import type { KubernetesObject, Metadata } from "../../src/kubernetes/objects.ts";

const day = 86_400_000;

export interface Seed {
  /** Pods beyond those of the shop. */
  pods: number;
  /** Milliseconds of the epoch. */
  now: number;
}

type Make = (
  apiVersion: string,
  kind: string,
  metadata: Metadata,
  more?: Record<string, unknown>,
) => KubernetesObject;

export function seed({ pods, now }: Seed): KubernetesObject[] {
  const created = new Date(now - 5 * day).toISOString();
  const make: Make = (apiVersion, kind, metadata, more = {}) => ({
    apiVersion,
    kind,
    metadata: {
      uid: `${kind}-${metadata.namespace ?? ""}-${metadata.name}`,
      creationTimestamp: created,
      ...metadata,
    },
    ...more,
  });
  return [
    ...base(make),
    ...workload(make, "web", 3),
    ...workload(make, "api", 2),
    ...extras(make, now),
    ...many(make, pods),
  ];
}

function base(make: Make): KubernetesObject[] {
  const namespaces = ["default", "kube-system", "shop", "load"];
  return [
    ...namespaces.map((name) => make("v1", "Namespace", { name }, { status: { phase: "Active" } })),
    ...[1, 2, 3].map((number) =>
      make(
        "v1",
        "Node",
        { name: `worker-${number}`, labels: { "kubernetes.io/os": "linux" } },
        {
          spec: {},
          status: {
            nodeInfo: { kubeletVersion: "v1.36.3" },
            conditions: [
              {
                type: "Ready",
                status: "True",
                reason: "KubeletReady",
                message: "kubelet is posting ready status",
              },
              { type: "MemoryPressure", status: "False", reason: "KubeletHasSufficientMemory", message: "" },
            ],
          },
        },
      ),
    ),
  ];
}

function owner(kind: string, name: string) {
  return { apiVersion: "apps/v1", kind, name, uid: `${kind}-shop-${name}`, controller: true };
}

function workload(make: Make, name: string, replicas: number): KubernetesObject[] {
  const labels = { app: name, tier: name === "web" ? "front" : "back" };
  const set = `${name}-5d8f7c9b6`;
  const template = {
    metadata: { labels },
    spec: { containers: [{ name, image: `registry.example.com/shop/${name}:2.4.1` }] },
  };
  const spec = { replicas, selector: { matchLabels: { app: name } }, template };
  const conditions = [
    {
      type: "Available",
      status: "True",
      reason: "MinimumReplicasAvailable",
      message: "Deployment has minimum availability.",
    },
  ];
  const status = { replicas, readyReplicas: replicas, updatedReplicas: replicas, conditions };
  return [
    make("apps/v1", "Deployment", { name, namespace: "shop", labels }, { spec, status }),
    make(
      "apps/v1",
      "ReplicaSet",
      { name: set, namespace: "shop", labels, ownerReferences: [owner("Deployment", name)] },
      { spec, status: { replicas, readyReplicas: replicas } },
    ),
    ...Array.from({ length: replicas }, (_, number) => {
      const metadata = {
        name: `${set}-${"kqx2v"[number]}7r9t`,
        namespace: "shop",
        labels,
        ownerReferences: [owner("ReplicaSet", set)],
      };
      return pod(make, metadata, number, name === "web" ? ["web", "proxy"] : [name]);
    }),
    make(
      "v1",
      "Service",
      { name, namespace: "shop", labels },
      {
        spec: {
          type: "ClusterIP",
          clusterIP: "10.96.14.7",
          selector: { app: name },
          ports: [{ name: "http", port: 80, targetPort: 8080 }],
        },
      },
    ),
  ];
}

function pod(make: Make, metadata: Metadata, number: number, containers: string[]): KubernetesObject {
  return make("v1", "Pod", metadata, {
    spec: {
      nodeName: `worker-${(number % 3) + 1}`,
      containers: containers.map((name) => ({
        name,
        image: `registry.example.com/shop/${name}:2.4.1`,
        ports: [{ containerPort: 8080 }],
      })),
    },
    status: {
      phase: number % 97 === 41 ? "Pending" : "Running",
      podIP: `10.244.${number % 250}.${(number % 200) + 2}`,
      containerStatuses: containers.map((name) => ({
        name,
        ready: true,
        restartCount: number % 4,
        state: { running: {} },
      })),
      conditions: [{ type: "Ready", status: "True", reason: "", message: "" }],
    },
  });
}

function extras(make: Make, now: number): KubernetesObject[] {
  const involvedObject = { kind: "Deployment", name: "web", namespace: "shop", uid: "Deployment-shop-web" };
  return [
    make(
      "v1",
      "ConfigMap",
      { name: "settings", namespace: "shop", managedFields: [{ manager: "kubectl" }] },
      {
        data: { "shop.yaml": "currency: EUR\nworkers: 4\n", greeting: "hello" },
      },
    ),
    make(
      "v1",
      "Secret",
      { name: "database", namespace: "shop" },
      { type: "Opaque", data: { password: "aHVudGVyMg==" } },
    ),
    make(
      "policy/v1",
      "PodDisruptionBudget",
      { name: "api", namespace: "shop" },
      {
        spec: { minAvailable: 2, selector: { matchLabels: { app: "api" } } },
      },
    ),
    make(
      "v1",
      "Event",
      { name: "web.17f", namespace: "shop" },
      {
        involvedObject,
        type: "Normal",
        reason: "ScalingReplicaSet",
        message: "Scaled up replica set web-5d8f7c9b6 from 2 to 3",
        lastTimestamp: new Date(now - 600_000).toISOString(),
        count: 3,
      },
    ),
    make("rbac.authorization.k8s.io/v1", "ClusterRole", { name: "system:node" }, { rules: [] }),
  ];
}

function many(make: Make, count: number): KubernetesObject[] {
  return Array.from({ length: count }, (_, number) => {
    const name = `load-${String(number).padStart(6, "0")}`;
    return pod(make, { name, namespace: "load", labels: { app: "load" } }, number, ["main"]);
  });
}
