// Short notes of what was done, which go by themselves. What failed stays until it is closed.

import { Toast } from "@base-ui/react/toast";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { Problem } from "../api/problem";
import { IconButton } from "./button";

const manager = Toast.createToastManager();

export const toast = {
  done(title: string, description?: string): void {
    manager.add({ title, description });
  },
  failed(title: string, error: unknown): void {
    manager.add({
      title,
      description: Problem.from(error).message,
      type: "bad",
      timeout: 0,
      priority: "high",
    });
  },
};

export function Toasts({ children }: { children: ReactNode }) {
  return (
    <Toast.Provider toastManager={manager} timeout={6000}>
      {children}
      <Toast.Portal>
        <Toast.Viewport className="fixed right-3 bottom-3 z-60 flex w-[min(24rem,calc(100vw-1.5rem))] flex-col gap-2">
          <Shown />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}

function Shown() {
  const { toasts } = Toast.useToastManager();
  return toasts.map((shown) => (
    <Toast.Root
      key={shown.id}
      toast={shown}
      className={`rounded-lg border bg-raised text-text shadow-raised transition-opacity data-[ending-style]:opacity-0 data-[starting-style]:opacity-0 ${shown.type === "bad" ? "border-bad" : "border-line"}`}
    >
      <Toast.Content className="flex items-start gap-3 px-4 py-3 text-sm">
        <div className="min-w-0 flex-1">
          <Toast.Title className="font-semibold break-words" />
          <Toast.Description className="break-words text-muted" />
        </div>
        <Toast.Close render={<IconButton label="Close" />}>
          <X aria-hidden className="size-4" />
        </Toast.Close>
      </Toast.Content>
    </Toast.Root>
  ));
}
