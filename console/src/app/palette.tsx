// The palette (Ctrl-K): pages, actions and clusters, found by typing.

import { Autocomplete } from "@base-ui/react/autocomplete";
import { Dialog } from "@base-ui/react/dialog";
import { useMemo, useState } from "react";
import { useMatch, useNavigate } from "react-router";
import { useKnownKinds } from "../kubernetes/discovery";
import { useFleet } from "../live/clusters";
import { areas } from "./navigation";
import { type Entry, entries, type Group, search } from "./palette-entries";

interface PaletteProps {
  isOpen: boolean;
  onClose: () => void;
}

export function Palette({ isOpen, onClose }: PaletteProps) {
  return (
    <Dialog.Root open={isOpen} onOpenChange={(next) => !next && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-40 bg-black/45" />
        <Dialog.Popup
          aria-label="Search clusters and actions"
          className="fixed top-[10dvh] left-1/2 z-50 flex max-h-[70dvh] w-[min(40rem,calc(100vw-1.5rem))] -translate-x-1/2 flex-col overflow-hidden rounded-xl border border-line bg-raised text-text shadow-raised outline-none"
        >
          <Search onClose={onClose} />
          <Dialog.Close className="sr-only">Close</Dialog.Close>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Search({ onClose }: { onClose: () => void }) {
  const { rows } = useFleet();
  const navigate = useNavigate();
  const [typed, setTyped] = useState("");
  const { id = "" } = useMatch("/clusters/:id/*")?.params ?? {};
  const kinds = useKnownKinds(id);
  const all = useMemo(
    () => entries(areas, rows, kinds.length === 0 ? undefined : { id, kinds }),
    [rows, id, kinds],
  );
  const groups = useMemo(() => search(all, typed), [all, typed]);
  const open = (entry: Entry) => {
    onClose();
    navigate(entry.to);
  };
  return (
    <Autocomplete.Root
      open
      inline
      items={groups}
      filter={null}
      value={typed}
      onValueChange={setTyped}
      itemToStringValue={(entry: Entry) => entry.label}
      autoHighlight="always"
      keepHighlight
    >
      <Autocomplete.Input
        aria-label="Search"
        placeholder="A cluster, a page, or what you want to do"
        className="h-12 w-full border-b border-line bg-transparent px-4 text-base outline-none placeholder:text-muted"
      />
      <div className="overflow-y-auto py-1">
        <Autocomplete.Empty>
          <p className="px-4 py-6 text-sm text-muted empty:hidden">
            {groups.length === 0 ? "Nothing has such a name." : ""}
          </p>
        </Autocomplete.Empty>
        <Autocomplete.List>
          {(group: Group) => (
            <Autocomplete.Group key={group.value} items={group.items}>
              <Autocomplete.GroupLabel className="px-4 pt-2 pb-1 text-xs font-medium text-muted">
                {group.value}
              </Autocomplete.GroupLabel>
              <Autocomplete.Collection>
                {(entry: Entry) => (
                  <Autocomplete.Item
                    key={entry.to}
                    value={entry}
                    onClick={() => open(entry)}
                    className="flex min-h-9 items-center gap-3 px-4 text-sm outline-none select-none data-[highlighted]:bg-accent-soft"
                  >
                    <span className="min-w-0 flex-1 truncate">{entry.label}</span>
                    {entry.note !== undefined && (
                      <span className="truncate text-xs text-muted">{entry.note}</span>
                    )}
                  </Autocomplete.Item>
                )}
              </Autocomplete.Collection>
            </Autocomplete.Group>
          )}
        </Autocomplete.List>
      </div>
    </Autocomplete.Root>
  );
}
