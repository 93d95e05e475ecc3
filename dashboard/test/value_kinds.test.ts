import assert from "node:assert/strict";
import { test } from "node:test";
import type { SchemaField } from "../src/api/types";
import { keptValues, kindOf, wordsOf } from "../src/controls/value_kinds";
import { filterOf } from "../src/state/filters";

const TEXT: SchemaField = { name: "outcome", type: "text", ops: ["eq", "ne", "in", "not_in", "contains", "starts_with", "is_null", "not_null"] };
const NUMBER: SchemaField = { name: "cost", type: "number", ops: ["eq", "ne", "in", "lt", "gte", "between", "is_null"] };

test("values stay while they are given in the same way, and no others do", () => {
  assert.deepEqual(keptValues(TEXT, "is", "is_not", ["a", "b"]), ["a", "b"]);
  assert.deepEqual(keptValues(TEXT, "contains", "starts_with", ["a"]), ["a"]);
  assert.deepEqual(keptValues(NUMBER, "lt", "gte", [3]), [3]);
  for (const [field, before, after, values] of [
    [TEXT, "is", "contains", ["a", "b"]],
    [TEXT, "contains", "is", ["a"]],
    [TEXT, "is", "is_null", ["a"]],
    [NUMBER, "between", "lt", [1, 2]],
    [NUMBER, "lt", "between", [1]],
  ] as const) {
    assert.deepEqual(keptValues(field, before, after, [...values]), [], `${before} ${after}`);
  }
});

test("a form has only values that it shows, after any word", () => {
  for (const field of [TEXT, NUMBER]) {
    for (const before of wordsOf(field)) {
      for (const after of wordsOf(field)) {
        const kept = keptValues(field, before, after, ["a", "b"]);
        assert.equal(kept.length > 0, kindOf(field, before) === kindOf(field, after));
      }
    }
  }
});

test("an operator of one value takes no other number of them", () => {
  for (const word of ["contains", "starts_with", "lt", "gte"]) {
    assert.equal(filterOf("outcome", word, ["a", "b"]), null);
    assert.equal(filterOf("outcome", word, []), null);
    assert.deepEqual(filterOf("outcome", word, ["a"])?.values, ["a"]);
  }
  assert.deepEqual(filterOf("outcome", "is", ["a", "b"]), { field: "outcome", op: "in", values: ["a", "b"] });
  assert.equal(filterOf("cost", "between", [1]), null);
});
