// node build.mjs OUT: what the image serves as /web. One file a page, and the terminal in one of its own that is
// loaded when it is opened. Depends on the sources and package-lock.json only: the same bytes on every machine.
// Ends with status 1 when all together is more than a page of a small board should weigh.

import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const GZIP_MAX = 150_000;
const ASIS = ["index.html", "control.html", "icon.svg"];
const BUNDLED = ["preact", "@preact/signals", "@preact/signals-core", "htm", "uplot", "@xterm/xterm", "@xterm/addon-fit"];

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2];
if (!out) {
	console.error("usage: build.mjs OUT");
	process.exit(2);
}

async function bundle(entryPoints, splitting) {
	const { metafile } = await build({
		absWorkingDir: here, entryPoints, outdir: join(process.cwd(), out), bundle: true, minify: true, splitting,
		format: "esm", target: ["es2022", "safari16.4", "firefox115"], entryNames: "[name]", chunkNames: "[name]",
		loader: { ".svg": "dataurl" }, legalComments: "none", metafile: true, logLevel: "warning",
	});
	return Object.keys(metafile.inputs).filter((name) => name.includes("node_modules/"))
		.map((name) => name.split("node_modules/").pop()).map((name) => name.match(/^(@[^/]+\/)?[^/]+/)[0]);
}

// Every package that went in, with its licence; one that nobody wrote down here stops the build.
async function licences(used) {
	const unknown = [...used].filter((name) => !BUNDLED.includes(name));
	if (unknown.length)
		throw new Error(`the bundle has ${unknown.join(", ")}: name it in BUNDLED of build.mjs`);
	let text = "What the page of Mazu is made with, and under which licences.\n";
	for (const name of BUNDLED.filter((name) => used.has(name))) {
		const folder = join(here, "node_modules", name);
		const { version } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
		text += `\n${"=".repeat(80)}\n${name} ${version}\n${"=".repeat(80)}\n\n`;
		text += `${(await readFile(join(folder, "LICENSE"), "utf8")).trim()}\n`;
	}
	await writeFile(join(out, "licences.txt"), text);
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const used = new Set([...await bundle(["app.js", "style.css"], true), ...await bundle(["control.js"], false)]);
await licences(used);
for (const name of ASIS)
	await copyFile(join(here, name), join(out, name));

let total = 0;
for (const name of (await readdir(out)).sort()) {
	const bytes = gzipSync(await readFile(join(out, name)), { level: 9 }).length;
	total += bytes;
	if (process.env.V)
		console.log(`${String(bytes).padStart(8)} ${name}`);
}
if (process.env.V || total > GZIP_MAX)
	console.log(`${String(total).padStart(8)} bytes by gzip, ${GZIP_MAX} allowed`);
if (total > GZIP_MAX)
	process.exit(1);
