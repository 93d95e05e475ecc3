/** The `detail` of a call, read with care: what is not of its documented form is left out, never shown broken. */

export interface Turn {
  role: string;
  text: string;
  /** Seconds after the start of the call. */
  atSeconds: number | null;
}

export interface Detail {
  summary: string | null;
  transcript: Turn[];
  /** Of https; the page's policy lets a player load nothing else. */
  recording: string | null;
  links: { name: string; url: string }[];
  from: string | null;
  to: string | null;
}

/** The detail of a record; null when it has none, or none that can be shown. */
export function detailOf(record: Readonly<Record<string, unknown>>): Detail | null {
  const raw = record.detail;
  if (!isObject(raw)) return null;
  const detail: Detail = {
    summary: textOf(raw.summary),
    transcript: objectsOf(raw.transcript).flatMap(turnOf),
    recording: addressOf(raw.recording_url, ["https:"]),
    links: objectsOf(raw.links).flatMap(linkOf),
    from: textOf(raw.from_number),
    to: textOf(raw.to_number),
  };
  const hasPart = Object.values(detail).some((part) => (Array.isArray(part) ? part.length > 0 : part !== null));
  return hasPart ? detail : null;
}

function turnOf(raw: Record<string, unknown>): Turn[] {
  const text = textOf(raw.text);
  if (text === null) return [];
  const at = raw.at_seconds;
  return [{ role: textOf(raw.role) ?? "", text, atSeconds: typeof at === "number" && at >= 0 ? at : null }];
}

function linkOf(raw: Record<string, unknown>): { name: string; url: string }[] {
  const url = addressOf(raw.url, ["https:", "http:"]);
  return url === null ? [] : [{ name: textOf(raw.name) ?? url, url }];
}

/** The address, if it has one of the schemes: a `javascript:` in a record must never become a link. */
function addressOf(raw: unknown, schemes: string[]): string | null {
  if (typeof raw !== "string" || !URL.canParse(raw)) return null;
  const url = new URL(raw);
  return schemes.includes(url.protocol) ? url.href : null;
}

function textOf(raw: unknown): string | null {
  return typeof raw === "string" && raw !== "" ? raw : null;
}

function objectsOf(raw: unknown): Record<string, unknown>[] {
  return Array.isArray(raw) ? raw.filter(isObject) : [];
}

function isObject(raw: unknown): raw is Record<string, unknown> {
  return raw !== null && typeof raw === "object" && !Array.isArray(raw);
}
