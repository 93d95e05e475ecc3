import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { createCommand, PROVIDERS } from "../src/pages/providers";

// Tests run in the folder of the dashboard.
const FOLDER = "../docs/providers";
const pages = new Map(readdirSync(FOLDER).map((name) => [name.replace(".md", ""), readFileSync(`${FOLDER}/${name}`, "utf8")]));

test("each provider's command is that of its documentation", () => {
  for (const { name } of PROVIDERS) assert.ok(pages.get(name)?.includes(`   ${createCommand(name, "acme", "https://API")}\n`), name);
});

test("each provider of the documentation that has a hook is listed", () => {
  const documented = [...pages].flatMap(([name, page]) => (page.includes(`hook create acme --provider ${name}`) ? [name] : []));
  assert.deepEqual(PROVIDERS.map(({ name }) => name).toSorted(), documented.toSorted());
});
