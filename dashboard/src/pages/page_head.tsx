import type { Signal } from "@preact/signals";
import type { Api } from "../api/client";
import type { View } from "../state/view";
import { PagePicker } from "./page_picker";

export interface PageHeadProps {
  kind: "campaign" | "workspace";
  id: string;
  name: string;
  view: Signal<View>;
  api: Api;
}

/** What the page is of, and the way to another one of its kind. */
export function PageHead({ kind, id, name, view, api }: PageHeadProps) {
  return (
    <header class="sheet-head">
      <h2 class="sheet-title">
        {name} {name !== id && <span class="sheet-id">{id}</span>}
      </h2>
      <PagePicker kind={kind} view={view} api={api} />
    </header>
  );
}
