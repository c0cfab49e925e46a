// Copies what was built into dist/, from where the server embeds it, with gzip and brotli beside what compresses.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const from = "build";
const to = "dist";

/** What holds the directory in a clone where nothing is built yet. */
const kept = ".gitignore";

for (const name of readdirSync(to)) {
  if (name !== kept) {
    rmSync(join(to, name), { recursive: true });
  }
}
for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
  const path = relative(from, join(entry.parentPath, entry.name));
  if (entry.isFile() && !path.startsWith(".vite")) {
    pack(path);
  }
}

function pack(path: string): void {
  const content = readFileSync(join(from, path));
  const target = join(to, path);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, content);
  const level = constants.BROTLI_MAX_QUALITY;
  const packed = {
    br: brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: level } }),
    gz: gzipSync(content, { level: 9 }),
  };
  for (const [ending, bytes] of Object.entries(packed)) {
    if (bytes.length < content.length) {
      writeFileSync(`${target}.${ending}`, bytes);
    }
  }
}
