// Builds the dashboard: node build.mjs [FOLDER], by default dist. The same sources give the same bytes.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { checkInstalled, licences } from "./packages.mjs";

const FIRST_VIEW_BYTES = 60_000; // JavaScript and CSS of the first view, gzipped
const LANGUAGES = ["src/text/en.ts", "src/text/de.ts"]; // the first view loads one of them
// S3 states no charset for a text file; with this a browser reads it as UTF-8 anyway.
const BYTE_ORDER_MARK = "\uFEFF";
const folder = resolve(process.argv[2] ?? join(import.meta.dirname, "dist"));
process.chdir(import.meta.dirname);
// What the line about exactness links to: the page of the documentation, as it is.
const exactness = BYTE_ORDER_MARK + readFileSync("../docs/exactness.md", "utf8");
const exactnessName = `assets/exactness-${createHash("sha256").update(exactness).digest("hex").slice(0, 8)}.txt`;

checkInstalled();
const { metafile, outputFiles } = await build({
  absWorkingDir: import.meta.dirname,
  entryPoints: { dashboard: "src/main.tsx" },
  bundle: true,
  minify: true,
  format: "esm",
  splitting: true,
  target: ["es2022", "chrome120", "firefox121", "safari17"],
  charset: "utf8",
  legalComments: "none", // licences.txt has all of them
  define: { "process.env.NODE_ENV": '"production"', EXACTNESS: JSON.stringify(`/${exactnessName}`) },
  entryNames: "assets/[name]-[hash]",
  chunkNames: "assets/[name]-[hash]",
  assetNames: "assets/[name]-[hash]",
  outdir: folder,
  metafile: true,
  write: false,
});

const outputs = Object.fromEntries(
  Object.entries(metafile.outputs).map(([path, output]) => [relative(folder, resolve(path)), output]),
);
const bytes = new Map(outputFiles.map((file) => [relative(folder, file.path), file.contents]));
const { scripts, styles } = firstView();
const size = report([...scripts, ...styles]);
if (size > FIRST_VIEW_BYTES) {
  throw new Error(`the first view may have ${FIRST_VIEW_BYTES} bytes gzipped, and has ${size}`);
}
bytes.set(exactnessName, exactness);
bytes.set("index.html", page(scripts, styles));
bytes.set("licences.txt", BYTE_ORDER_MARK + licences(Object.keys(metafile.inputs)));

// Only now, so that an error leaves the folder as it is.
rmSync(folder, { recursive: true, force: true });
for (const [name, content] of bytes) {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** The script that starts the page, those that it imports, and the style sheet. */
function firstView() {
  const [entry] = Object.keys(outputs).filter((name) => outputs[name].entryPoint === "src/main.tsx");
  const scripts = new Set([entry]);
  for (const name of scripts) {
    for (const { path, kind } of outputs[name].imports) {
      if (kind === "import-statement") {
        scripts.add(relative(folder, resolve(path)));
      }
    }
  }
  const styles = Object.keys(outputs).filter((name) => name.endsWith(".css"));
  if (styles.length !== 1 || resolve(outputs[entry].cssBundle ?? "") !== join(folder, styles[0])) {
    // A script that is loaded later does not bring its style sheet.
    throw new Error("every style sheet must be imported by what src/main.tsx imports at once");
  }
  return { scripts: [...scripts], styles };
}

/** Prints the gzipped size of every file; returns that of the first view in the largest language. */
function report(first) {
  const sizes = new Map([...bytes].map(([name, content]) => [name, gzipSync(content, { level: 9 }).length]));
  for (const [name, size] of sizes) {
    console.log(`${String(size).padStart(8)}  ${name}${first.includes(name) ? "" : " (loaded later)"}`);
  }
  const languages = [...sizes].filter(([name]) => LANGUAGES.includes(outputs[name].entryPoint));
  const sum = first.reduce((total, name) => total + sizes.get(name), 0);
  const largest = sum + Math.max(0, ...languages.map(([, size]) => size));
  console.log(`${String(largest).padStart(8)}  first view, of at most ${FIRST_VIEW_BYTES} bytes gzipped`);
  return largest;
}

/** index.html: nothing inline, as the policy demands. */
function page([entry, ...imported], styles) {
  const links = [
    ...styles.map((name) => `<link rel="stylesheet" href="/${name}">`),
    ...imported.map((name) => `<link rel="modulepreload" href="/${name}">`),
    `<script type="module" src="/${entry}"></script>`,
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Rollcall</title>
<link rel="icon" href="data:,">
${links.join("\n")}
</head>
<body>
<div id="app"></div>
<noscript>The dashboard needs JavaScript.</noscript>
</body>
</html>
`;
}
