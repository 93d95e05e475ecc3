import { signal } from "@preact/signals";
import type { Api } from "../api/client";
import type { SchemaField } from "../api/types";

const fields = signal<SchemaField[]>([]);
let isAsked = false;

/** The fields that filters of calls can have, by `GET /v1/schema`; none until it has answered. */
export function schemaFields(api: Api): SchemaField[] {
  if (!isAsked) {
    isAsked = true;
    api.schema().then(
      ({ body }) => {
        fields.value = body.datasets.find(({ name }) => name === "calls")?.fields ?? [];
      },
      () => {
        isAsked = false;
      },
    );
  }
  return fields.value;
}
