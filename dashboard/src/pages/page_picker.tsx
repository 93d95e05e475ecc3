import type { Signal } from "@preact/signals";
import type { Api } from "../api/client";
import type { NamedValue } from "../api/types";
import { navigate, type View } from "../state/view";
import { named } from "../text/index";
import { usePageValues, type PageKind } from "./names";

export interface PagePickerProps {
  kind: PageKind;
  view: Signal<View>;
  api: Api;
}

/** Chooses the campaign or workspace whose page is shown; absent while the organisation has none. */
export function PagePicker({ api, ...rest }: PagePickerProps) {
  return <PageSelect {...rest} values={usePageValues(api, rest.kind)} />;
}

export function PageSelect({ kind, view, values }: Omit<PagePickerProps, "api"> & { values: NamedValue[] | null }) {
  const { page } = view.value;
  const chosen = page.kind === kind ? page.id : "";
  const options = (values ?? []).map(({ value, name }) => ({ id: String(value), name: name ?? String(value) }));
  if (chosen !== "" && !options.some(({ id }) => id === chosen)) options.unshift({ id: chosen, name: chosen });
  if (options.length === 0) return null;
  return (
    <label class="sheet-picker">
      <span>{named(kind, "pick")}</span>
      <select
        value={chosen}
        onChange={(event) => {
          const { value } = event.currentTarget;
          navigate({ page: value === "" ? { kind: "overview" } : { kind, id: value } });
        }}
      >
        <option value="">{named(kind, "pick_none")}</option>
        {options.map(({ id, name }) => <option key={id} value={id}>{name}</option>)}
      </select>
    </label>
  );
}
