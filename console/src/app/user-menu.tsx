// Who is signed in, how the console looks, and the way out.

import { Check, CircleUser } from "lucide-react";
import { useNavigate } from "react-router";
import { firstStepsPath } from "../fleet/first-steps";
import { signOut, useMe } from "../session/session";
import { IconButton } from "../ui/button";
import { Menu, MenuItem, MenuLink, MenuSeparator } from "../ui/menu";
import { toast } from "../ui/toast";
import { useBranding } from "./branding";
import { type Theme, useTheme } from "./theme";

const themes: Record<Theme, string> = { system: "As the system", light: "Light", dark: "Dark" };

export function UserMenu() {
  const me = useMe();
  const navigate = useNavigate();
  const { supportUrl } = useBranding();
  const [theme, setTheme] = useTheme();
  return (
    <Menu
      trigger={<IconButton label={`Signed in as ${me.user}`} />}
      face={<CircleUser aria-hidden className="size-5" />}
    >
      <div className="px-3 py-1.5">
        <p className="max-w-60 truncate font-semibold">{me.displayName ?? me.user}</p>
        <p className="max-w-60 truncate text-xs text-muted">{me.user}</p>
      </div>
      <MenuSeparator />
      <MenuItem onClick={() => navigate("/account")}>
        <span className="size-4" />
        Your account
      </MenuItem>
      <MenuItem onClick={() => navigate(firstStepsPath)}>
        <span className="size-4" />
        First steps
      </MenuItem>
      {supportUrl !== undefined && (
        <MenuLink href={supportUrl}>
          <span className="size-4" />
          Help
        </MenuLink>
      )}
      <MenuSeparator />
      {(Object.keys(themes) as Theme[]).map((name) => (
        <MenuItem key={name} onClick={() => setTheme(name)}>
          <Check aria-hidden className={`size-4 ${theme === name ? "" : "invisible"}`} />
          {themes[name]}
        </MenuItem>
      ))}
      <MenuSeparator />
      <MenuItem
        onClick={() =>
          void signOut().catch((error: unknown) => toast.failed("You are still signed in", error))
        }
      >
        <span className="size-4" />
        Sign out
      </MenuItem>
    </Menu>
  );
}
