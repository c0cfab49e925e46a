// Something that is done once it is confirmed; what fails is shown where it was asked.

import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Confirm } from "./dialog";
import { TextField } from "./field";
import { ProblemPanel } from "./problem-panel";
import { toast } from "./toast";

interface ConfirmedProps {
  title: string;
  action: string;
  /** What is said when the hub has taken it. */
  done: string;
  run: () => Promise<unknown>;
  onClose: () => void;
  onDone?: () => void;
  isDangerous?: boolean;
  isDisabled?: boolean;
  /** What has to be typed first. */
  typed?: string;
  children: ReactNode;
}

export function Confirmed(props: ConfirmedProps) {
  const { run, done, onClose, onDone, children, typed: wanted, isDisabled = false, ...rest } = props;
  const [typed, setTyped] = useState("");
  const mutation = useMutation({
    mutationFn: run,
    onSuccess: () => {
      toast.done(done);
      onClose();
      onDone?.();
    },
  });
  return (
    <Confirm
      isOpen
      onClose={onClose}
      isBusy={mutation.isPending}
      isDisabled={isDisabled || (wanted !== undefined && typed !== wanted)}
      onConfirm={() => mutation.mutate()}
      {...rest}
    >
      {children}
      {wanted !== undefined && (
        <TextField
          label={`Type ${wanted} to confirm`}
          spellCheck={false}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      )}
      <ProblemPanel error={mutation.error} />
    </Confirm>
  );
}
