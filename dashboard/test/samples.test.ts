import assert from "node:assert/strict";
import { test } from "node:test";
import { firstCallSamples, TOKEN_PLACEHOLDER } from "../src/drawer/samples";

const ADDRESS = "https://rollcall.example:8443";
const CALL = {
  type: "call",
  id: "first-call",
  started_at: "2026-11-29T01:00:00Z",
  status: "completed",
  direction: "inbound",
  duration_seconds: 84,
};

const samples = new Map(firstCallSamples(ADDRESS, new Date("2026-11-29T01:01:30.250Z")).map(({ id, text }) => [id, text]));

test("each way names the page's own address and a placeholder of the token", () => {
  assert.deepEqual([...samples.keys()], ["curl", "python", "import"]);
  for (const text of samples.values()) {
    assert.ok(text.includes(ADDRESS));
    assert.ok(text.includes(TOKEN_PLACEHOLDER));
  }
});

test("all three send the same call", () => {
  const body = /-d '([^']+)'/.exec(samples.get("curl")!)![1]!;
  assert.deepEqual(JSON.parse(body), { records: [CALL] });

  const dict = /call = (\{[^}]+\})/.exec(samples.get("python")!)![1]!;
  assert.deepEqual(JSON.parse(dict.replace(/,\n\}/, "}")), CALL);

  const [header, row] = samples.get("import")!.split("\n").slice(1, 3).map((line) => line.split(","));
  const { type, ...fields } = CALL;
  assert.ok(samples.get("import")!.includes(`--type ${type}`));
  assert.deepEqual(header, Object.keys(fields));
  assert.deepEqual(row, Object.values(fields).map(String));
});
