// What is asked before something is done with an object.

import { useState } from "react";
import { useNavigate } from "react-router";
import { Confirmed } from "../../clusters/detail/confirmed";
import { at } from "../../kubernetes/objects";
import { TextField } from "../../ui/field";
import { listPath } from "../paths";
import { cordon, remove, restart, scale, type Target } from "./changes";

export interface ObjectDialogProps {
  target: Target;
  onClose: () => void;
}

/** Kinds with much in them: their name has to be typed. */
const grave = new Set([
  "namespaces",
  "nodes",
  "persistentvolumes",
  "customresourcedefinitions.apiextensions.k8s.io",
]);

const follows: Record<string, string> = {
  namespaces: "Everything in it is deleted, too.",
  nodes: "Its pods are deleted, and it is known no more until its kubelet joins again.",
  pods: "What it belongs to makes another one, if it belongs to something.",
  "customresourcedefinitions.apiextensions.k8s.io": "All objects of the kind are deleted, too.",
};

export function DeleteDialog({ target, onClose }: ObjectDialogProps) {
  const { cluster, kind, object } = target;
  const { name, namespace } = object.metadata;
  const [typed, setTyped] = useState("");
  const navigate = useNavigate();
  const isGrave = grave.has(kind.id);
  return (
    <Confirmed
      title={`Delete ${name}?`}
      action="Delete"
      done={`${name} is being deleted`}
      run={() => remove(target)}
      onClose={onClose}
      onDone={() => navigate(listPath(cluster, kind, namespace))}
      isDangerous
      isDisabled={isGrave && typed !== name}
    >
      <p>
        {kind.kind} {namespace === undefined ? "" : `in namespace ${namespace}`}.{" "}
        {follows[kind.id] ?? "What was made for it is deleted, too."} It cannot be undone.
      </p>
      {isGrave && (
        <TextField
          label={`Type ${name} to confirm`}
          spellCheck={false}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      )}
    </Confirmed>
  );
}

export function ScaleDialog({ target, onClose }: ObjectDialogProps) {
  const { name } = target.object.metadata;
  const now = Number(at(target.object, "spec", "replicas") ?? 1);
  const [typed, setTyped] = useState(String(now));
  const isRight = /^\d{1,5}$/.test(typed);
  return (
    <Confirmed
      title={`Scale ${name}`}
      action="Scale"
      done={`${name} gets ${typed} pods`}
      run={() => scale(target, Number(typed))}
      onClose={onClose}
      isDisabled={!isRight || Number(typed) === now}
    >
      <TextField
        label="Pods"
        type="number"
        min={0}
        inputMode="numeric"
        hint={`It wants ${now} now. An autoscaler that looks after it changes it again.`}
        error={isRight ? undefined : "A whole number, 0 or more."}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
    </Confirmed>
  );
}

export function RestartDialog({ target, onClose }: ObjectDialogProps) {
  const { name } = target.object.metadata;
  return (
    <Confirmed
      title={`Restart ${name}?`}
      action="Restart"
      done={`${name} restarts`}
      run={() => restart(target, new Date())}
      onClose={onClose}
    >
      <p>
        All its pods are replaced, as fast as its strategy allows: the next ones start before the last are
        gone.
      </p>
    </Confirmed>
  );
}

export function CordonDialog({ target, onClose }: ObjectDialogProps) {
  const { name } = target.object.metadata;
  const isCordoned = at(target.object, "spec", "unschedulable") === true;
  return (
    <Confirmed
      title={isCordoned ? `Uncordon ${name}?` : `Cordon ${name}?`}
      action={isCordoned ? "Uncordon" : "Cordon"}
      done={isCordoned ? `${name} takes pods again` : `${name} takes no new pods`}
      run={() => cordon(target, !isCordoned)}
      onClose={onClose}
    >
      <p>
        {isCordoned
          ? "New pods may come to it again."
          : "No new pods come to it. Those that run there stay; drain it to move them."}
      </p>
    </Confirmed>
  );
}
