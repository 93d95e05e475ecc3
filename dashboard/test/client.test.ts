import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { api, ApiError, exchangeCode, Offline, readSchemaWith } from "../src/api/client";
import { downloadCsv, withoutHeader } from "../src/api/csv";
import { ended, LIFETIME_MS, session, signOut } from "../src/state/session";

Object.assign(globalThis, { sessionStorage: { getItem: () => null, setItem() {}, removeItem() {} } });

interface Asked {
  path: string;
  init: RequestInit & { headers: Record<string, string> };
}
let asked: Asked[] = [];

function answerWith(...answers: (() => Response)[]): void {
  asked = [];
  Object.assign(globalThis, {
    fetch: async (path: string, init: Asked["init"]) => {
      asked.push({ path, init });
      return answers[asked.length - 1]!();
    },
  });
}
const json = (status: number, body: unknown, headers: Record<string, string> = {}) => () =>
  new Response(JSON.stringify(body), { status, headers });

beforeEach(() => {
  session.value = { token: "rc_1", since: Date.now() };
  ended.value = null;
});

test("an answer comes with what it says of itself", async () => {
  answerWith(json(200, { rows: [] }, {
    "X-Rollcall-Source": "mixed", "X-Rollcall-Items-Read": "56", "X-Rollcall-Read-Units": "14.5", "X-Rollcall-As-Of": "2026-11-29T01:10:10.041Z",
  }));
  const { trust } = await api.query({ measures: ["calls"], timezone: "UTC" });
  assert.deepEqual(trust, { source: "mixed", items: 56, units: 14.5, asOf: new Date("2026-11-29T01:10:10.041Z") });
  assert.deepEqual([asked[0]!.path, asked[0]!.init.method], ["/v1/query", "POST"]);
  assert.equal(asked[0]!.init.headers["Authorization"], "Token rc_1");
  assert.equal(asked[0]!.init.credentials, "omit");
});

test("ids and options are escaped, and what is not given is left out", async () => {
  answerWith(json(200, {}), json(200, {}));
  await api.call("a/b?c");
  await api.values("payload.x y", { q: "50 %&", limit: 3 });
  assert.deepEqual(asked.map(({ path }) => path), ["/v1/calls/a%2Fb%3Fc", "/v1/values/payload.x%20y?q=50+%25%26&limit=3"]);
});

test("an error has status, message, request id and faults, of every shape", async () => {
  const errors = [{ pointer: "/from", message: "too long" }];
  const failing = async (answer: () => Response): Promise<ApiError> => {
    answerWith(answer);
    return await api.audit().then(() => assert.fail("no error"), (error: ApiError) => error);
  };
  const problem = await failing(json(422, { title: "Unprocessable", detail: "too long", errors }, { "x-amzn-RequestId": "r-1" }));
  assert.ok(problem instanceof ApiError);
  assert.deepEqual([problem.status, problem.message, problem.requestId, problem.faults], [422, "too long", "r-1", errors]);
  assert.equal((await failing(json(403, { status_code: 403, message: "Forbidden", detail: "" }))).message, "Forbidden");
  assert.equal((await failing(() => new Response("<html>", { status: 502, statusText: "Bad Gateway" }))).message, "Bad Gateway");
  assert.equal((await failing(() => new Response("[]", { status: 500 }))).message, "500");
});

test("no answer, and half of one, is being offline; an abort is an abort", async () => {
  answerWith(() => {
    throw new TypeError("failed to fetch");
  });
  await assert.rejects(api.audit(), Offline);
  answerWith(() => new Response(new ReadableStream({ pull: (stream) => stream.error(new TypeError("cut")) })));
  await assert.rejects(api.audit(), Offline);
  answerWith(() => {
    throw new DOMException("aborted", "AbortError");
  });
  await assert.rejects(api.audit(), { name: "AbortError" });
});

test("a rejected token signs out, unless another one has signed in since", async () => {
  answerWith(json(401, { message: "Unauthorized" }));
  await assert.rejects(api.audit(), ApiError);
  assert.deepEqual([session.value, ended.value], [null, "rejected"]);
  session.value = { token: "rc_1", since: Date.now() };
  answerWith(() => {
    session.value = { token: "rc_2", since: 0 };
    return json(401, {})();
  });
  await assert.rejects(api.audit(), ApiError);
  assert.deepEqual(session.value, { token: "rc_2", since: 0 });
});

test("a token is tried, and a code exchanged, without a session", async () => {
  signOut();
  answerWith(json(200, { datasets: [] }), json(200, { token: "rc_9" }));
  await readSchemaWith("rc_7");
  assert.equal(await exchangeCode("c-1"), "rc_9");
  assert.deepEqual(asked.map(({ init }) => init.headers["Authorization"]), ["Token rc_7", undefined]);
  assert.equal(asked[1]!.init.body, '{"code":"c-1"}');
});

test("a CSV of several pages has the names of its columns once", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const page = (text: string, next: string | null) => () =>
    new Response(text, { headers: { "Content-Disposition": 'attachment; filename="calls.csv"', ...(next === null ? {} : { "X-Rollcall-Next": next }) } });
  answerWith(page("a,b\r\n1,2\r\n", "c-1"), page("a,b\r\n3,4\r\n", "c-2"), page("a,b\r\n", null));
  const link = { href: "", download: "", click() {} };
  let saved: Blob | undefined;
  Object.assign(globalThis, { document: { createElement: () => link } });
  URL.createObjectURL = (blob: Blob) => {
    saved = blob;
    return "blob:";
  };
  await downloadCsv(api, "/v1/query", { measures: ["calls"] });
  assert.equal(await saved!.text(), "a,b\r\n1,2\r\n3,4\r\n");
  assert.equal(link.download, "calls.csv");
  assert.deepEqual(asked.map(({ init }) => JSON.parse(init.body as string).cursor), [undefined, "c-1", "c-2"]);
  assert.equal(withoutHeader("a\r\n"), "");
});

test("a token is not sent once its 12 hours are over, and no request is sent without one", async () => {
  session.value = { token: "rc_1", since: Date.now() - LIFETIME_MS };
  answerWith(json(200, {}));
  for (let times = 0; times < 2; times += 1) {
    await assert.rejects(api.audit(), (error: ApiError) => error instanceof ApiError && error.status === 401);
    assert.deepEqual([asked, session.value, ended.value], [[], null, "expired"]);
  }
});
