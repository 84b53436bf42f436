// The panels that show the machine itself: harts, latency, deadlines, threads, memory.

import { useSignal } from "@preact/signals";
import { html } from "htm/preact";
import { Chart } from "./chart.js";
import { bytes, count, duration, exact, percent } from "./format.js";
import { heights, quantile } from "./histogram.js";
import { load, missesBefore, recent, view } from "./state.js";
import { Pairs, Panel, Table } from "./table.js";

const perSecond = (rate) => (rate === null ? "–" : `${count(rate)}/s`);

// --- harts ---

function Hart({ hart }) {
	const { id, load: share, running, admitted, capacity, mode } = hart;
	return html`<div class="hart" style=${{ "--hart": `var(--hart-${id % 8})` }}>
		<span class="hart-name"><span class="swatch"></span>hart ${id}</span>
		<span class="track" role="meter" aria-label=${`load of hart ${id}`} aria-valuemin="0" aria-valuemax="100"
			aria-valuenow=${Math.round(100 * share)}>
			<span class="fill" style=${{ transform: `scaleX(${share})` }}></span>
			<span class="mark" style=${{ left: `${100 * admitted}%` }} hidden=${admitted === 0}></span>
		</span>
		<span class="hart-load">${percent(share)}</span>
		<span class="hart-more"><span class="running">${running}</span><span title=${`of ${percent(capacity)}`}>
			${mode === "high" ? "raised mode, " : ""}${admitted > 0 ? `${percent(admitted)} promised` : "nothing promised"}</span></span>
	</div>`;
}

export function Harts() {
	const now = view.value;
	const harts = now?.harts ?? [];
	const lines = harts.map((hart) => ({ label: `hart ${hart.id}`, name: `--hart-${hart.id % 8}` }));
	return html`<${Panel} id="harts" title="Harts" wide="w7" note=${now && `${percent(now.load)} busy`}>
		<div class="split">
			<div class="harts">${harts.map((hart) => html`<${Hart} key=${hart.id} hart=${hart} />`)}</div>
			<${Chart} series=${load} lines=${lines} top=${100} format=${(y) => `${y} %`} read=${(y) => percent(y / 100)}
				label="Load of each hart over the last two minutes" />
		</div>
		<${Pairs} entries=${now && [
			["Switches", perSecond(now.rates.switches)], ["Preemptions", perSecond(now.rates.preemptions)],
			["Migrations", perSecond(now.rates.migrations)], ["Invariants", now.sched.invariants ? "checked" : "not checked"],
		] || []} />
	</${Panel}>`;
}

// --- latency ---

const KINDS = {
	wake: ["Wake-up", "from being due to running"], irqs_off: ["Interrupts off", "a timer interrupt that came late"],
	preempt_off: ["Preemption off", "a switch that was due and came late"], timer: ["Timers", "a callout that expired late"],
};

function Bars({ all, minute }) {
	const tall = heights(all.count);
	const front = heights(minute, Math.max(...all.count));
	const name = (i) => (i < all.le_ns.length ? `up to ${duration(all.le_ns[i] + 1)}` : "longer");
	return html`<div class="bars" aria-hidden="true">${all.count.map((n, i) => html`
		<div class="bar" key=${i} title=${`${name(i)}: ${count(n)}, ${count(minute[i] ?? 0)} in the last minute`}>
			<i style=${{ height: `${100 * tall[i]}%` }}></i><b style=${{ height: `${100 * (front[i] ?? 0)}%` }}></b>
			<span>${i % 3 === 1 && i < all.le_ns.length ? duration(all.le_ns[i] + 1).replace(/\.\d/, "") : ""}</span>
		</div>`)}</div>`;
}

function Latencies({ all }) {
	const last = { ...all, count: recent.value.get(all.kind) ?? [] };
	last.total = last.count.reduce((total, n) => total + n, 0);
	const within = (h, share) => {
		const bound = quantile(h, share);
		return bound === null ? "–" : `≤ ${duration(bound)}`;
	};
	const { worst } = all;
	return html`<${Bars} all=${all} minute=${last.count} />
		<table class="summary"><thead><tr><th></th><th>samples</th><th>median</th><th>99 %</th><th>longest</th></tr></thead><tbody>
			<tr><th scope="row"><span class="key front"></span>last minute</th><td>${count(last.total)}</td><td>${within(last, 0.5)}</td>
				<td>${within(last, 0.99)}</td><td></td></tr>
			<tr><th scope="row"><span class="key back"></span>since boot</th><td>${count(all.total)}</td><td>${within(all, 0.5)}</td>
				<td>${within(all, 0.99)}</td><td>${all.total ? duration(all.max_ns) : "–"}</td></tr></tbody></table>
		<p class="fine">${worst ? `The longest: hart ${worst.cpu}${worst.max_name ? `, ${worst.max_name}` : ""}${worst.max_where ? `, ${worst.max_where}` : ""}` : "\u00a0"}</p>`;
}

export function Latency() {
	const kind = useSignal("wake");
	const kinds = view.value?.latencies ?? [];
	const all = kinds.find((l) => l.kind === kind.value);
	const tools = html`<div class="tools" role="group" aria-label="Kind of latency">${Object.entries(KINDS).map(([id, [title, hint]]) => html`
		<button type="button" key=${id} aria-pressed=${kind.value === id} title=${hint} onClick=${() => { kind.value = id; }}>${title}</button>`)}</div>`;
	return html`<${Panel} id="latency" title="Latency" wide="w5" tools=${tools}>
		<div class="latency">${all ? html`<${Latencies} all=${all} />` : view.value && html`<p class="fine">This build does not measure it.</p>`}</div>
	</${Panel}>`;
}

// --- deadlines ---

const maybe = (ns) => (ns === null || ns === undefined ? "–" : duration(ns));

const DEADLINES = [
	{ title: "Thread", text: (t) => t.name, order: (t) => t.name },
	{ title: "Hart", text: (t) => t.cpu, order: (t) => t.cpu, num: true },
	{ title: "Promised", text: (t) => `${exact(duration(t.runtime_ns))} in ${exact(duration(t.period_ns))}`, num: true, order: (t) => t.reserved,
		hint: "runtime in each period" },
	{ title: "Deadline", text: (t) => exact(duration(t.deadline_ns)), num: true, order: (t) => t.deadline_ns },
	{ title: "Used", text: (t) => `${percent(t.share)} of ${percent(t.reserved)}`, num: true, order: (t) => t.share,
		bar: (t) => (t.reserved > 0 ? t.share / t.reserved : 0), hint: "share of its hart, of what is promised" },
	{ title: "Jobs", text: (t) => count(t.jobs), num: true, order: (t) => t.jobs },
	{ title: "Jobs/s", text: (t) => count(t.jobRate), num: true },
	{ title: "Missed", text: (t) => count(t.misses), num: true, order: (t) => t.misses, mark: (t) => t.misses > 0 },
	{ title: "Overruns", text: (t) => count(t.overruns), num: true, order: (t) => t.overruns, mark: (t) => t.overruns > 0,
		hint: "jobs that spent their runtime and were held back" },
	{ title: "Lateness", text: (t) => maybe(t.lateness_max_ns), num: true, order: (t) => t.lateness_max_ns ?? -Infinity,
		mark: (t) => t.lateness_max_ns > 0, hint: "the latest end of a job, from its deadline; negative: before it" },
	{ title: "Response", text: (t) => maybe(t.response.median), num: true, hint: "half of the jobs end within" },
	{ title: "99 %", text: (t) => maybe(t.response.p99), num: true, order: (t) => t.response.p99 ?? -1, hint: "99 % of the jobs end within" },
	{ title: "Longest", text: (t) => maybe(t.response.max), num: true, order: (t) => t.response.max ?? -1 },
];

export function Deadlines() {
	const now = view.value;
	const fresh = now ? now.misses - missesBefore.value : 0;
	return html`<${Panel} id="deadlines" title="Deadlines" wide="w12"
		note=${now && (fresh > 0 ? html`<span class="alarm">${count(fresh)} missed in the last minute</span>` : "none missed in the last minute")}>
		<${Table} label="Threads with deadlines" columns=${DEADLINES} rows=${now?.deadlines} keyOf=${(t) => t.tid} className="short"
			empty="No thread has a deadline." />
	</${Panel}>`;
}

// --- threads ---

const THREADS = [
	{ title: "TID", text: (t) => t.tid, order: (t) => t.tid, num: true },
	{ title: "Name", text: (t) => t.name, order: (t) => t.name },
	{ title: "State", text: (t) => t.state, order: (t) => t.state, state: (t) => t.state },
	{ title: "Waits for", text: (t) => t.wait || "–", order: (t) => t.wait },
	{ title: "Class", text: (t) => t.class, order: (t) => t.class },
	{ title: "Prio", text: (t) => t.priority, order: (t) => t.priority, num: true, hint: "priority" },
	{ title: "Hart", text: (t) => t.cpu, order: (t) => t.cpu, num: true },
	{ title: "CPU", text: (t) => percent(t.share), order: (t) => t.share, num: true, bar: (t) => t.share, hint: "share of one hart" },
	{ title: "CPU time", text: (t) => duration(t.cpu_time_ns), order: (t) => t.cpu_time_ns, num: true },
	{ title: "Stack peak", text: (t) => `${bytes(t.stack_peak_bytes)} of ${exact(bytes(t.stack_bytes))}`, order: (t) => t.stack,
		num: true, bar: (t) => t.stack, mark: (t) => t.stack > 0.8, hint: "high-water mark" },
	{ title: "Domain", text: (t) => t.domain ?? "–", order: (t) => t.domain ?? "" },
];

export function Threads() {
	const now = view.value;
	return html`<${Panel} id="threads" title="Threads" wide="w8" note=${now && count(now.threads.length)}>
		<${Table} label="Threads" columns=${THREADS} rows=${now?.threads} keyOf=${(t) => t.tid} sort=${5} down=${true} className="tall" />
	</${Panel}>`;
}

// --- memory ---

const POOLS = [
	{ title: "Pool", text: (p) => p.name, order: (p) => p.name },
	{ title: "Object", text: (p) => bytes(p.object_bytes), num: true, order: (p) => p.object_bytes },
	{ title: "Used", text: (p) => `${count(p.used)} of ${count(p.capacity)}`, num: true, order: (p) => p.used / p.capacity,
		bar: (p) => p.used / p.capacity },
	{ title: "Peak", text: (p) => count(p.peak), num: true, order: (p) => p.peak },
	{ title: "Refused", text: (p) => count(p.failures), num: true, order: (p) => p.failures, mark: (p) => p.failures > 0 },
];

export function Memory() {
	const memory = view.value?.memory;
	return html`<${Panel} id="memory" title="Memory" wide="w4"
		note=${memory && `${bytes(memory.used_bytes)} of ${bytes(memory.total_bytes)}, ${percent(memory.share)}`}>
		<div class="track big" role="meter" aria-label="memory in use" aria-valuemin="0" aria-valuemax="100"
			aria-valuenow=${Math.round(100 * (memory?.share ?? 0))}>
			<span class="fill" style=${{ transform: `scaleX(${memory?.share ?? 0})` }}></span></div>
		<${Pairs} entries=${memory ? [
			["Least free", bytes(memory.free_min_bytes)], ["Kernel image", bytes(memory.kernel_bytes)],
			["Stacks", `${count(memory.stacks?.used ?? 0)} of ${count(memory.stacks?.total ?? 0)}`],
			["Refused", count(memory.failures), memory.failures ? "high" : undefined],
		] : []} />
		<${Table} label="Pools" columns=${POOLS} rows=${memory?.pools} keyOf=${(p) => p.name} className="pools" />
	</${Panel}>`;
}
