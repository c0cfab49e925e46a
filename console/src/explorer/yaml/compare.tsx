// The difference between two texts, loaded when it is first shown.

import { lazy, Suspense } from "react";
import type { DifferenceProps } from "../../ui/editor/difference";
import { Loading } from "../../ui/page";

const Difference = lazy(() => import("../../ui/editor/difference"));

export function Compare(props: DifferenceProps) {
  return (
    <div className="h-[max(24rem,calc(100dvh-20rem))]">
      <Suspense fallback={<Loading label="The difference is on its way" rows={6} />}>
        <Difference {...props} />
      </Suspense>
    </div>
  );
}
