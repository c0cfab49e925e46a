// A QR code, drawn in the browser: what is in it goes nowhere else. Loaded when it is first shown.

import { encode } from "uqr";

/** Quiet modules around it, as readers want them. */
const border = 2;

export default function QrCode({ text, label }: { text: string; label: string }) {
  const { data, size } = encode(text, { border });
  const path = data
    .flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : "")))
    .join("");
  // Readers want dark on light, whatever the theme.
  return (
    <svg
      role="img"
      aria-label={label}
      viewBox={`0 0 ${size} ${size}`}
      className="size-48 rounded-lg bg-white"
    >
      <path d={path} fill="#000000" shapeRendering="crispEdges" />
    </svg>
  );
}
