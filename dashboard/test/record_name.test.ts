import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { api, ApiError, type Api } from "../src/api/client";
import type { RecordAnswer } from "../src/api/types";
import { recordName } from "../src/state/names";

function serving(record: () => RecordAnswer["record"]): Api {
  const answer = async () => ({ body: { record: record(), updated_at: "", counted: true }, trust: { source: null, items: null, units: null, asOf: null } });
  return { ...api, record: answer };
}

test("a record has a name or none, and one that is not there has none", async () => {
  assert.equal(await recordName(serving(() => ({ type: "campaign", id: 42, name: "Renewals" })), "campaign", "42"), "Renewals");
  assert.equal(await recordName(serving(() => ({ type: "campaign", id: 42 })), "campaign", "42"), null);
  const failing = (status: number) => serving(() => { throw new ApiError(status, "no", null); });
  assert.equal(await recordName(failing(404), "campaign", "42"), null);
  await assert.rejects(recordName(failing(503), "campaign", "42"), ApiError);
});
