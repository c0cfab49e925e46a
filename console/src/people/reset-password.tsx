// Sets a new password of somebody else, which is shown once.

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { CopyText } from "../ui/copy";
import { Confirm, Dialog } from "../ui/dialog";
import { ProblemPanel } from "../ui/problem-panel";
import { newPassword } from "./password";
import { setPassword } from "./users";

export function ResetPassword({ name, onClose }: { name: string; onClose: () => void }) {
  const [password] = useState(() => newPassword((bytes) => crypto.getRandomValues(bytes)));
  const set = useMutation({ mutationFn: () => setPassword(name, password) });
  if (set.isSuccess) {
    return (
      <Dialog
        isOpen
        onClose={onClose}
        title={`New password of ${name}`}
        description="It is shown once. Hand it over in a way that nobody else reads."
      >
        <CopyText label="password" text={password} />
      </Dialog>
    );
  }
  return (
    <Confirm
      isOpen
      onClose={onClose}
      title={`Set a new password of ${name}?`}
      action="Set it"
      isBusy={set.isPending}
      onConfirm={() => set.mutate()}
    >
      <p>One is made here and shown once. The old one is of no use any more, and all sessions end.</p>
      <ProblemPanel error={set.error} />
    </Confirm>
  );
}
