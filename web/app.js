// The dashboard.

import { effect } from "@preact/signals";
import { html, render } from "htm/preact";
import { Dock, startDock } from "./dock.js";
import { Files, startFiles } from "./files.js";
import { bytes, count, percent, uptime } from "./format.js";
import icon from "./icon.svg";
import { Log } from "./log.js";
import { Connections, Network, Server } from "./network.js";
import { Deadlines, Harts, Latency, Memory, Threads } from "./panels.js";
import { answered, link, missesBefore, retry, seconds, start, view } from "./state.js";
import { SCHEMES, scheme, startTheme } from "./theme.js";

const WORDS = { connecting: "connecting", live: "live", asking: "live, asked for", lost: "no connection" };
const LINKS = [["harts", "Harts"], ["latency", "Latency"], ["deadlines", "Deadlines"], ["threads", "Threads"], ["memory", "Memory"],
	["connections", "Network"], ["log", "Log"], ["files", "Files"]];

const Fact = ({ name, value, state }) => html`<div><dt>${name}</dt><dd data-state=${state}>${value ?? "–"}</dd></div>`;

function Facts() {
	const now = view.value;
	return html`<dl class="facts">
		<${Fact} name="Up" value=${now && uptime(now.uptime_ns)} />
		<${Fact} name="Load" value=${now && percent(now.load)} />
		<${Fact} name="Missed deadlines" value=${now && count(now.misses)} state=${now && now.misses > missesBefore.value ? "high" : undefined} />
		<${Fact} name="Memory" value=${now && bytes(now.memory.used_bytes)} />
		<${Fact} name="Connections" value=${now?.http && count(now.http.connections)} />
	</dl>`;
}

function Scheme() {
	const next = () => { scheme.value = SCHEMES[(SCHEMES.indexOf(scheme.value) + 1) % SCHEMES.length]; };
	return html`<button type="button" class="scheme" onClick=${next} title="Colours: as the system, light, dark"
		aria-label=${`Colours: ${scheme.value}`}>◐ ${{ auto: "Auto", light: "Light", dark: "Dark" }[scheme.value]}</button>`;
}

// Lies over the page: what is below does not move.
function Lost() {
	const { phase, retryAt } = link.value;
	if (phase !== "lost" || seconds.value < 0)
		return null;
	const now = performance.now();
	const old = answered.value !== null ? ` The figures are ${Math.round((now - answered.value) / 1000)} s old.` : "";
	const left = Math.max(0, Math.ceil((retryAt - now) / 1000));
	return html`<div class="lost">The machine does not answer.${old} Trying again${left > 0 ? ` in ${left} s` : ""}.
		<button type="button" onClick=${retry}>Now</button></div>`;
}

function Top() {
	const { phase } = link.value;
	return html`<header class="top">
		<div class="top-row">
			<h1><img src=${icon} alt="" width="22" height="22" />Mazu</h1>
			<span class="version">${view.value?.version}</span>
			<${Facts} />
			<p class="status" role="status" data-state=${phase}>${WORDS[phase]}</p>
			<${Scheme} />
		</div>
		<nav class="jump" aria-label="Panels">${LINKS.map(([id, name]) => html`<a key=${id} href=${`#${id}`}>${name}</a>`)}</nav>
		<${Lost} />
	</header>`;
}

const App = () => html`
	<a class="skip" href="#main">To the figures</a>
	<${Top} />
	<main id="main" tabindex="-1" class=${link.value.phase === "lost" ? "stale" : ""} aria-busy=${view.value === null}>
		<${Harts} /><${Latency} /><${Deadlines} /><${Threads} /><${Memory} /><${Connections} /><${Network} /><${Log} /><${Files} /><${Server} />
	</main>
	<footer>Every figure here is a file: <a href="/api/stats">/api/stats</a> <a href="/api/tcp">/api/tcp</a> <a href="/api/arp">/api/arp</a>${" "}
		<a href="/api/klog">/api/klog</a>. The <a href="/control.html">control loop</a>. <a href="/licences.txt">Licences</a> of what this page is made with.</footer>
	<${Dock} />`;

startTheme();
start(startFiles);
render(html`<${App} />`, document.getElementById("app"));
startDock();
effect(() => { document.title = link.value.phase === "lost" ? "Mazu: no connection" : "Mazu"; });
