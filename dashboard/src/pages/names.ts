import type { Api } from "../api/client";
import type { Dataset, NamedValue, Value } from "../api/types";
import { useResource, type Resource } from "../state/resource";

/** As many as the API lists at once. */
export const MOST = 200;

/** The values of a dimension in the last 90 days, the most frequent first, with their names. */
export function useValues(api: Api, dimension: string, dataset: Dataset): Resource<NamedValue[]> {
  return useResource(
    () => ({ dimension, dataset }),
    async ({ dimension, dataset }, signal) => (await api.values(dimension, { dataset, limit: MOST }, signal)).body.values,
    [dimension, dataset],
  );
}

export type PageKind = "campaign" | "workspace";

/** The campaigns or workspaces that have a page. */
export function usePageValues(api: Api, kind: PageKind): Resource<NamedValue[]> {
  return useValues(api, `${kind}_id`, kind === "campaign" ? "calls" : "contact_events");
}

/** The name of a value; the value where it has none, or none is known. */
export function nameIn(values: Resource<NamedValue[]>, value: Value): string {
  return values.state.value.data?.find((known) => known.value === value)?.name ?? String(value);
}
