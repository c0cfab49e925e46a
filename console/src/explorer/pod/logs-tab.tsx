// The logs of a pod: followed, searched, saved. Whatever they say is text.

import { Download } from "lucide-react";
import { useMemo, useState } from "react";
import { itemPath } from "../../kubernetes/kinds";
import { address } from "../../kubernetes/request";
import { Button, DownloadLink } from "../../ui/button";
import { control } from "../../ui/field";
import { ProblemPanel } from "../../ui/problem-panel";
import { useShownObject } from "../object/object-page";
import { containersOf } from "./containers";
import { LogView } from "./log-view";
import { logPath, useLogs } from "./use-logs";

const all = "";

export function LogsTab() {
  const { cluster, kind, object } = useShownObject();
  const { name, namespace } = object.metadata;
  const names = useMemo(() => containersOf(object).map((container) => container.name), [object]);
  const [container, setContainer] = useState(names[0] ?? all);
  const [isPrevious, setPrevious] = useState(false);
  const [hasTimes, setTimes] = useState(false);
  const [isFollowed, setFollowed] = useState(true);
  const [typed, setTyped] = useState("");
  const [attempt, setAttempt] = useState(0);
  const path = itemPath(kind, namespace, name);
  const chosen = container === all ? names : [container];
  const logs = useLogs({ cluster, path, containers: chosen, isPrevious }, attempt);
  const wanted = typed.toLowerCase();
  const shown = useMemo(
    () => (wanted === "" ? logs.lines : logs.lines.filter(({ text }) => text.toLowerCase().includes(wanted))),
    [logs.lines, wanted],
  );
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-2">
        {names.length > 1 && (
          <select
            aria-label="Container"
            className={`${control} flex-1 basis-36 sm:max-w-56 sm:flex-none`}
            value={container}
            onChange={(event) => setContainer(event.target.value)}
          >
            {names.map((one) => (
              <option key={one}>{one}</option>
            ))}
            <option value={all}>All containers</option>
          </select>
        )}
        <input
          type="search"
          aria-label="Search in the log"
          placeholder="Search"
          className={`${control} flex-1 basis-40 sm:max-w-72`}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        <Choice label="Follow" isOn={isFollowed} onChange={setFollowed} />
        <Choice label="Times" isOn={hasTimes} onChange={setTimes} />
        <Choice label="Before the last restart" isOn={isPrevious} onChange={setPrevious} />
        {container !== all && (
          <DownloadLink
            href={address(cluster, logPath(path, container, isPrevious ? { previous: "true" } : {}))}
            download={`${name}-${container}.log`}
          >
            <Download aria-hidden className="size-4" />
            Save all of it
          </DownloadLink>
        )}
      </div>
      <ProblemPanel error={logs.problem} onRetry={() => setAttempt(attempt + 1)} />
      <LogView
        lines={shown}
        wanted={wanted}
        hasTimes={hasTimes}
        hasContainers={container === all}
        isFollowed={isFollowed}
        onFollow={setFollowed}
      />
      <p role="status" className="flex flex-wrap items-center gap-3 text-sm text-muted">
        {wanted === ""
          ? `${logs.lines.length.toLocaleString()} lines`
          : `${shown.length.toLocaleString()} of ${logs.lines.length.toLocaleString()} lines`}
        {logs.dropped > 0 && `, ${logs.dropped.toLocaleString()} older ones are not kept here`}
        {logs.isEnded && logs.problem === undefined && (
          <>
            <span>The log ended.</span>
            <Button onClick={() => setAttempt(attempt + 1)}>Load it anew</Button>
          </>
        )}
      </p>
    </div>
  );
}

function Choice({
  label,
  isOn,
  onChange,
}: {
  label: string;
  isOn: boolean;
  onChange: (isOn: boolean) => void;
}) {
  return (
    <label className="flex h-9 items-center gap-2 text-sm whitespace-nowrap">
      <input
        type="checkbox"
        className="size-4 accent-accent"
        checked={isOn}
        onChange={(event) => onChange(event.target.checked)}
      />
      {label}
    </label>
  );
}
