// A shell in a container of a pod.

import { lazy, Suspense, useMemo, useState } from "react";
import type { Problem } from "../../api/problem";
import { itemPath } from "../../kubernetes/kinds";
import { Button } from "../../ui/button";
import { control } from "../../ui/field";
import { Empty, Loading } from "../../ui/page";
import { ProblemPanel } from "../../ui/problem-panel";
import { useShownObject } from "../object/object-page";
import { containersOf } from "./containers";
import { execUrl } from "./exec";
import { explained } from "./refusal";

const Terminal = lazy(() => import("./terminal"));

type State = { at: "before" } | { at: "open" } | { at: "ended"; problem: Problem | undefined };

export function ShellTab() {
  const { cluster, kind, object } = useShownObject();
  const { name, namespace } = object.metadata;
  const names = useMemo(() => containersOf(object).map((container) => container.name), [object]);
  const [container, setContainer] = useState(names[0] ?? "");
  const [state, setState] = useState<State>({ at: "before" });
  const [attempt, setAttempt] = useState(0);
  const begin = () => {
    setAttempt(attempt + 1);
    setState({ at: "open" });
  };
  const end = async (problem: Problem | undefined) => {
    setState({ at: "ended", problem });
    if (problem?.code === "denied") {
      setState({ at: "ended", problem: await explained(cluster, object, problem) });
    }
  };
  const isOpen = state.at === "open";
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-2">
        <select
          aria-label="Container"
          className={`${control} flex-1 basis-40 sm:max-w-56 sm:flex-none`}
          value={container}
          disabled={isOpen}
          onChange={(event) => setContainer(event.target.value)}
        >
          {names.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
        {isOpen ? (
          <Button onClick={() => setState({ at: "ended", problem: undefined })}>Close the shell</Button>
        ) : (
          <Button look="primary" onClick={begin}>
            {state.at === "before" ? "Open a shell" : "Open another one"}
          </Button>
        )}
      </div>
      {state.at === "ended" && <ProblemPanel error={state.problem} />}
      {isOpen ? (
        <Suspense fallback={<Loading label="The terminal is on its way" />}>
          <Terminal
            key={attempt}
            label={`Shell in ${container} of ${name}`}
            url={execUrl(cluster, itemPath(kind, namespace, name), container)}
            onEnd={(problem) => void end(problem)}
          />
        </Suspense>
      ) : (
        <div className="rounded-xl border border-line bg-surface">
          <Empty title={state.at === "before" ? "No shell is open" : "The shell ended"}>
            A shell runs in the container, with its rights and files. It is bash if the image has it, else sh;
            an image without a shell cannot run one. That you opened it stands in the audit log.
          </Empty>
        </div>
      )}
    </div>
  );
}
