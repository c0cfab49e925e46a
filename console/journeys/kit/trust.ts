// The key of a site's certificate, once that is found to be the authority's. Chromium takes no authority but the
// system's; of a key it can be told that it is good.

import { createHash, X509Certificate } from "node:crypto";
import { connect } from "node:tls";
import type { Site } from "./settings.ts";

/** SHA-256 of the public key, in base64. */
export function keyOf({ url, authority }: Site): Promise<string> {
  const port = url.port === "" ? 443 : Number(url.port);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: url.hostname, port, ca: authority, timeout: 30_000 });
    socket.once("timeout", () => socket.destroy(new Error(`${url.host} does not answer`)));
    socket.once("error", (cause) =>
      reject(new Error(`the certificate of ${url.host} is not found good: ${cause.message}`, { cause })),
    );
    socket.once("secureConnect", () => {
      const { publicKey } = new X509Certificate(socket.getPeerCertificate().raw);
      const key = publicKey.export({ type: "spki", format: "der" });
      socket.end();
      resolve(createHash("sha256").update(key).digest("base64"));
    });
  });
}
