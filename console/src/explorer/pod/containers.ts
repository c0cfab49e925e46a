// The containers of a pod, in the order in which people look for them.

import { type KubernetesObject, listAt } from "../../kubernetes/objects";

export interface Container {
  name: string;
  image: string;
  isInit: boolean;
  ports: readonly number[];
}

interface Spec {
  name: string;
  image?: string;
  ports?: { containerPort: number }[];
}

export function containersOf(pod: KubernetesObject): Container[] {
  return (["containers", "initContainers", "ephemeralContainers"] as const).flatMap((list) =>
    listAt<Spec>(pod, "spec", list).map(({ name, image = "", ports = [] }) => ({
      name,
      image,
      isInit: list === "initContainers",
      ports: ports.map(({ containerPort }) => containerPort),
    })),
  );
}
