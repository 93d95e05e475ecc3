import type { Api } from "../api/client";
import type { SchemaField } from "../api/types";
import { resource, type Resource } from "./resource";
import { session } from "./session";

let schema: Resource<SchemaField[]> | null = null;

/** The fields that filters of calls can have, by `GET /v1/schema`, which each session asks once. */
export function schemaOf(api: Api): Resource<SchemaField[]> {
  schema ??= resource(() => "calls", async (dataset, signal) => {
    const { body } = await api.schema(signal);
    return body.datasets.find(({ name }) => name === dataset)?.fields ?? [];
  });
  return schema;
}

// A failure, such as the end of a session, is none of the next one's.
session.subscribe(() => {
  schema?.dispose();
  schema = null;
});
