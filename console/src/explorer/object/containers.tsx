// The containers of a pod, each with how it is.

import { at, listAt } from "../../kubernetes/objects";
import { Badge } from "../../ui/badge";
import { toneOf } from "../list/columns";
import { containersOf } from "../pod/containers";
import { useShownObject } from "./object-page";

interface ContainerStatus {
  name: string;
  ready?: boolean;
  restartCount?: number;
  state?: Record<string, { reason?: string; message?: string } | undefined>;
}

export function Containers() {
  const { object } = useShownObject();
  const statuses = ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"].flatMap(
    (list) => listAt<ContainerStatus>(object, "status", list),
  );
  return (
    <ul className="-my-3 divide-y divide-line">
      {containersOf(object).map(({ name, image, isInit }) => {
        const status = statuses.find((found) => found.name === name);
        const { word, message } = stateOf(status);
        return (
          <li key={name} className="flex flex-col gap-1 py-3 text-sm">
            <span className="flex flex-wrap items-center gap-2">
              <span className="font-medium">{name}</span>
              <Badge tone={toneOf(word)}>{word}</Badge>
              {isInit && <span className="text-xs text-muted">before the others</span>}
              <span className="text-xs text-muted">{status?.restartCount ?? 0} restarts</span>
            </span>
            <span className="font-mono text-xs break-all text-muted">{image}</span>
            {message !== undefined && <span className="break-words text-muted">{message}</span>}
          </li>
        );
      })}
    </ul>
  );
}

function stateOf(status: ContainerStatus | undefined): { word: string; message: string | undefined } {
  const { running, waiting, terminated } = status?.state ?? {};
  if (running !== undefined) {
    return { word: status?.ready === false ? "Not ready" : "Running", message: undefined };
  }
  const told = waiting ?? terminated;
  const message = at(told, "message");
  return {
    word: told?.reason ?? (terminated === undefined ? "Waiting" : "Ended"),
    message: typeof message === "string" ? message : undefined,
  };
}
