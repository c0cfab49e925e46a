// How much of something is used.

interface MeterProps {
  label: string;
  used: number;
  total: number;
  /** How an amount reads. */
  format: (amount: number) => string;
}

export function Meter({ label, used, total, format }: MeterProps) {
  const share = total === 0 ? 0 : Math.min(used / total, 1);
  const colour = colourOf(share);
  return (
    <div>
      <div className="flex flex-wrap items-baseline justify-between gap-x-3 text-sm">
        <span className="font-medium">{label}</span>
        <span className="text-xs text-muted tabular-nums">
          {format(used)} of {format(total)} ({Math.round(share * 100)} %)
        </span>
      </div>
      <meter className="sr-only" aria-label={label} min={0} max={100} value={Math.round(share * 100)} />
      <div aria-hidden className="mt-1.5 h-2 overflow-hidden rounded-full bg-sunken">
        <div className={`h-full rounded-full ${colour}`} style={{ width: `${share * 100}%` }} />
      </div>
    </div>
  );
}

/** The same in the cell of a table; the numbers alone where nothing is limited. */
export function SmallMeter({
  label,
  used,
  total,
}: {
  label: string;
  used: number;
  total?: number | undefined;
}) {
  if (total === undefined) {
    return <span className="text-muted tabular-nums">{used.toLocaleString()}</span>;
  }
  const share = total === 0 ? 1 : Math.min(used / total, 1);
  return (
    <span className="flex items-center gap-2">
      <span aria-hidden className="h-1.5 w-16 shrink-0 overflow-hidden rounded-full bg-sunken">
        <span className={`block h-full ${colourOf(share)}`} style={{ width: `${share * 100}%` }} />
      </span>
      <span className="tabular-nums" title={label}>
        {used.toLocaleString()} / {total.toLocaleString()}
      </span>
    </span>
  );
}

function colourOf(share: number): string {
  return share > 0.9 ? "bg-bad" : share > 0.75 ? "bg-warn" : "bg-accent";
}
