// Which rows are selected: one by one, or from the last one to this one.

/** Turns the row at a place around; with `from`, all rows between become what it becomes. */
export function toggled(
  selected: ReadonlySet<string>,
  ids: readonly string[],
  at: number,
  from = at,
): ReadonlySet<string> {
  const isOn = !selected.has(ids[at] ?? "");
  const next = new Set(selected);
  for (const id of ids.slice(Math.min(from, at), Math.max(from, at) + 1)) {
    if (isOn) {
      next.add(id);
    } else {
      next.delete(id);
    }
  }
  return next;
}
