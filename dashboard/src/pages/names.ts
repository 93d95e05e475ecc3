import type { Api } from "../api/client";
import type { Dataset, NamedValue, Value } from "../api/types";
import { useResource } from "../state/resource";

/** As many as the API lists at once. */
const MOST = 200;

/** The values of a dimension in the last 90 days, the most frequent first, with their names; null while they load. */
export function useValues(api: Api, dimension: string, dataset: Dataset): NamedValue[] | null {
  const found = useResource(
    () => ({ dimension, dataset }),
    ({ dimension, dataset }, signal) => api.values(dimension, { dataset, limit: MOST }, signal),
    [dimension, dataset],
  );
  return found.state.value.data?.body.values ?? null;
}

export type PageKind = "campaign" | "workspace";

/** The campaigns or workspaces that have a page. */
export function usePageValues(api: Api, kind: PageKind): NamedValue[] | null {
  return useValues(api, `${kind}_id`, kind === "campaign" ? "calls" : "contact_events");
}

/** The name of a value, or the value where it has none. */
export function nameIn(values: NamedValue[] | null, value: Value): string {
  return values?.find((known) => known.value === value)?.name ?? String(value);
}
