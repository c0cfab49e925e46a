// Fails if what a browser loads before it shows the first page is larger than it may be.

import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const mostKilobytes = 300;

interface Chunk {
  file: string;
  isEntry?: boolean;
  imports?: string[];
  css?: string[];
}

const chunks = JSON.parse(readFileSync("build/.vite/manifest.json", "utf8")) as Record<string, Chunk>;
const first = new Set(["index.html"]);

function load(name: string): void {
  const chunk = chunks[name];
  if (chunk === undefined || first.has(chunk.file)) {
    return;
  }
  for (const file of [chunk.file, ...(chunk.css ?? [])]) {
    first.add(file);
  }
  for (const other of chunk.imports ?? []) {
    load(other);
  }
}

for (const [name, chunk] of Object.entries(chunks)) {
  if (chunk.isEntry === true) {
    load(name);
  }
}

const sizes = [...first].map((file) => ({ file, bytes: gzipSync(readFileSync(`build/${file}`)).length }));
const total = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
for (const { file, bytes } of sizes) {
  console.log(`${(bytes / 1000).toFixed(1).padStart(8)} kB  ${file}`);
}
console.log(`${(total / 1000).toFixed(1).padStart(8)} kB  first load, gzip; ${mostKilobytes} are allowed`);
if (total > mostKilobytes * 1000) {
  process.exitCode = 1;
}
