// Checks of sources what the linter does not: the first line says what lives there, and files stay short.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const longest = 200;
const generated = join("src", "api", "schema.d.ts");

const faults = ["src", "mock", "browser", "journeys", "scripts"]
  .flatMap((root) => readdirSync(root, { recursive: true, withFileTypes: true }))
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((path) => /\.tsx?$/.test(path) && path !== generated)
  .flatMap((path) => {
    const text = readFileSync(path, "utf8");
    const lines = text.split("\n").length - 1;
    return [
      ...(text.startsWith("// ")
        ? []
        : [`${path}: does not begin with a comment that says what lives there`]),
      ...(lines > longest ? [`${path}: ${lines} lines; split it, ${longest} is the limit`] : []),
    ];
  });

for (const fault of faults) {
  console.error(fault);
}
if (faults.length > 0) {
  process.exitCode = 1;
}
