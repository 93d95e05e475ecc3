// The packages that are installed: that they are the ones that packages.json lists, and their licences.
import { readFileSync, readdirSync } from "node:fs";

const read = (path) => JSON.parse(readFileSync(path, "utf8"));

/** Throws an Error unless the installed packages are the listed ones; call it in dashboard/. */
export function checkInstalled() {
  const faults = differences(read("packages.json"), packagesOf(read("node_modules/.package-lock.json")));
  if (faults.length > 0) {
    throw new Error(`dashboard/node_modules is not what packages.json lists: ${faults.join("; ")}`);
  }
}

/**
 * What of the installed packages is not as listed, in words: another version or hash, a package that is
 * not listed, one that is missing. Optional packages, those of other platforms, may be missing.
 */
export function differences(listed, installed) {
  const faults = [];
  for (const [name, { version, integrity }] of Object.entries(installed)) {
    const wanted = listed[name];
    if (!wanted) {
      faults.push(`${name} ${version} is not listed`);
    } else if (version !== wanted.version) {
      faults.push(`${name} ${version} is installed instead of ${wanted.version}`);
    } else if (!integrity || integrity !== wanted.integrity) {
      faults.push(`${name} ${version} has another hash`);
    }
  }
  for (const [name, { optional }] of Object.entries(listed)) {
    if (!optional && !installed[name]) {
      faults.push(`${name} is missing`);
    }
  }
  return faults;
}

/** Name → version, hash and whether it may be missing, from the content of a lock file of npm. */
export function packagesOf(lock) {
  const packages = Object.entries(lock.packages).filter(([path]) => path !== "");
  return Object.fromEntries(
    packages.map(([path, { version, integrity, optional }]) => [
      path.replace(/^node_modules\//, ""),
      { version, integrity, ...(optional && { optional }) },
    ]),
  );
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
