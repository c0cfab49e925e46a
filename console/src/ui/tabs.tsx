// Tabs of a page: each has an address of its own, below that of the page.

import { NavLink } from "react-router";

export interface Tab {
  /** Below the page's own; empty for the first. */
  path: string;
  label: string;
}

export function Tabs({ label, tabs }: { label: string; tabs: readonly Tab[] }) {
  return (
    <nav aria-label={label} className="-mt-1 flex gap-1 overflow-x-auto border-b border-line">
      {tabs.map((tab) => (
        <NavLink
          key={tab.path}
          to={tab.path}
          end={tab.path === ""}
          className={({ isActive }) =>
            `-mb-px border-b-2 px-3 py-2 text-sm font-medium whitespace-nowrap -outline-offset-2 ${isActive ? "border-accent text-accent" : "border-transparent text-muted hover:text-text"}`
          }
        >
          {tab.label}
        </NavLink>
      ))}
    </nav>
  );
}
