// A cluster to be made: what the form holds, what the hub is asked, and the object that comes of it.

import type { NewCluster } from "../../api/hub";
import { readLabels } from "../rules";
import { type OfferedMinor, offered } from "../versions";

export interface Typed {
  name: string;
  tenant: string;
  version: string;
  replicas: number;
  serviceType: string;
  dataStore: string;
  /** Such as `tier=gold, region=north`. */
  labels: string;
}

/** What stands there where the hub knows of no version. */
const fallback = "v1.36.3";

/** What works without anything being changed but the name. */
export function defaults(minors: readonly OfferedMinor[], tenants: readonly string[]): Typed {
  return {
    name: "",
    tenant: tenants.length === 1 ? (tenants[0] ?? "") : "",
    version: offered(minors)[0] ?? fallback,
    replicas: 2,
    serviceType: "LoadBalancer",
    dataStore: "",
    labels: "",
  };
}

export function bodyOf(typed: Typed): NewCluster {
  return {
    name: typed.name.trim(),
    tenant: typed.tenant.trim(),
    version: typed.version.trim(),
    replicas: typed.replicas,
    serviceType: typed.serviceType,
    labels: readLabels(typed.labels),
    ...(typed.dataStore.trim() === "" ? {} : { dataStore: typed.dataStore.trim() }),
  };
}

/** The control plane that the hub makes of it, for whoever would rather apply it by kubectl or keep it in Git. */
export function manifestOf(typed: Typed): object {
  const { name, tenant, version, replicas, serviceType, labels, dataStore } = bodyOf(typed);
  const has = Object.keys(labels ?? {}).length > 0;
  return {
    apiVersion: "kamaji.clastix.io/v1alpha1",
    kind: "TenantControlPlane",
    metadata: { name, namespace: tenant, ...(has ? { labels } : {}) },
    spec: {
      ...(dataStore == null ? {} : { dataStore }),
      controlPlane: { deployment: { replicas }, service: { serviceType } },
      kubernetes: { version, kubelet: { cgroupfs: "systemd" } },
      networkProfile: { port: 6443 },
      addons: { coreDNS: {}, kubeProxy: {} },
    },
  };
}
