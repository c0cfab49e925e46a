// Which columns of a table are shown: each person's choice, kept in the browser.

import { Menu } from "@base-ui/react/menu";
import { Check, Columns3 } from "lucide-react";
import { useMemo } from "react";
import { useStored } from "../../app/stored";
import { IconButton } from "../button";
import { menuItem, menuPopup } from "../menu";
import type { Column } from "./columns";

interface Choice<T> {
  shown: readonly Column<T>[];
  menu: React.ReactNode;
}

/** `name` is the table's, the same wherever it is shown. */
export function useColumnChoice<T>(name: string, columns: readonly Column<T>[]): Choice<T> {
  const [chosen, setChosen] = useStored<Record<string, boolean>>(`columns.${name}`, {});
  const shown = useMemo(
    () => columns.filter(({ id, isExtra }) => chosen[id] ?? isExtra !== true),
    [columns, chosen],
  );
  const menu = (
    <Menu.Root>
      <Menu.Trigger render={<IconButton label="Columns" look="plain" />}>
        <Columns3 aria-hidden className="size-4" />
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner sideOffset={6} align="end" className="z-30 outline-none">
          <Menu.Popup className={menuPopup}>
            {columns.slice(1).map(({ id, title }) => (
              <Menu.CheckboxItem
                key={id}
                className={menuItem}
                checked={shown.some((column) => column.id === id)}
                onCheckedChange={(isShown) => setChosen({ ...chosen, [id]: isShown })}
                closeOnClick={false}
              >
                <Menu.CheckboxItemIndicator keepMounted className="invisible data-[checked]:visible">
                  <Check aria-hidden className="size-4" />
                </Menu.CheckboxItemIndicator>
                {title}
              </Menu.CheckboxItem>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
  return { shown, menu };
}
