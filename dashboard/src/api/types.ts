// What goes over the wire; docs/contract.md has the rules.

export type Value = string | number | boolean;
export type Measured = number | null;

export type Op =
  | "eq" | "ne" | "in" | "not_in" | "lt" | "lte" | "gt" | "gte" | "between"
  | "contains" | "starts_with" | "is_null" | "not_null";

export interface Condition {
  field: string;
  op: Op;
  value?: Value | Value[];
}

export type Compare = "previous_period" | "previous_weekdays" | "previous_year";
export type Dataset = "calls" | "leads" | "tasks" | "contact_events";

export interface Range {
  period?: string;
  from?: string;
  to?: string;
  timezone: string;
}

/** Which records a figure or a list is about. */
export interface Scope extends Range {
  filters?: Condition[];
}

export interface QueryBody extends Scope {
  dataset?: Dataset;
  measures: string[];
  dimensions?: string[];
  compare?: Compare;
  order?: { by: string; direction: "asc" | "desc" }[];
  limit?: number;
  cursor?: string;
  others?: boolean;
}

/** Dimensions and measures by their names; `complete` is false on the bucket that is not over. */
export interface Row {
  [name: string]: Value | null | Record<string, Measured> | undefined;
  previous?: Record<string, Measured>;
  complete?: boolean;
  others?: boolean;
}

export interface Instants {
  from: string | null;
  to: string | null;
  timezone: string;
}

export interface QueryAnswer {
  rows: Row[];
  totals: Record<string, Measured>;
  previous_totals?: Record<string, Measured>;
  total_rows: number;
  next: string | null;
  period: Instants;
  previous_period?: Instants;
}

export interface SearchBody extends Scope {
  order?: "newest" | "oldest";
  limit?: number;
  cursor?: string;
}

/** A call as `POST /v1/records` takes it: what was given, and nothing else. */
export interface Call {
  id: string | number;
  started_at: string;
  status: string;
  updated_at: string;
  disposition?: string;
  direction?: string;
  campaign_id?: string | number;
  space_token?: string | number;
  template_id?: string | number;
  merchant_id?: string | number;
  reseller_id?: string | number;
  lead_id?: string | number;
  provider?: string;
  outcome?: string;
  duration_seconds?: number;
  sentiment?: number;
  cost?: number;
  attempt?: number;
  answered?: boolean;
  labels?: (string | number)[];
  ended_reason?: string;
  language?: string;
  latency_ms?: number;
  events?: Record<string, number>;
  payload?: Record<string, Value | null>;
  detail?: Detail;
  [field: string]: unknown;
}

export interface Detail {
  summary?: string;
  transcript?: { role: string; text: string; at_seconds?: number }[];
  recording_url?: string;
  links?: { name: string; url: string }[];
  from_number?: string;
  to_number?: string;
}

export interface SearchAnswer {
  calls: Call[];
  next: string | null;
}

export interface CallAnswer {
  record: Call;
  updated_at: string;
  counted: boolean;
}

/** A record of any other type; many have a name. */
export interface RecordAnswer {
  record: { name?: string; [field: string]: unknown };
  updated_at: string;
  counted: boolean;
}

export interface NamedValue {
  value: Value;
  name: string | null;
  count: number;
}

export interface ValuesAnswer {
  values: NamedValue[];
}

export interface ValuesOptions {
  dataset?: Dataset;
  q?: string;
  from?: string;
  to?: string;
  timezone?: string;
  limit?: number;
}

export interface Audit {
  last_run: string | null;
  started_at: string | null;
  facts: number | null;
  rows: number | null;
  pages: number | null;
  rollups: number | null;
  drift: number | null;
  repaired: number | null;
  unsettled: number | null;
  exact: boolean | null;
}

/** A hook, which receives the deliveries of a provider, and their counts since it was created. */
export interface Hook {
  hook: string;
  provider: string;
  created_at: string;
  recorded: number;
  ignored: number;
  refused: number;
  failed: number;
  last_delivery_at: string | null;
  secrets: number;
}

export interface HookList {
  hooks: Hook[];
}

/** Always one: the organisation of the token. */
export interface Organisations {
  data: [Organisation];
}

export interface Organisation {
  name: string;
  domain_handle: string;
}

export interface SchemaField {
  name: string;
  type: string;
  ops: Op[];
}

export interface Schema {
  datasets: {
    name: Dataset;
    measures: { name: string; unit: string; description: string }[];
    dimensions: { name: string }[];
    fields: SchemaField[];
  }[];
  periods: string[];
  compare: string[];
  limits: Record<string, number>;
}
