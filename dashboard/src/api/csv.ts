import type { Api } from "./client";

/**
 * Save the API's own CSV of a query or a search: all pages, with the names of the columns once.
 * Raises what the API raises; nothing is saved then.
 */
export async function downloadCsv(
  api: Api, path: "/v1/query" | "/v1/calls/search", body: object, signal?: AbortSignal,
): Promise<void> {
  const first = await api.csv(path, body, signal);
  const texts = [first.text];
  for (let { next } = first; next !== null; ) {
    const page = await api.csv(path, { ...body, cursor: next }, signal);
    texts.push(withoutHeader(page.text));
    next = page.next;
  }
  save(texts, first.file ?? "rollcall.csv");
}

/** A header has no line break: names of columns are names of the API. */
export function withoutHeader(csv: string): string {
  return csv.slice(csv.indexOf("\r\n") + 2);
}

function save(texts: string[], name: string): void {
  const address = URL.createObjectURL(new Blob(texts, { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser reads the address after the click.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
