// The machine's tree of files: /api/fs lists, /api/fs/read reads. What is generated at each read can be read again.

import { signal } from "@preact/signals";
import { html } from "htm/preact";
import { contentOf } from "./content.js";
import { bytes } from "./format.js";
import { crumbs, join, ordered } from "./paths.js";
import { get } from "./poll.js";
import { Panel } from "./table.js";

const folder = signal({ path: "/", entries: null, error: null });
const file = signal(null); // {path, text, error}
let asked = 0;             // an answer to an older question is not shown

async function list(path) {
	const mine = ++asked;
	try {
		const { entries } = await get(`/api/fs?path=${encodeURIComponent(path)}`);
		if (mine === asked)
			folder.value = { path, entries: ordered(entries), error: null };
	} catch (error) {
		if (mine === asked)
			folder.value = { path, entries: [], error: error.message };
	}
}

const readUrl = (path) => `/api/fs/read?path=${encodeURIComponent(path)}`;

async function read(path) {
	const mine = ++asked;
	try {
		const content = await get(readUrl(path), "arrayBuffer");
		if (mine === asked)
			file.value = { path, text: contentOf(new Uint8Array(content)) };
	} catch (error) {
		if (mine === asked)
			file.value = { path, error: error.message };
	}
}

const Row = ({ entry }) => {
	const path = join(folder.value.path, entry.name);
	const open = entry.type === "dir" ? () => list(path) : () => read(path);
	return html`<li><button type="button" data-type=${entry.type} onClick=${open} disabled=${entry.type === "device"}
		aria-current=${file.value?.path === path ? "true" : undefined} title=${entry.type === "device" ? "a device: reading it has an effect" : path}>
		<span>${entry.name}${entry.type === "dir" ? "/" : ""}</span><span>${entry.size_bytes > 0 ? bytes(entry.size_bytes) : ""}</span></button></li>`;
};

function Content({ path, text, error }) {
	return html`<div class="content">
		<p class="content-head"><code>${path}</code><button type="button" onClick=${() => read(path)}>Read again</button>
			<a href=${readUrl(path)} target="_blank" rel="noopener">Raw</a></p>
		${error ? html`<p class="none">${error}</p>` :
			html`<pre class="scroll" tabindex="0" aria-label=${`Content of ${path}`}>${text}</pre>`}
	</div>`;
}

export const startFiles = () => list("/");

export function Files() {
	const { path, entries, error } = folder.value;
	return html`<${Panel} id="files" title="Files" wide="w5">
		<nav class="crumbs" aria-label="Path">${crumbs(path).map(([name, to], i, all) => html`
			<button type="button" key=${to} onClick=${() => list(to)} aria-current=${i === all.length - 1 ? "page" : undefined}>${name}</button>`)}</nav>
		<div class="files">
			<ul class="scroll" aria-label=${`Files in ${path}`}>
				${entries?.map((entry) => html`<${Row} key=${`${path} ${entry.name}`} entry=${entry} />`)}
				${error ? html`<li class="none">${error}</li>` : entries && !entries.length && html`<li class="none">empty</li>`}
			</ul>
			${file.value ? html`<${Content} ...${file.value} />` : html`<p class="content none">A file that is chosen is shown here.</p>`}
		</div>
	</${Panel}>`;
}
