import "./browser";
import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError, Offline, type Fault } from "../src/api/client";
import { reasonOf } from "../src/overview/error_note";
import { en } from "../src/text/en";

const FAULTS: Fault[] = [
  { pointer: "/from", message: "must not be after to" },
  { pointer: "/filters/0/value", message: "must be from 0 to 23" },
];
const error = (status: number, message: string, faults: Fault[] = []) => new ApiError(status, message, "id", faults);

test("a query that is too large comes with advice, one with a wrong value does not", () => {
  assert.deepEqual(reasonOf(error(422, "The query reads too many rows.")), ["The query reads too many rows.", en["error.too_large"]]);
  const message = "/from must not be after to; /filters/0/value must be from 0 to 23";
  for (const status of [400, 422]) {
    // The message names the places of the faults, which their own messages do not.
    assert.deepEqual(reasonOf(error(status, message, FAULTS)), [message, null]);
    assert.deepEqual(reasonOf(error(status, message, FAULTS.slice(0, 1))), [message, null]);
  }
});

test("other errors have the message of the API or of the page", () => {
  assert.deepEqual(reasonOf(error(500, "Internal error.")), ["Internal error.", null]);
  assert.deepEqual(reasonOf(error(429, "Rate exceeded.")), [en["error.busy"], null]);
  assert.deepEqual(reasonOf(error(403, "Forbidden.")), [en["error.forbidden"], en["error.forbidden_advice"]]);
  assert.deepEqual(reasonOf(new Offline("x")), [en["error.offline"], null]);
  assert.deepEqual(reasonOf(new Error("x")), ["x", null]);
});
