// Adds an authenticator app: a picture to be read, then a code of the app that shows that it was.

import { useMutation } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { answer, hub } from "../api/hub";
import type { components } from "../api/schema";
import { Button } from "../ui/button";
import { CopyText } from "../ui/copy";
import { Dialog } from "../ui/dialog";
import { TextField } from "../ui/field";
import { Skeleton } from "../ui/page";
import { ProblemPanel } from "../ui/problem-panel";

const QrCode = lazy(() => import("./qr-code"));

interface TotpDialogProps {
  begun: components["schemas"]["Begun2"];
  onClose: () => void;
  onDone: (recoveryCodes: string[]) => void;
}

export function TotpDialog({ begun, onClose, onDone }: TotpDialogProps) {
  const [code, setCode] = useState("");
  const confirm = useMutation({
    mutationFn: () =>
      answer(hub.POST("/api/v1/me/totp/confirm", { body: { code: code.replaceAll(" ", "") } })),
    onSuccess: ({ recoveryCodes }) => onDone(recoveryCodes),
  });
  return (
    <Dialog
      isOpen
      onClose={onClose}
      isKept
      title="Add an authenticator app"
      description="Read the picture with the app, then type the six digits that it shows."
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          confirm.mutate();
        }}
      >
        <div className="self-center">
          <Suspense fallback={<Skeleton className="size-48" />}>
            <QrCode text={begun.uri} label="QR code for your authenticator app" />
          </Suspense>
        </div>
        <details className="text-sm">
          <summary className="cursor-pointer font-medium">The app reads no picture</summary>
          <p className="my-2 text-muted">Type this into it, as a key by time:</p>
          <CopyText label="the key" text={begun.secret} />
        </details>
        <TextField
          label="Code of the app"
          inputMode="numeric"
          autoComplete="one-time-code"
          value={code}
          onChange={(event) => setCode(event.target.value)}
        />
        <ProblemPanel error={confirm.error} />
        <Button
          type="submit"
          look="primary"
          className="self-start"
          disabled={code.trim() === ""}
          isBusy={confirm.isPending}
        >
          Confirm
        </Button>
      </form>
    </Dialog>
  );
}
