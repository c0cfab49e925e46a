// What every test of components begins with.

import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";

// A busy machine takes its time.
configure({ asyncUtilTimeout: 10_000 });

// jsdom has no layout: everything has the size of a screen, so that virtual lists show rows.
const height = { configurable: true, get: () => 800 };
const width = { configurable: true, get: () => 1280 };
Object.defineProperties(HTMLElement.prototype, {
  clientHeight: height,
  clientWidth: width,
  offsetHeight: height,
  offsetWidth: width,
});
globalThis.ResizeObserver ??= class {
  observe(): void {}
  unobserve(): void {}
  disconnect(): void {}
};
Range.prototype.getClientRects ??= () => [] as unknown as DOMRectList;
window.matchMedia ??= (query) =>
  Object.assign(new EventTarget(), {
    matches: false,
    media: query,
    onchange: null,
    addListener: () => undefined,
    removeListener: () => undefined,
  }) as MediaQueryList;
Element.prototype.scrollTo ??= () => undefined;
Element.prototype.getAnimations ??= () => [];

afterEach(() => {
  cleanup();
  localStorage.clear();
});
