import type { ComponentChildren } from "preact";

/** What a chart shows beside the pointer or the focus. Screen readers get the same from the item's name. */
export function Tip({ x, y, width, children }: { x: number; y: number; width: number; children: ComponentChildren }) {
  // Moved back by its own width in proportion to its place, so it never leaves the chart.
  const back = width > 0 ? (-100 * x) / width : 0;
  return (
    <div class="chart-tip" aria-hidden="true" style={{ left: `${x}px`, top: `${y}px`, transform: `translateX(${back}%)` }}>
      {children}
    </div>
  );
}
