// Writes packages.json again: what package.json asks for, on every platform, with npm's hashes.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packagesOf } from "./packages.mjs";

process.chdir(import.meta.dirname);
// Elsewhere: a lock file has the addresses that packages come from.
const folder = mkdtempSync(join(tmpdir(), "rollcall-packages-"));
try {
  cpSync("package.json", join(folder, "package.json"));
  execFileSync("npm", ["install", "--package-lock-only", "--ignore-scripts", "--no-audit"], { cwd: folder });
  const lock = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
  writeFileSync("packages.json", `${JSON.stringify(packagesOf(lock), null, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true });
}
