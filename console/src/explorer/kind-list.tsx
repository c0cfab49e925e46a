// Where one chooses a kind: beside the page, or above it where there is little room.

import { Star } from "lucide-react";
import { useMemo, useState } from "react";
import { NavLink, useNavigate } from "react-router";
import { type Kind, titleOf } from "../kubernetes/kinds";
import { control } from "../ui/field";
import { groupsOf, type KindGroup, useFavourites } from "./groups";
import { listPath } from "./paths";

interface KindListProps {
  cluster: string;
  kinds: readonly Kind[];
  /** Whose objects are shown. */
  shown: string | undefined;
}

function useGroups(kinds: readonly Kind[]): KindGroup[] {
  const { ids } = useFavourites();
  return useMemo(() => {
    const favourites = ids.flatMap((id) => kinds.find((kind) => kind.id === id) ?? []);
    const groups = groupsOf(kinds);
    return favourites.length === 0 ? groups : [{ title: "Favourites", kinds: favourites }, ...groups];
  }, [kinds, ids]);
}

export function KindList({ cluster, kinds }: KindListProps) {
  const [typed, setTyped] = useState("");
  const wanted = typed.trim().toLowerCase();
  const groups = useGroups(kinds);
  return (
    <nav
      aria-label="Kinds"
      className="sticky top-14 hidden h-[calc(100dvh-3.5rem)] w-60 shrink-0 flex-col gap-3 self-start overflow-y-auto border-r border-line bg-surface p-3 xl:flex"
    >
      <input
        type="search"
        aria-label="Find a kind"
        placeholder="Find a kind"
        className={`${control} w-full shrink-0`}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
      {groups.map(({ title, kinds: some }) => {
        const found = some.filter((kind) => matches(kind, wanted));
        return found.length === 0 ? null : (
          <section key={title} aria-label={title}>
            <h2 className="px-2 py-1 text-xs font-medium text-muted">{title}</h2>
            <ul>
              {found.map((kind) => (
                <li key={kind.id}>
                  <NavLink
                    to={listPath(cluster, kind)}
                    title={kind.id}
                    className={({ isActive }) =>
                      `flex h-8 items-center gap-2 rounded-md px-2 text-sm ${isActive ? "bg-accent-soft font-medium text-accent" : "hover:bg-sunken"}`
                    }
                  >
                    {title === "Favourites" && <Star aria-hidden className="size-3.5 shrink-0" />}
                    <span className="truncate">{titleOf(kind)}</span>
                  </NavLink>
                </li>
              ))}
            </ul>
          </section>
        );
      })}
    </nav>
  );
}

function matches({ id, kind, shortNames }: Kind, wanted: string): boolean {
  return id.includes(wanted) || kind.toLowerCase().includes(wanted) || shortNames.includes(wanted);
}

export function KindSelect({ cluster, kinds, shown }: KindListProps) {
  const navigate = useNavigate();
  const groups = useGroups(kinds);
  return (
    <div className="px-4 pt-4 sm:px-6 xl:hidden">
      <select
        aria-label="Kind"
        className={`${control} w-full sm:max-w-xs`}
        value={shown ?? ""}
        onChange={(event) => navigate(listPath(cluster, { id: event.target.value }))}
      >
        {shown === undefined && <option value="">Choose a kind</option>}
        {groups.map(({ title, kinds: some }) => (
          <optgroup key={title} label={title}>
            {some.map((kind) => (
              <option key={kind.id} value={kind.id}>
                {titleOf(kind)}
              </option>
            ))}
          </optgroup>
        ))}
      </select>
    </div>
  );
}
