// A chart of bars by day, tenants on one another. Loaded when it is first shown; the table beside it says the same.

import { BarChart } from "chartist";
import { useEffect, useRef } from "react";
import { amountText, type Series } from "./usage";
import "./chart.css";

interface ChartProps {
  label: string;
  days: readonly string[];
  series: readonly Series[];
}

/** So many days have their name below. */
const named = 8;

export default function Chart({ label, days, series }: ChartProps) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const step = Math.ceil(days.length / named);
    const chart = new BarChart(
      ref.current,
      {
        labels: [...days],
        series: series.map(({ name, amounts }, place) => ({
          name,
          data: [...amounts],
          className: `bar-${place}`,
        })),
      },
      {
        stackBars: true,
        chartPadding: { top: 18, right: 8, bottom: 0, left: 8 },
        axisX: {
          showGrid: false,
          labelInterpolationFnc: (day, place) => (place % step === 0 ? String(day).slice(5) : null),
        },
        axisY: { low: 0, labelInterpolationFnc: (amount) => amountText(Number(amount)) },
      },
    );
    chart.on("draw", (drawn) => {
      if (drawn.type === "bar") {
        // Bars are as wide as there is room, with a gap between them.
        const width = Math.max((drawn.axisX.axisLength / days.length) * 0.72, 1);
        drawn.element.attr({ style: `stroke-width: ${width}px` });
      }
    });
    return () => {
      chart.detach();
    };
  }, [days, series]);
  return (
    <figure className="m-0">
      <div ref={ref} role="img" aria-label={label} className="chart h-64" />
      <figcaption className="mt-2 flex flex-wrap gap-x-4 gap-y-1 text-xs">
        {series.map(({ name }, place) => (
          <span key={name} className="flex items-center gap-1.5">
            <span aria-hidden className="size-2.5 rounded-sm" style={{ background: `var(--bar-${place})` }} />
            {name}
          </span>
        ))}
      </figcaption>
    </figure>
  );
}
