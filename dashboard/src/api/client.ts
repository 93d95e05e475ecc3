import { endWhenOver, session, signOut } from "../state/session";
import type {
  Audit, CallAnswer, HookList, Organisations, QueryAnswer, QueryBody, RecordAnswer, Schema, SearchAnswer, SearchBody,
  ValuesAnswer, ValuesOptions,
} from "./types";

/** What an answer says of itself; null where the answer has no such header. */
export interface Trust {
  source: string | null;
  items: number | null;
  units: number | null;
  asOf: Date | null;
}

export interface Answer<T> {
  body: T;
  trust: Trust;
}

export interface CsvPage {
  text: string;
  next: string | null;
  file: string | null;
}

export interface Fault {
  pointer: string;
  message: string;
}

/** An answer that is no success. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly requestId: string | null,
    readonly faults: Fault[] = [],
  ) {
    super(message);
  }
}

/** There was no answer. */
export class Offline extends Error {}

/** Whether the same request would be refused again: it is too large, say, or not permitted. */
export function isRefused(error: Error | null): boolean {
  return error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429;
}

export interface Api {
  query(body: QueryBody, signal?: AbortSignal): Promise<Answer<QueryAnswer>>;
  search(body: SearchBody, signal?: AbortSignal): Promise<Answer<SearchAnswer>>;
  call(id: string, signal?: AbortSignal): Promise<Answer<CallAnswer>>;
  record(type: string, id: string, signal?: AbortSignal): Promise<Answer<RecordAnswer>>;
  values(dimension: string, options: ValuesOptions, signal?: AbortSignal): Promise<Answer<ValuesAnswer>>;
  audit(signal?: AbortSignal): Promise<Answer<Audit>>;
  schema(signal?: AbortSignal): Promise<Answer<Schema>>;
  hooks(signal?: AbortSignal): Promise<Answer<HookList>>;
  organisations(signal?: AbortSignal): Promise<Answer<Organisations>>;
  csv(path: "/v1/query" | "/v1/calls/search", body: object, signal?: AbortSignal): Promise<CsvPage>;
}

/** The API of the origin that the page is from. Raises ApiError, Offline, or what an AbortSignal raises. */
export const api: Api = {
  query: (body, signal) => answer("POST", "/v1/query", body, signal),
  search: (body, signal) => answer("POST", "/v1/calls/search", body, signal),
  call: (id, signal) => answer("GET", `/v1/calls/${encodeURIComponent(id)}`, null, signal),
  record: (type, id, signal) => answer("GET", `/v1/records/${type}/${encodeURIComponent(id)}`, null, signal),
  values: (dimension, options, signal) =>
    answer("GET", `/v1/values/${encodeURIComponent(dimension)}${queryString(options)}`, null, signal),
  audit: (signal) => answer("GET", "/v1/audit", null, signal),
  schema: (signal) => answer("GET", "/v1/schema", null, signal),
  hooks: (signal) => answer("GET", "/v1/hooks", null, signal),
  organisations: (signal) => answer("GET", "/api/v2/platform/organizations/", null, signal),
  async csv(path, body, signal) {
    const response = await send("POST", path, body, "text/csv", signal);
    const disposition = response.headers.get("Content-Disposition") ?? "";
    return {
      text: await received(() => response.text()),
      next: response.headers.get("X-Rollcall-Next"),
      file: /filename="?([^";]+)/.exec(disposition)?.[1] ?? null,
    };
  },
};

/** The schema, read with a token that is no session yet: what shows whether the token can read. */
export async function readSchemaWith(token: string): Promise<Schema> {
  const response = await send("GET", "/v1/schema", null, "application/json", undefined, token);
  return (await received(() => response.json())) as Schema;
}

/** The token for a one-time code of the local stack. */
export async function exchangeCode(code: string): Promise<string> {
  const response = await send("POST", "/_local/sign-in", { code }, "application/json", undefined, null);
  return ((await received(() => response.json())) as { token: string }).token;
}

async function answer<T>(method: string, path: string, body: object | null, signal?: AbortSignal): Promise<Answer<T>> {
  const response = await send(method, path, body, "application/json", signal);
  return { body: (await received(() => response.json())) as T, trust: trustOf(response.headers) };
}

async function send(
  method: string, path: string, body: object | null, accept: string, signal?: AbortSignal,
  token: string | null = tokenInUse(),
): Promise<Response> {
  const headers: Record<string, string> = { Accept: accept };
  if (token !== null) headers["Authorization"] = `Token ${token}`;
  if (body !== null) headers["Content-Type"] = "application/json";
  const response = await received(() => fetch(path, {
    method, headers, credentials: "omit", cache: "no-store",
    ...(body === null ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }));
  if (response.ok) return response;
  const error = await errorOf(response);
  // A request of an earlier session must not end the present one.
  if (response.status === 401 && token !== null && session.peek()?.token === token) signOut("rejected");
  throw error;
}

/** The session's token, which is not sent any more once its time is over. */
function tokenInUse(): string {
  const current = endWhenOver();
  if (current === null) throw new ApiError(401, "There is no session.", null);
  return current.token;
}

/** The result of a step of a request; a lost connection is raised as Offline. */
async function received<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof TypeError) throw new Offline(error.message);
    throw error;
  }
}

async function errorOf(response: Response): Promise<ApiError> {
  const text = await received(() => response.text());
  const body = parsed(text);
  const message = [body["detail"], body["message"], body["title"], response.statusText]
    .find((part): part is string => typeof part === "string" && part !== "");
  const faults = Array.isArray(body["errors"]) ? (body["errors"] as Fault[]) : [];
  return new ApiError(response.status, message ?? String(response.status), requestIdOf(response.headers), faults);
}

/** The object in a body; a proxy's page of HTML has none. */
function parsed(text: string): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(text);
    return typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

function requestIdOf(headers: Headers): string | null {
  return headers.get("x-amzn-RequestId") ?? headers.get("apigw-requestid");
}

function trustOf(headers: Headers): Trust {
  const asOf = headers.get("X-Rollcall-As-Of");
  return {
    source: headers.get("X-Rollcall-Source"),
    items: numberIn(headers, "X-Rollcall-Items-Read"),
    units: numberIn(headers, "X-Rollcall-Read-Units"),
    asOf: asOf === null ? null : new Date(asOf),
  };
}

function numberIn(headers: Headers, name: string): number | null {
  const text = headers.get(name);
  return text === null ? null : Number(text);
}

function queryString(options: object): string {
  const pairs = Object.entries(options).filter(([, value]) => value !== undefined && value !== "");
  return pairs.length === 0 ? "" : `?${new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]))}`;
}
