import assert from "node:assert/strict";
import { test } from "node:test";
import { opened } from "../src/controls/open";
import { session } from "../src/state/session";

test("what is open closes with the session, also where another one follows at once", () => {
  session.value = { token: "rc_1", since: 0 };
  opened.value = "help";
  session.value = { token: "rc_2", since: 0 };
  assert.equal(opened.value, null);
  opened.value = 0;
  session.value = null;
  assert.equal(opened.value, null);
});
