// Lists that are typed in one line.

/** Parts of a text such as `v1.35, v1.36`. */
export function readList(text: string): string[] {
  return text
    .split(/[,\s]+/)
    .map((part) => part.trim())
    .filter(Boolean);
}
