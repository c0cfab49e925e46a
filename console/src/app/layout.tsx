// What stands around every page: navigation, the bar at the top, banner, palette, dialogs.

import { Menu as MenuIcon, Search, X } from "lucide-react";
import { Suspense, useEffect, useRef, useState } from "react";
import { Outlet, ScrollRestoration, useLocation } from "react-router";
import { ConnectionBanner } from "../live/banner";
import { follow } from "../live/clusters";
import { RenewalDialog } from "../session/renewal-dialog";
import { IconButton } from "../ui/button";
import { Loading } from "../ui/page";
import { useBranding } from "./branding";
import { Logo } from "./logo";
import { Navigation } from "./navigation-list";
import { Palette } from "./palette";
import { UserMenu } from "./user-menu";

export function Layout() {
  const [isNavigationOpen, setNavigationOpen] = useState(false);
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  const { pathname } = useLocation();
  const { name } = useBranding();

  useEffect(() => {
    const watch = new AbortController();
    void follow(watch.signal);
    return () => watch.abort();
  }, []);
  const shown = useRef(pathname);
  useEffect(() => {
    if (shown.current === pathname) {
      return;
    }
    // From page to page one arrives at the content, without the menu.
    shown.current = pathname;
    setNavigationOpen(false);
    const content = document.getElementById("content");
    if (content?.contains(document.activeElement) === false) {
      content.focus({ preventScroll: true });
    }
  }, [pathname]);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === "Escape") {
        setNavigationOpen(false);
      } else if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        setPaletteOpen((isOpen) => !isOpen);
      }
    };
    globalThis.addEventListener("keydown", onKeyDown);
    return () => globalThis.removeEventListener("keydown", onKeyDown);
  }, []);

  return (
    <div className="flex min-h-dvh flex-col">
      <a
        href="#content"
        className="sr-only z-60 rounded-md bg-accent px-4 py-2 font-medium text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        Skip to content
      </a>
      <header className="sticky top-0 z-20 flex h-14 items-center gap-3 border-b border-line bg-surface px-4 sm:px-6">
        <IconButton
          className="lg:hidden"
          label={isNavigationOpen ? "Close navigation" : "Open navigation"}
          aria-expanded={isNavigationOpen}
          aria-controls="navigation"
          onClick={() => setNavigationOpen(!isNavigationOpen)}
        >
          {isNavigationOpen ? (
            <X aria-hidden className="size-5" />
          ) : (
            <MenuIcon aria-hidden className="size-5" />
          )}
        </IconButton>
        <span className="flex min-w-0 items-center gap-2.5 text-base font-semibold">
          <Logo />
          <span className="truncate max-sm:sr-only">{name}</span>
        </span>
        <button
          type="button"
          onClick={() => setPaletteOpen(true)}
          className="ml-auto flex h-9 min-w-0 flex-1 items-center gap-2 rounded-md border border-line-strong bg-canvas px-3 text-sm text-muted hover:text-text sm:max-w-md"
        >
          <Search aria-hidden className="size-4 shrink-0" />
          <span className="flex-1 truncate text-left">Search clusters and actions</span>
          <kbd className="rounded border border-line-strong px-1.5 font-sans text-xs max-sm:hidden">
            Ctrl K
          </kbd>
        </button>
        <UserMenu />
      </header>
      <ConnectionBanner />
      <div className="flex flex-1">
        <Navigation isOpen={isNavigationOpen} />
        {isNavigationOpen && (
          <div
            aria-hidden
            className="fixed inset-0 top-14 z-10 bg-black/45 lg:hidden"
            onClick={() => setNavigationOpen(false)}
          />
        )}
        <main id="content" tabIndex={-1} className="min-w-0 flex-1 outline-none">
          <Suspense fallback={<Loading label="The page is on its way" />}>
            <Outlet />
          </Suspense>
        </main>
      </div>
      <Palette isOpen={isPaletteOpen} onClose={() => setPaletteOpen(false)} />
      <RenewalDialog />
      <ScrollRestoration />
    </div>
  );
}
