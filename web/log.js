// The kernel's log: the least level that is shown, a filter, and the end in view unless somebody scrolled away.

import { useSignal } from "@preact/signals";
import { html } from "htm/preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { LEVELS, filterLog } from "./filter.js";
import { log } from "./state.js";
import { Panel } from "./table.js";

const Entry = ({ entry }) => html`<li data-level=${entry.level}><span>${(entry.time_ns / 1e9).toFixed(6)}</span><span>h${entry.cpu}</span>
	<span>${entry.level}</span><span>${entry.text}</span></li>`;

export function Log() {
	const level = useSignal("debug");
	const text = useSignal("");
	const follows = useSignal(true);
	const list = useRef();
	const shown = filterLog(log.value, level.value, text.value);
	useLayoutEffect(() => {
		if (follows.value && shown.length)
			list.current.scrollTop = list.current.scrollHeight;
	}, [shown.length, shown.at(-1)?.seq, follows.value]);
	const scrolled = () => {
		const { scrollTop, clientHeight, scrollHeight } = list.current;
		follows.value = scrollTop + clientHeight >= scrollHeight - 8;
	};
	const tools = html`<div class="tools">
		<label>Level <select value=${level.value} onChange=${(e) => { level.value = e.target.value; }}>
			${[...LEVELS].reverse().map((name) => html`<option key=${name} value=${name}>${name === "debug" ? "all" : name === "error" ? "errors only" : `${name} and above`}</option>`)}
		</select></label>
		<input type="search" placeholder="Filter" aria-label="Filter the log" value=${text.value} onInput=${(e) => { text.value = e.target.value; }} />
	</div>`;
	return html`<${Panel} id="log" title="Kernel log" wide="w7" tools=${tools} note=${shown.length === log.value.length ? "" : `${shown.length} of ${log.value.length}`}>
		<div class="log-box">
			<ol class="log scroll" tabindex="0" aria-label="Records of the kernel log" ref=${list} onScroll=${scrolled}>
				${shown.map((entry) => html`<${Entry} key=${entry.seq} entry=${entry} />`)}
				${!shown.length && log.value.length > 0 && html`<li class="none">nothing matches</li>`}
			</ol>
			${!follows.value && html`<button type="button" class="latest" onClick=${() => { follows.value = true; }}>Go on to the latest</button>`}
		</div>
	</${Panel}>`;
}
