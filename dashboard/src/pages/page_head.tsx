import type { Signal } from "@preact/signals";
import type { Api } from "../api/client";
import type { View } from "../state/view";
import { nameIn, usePageValues, type PageKind } from "./names";
import { PageSelect } from "./page_picker";

export interface PageHeadProps {
  kind: PageKind;
  id: string;
  view: Signal<View>;
  api: Api;
}

/** What the page is of, and the way to another one of its kind. */
export function PageHead({ kind, id, view, api }: PageHeadProps) {
  const values = usePageValues(api, kind);
  const name = nameIn(values, id);
  return (
    <header class="sheet-head">
      <h2 class="sheet-title">
        {name} {name !== id && <span class="sheet-id">{id}</span>}
      </h2>
      <PageSelect kind={kind} view={view} values={values} />
    </header>
  );
}
