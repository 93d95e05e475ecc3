// The view: every choice of the user. The address holds it, so that a reload, the back button and another
// browser show the same.

import { effect, signal } from "@preact/signals";
import type { Compare, Op, Value } from "../api/types";
import { takesList, takesNothing, type Filter } from "./filters";
import { isBound, isZone, NAMED, type NamedPeriod, type Period } from "./periods";
import { browserZone } from "./zones";

export type { Filter } from "./filters";
export type { CustomPeriod, NamedPeriod, Period } from "./periods";

export const CARDS = ["result", "place", "path", "mark"] as const;
export type CardId = (typeof CARDS)[number];

/** The rankings of a workspace, by their dimension. */
export const RANKINGS = ["room_id", "booking_page_id", "event_type"] as const;
export type RankingId = (typeof RANKINGS)[number];

/** The figures whose table can be shown instead of the chart; a figure of several pages is one choice. */
export const FIGURES = [
  "main", ...CARDS, "heat", "funnel", "spread",
  "calls", "distinct_leads", "answer_rate", "success_rate", "avg_duration", "cost", "cost_per_call",
  "booking", "room_join",
] as const;
export type FigureId = (typeof FIGURES)[number];

export const TABS: Record<CardId, readonly [string, ...string[]]> = {
  result: ["outcome", "status", "disposition", "ended_reason"],
  place: ["campaign_id", "template_id", "space_token", "merchant_id"],
  path: ["provider", "direction", "language", "attempt"],
  mark: ["event", "label", "sentiment_band"],
};

export const MEASURES = [
  "calls", "answer_rate", "success_rate", "avg_duration", "p90_duration", "cost", "leads", "transferred",
] as const;
export type Measure = (typeof MEASURES)[number];

export type SortBy = "value" | "name" | "change";
export interface Sort {
  by: SortBy;
  descending: boolean;
}

export type Page =
  | { kind: "overview" } | { kind: "sources" } | { kind: "campaign"; id: string } | { kind: "workspace"; id: string };

export interface View {
  period: Period;
  zone: string;
  compare: Compare | "off";
  filters: Filter[];
  measure: Measure;
  live: boolean;
  tabs: Record<CardId, string>;
  sorts: Record<CardId, Sort>;
  /** The figures that show their table, in the order of `FIGURES`. */
  tables: FigureId[];
  /** The card or ranking that shows all of its values. */
  all: CardId | RankingId | null;
  /** Whether the drawer with the calls is open. */
  calls: boolean;
  /** The id of the call that is open in the drawer. */
  call: string | null;
  page: Page;
}

const COMPARES = ["previous_period", "previous_weekdays", "previous_year", "off"] as const;
const OPS: readonly Op[] = [
  "eq", "ne", "in", "not_in", "lt", "lte", "gt", "gte", "between", "contains", "starts_with", "is_null", "not_null",
];

export function defaultView(zone: string): View {
  const sort: Sort = { by: "value", descending: true };
  return {
    period: "last_28_days",
    zone,
    compare: "previous_period",
    filters: [],
    measure: "calls",
    live: true,
    tabs: { result: "outcome", place: "campaign_id", path: "provider", mark: "event" },
    sorts: { result: sort, place: sort, path: sort, mark: sort },
    tables: [],
    all: null,
    calls: false,
    call: null,
    page: { kind: "overview" },
  };
}

/**
 * The query string of a view: what differs from the default, and always the time zone, because its
 * default is another one in another browser.
 */
export function serialiseView(view: View): string {
  const base = defaultView(view.zone);
  const pairs: [string, string][] = [];
  const add = (name: string, value: string, usual: string) => {
    if (value !== usual) pairs.push([name, value]);
  };
  if ("id" in view.page) pairs.push([view.page.kind, view.page.id]);
  else if (view.page.kind === "sources") pairs.push(["page", "sources"]);
  if (typeof view.period === "string") add("period", view.period, base.period as string);
  else pairs.push(["from", view.period.from], ["to", view.period.to]);
  pairs.push(["zone", view.zone]);
  add("compare", view.compare, base.compare);
  for (const filter of view.filters) pairs.push(["f", filterText(filter)]);
  add("measure", view.measure, base.measure);
  if (!view.live) pairs.push(["live", "off"]);
  for (const card of CARDS) {
    add(card, view.tabs[card], base.tabs[card]);
    add(`${card}.sort`, sortText(view.sorts[card]), sortText(base.sorts[card]));
  }
  for (const figure of view.tables) pairs.push(["table", figure]);
  if (view.all !== null) pairs.push(["all", view.all]);
  if (view.calls) pairs.push(["calls", "open"]);
  if (view.call !== null) pairs.push(["call", view.call]);
  // The characters that a query string may hold as they are stay readable.
  const text = new URLSearchParams(pairs).toString().replace(/%(2F|3A|2C|5B|5D)/g, decodeURIComponent);
  return `?${text}`;
}

/** The view of a query string. What it does not hold, or holds wrongly, is as in the default view. */
export function parseView(search: string, zone: string): View {
  const from = new URLSearchParams(search);
  const named = from.get("zone");
  const view = defaultView(named !== null && isZone(named) ? named : zone);
  return {
    ...view,
    period: parsePeriod(from) ?? view.period,
    compare: oneOf(COMPARES, from.get("compare")) ?? view.compare,
    filters: from.getAll("f").map(parseFilter).filter((filter) => filter !== null),
    measure: oneOf(MEASURES, from.get("measure")) ?? view.measure,
    live: from.get("live") !== "off",
    tabs: perCard((card) => oneOf(TABS[card], from.get(card)) ?? view.tabs[card]),
    sorts: perCard((card) => parseSort(from.get(`${card}.sort`)) ?? view.sorts[card]),
    tables: FIGURES.filter((figure) => from.getAll("table").includes(figure)),
    all: oneOf([...CARDS, ...RANKINGS], from.get("all")),
    calls: from.get("calls") === "open",
    call: from.get("call"),
    page: parsePage(from),
  };
}

/** The figures that show their table, after one of them was turned round. */
export function withTable(tables: FigureId[], figure: FigureId, isShown: boolean): FigureId[] {
  return FIGURES.filter((one) => (one === figure ? isShown : tables.includes(one)));
}

export const view = signal<View>(defaultView("UTC"));

let replaceNext = false;

/** Change the view; `replace` leaves no entry in the history. Assigning to `view` does the same as a push. */
export function navigate(change: Partial<View>, how: "push" | "replace" = "push"): void {
  replaceNext = how === "replace";
  view.value = { ...view.value, ...change };
  replaceNext = false;
}

/** Read the view from the address, and keep both the same from now on. */
export function startView(): void {
  const read = () => {
    view.value = parseView(location.search, browserZone());
  };
  read();
  history.replaceState(null, "", serialiseView(view.value));
  addEventListener("popstate", read);
  effect(() => {
    const search = serialiseView(view.value);
    if (search === serialiseView(parseView(location.search, browserZone()))) return;
    history[replaceNext ? "replaceState" : "pushState"](null, "", search);
  });
}

// A filter is "field:op:value": the value as it is when it is one text, else a JSON list.
function filterText({ field, op, values }: Filter): string {
  const [value] = values;
  if (values.length === 0) return `${field}:${op}`;
  if (values.length === 1 && typeof value === "string" && !value.startsWith("[")) return `${field}:${op}:${value}`;
  return `${field}:${op}:${JSON.stringify(values)}`;
}

function parseFilter(text: string): Filter | null {
  const [, field, opText, rest] = /^([^:]+):([a-z_]+)(?::([^]*))?$/.exec(text) ?? [];
  const op = oneOf(OPS, opText ?? null);
  if (field === undefined || op === null) return null;
  const values = parseValues(rest);
  const fits = values !== null && (takesNothing(op) ? values.length === 0
    : op === "between" ? values.length === 2
    : takesList(op) ? values.length >= 1 : values.length === 1);
  return fits ? { field, op, values } : null;
}

function parseValues(text: string | undefined): Value[] | null {
  if (text === undefined) return [];
  if (!text.startsWith("[")) return [text];
  try {
    const values: unknown = JSON.parse(text);
    return Array.isArray(values) && values.every(isValue) ? values : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const isValue = (value: unknown): value is Value => ["string", "number", "boolean"].includes(typeof value);

function parsePeriod(search: URLSearchParams): Period | null {
  const [from, to] = [search.get("from"), search.get("to")];
  if (from !== null && to !== null && isBound(from) && isBound(to)) return { from, to };
  return oneOf<NamedPeriod>(NAMED, search.get("period"));
}

function parsePage(search: URLSearchParams): Page {
  for (const kind of ["campaign", "workspace"] as const) {
    const id = search.get(kind);
    if (id !== null && id !== "") return { kind, id };
  }
  return { kind: search.get("page") === "sources" ? "sources" : "overview" };
}

const sortText = ({ by, descending }: Sort): string => `${by}${descending ? "" : ".up"}`;

function parseSort(text: string | null): Sort | null {
  const [name, direction] = (text ?? "").split(".");
  const by = oneOf<SortBy>(["value", "name", "change"], name ?? null);
  return by === null ? null : { by, descending: direction !== "up" };
}

function perCard<T>(make: (card: CardId) => T): Record<CardId, T> {
  return Object.fromEntries(CARDS.map((card) => [card, make(card)])) as Record<CardId, T>;
}

function oneOf<T extends string>(known: readonly T[], text: string | null): T | null {
  return known.find((name) => name === text) ?? null;
}
