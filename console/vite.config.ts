// How the console is built, served while it is developed (with a mock of the hub, or a hub), and tested.

import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { mockHub } from "./mock/vite.ts";

/** Where a hub is; without it the development server plays one. */
const hub = process.env.FLOTILLA_HUB;
const paths = ["/api", "/k8s", "/issuer", "/import", "/openapi.json"];

export default defineConfig({
  plugins: [react(), tailwind(), hub === undefined ? mockHub() : []],
  server: {
    proxy:
      hub === undefined
        ? {}
        : Object.fromEntries(
            paths.map((path) => [
              path,
              { target: hub, changeOrigin: true, secure: false, ws: true, headers: { origin: hub } },
            ]),
          ),
  },
  build: {
    outDir: "build",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    manifest: true,
    chunkSizeWarningLimit: 900,
  },
  test: {
    environment: "jsdom",
    setupFiles: ["src/test/setup.ts"],
    include: ["src/**/*.test.{ts,tsx}", "mock/**/*.test.ts"],
    restoreMocks: true,
    testTimeout: 60_000,
  },
});
