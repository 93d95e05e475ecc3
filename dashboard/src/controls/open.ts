import { signal } from "@preact/signals";
import { session } from "../state/session";

/** What is open over the page: one thing at a time. A number is the filter that is being changed. */
export type Opened = null | "period" | "filter" | "search" | "help" | number;

export const opened = signal<Opened>(null);

export function close(): void {
  opened.value = null;
}

// The next session begins with nothing open.
session.subscribe(close);
