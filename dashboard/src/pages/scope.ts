import { addFilter } from "../state/filters";
import type { View } from "../state/view";

/** The view with the campaign of its page among its filters; a workspace has no calls of its own. */
export function scopedView(view: View): View {
  if (view.page.kind !== "campaign") return view;
  return { ...view, filters: addFilter(view.filters, { field: "campaign_id", op: "eq", values: [view.page.id] }) };
}

/** What `make` gives for a view of this kind of page; null for another, whose figures this page must not load. */
export function onPage<T>(view: View, kind: "campaign" | "workspace", make: (view: View, id: string) => T): T | null {
  return view.page.kind === kind ? make(scopedView(view), view.page.id) : null;
}
