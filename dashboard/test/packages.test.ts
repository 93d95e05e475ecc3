import assert from "node:assert/strict";
import { test } from "node:test";
import { differences, packagesOf } from "../packages.mjs";

const LOCK = {
  packages: {
    "": { name: "dashboard" },
    "node_modules/one": { version: "1.0.0", integrity: "sha512-one", license: "MIT" },
    "node_modules/@scope/two": { version: "2.0.0", integrity: "sha512-two" },
    "node_modules/@scope/for-mac": { version: "2.0.0", integrity: "sha512-mac", optional: true },
  },
};
const LISTED = packagesOf(LOCK);
const { "@scope/for-mac": _, ...HERE } = LISTED;

test("a lock file gives names, versions, hashes and what is optional", () => {
  assert.deepEqual(LISTED, {
    one: { version: "1.0.0", integrity: "sha512-one" },
    "@scope/two": { version: "2.0.0", integrity: "sha512-two" },
    "@scope/for-mac": { version: "2.0.0", integrity: "sha512-mac", optional: true },
  });
});

test("the listed packages are accepted, with and without those of other platforms", () => {
  assert.deepEqual(differences(LISTED, LISTED), []);
  assert.deepEqual(differences(LISTED, HERE), []);
});

test("each difference is named", () => {
  const { one: __, ...without } = HERE;
  const nested = { "one/node_modules/@scope/two": { version: "1.0.0", integrity: "sha512-two" } };
  const cases: [string, Record<string, object>][] = [
    ["one is missing", without],
    ["three 3.0.0 is not listed", { ...HERE, three: { version: "3.0.0", integrity: "sha512-three" } }],
    ["one/node_modules/@scope/two 1.0.0 is not listed", { ...HERE, ...nested }],
    ["one 1.0.1 is installed instead of 1.0.0", { ...HERE, one: { version: "1.0.1", integrity: "sha512-one" } }],
    ["one 1.0.0 has another hash", { ...HERE, one: { version: "1.0.0", integrity: "sha512-other" } }],
    ["one 1.0.0 has another hash", { ...HERE, one: { version: "1.0.0" } }],
    ["@scope/for-mac 2.0.0 has another hash", { ...LISTED, "@scope/for-mac": { version: "2.0.0" } }],
  ];
  for (const [fault, installed] of cases) {
    assert.deepEqual(differences(LISTED, installed), [fault]);
  }
  const all = { one: { version: "9.0.0" } };
  assert.deepEqual(differences(LISTED, all), ["one 9.0.0 is installed instead of 1.0.0", "@scope/two is missing"]);
});
