import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { filterName, namedValues, wantNames } from "../state/names";
import { addFilter, removeFilter, type Filter } from "../state/filters";
import { navigate, view } from "../state/view";
import { t } from "../text/index";
import { FilterEditor } from "./filter_editor";
import { opened, type Opened } from "./open";
import { Popover } from "./popover";

export function FilterControl() {
  const { filters } = view.value;
  useEffect(() => {
    for (const filter of filters) wantNames(filter.field, view.peek(), namedValues(filter));
  }, [filters]);
  const group = useKeptFocus(filters.length);
  const isAdding = opened.value === "filter" || opened.value === "search";
  return (
    <div ref={group} class="filters" role="group" aria-label={t("filter.label")}>
      {filters.map((filter, index) => <Chip key={index} filter={filter} index={index} />)}
      <Popover
        label={`+ ${t("filter.add")}`} name={t("filter.add")} isOpen={isAdding}
        onToggle={toggle("filter")}
      >
        <FilterEditor start={null} inSearch={opened.value === "search"} onApply={(filter) => apply(filters.length, filter)} />
      </Popover>
      {filters.length > 0 && (
        <button type="button" class="page-button is-plain" onClick={() => navigate({ filters: [] })}>{t("filter.clear")}</button>
      )}
    </div>
  );
}

/** Keeps the focus in a group when what has it is removed: on what takes its place. */
function useKeptFocus(count: number): { current: HTMLDivElement | null } {
  const group = useRef<HTMLDivElement>(null);
  const before = useRef(count);
  const place = [...(group.current?.children ?? [])].findIndex((one) => one.contains(document.activeElement));
  useLayoutEffect(() => {
    const isFewer = count < before.current;
    before.current = count;
    const parts = group.current?.children;
    if (!isFewer || place < 0 || parts === undefined || document.activeElement !== document.body) return;
    const next = parts[Math.min(place, parts.length - 1)];
    (next?.querySelector("button") ?? next as HTMLElement | undefined)?.focus();
  }, [count]);
  return group;
}

function Chip({ filter, index }: { filter: Filter; index: number }) {
  const name = filterName(filter);
  return (
    <span class="chip">
      <Popover
        class="chip-text" label={<span title={name}>{name}</span>} name={t("filter.change", { filter: name })}
        isOpen={opened.value === index} onToggle={toggle(index)}
      >
        <FilterEditor start={filter} inSearch={false} onApply={(changed) => apply(index, changed)} />
      </Popover>
      <button
        type="button" class="chip-remove" aria-label={t("filter.remove", { filter: name })}
        onClick={() => navigate({ filters: removeFilter(view.peek().filters, index) })}
      >
        <span aria-hidden="true">×</span>
      </button>
    </span>
  );
}

const toggle = (what: Opened) => (isOpen: boolean) => {
  opened.value = isOpen ? what : null;
};

/** Put a filter in the place of another one, or at the end. */
function apply(index: number, filter: Filter): void {
  opened.value = null;
  const { filters } = view.peek();
  navigate({ filters: index === filters.length ? addFilter(filters, filter) : filters.with(index, filter) });
}
