import type { Signal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Api } from "../api/client";
import type { Call } from "../api/types";
import { CsvButton } from "../controls/csv_button";
import { decimal } from "../format/decimal";
import { periodName } from "../format/periods";
import { ErrorNote } from "../overview/error_note";
import { scopedView } from "../pages/scope";
import { filterName } from "../state/names";
import { currentOf, useResource } from "../state/resource";
import type { View } from "../state/view";
import { t } from "../text/index";
import { countBody, searchBody } from "./bodies";
import type { CallPages } from "./call_pages";
import { CloseButton } from "./close_button";
import { ViewLink } from "./view_link";
import { fieldName, written } from "./written";

export interface CallListProps {
  view: Signal<View>;
  api: Api;
  pages: CallPages<Call>;
  onReload(): void;
  onClose(): void;
  titleId: string | undefined;
}

/** Rows per request of the CSV: as many calls as the API gives at once. */
const CSV_ROWS = 500;

const COLUMNS = [
  ["started_at", "minute"],
  ["direction", "name"],
  ["duration_seconds", "seconds"],
  ["status", "name"],
  ["outcome", "name"],
  ["cost", "money"],
  ["sentiment", "score"],
] as const;

const NUMBERS: ReadonlySet<string> = new Set(["duration_seconds", "cost", "sentiment"]);

/** The calls of the view, newest first; further ones come as the end scrolls into sight, or by a button. */
export function CallList({ view, api, pages, onReload, onClose, titleId }: CallListProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const total = useResource(() => countBody(view.value), api.query);
  const count = currentOf(total.state.value)?.body.totals["calls"];
  const calls = pages.calls.value;
  const status = pages.status.value;
  const skeletons = status !== "loading" ? 0 : calls.length === 0 ? 12 : 3;
  const reload = () => {
    onReload();
    total.reload();
  };

  return (
    <>
      <header class="drawer-head">
        <div class="drawer-about">
          <h2 id={titleId} class="drawer-title" tabIndex={-1} autofocus>
            {t("calls.title")} {typeof count === "number" && <span class="drawer-count">{decimal(count)}</span>}
          </h2>
          <p class="drawer-scope">{scopeName(view.value)}</p>
        </div>
        <button
          type="button" class="drawer-button drawer-sign" aria-label={t("calls.reload")} title={t("calls.reload")}
          onClick={reload}
        >
          ↻
        </button>
        <CsvButton
          title={t("calls.title")} path="/v1/calls/search" body={{ ...searchBody(view.value), limit: CSV_ROWS }}
          class="drawer-button"
        />
        <CloseButton onClose={onClose} />
      </header>
      <div class="drawer-scroll" ref={scroller} aria-busy={status === "loading"}>
        {status === "ready" && calls.length === 0 ? (
          <div class="drawer-state">
            <p class="drawer-state-title">{t("calls.none")}</p>
            <p>{t("calls.none.advice")}</p>
          </div>
        ) : calls.length + skeletons > 0 ? (
          <Table calls={calls} zone={view.value.zone} skeletons={skeletons} />
        ) : null}
        {pages.error.value !== null && (
          <ErrorNote title={t("calls.title")} error={pages.error.value} onRetry={() => pages.retry()} />
        )}
        {pages.hasMore.value && status !== "failed" && <More pages={pages} scroller={scroller} />}
      </div>
      <p class="only-read" role="status">
        {status === "loading" ? t("calls.loading") : t("calls.shown", { count: calls.length })}
      </p>
    </>
  );
}

function Table({ calls, zone, skeletons }: { calls: Call[]; zone: string; skeletons: number }) {
  // The roles are written out because a phone's layout takes the table's own display, and its meaning, away.
  return (
    <table class="calls" role="table">
      <thead role="rowgroup">
        <tr role="row">
          {COLUMNS.map(([key]) => (
            <th key={key} role="columnheader" scope="col" class={cellClass(key)}>
              {columnName(key)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {calls.map((call) => <CallRow key={call.id} call={call} zone={zone} />)}
        {Array.from({ length: skeletons }, (_, index) => (
          <tr key={`skeleton-${index}`} role="row" class="calls-skeleton" aria-hidden="true">
            {COLUMNS.map(([key]) => <td key={key} role="cell" class={cellClass(key)}><span /></td>)}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Which calls are listed: "28 days · Outcome is booked". */
function scopeName(view: View): string {
  const { period, zone, filters } = scopedView(view);
  const name = typeof period === "string" ? t(`period.${period}`) : periodName(period, zone);
  return [name, ...filters.map(filterName)].join(" · ");
}

function columnName(key: string): string {
  if (key === "started_at") return t("calls.time");
  return fieldName(key === "sentiment" ? "sentiment_band" : key);
}

function cellClass(key: string): string {
  return NUMBERS.has(key) ? `calls-${key} calls-number` : `calls-${key}`;
}

/** A row is made once, however many pages follow it. */
function CallRow({ call, zone }: { call: Call; zone: string }) {
  return useMemo(() => row(call, zone), [call, zone]);
}

function row(call: Call, zone: string) {
  const id = String(call.id);
  return (
    <tr role="row" class="calls-row">
      {COLUMNS.map(([key, kind]) => {
        const value = call[key];
        const text = value === undefined ? null : written(kind, key, value, zone);
        return (
          <td
            key={key} role="cell" class={cellClass(key)}
            data-label={key === "cost" || key === "sentiment" ? columnName(key) : undefined}
          >
            {key === "started_at" ? (
              <ViewLink change={{ call: id }} class="calls-link" id={linkId(id)}>{text}</ViewLink>
            ) : text ?? (
              <span class="calls-absent">
                <span aria-hidden="true">–</span><span class="only-read">{t("calls.absent")}</span>
              </span>
            )}
          </td>
        );
      })}
    </tr>
  );
}

const linkId = (id: string): string => `calls-link-${id}`;

/** The link of a call in the list, while the list has the call. */
export function callLink(id: string): HTMLElement | null {
  return document.getElementById(linkId(id));
}

/** A button for the keyboard that presses itself when it scrolls into sight. */
function More({ pages, scroller }: { pages: CallPages<Call>; scroller: { current: HTMLDivElement | null } }) {
  const button = useRef<HTMLButtonElement>(null);
  const shown = pages.calls.value.length;
  useEffect(() => {
    if (button.current === null) return;
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && void pages.more(),
      { root: scroller.current, rootMargin: "600px" },
    );
    observer.observe(button.current);
    return () => observer.disconnect();
    // A new observer per page, because one only reports what changes, and the button may still be in sight.
  }, [shown]);
  return (
    <button ref={button} type="button" class="drawer-button drawer-more" onClick={() => void pages.more()}>
      {t("calls.more")}
    </button>
  );
}
