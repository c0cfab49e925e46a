// Saved views: filters and order by a name, each person's own, kept in the browser.

import { Bookmark, Trash2 } from "lucide-react";
import { useState } from "react";
import { useStored } from "../app/stored";
import { Button, IconButton } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { TextField } from "../ui/field";
import { Menu, MenuItem, MenuSeparator } from "../ui/menu";

interface ViewsProps {
  /** Whose they are. */
  user: string;
  /** What is shown now, as in the address. */
  query: string;
  onOpen: (query: string) => void;
}

export function Views({ user, query, onOpen }: ViewsProps) {
  const [views, keep] = useStored<Record<string, string>>(`views.${user}`, {});
  const [isNaming, setNaming] = useState(false);
  const names = Object.keys(views).sort();
  return (
    <>
      <Menu trigger={<Button />} face={<Face />}>
        {names.length === 0 && (
          <p className="max-w-56 px-3 py-1.5 text-muted">
            No views yet. Filter and sort the list, then keep it by a name.
          </p>
        )}
        {names.map((name) => (
          <MenuItem key={name} onClick={() => onOpen(views[name] ?? "")}>
            <span className="max-w-56 truncate">{name}</span>
          </MenuItem>
        ))}
        <MenuSeparator />
        <MenuItem onClick={() => setNaming(true)}>Keep or remove views…</MenuItem>
      </Menu>
      <Dialog
        isOpen={isNaming}
        onClose={() => setNaming(false)}
        title="Saved views"
        description="They are kept in this browser."
      >
        <Naming
          onKeep={(name) => {
            keep({ ...views, [name]: query });
            setNaming(false);
          }}
        />
        <ul className="mt-4 divide-y divide-line">
          {names.map((name) => (
            <li key={name} className="flex items-center gap-2 py-1 text-sm">
              <span className="min-w-0 flex-1 truncate">{name}</span>
              <IconButton
                label={`Remove ${name}`}
                onClick={() =>
                  keep(Object.fromEntries(Object.entries(views).filter(([other]) => other !== name)))
                }
              >
                <Trash2 aria-hidden className="size-4" />
              </IconButton>
            </li>
          ))}
        </ul>
      </Dialog>
    </>
  );
}

function Face() {
  return (
    <>
      <Bookmark aria-hidden className="size-4" />
      Views
    </>
  );
}

function Naming({ onKeep }: { onKeep: (name: string) => void }) {
  const [name, setName] = useState("");
  return (
    <form
      className="flex items-end gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        onKeep(name.trim());
      }}
    >
      <div className="flex-1">
        <TextField
          label="Keep what is shown as"
          value={name}
          onChange={(event) => setName(event.target.value)}
          maxLength={60}
        />
      </div>
      <Button type="submit" look="primary" disabled={name.trim() === ""}>
        Keep
      </Button>
    </form>
  );
}
