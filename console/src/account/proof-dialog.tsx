// Asks for one's password or a code before something about signing in is changed: a session alone does not suffice.

import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import type { components } from "../api/schema";
import { Confirm } from "../ui/dialog";
import { TextField } from "../ui/field";
import { ProblemPanel } from "../ui/problem-panel";

export type Proof = components["schemas"]["Proof"];

interface ProofDialogProps<T> {
  title: string;
  told: string;
  action: string;
  isDangerous?: boolean;
  run: (proof: Proof) => Promise<T>;
  onClose: () => void;
  onDone: (answer: T) => void;
}

export function ProofDialog<T>(props: ProofDialogProps<T>) {
  const { title, told, action, isDangerous = false, run, onClose, onDone } = props;
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const prove = useMutation({
    mutationFn: () =>
      run({
        password: password === "" ? null : password,
        code: code === "" ? null : code.replaceAll(" ", ""),
      }),
    onSuccess: onDone,
  });
  return (
    <Confirm
      isOpen
      onClose={onClose}
      title={title}
      action={action}
      isDangerous={isDangerous}
      isBusy={prove.isPending}
      isDisabled={password === "" && code === ""}
      onConfirm={() => prove.mutate()}
    >
      <p>{told}</p>
      <TextField
        label="Your password"
        type="password"
        autoComplete="current-password"
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      <TextField
        label="Or a code"
        hint="Six digits of your authenticator app, or a recovery code."
        autoComplete="one-time-code"
        value={code}
        onChange={(event) => setCode(event.target.value)}
      />
      <ProblemPanel error={prove.error} />
    </Confirm>
  );
}
