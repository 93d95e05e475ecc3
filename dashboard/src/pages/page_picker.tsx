import type { Signal } from "@preact/signals";
import type { Api } from "../api/client";
import type { NamedValue } from "../api/types";
import { ErrorNote } from "../overview/error_note";
import { valueName } from "../state/names";
import type { Resource } from "../state/resource";
import { navigate, type View } from "../state/view";
import { named, t } from "../text/index";
import { MOST, usePageValues, type PageKind } from "./names";

export interface PagePickerProps {
  kind: PageKind;
  view: Signal<View>;
  api: Api;
}

/** Chooses the campaign or workspace whose page is shown. */
export function PagePicker({ api, ...rest }: PagePickerProps) {
  return <PageSelect {...rest} values={usePageValues(api, rest.kind)} />;
}

export function PageSelect({ kind, view, values }: Omit<PagePickerProps, "api"> & { values: Resource<NamedValue[]> }) {
  const { page } = view.value;
  const { data, error } = values.state.value;
  if (data === null && error !== null) return <ErrorNote title={named(kind, "list")} error={error} onRetry={values.reload} />;
  const chosen = page.kind === kind && "id" in page ? page.id : "";
  const options = (data ?? []).map(({ value, name }) => ({ id: String(value), name: name ?? String(value) }));
  if (chosen !== "" && !options.some(({ id }) => id === chosen)) options.unshift({ id: chosen, name: valueName(`${kind}_id`, chosen) });
  if (data !== null && options.length === 0) return <p class="sheet-none">{named(kind, "absent")}</p>;
  return (
    <label class="sheet-picker">
      <span>{named(kind, "pick")}</span>
      <select
        value={chosen} disabled={data === null} aria-busy={data === null}
        onChange={(event) => {
          const { value } = event.currentTarget;
          navigate({ all: null, page: value === "" ? { kind: "overview" } : { kind, id: value } });
        }}
      >
        <option value="">{data === null ? t("shell.loading") : named(kind, "pick_none")}</option>
        {options.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
        {data?.length === MOST && <option disabled>{t("pages.most", { count: MOST })}</option>}
      </select>
    </label>
  );
}
