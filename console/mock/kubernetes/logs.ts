// What containers of a played cluster say: lines of before, then one now and then.

import { type KubernetesObject, listAt } from "../../src/kubernetes/objects.ts";
import type { Called } from "./call.ts";

/** What nobody should let into a page or a terminal as it is. */
const hostile = `<img src=x onerror="globalThis.hacked()"> \u001b[31mred\u001b[0m \u001b]0;title\u0007`;

export function logs(object: KubernetesObject, { query, signal }: Called): Response {
  const containers = listAt<{ name: string }>(object, "spec", "containers");
  const container = query.get("container") ?? containers[0]?.name ?? "";
  const isBefore = query.get("previous") === "true";
  const line = (number: number, text: string) => {
    const time = new Date(Date.parse("2026-03-01T12:00:00Z") + number * 1000).toISOString();
    return `${query.get("timestamps") === "true" ? `${time} ` : ""}${text}\n`;
  };
  const first = Array.from({ length: 40 }, (_, number) =>
    line(
      number,
      `${isBefore ? "before: " : ""}${container} answered GET /items/${number} with 200 in ${number % 9} ms`,
    ),
  );
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode([...first, line(40, hostile)].join("")));
      if (query.get("follow") !== "true" || isBefore) {
        controller.close();
        return;
      }
      let number = 41;
      const timer = setInterval(() => {
        controller.enqueue(encoder.encode(line(number, `${container} is well (${number})`)));
        number += 1;
      }, 1000);
      signal.addEventListener("abort", () => clearInterval(timer));
    },
  });
  return new Response(body, { headers: { "content-type": "text/plain" } });
}
