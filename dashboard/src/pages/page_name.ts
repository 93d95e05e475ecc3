import { useEffect } from "preact/hooks";
import type { Api } from "../api/client";
import type { NamedValue } from "../api/types";
import { keepNames, recordName, valueName } from "../state/names";
import { useResource } from "../state/resource";
import type { PageKind } from "./names";

/**
 * The name of the page's campaign or workspace; its id where it has none. `values` are those that calls or events have
 * of late, null until they are loaded: one that is not among them is named by its own record.
 */
export function usePageName(api: Api, kind: PageKind, id: string, values: NamedValue[] | null): string {
  const dimension = `${kind}_id`;
  const isMissing = values !== null && !values.some(({ value }) => String(value) === id);
  useEffect(() => {
    if (values !== null) keepNames(dimension, values);
  }, [dimension, values]);
  useResource(
    () => (isMissing ? { kind, id } : null),
    async (wanted, signal) => keepNames(dimension, [{ value: id, name: await recordName(api, wanted.kind, id, signal), count: 0 }]),
    [kind, id, isMissing],
  );
  return valueName(dimension, id);
}
