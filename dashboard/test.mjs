// Runs the tests in test/: node test.mjs [NAME...], each a file without its `.test.ts`; by default all.
import { spawnSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { checkInstalled } from "./packages.mjs";

const OUT = "build/test";
process.chdir(import.meta.dirname);

checkInstalled();
const chosen = process.argv.slice(2);
const names = readdirSync("test").filter(
  (name) => name.endsWith(".test.ts") && (chosen.length === 0 || chosen.includes(basename(name, ".test.ts"))),
);
if (names.length === 0) {
  throw new Error(`there is no test ${chosen.join(", ")}`);
}
rmSync(OUT, { recursive: true, force: true });
await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: names.map((name) => join("test", name)),
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: "inline",
  loader: { ".css": "empty" },
  outdir: OUT,
  outExtension: { ".js": ".mjs" },
  logLevel: "warning",
});
const files = readdirSync(OUT).map((name) => join(OUT, name));
const { status } = spawnSync(process.execPath, ["--enable-source-maps", "--test", ...files], { stdio: "inherit" });
process.exit(status ?? 1);
