import type { RefObject } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

/** The width of an element in whole pixels, followed as it changes; 0 before it is on the page. */
export function useWidth(ref: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    const measure = () => setWidth(Math.floor(element.clientWidth));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return width;
}

export interface Roving {
  /** The item that Tab reaches. */
  stop: number;
  /** For the element around the items, which carry `data-index`. */
  container: { onKeyDown(event: KeyboardEvent): void; onFocusIn(event: FocusEvent): void };
}

/**
 * One stop of the Tab key for many items; arrow keys, Home and End move among them. Items lie in
 * rows of `columns`; in a single row (0) up and down do nothing.
 */
export function useRoving(count: number, columns: number): Roving {
  const [at, setAt] = useState(0);
  const stop = Math.max(0, Math.min(at, count - 1));
  return {
    stop,
    container: {
      onKeyDown(event) {
        const target = nextIndex(event.key, indexOf(event), count, columns);
        if (target === null || event.ctrlKey || event.altKey || event.metaKey) return;
        event.preventDefault();
        (event.currentTarget as Element).querySelector<HTMLElement>(`[data-index="${target}"]`)?.focus();
      },
      onFocusIn(event) {
        const index = indexOf(event);
        if (index >= 0) setAt(index);
      },
    },
  };
}

/** Where a key leads from an item, or null where it leads nowhere. */
export function nextIndex(key: string, index: number, count: number, columns: number): number | null {
  if (index < 0) return null;
  const column = columns > 0 ? index % columns : index;
  const width = columns > 0 ? columns : count;
  const inside = (target: number) => (target >= 0 && target < count ? target : null);
  switch (key) {
    case "ArrowLeft":
      return column > 0 ? index - 1 : null;
    case "ArrowRight":
      return column < width - 1 ? inside(index + 1) : null;
    case "ArrowUp":
      return columns > 0 ? inside(index - columns) : null;
    case "ArrowDown":
      return columns > 0 ? inside(index + columns) : null;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return null;
  }
}

/** The `data-index` of the item that an event is about, or -1. */
export function indexOf(event: Event): number {
  const item = (event.target as Element).closest("[data-index]");
  return Number(item?.getAttribute("data-index") ?? -1);
}
