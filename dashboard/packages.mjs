// The packages that are installed: that they are those of package-lock.json, and their licences.
import { readFileSync, readdirSync } from "node:fs";

const read = (path) => JSON.parse(readFileSync(path, "utf8"));
const REPAIR = "run `npm ci` in dashboard/";

/**
 * Throws an Error unless every installed package has the version and the hash that package-lock.json
 * states, and none is missing. Packages of other platforms may be missing.
 */
export function checkInstalled() {
  const wanted = read("package-lock.json").packages;
  const installed = read("node_modules/.package-lock.json").packages;
  for (const [path, found] of Object.entries(installed)) {
    const listed = wanted[path];
    if (!listed?.integrity || found.version !== listed.version || found.integrity !== listed.integrity) {
      throw new Error(`${path} ${found.version} is not the one in package-lock.json: ${REPAIR}`);
    }
    // What is on disk, beside what npm says that it installed.
    if (read(`${path}/package.json`).version !== listed.version) {
      throw new Error(`${path} was changed after npm installed it: ${REPAIR}`);
    }
  }
  for (const [path, listed] of Object.entries(wanted)) {
    if (path !== "" && !listed.optional && !installed[path]) {
      throw new Error(`${path} is not installed: ${REPAIR}`);
    }
  }
}

/** The licences of the packages that some of these files belong to, as one text. */
export function licences(files) {
  const packages = new Set(files.flatMap((file) => file.match(/^node_modules\/(?:@[^/]+\/)?[^/]+/) ?? []));
  return [...packages].sort().map(licence).join("\n");
}

function licence(folder) {
  const { name, version, license } = read(`${folder}/package.json`);
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.\w+)?$/i.test(entry));
  if (!file) {
    throw new Error(`${folder} has no licence file`);
  }
  const title = `${name} ${version} (${license})`;
  const text = readFileSync(`${folder}/${file}`, "utf8").replaceAll("\r\n", "\n").trim();
  return `${title}\n${"=".repeat(title.length)}\n\n${text}\n`;
}
