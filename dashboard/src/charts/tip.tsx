import type { ComponentChildren } from "preact";

const GAP = 8;

export interface TipProps {
  /** The edges of what it is about, which it never covers. */
  from: number;
  to: number;
  top: number;
  /** The width of the chart: the tip lies on the side with more room. */
  width: number;
  children: ComponentChildren;
}

/** What a chart shows beside the pointer or the focus. Screen readers get the same from the item's name. */
export function Tip({ from, to, top, width, children }: TipProps) {
  const side = from + to < width ? { left: `${to + GAP}px` } : { right: `${width - from + GAP}px` };
  return (
    <div class="chart-tip" aria-hidden="true" style={{ ...side, top: `${top}px` }}>
      {children}
    </div>
  );
}
