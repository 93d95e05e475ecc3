import type { Signal } from "@preact/signals";
import type { Api } from "../api/client";
import type { TrustSource } from "../overview/data";
import { OfflineBanner } from "../overview/notices";
import { TrustLine } from "../overview/trust_line";
import type { View } from "../state/view";
import { usePageValues, type PageKind } from "./names";
import { usePageName } from "./page_name";
import { PageSelect } from "./page_picker";

export interface PageHeadProps {
  kind: PageKind;
  id: string;
  view: Signal<View>;
  api: Api;
  source: TrustSource;
}

/** What the page is of, the way to another one of its kind, and how far its figures can be trusted. */
export function PageHead({ kind, id, view, api, source }: PageHeadProps) {
  const values = usePageValues(api, kind);
  const name = usePageName(api, kind, id, values.state.value.data);
  return (
    <>
      <OfflineBanner error={source.calls.state.value.error} />
      <header class="sheet-head">
        <h2 class="sheet-title">
          {name} {name !== id && <span class="sheet-id">{id}</span>}
        </h2>
        <PageSelect kind={kind} view={view} values={values} />
      </header>
      <TrustLine data={source} />
    </>
  );
}
