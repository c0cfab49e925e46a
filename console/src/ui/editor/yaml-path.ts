// Where one is in a YAML text, by its indentation: enough to offer the fields that belong there.

const field = /^(?<indent>\s*)(?<dashes>(?:-\s+)*)(?<name>[\w./-]+)\s*:/;

/** Names of the fields around a place whose own line begins at `column`; lines are those above it, the nearest last. */
export function pathAbove(lines: readonly string[], column: number): string[] {
  const path: string[] = [];
  let inner = column;
  for (let number = lines.length - 1; number >= 0 && inner > 0; number -= 1) {
    const line = lines[number] ?? "";
    if (line.startsWith("---")) {
      break;
    }
    const { indent = "", dashes = "", name } = field.exec(line)?.groups ?? {};
    const at = indent.length + dashes.length;
    if (name !== undefined && at < inner) {
      path.unshift(name);
      inner = dashes === "" ? at : indent.length + 1;
    } else if (name !== undefined && dashes !== "" && indent.length < inner) {
      // A sibling that begins the entry of a list: what holds the list is further out, or as far.
      inner = indent.length + 1;
    }
  }
  return path;
}

/** Column at which a line's field begins, dashes of lists left out. */
export function columnOf(line: string): number {
  return /^\s*(?:-\s+)*/.exec(line)?.[0].length ?? 0;
}
