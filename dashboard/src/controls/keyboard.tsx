import { useEffect } from "preact/hooks";
import type { NamedPeriod } from "../state/periods";
import { navigate, view } from "../state/view";
import { nextComparison } from "./compare";
import { close, opened, type Opened } from "./open";

const PERIODS: Record<string, NamedPeriod> = { d: "today", w: "last_7_days", m: "last_28_days" };
const OPENS: Record<string, Opened> = { f: "filter", "/": "search", "?": "help" };

/** The keys of the page; a field that takes text, and a dialog, keep theirs. */
export function useKeyboard(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || takesText(event.target)) return;
      if (press(event.key)) event.preventDefault();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}

/** Whether the key means something here. */
function press(key: string): boolean {
  const name = key.length === 1 ? key.toLowerCase() : key;
  // Its period and filters are not to be seen on the page of the sources.
  if (view.peek().page.kind === "sources" && !["?", "Escape"].includes(name)) return false;
  const [period, open] = [PERIODS[name], OPENS[name]];
  if (period !== undefined) navigate({ period });
  else if (open !== undefined) opened.value = open;
  else if (name === "c") navigate({ compare: nextComparison(view.peek().compare) });
  else if (name === "x") navigate({ filters: [] });
  else if (name === "Escape" && opened.peek() !== null) close();
  else if (name === "Escape" && view.peek().all !== null) navigate({ all: null });
  else return false;
  return true;
}

function takesText(target: EventTarget | null): boolean {
  return target instanceof HTMLElement &&
    (target.isContentEditable || target.closest("input:not([type=checkbox]), select, textarea, dialog[open]") !== null);
}
