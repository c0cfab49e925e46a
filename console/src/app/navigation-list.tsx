// The navigation: beside the page, or over it where there is little room.

import { NavLink } from "react-router";
import { areas } from "./navigation";

export function Navigation({ isOpen }: { isOpen: boolean }) {
  return (
    <nav
      id="navigation"
      aria-label="Main"
      className={`top-14 w-56 shrink-0 self-start border-r border-line bg-surface p-3 lg:sticky lg:block lg:h-[calc(100dvh-3.5rem)] ${isOpen ? "fixed inset-y-14 left-0 z-20 h-[calc(100dvh-3.5rem)] shadow-raised" : "hidden"}`}
    >
      {areas.map(({ title, destinations }) => (
        <section key={title} aria-label={title} className="mb-4">
          <h2 className="px-3 py-1 text-xs font-medium text-muted">{title}</h2>
          <ul>
            {destinations.map(({ to, label, icon: Icon }) => (
              <li key={to}>
                <NavLink
                  to={to}
                  end={to === "/"}
                  className={({ isActive }) =>
                    `flex h-9 items-center gap-2.5 rounded-md px-3 text-sm font-medium ${isActive ? "bg-accent-soft text-accent" : "text-text hover:bg-sunken"}`
                  }
                >
                  <Icon aria-hidden className="size-4 shrink-0" />
                  {label}
                </NavLink>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </nav>
  );
}
