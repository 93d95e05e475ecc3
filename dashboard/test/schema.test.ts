import assert from "node:assert/strict";
import { test } from "node:test";
import type { Api } from "../src/api/client";
import { schemaOf } from "../src/state/schema";
import { session } from "../src/state/session";

const FIELDS = [{ name: "outcome", type: "text", ops: ["eq"] }];
const settled = () => new Promise((resolve) => setTimeout(resolve));

function apiOf(...answers: (() => unknown)[]): { api: Api; asked(): number } {
  let asked = 0;
  const schema = async () => ({ body: answers[asked++]!() });
  return { api: { schema } as unknown as Api, asked: () => asked };
}
const good = () => ({ datasets: [{ name: "leads", fields: [] }, { name: "calls", fields: FIELDS }] });
const bad = () => {
  throw new Error("no");
};

test("fields that cannot be loaded are an error, not none, and can be asked for again", async () => {
  const { api, asked } = apiOf(bad, good);
  assert.equal(schemaOf(api).state.value.status, "loading");
  await settled();
  assert.deepEqual([schemaOf(api).state.value.status, schemaOf(api).state.value.error?.message], ["failed", "no"]);
  await schemaOf(api).reload();
  assert.deepEqual(schemaOf(api).state.value.data, FIELDS);
  schemaOf(api);
  assert.equal(asked(), 2);
});

test("another session asks by itself", async () => {
  session.value = { token: "rc_2", since: 0 };
  const { api, asked } = apiOf(bad, good);
  schemaOf(api);
  await settled();
  session.value = null;
  schemaOf(api);
  await settled();
  assert.deepEqual([schemaOf(api).state.value.data, asked()], [FIELDS, 2]);
});
