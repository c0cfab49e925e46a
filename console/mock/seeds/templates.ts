// Templates of the played hub: one with a parameter of each type, one whose version is deprecated.

import type { Seed } from "../objects.ts";

export const templates: Seed<"templates"> = {
  small: {
    spec: {
      displayName: "Small cluster",
      description: "For one team. Reached by node ports.",
      shareDown: true,
      versions: [
        {
          version: "1.0",
          deprecated: "Certificates lacked the zone; take 1.1.",
          parameters: [
            { name: "version", type: "version", choices: ["v1.35.4", "v1.36.3"], default: "v1.36.3" },
          ],
          controlPlane: { kubernetes: { version: "$" + "{version}" } },
        },
        {
          version: "1.1",
          parameters: [
            {
              name: "version",
              displayName: "Version of Kubernetes",
              type: "version",
              choices: ["v1.35.4", "v1.36.3"],
              default: "v1.36.3",
            },
            {
              name: "replicas",
              displayName: "Pods of the control plane",
              type: "integer",
              minimum: 1,
              maximum: 3,
              default: 2,
            },
            {
              name: "zone",
              type: "string",
              description: "Where its workers are.",
              pattern: "[a-z]+(-[a-z]+)*",
              maxLength: 20,
              required: true,
            },
            { name: "size", type: "choice", choices: ["small", "medium"], default: "small" },
            { name: "proxy", displayName: "Run kube-proxy", type: "boolean", default: true },
          ],
          controlPlane: {
            kubernetes: { version: "$" + "{version}" },
            controlPlane: {
              deployment: { replicas: "$" + "{replicas}" },
              service: { serviceType: "NodePort" },
            },
            networkProfile: { certSANs: ["*.$" + "{zone}.example.com"] },
          },
          labels: { zone: "$" + "{zone}" },
        },
      ],
    },
  },
  "acme-edge": {
    spec: {
      displayName: "Edge",
      tenant: "acme",
      shareDown: false,
      versions: [{ version: "1", controlPlane: { kubernetes: { version: "v1.36.3" } } }],
    },
  },
};
