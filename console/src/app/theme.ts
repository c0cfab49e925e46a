// Dark or light: as the system has it, unless somebody chose.

import { readStored, useStored } from "./stored";

export type Theme = "system" | "light" | "dark";

const name = "theme";

function show(theme: Theme): void {
  const root = document.documentElement;
  if (theme === "system") {
    delete root.dataset.theme;
  } else {
    root.dataset.theme = theme;
  }
}

/** Before anything is drawn. */
export function showStoredTheme(): void {
  show(readStored<Theme>(name, "system"));
}

export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, keep] = useStored<Theme>(name, "system");
  return [
    theme,
    (next) => {
      show(next);
      keep(next);
    },
  ];
}
