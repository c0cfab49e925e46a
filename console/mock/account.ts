// What whoever is signed in to the played hub has of their own.

import type { components } from "../src/api/schema.d.ts";

export class Account {
  hasTotp = false;
  keys: components["schemas"]["KeyShown"][] = [
    {
      id: "key-0",
      name: "deploy from CI",
      created: "2026-01-12T09:30:00Z",
      expires: "2026-12-31T00:00:00Z",
      lastUsed: "2026-03-01T12:00:00Z",
      lastAddress: "203.0.113.9",
      scope: { readOnly: false, tenants: ["acme"], clusters: [] },
    },
  ];
}
