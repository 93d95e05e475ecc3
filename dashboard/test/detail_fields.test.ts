import assert from "node:assert/strict";
import { test } from "node:test";
import { detailOf } from "../src/drawer/detail_fields";

test("a full detail is read whole", () => {
  const detail = detailOf({
    detail: {
      summary: "Wants an offer.",
      transcript: [
        { role: "agent", text: "Hello.", at_seconds: 0 },
        { role: "user", text: "Hi." },
      ],
      recording_url: "https://media.example/1.mp3",
      links: [{ name: "Ticket", url: "https://crm.example/7" }],
      from_number: "+4930123",
      to_number: "+4930124",
    },
  });
  assert.deepEqual(detail, {
    summary: "Wants an offer.",
    transcript: [
      { role: "agent", text: "Hello.", atSeconds: 0 },
      { role: "user", text: "Hi.", atSeconds: null },
    ],
    recording: "https://media.example/1.mp3",
    links: [{ name: "Ticket", url: "https://crm.example/7" }],
    from: "+4930123",
    to: "+4930124",
  });
});

test("only web addresses become links, and only https is played", () => {
  for (const url of ["javascript:alert(1)", "data:text/html,x", "//no-scheme", "JAVASCRIPT:alert(1)", 7, null]) {
    assert.equal(detailOf({ detail: { recording_url: url, links: [{ name: "x", url }] } }), null, String(url));
  }
  assert.equal(detailOf({ detail: { recording_url: "http://media.example/1.mp3" } }), null);
  assert.deepEqual(detailOf({ detail: { links: [{ url: "http://crm.example/" }] } })?.links, [
    { name: "http://crm.example/", url: "http://crm.example/" },
  ]);
});

test("a record without detail, or with one of another form, has none", () => {
  for (const detail of [undefined, null, "text", [], {}, { summary: "" }, { transcript: "no list" }, { transcript: [{}] }]) {
    assert.equal(detailOf({ detail }), null, JSON.stringify(detail));
  }
});
