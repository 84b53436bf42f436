// The page: takes what /api answers and shows it. Rates and shares are differences of two answers.

import { bytes, count, duration, percent, uptime } from "./format.js";
import { History } from "./history.js";
import { poll } from "./poll.js";
import { Table } from "./table.js";

const byId = (id) => document.getElementById(id);
const LOG_MAX = 300;

const history = new History(byId("history"));
let before = null;      // the stats of the round before
let logSeen = 0;        // the last record of the log that is shown
let lastAnswer = 0;     // when the server last answered

const text = (id, value) => {
	if (byId(id).textContent !== value)
		byId(id).textContent = value;
};

// --- tables ---

const share = (task) => task.share ?? 0;
const tasks = new Table(byId("tasks"), [
	{ title: "TID", get: (t) => String(t.tid), sort: (t) => t.tid, num: true },
	{ title: "Name", get: (t) => t.name, sort: (t) => t.name },
	{ title: "State", get: (t) => t.state, sort: (t) => t.state, state: true },
	{ title: "Class", get: (t) => t.class, sort: (t) => t.class },
	{ title: "Priority", get: (t) => String(t.priority), sort: (t) => t.priority, num: true },
	{ title: "Hart", get: (t) => String(t.cpu), sort: (t) => t.cpu, num: true },
	{ title: "CPU", get: (t) => percent(share(t)), sort: share, num: true },
	{ title: "CPU time", get: (t) => duration(t.cpu_time_ns), sort: (t) => t.cpu_time_ns, num: true },
	{
		title: "Stack peak", num: true,
		get: (t) => `${bytes(t.stack_peak_bytes)} of ${bytes(t.stack_bytes)}`,
		sort: (t) => t.stack_peak_bytes,
		mark: (t) => t.stack_bytes > 0 && t.stack_peak_bytes > 0.8 * t.stack_bytes,
	},
], { key: (t) => t.tid, sort: 4, down: true });

const pools = new Table(byId("pools"), [
	{ title: "Pool", get: (p) => p.name, code: true },
	{ title: "Object", get: (p) => bytes(p.object_bytes), num: true },
	{ title: "Used", get: (p) => `${count(p.used)} of ${count(p.capacity)}`, num: true },
	{ title: "Peak", get: (p) => count(p.peak), num: true },
	{ title: "Refused", get: (p) => count(p.failures), num: true, mark: (p) => p.failures > 0 },
], { key: (p) => p.name });

const interfaces = new Table(byId("interfaces"), [
	{ title: "Interface", get: (i) => i.name },
	{ title: "Address", get: (i) => i.address ?? "–", code: true },
	{ title: "Received", get: (i) => bytes(i.rx_bytes), num: true },
	{ title: "Sent", get: (i) => bytes(i.tx_bytes), num: true },
	{ title: "In", get: (i) => `${bytes(i.rx_rate ?? 0)}/s`, num: true },
	{ title: "Out", get: (i) => `${bytes(i.tx_rate ?? 0)}/s`, num: true },
	{
		title: "Dropped", num: true,
		get: (i) => count(i.rx_dropped + i.tx_dropped + i.rx_errors + i.tx_errors),
	},
], { key: (i) => i.name });

const arp = new Table(byId("arp"), [
	{ title: "Address", get: (a) => a.ip, code: true },
	{ title: "MAC", get: (a) => a.mac, code: true },
	{ title: "Interface", get: (a) => a.iface },
	{ title: "State", get: (a) => a.state },
	{ title: "Age", get: (a) => duration(a.age_ns), num: true },
], { key: (a) => a.ip, empty: "nobody yet" });

const tcp = new Table(byId("tcp"), [
	{ title: "Local", get: (c) => c.local, code: true },
	{ title: "Remote", get: (c) => c.remote, code: true },
	{ title: "State", get: (c) => c.state },
	{ title: "cwnd", get: (c) => bytes(c.cwnd_bytes), num: true },
	{ title: "ssthresh", get: (c) => (c.ssthresh_bytes > 1e9 ? "none" : bytes(c.ssthresh_bytes)), num: true },
	{ title: "RTT", get: (c) => duration(c.srtt_ns), num: true },
	{ title: "RTO", get: (c) => duration(c.rto_ns), num: true },
	{ title: "Received", get: (c) => bytes(c.rx_bytes), num: true },
	{ title: "Sent", get: (c) => bytes(c.tx_bytes), num: true },
	{ title: "Retransmits", get: (c) => count(c.retransmits), num: true, mark: (c) => c.retransmits > 0 },
], { key: (c) => `${c.local} ${c.remote} ${c.state}`, empty: "no connection" });

// --- bars ---

function makeBar(parent, name, colour) {
	const bar = document.createElement("div");
	bar.className = "bar";
	bar.innerHTML = `<span class="name"><span class="swatch"></span><span></span></span>
		<div class="track" role="meter" aria-valuemin="0" aria-valuemax="100"><div class="fill"></div></div>
		<span class="value"></span>`;
	bar.querySelector(".name span:last-child").textContent = name;
	bar.querySelector(".track").ariaLabel = `load of ${name}`;
	bar.querySelector(".swatch").style.background = `var(${colour})`;
	bar.querySelector(".fill").style.background = `var(${colour})`;
	parent.append(bar);
}

function setBar(bar, load) {
	bar.querySelector(".fill").style.width = `${100 * load}%`;
	bar.querySelector(".track").ariaValueNow = String(Math.round(100 * load));
	bar.querySelector(".value").textContent = percent(load);
}

// The share of the time since the last round that a hart was busy.
function hartLoad(cpu) {
	const old = before?.cpus.find((c) => c.id === cpu.id);
	const busy = cpu.busy_ns - (old?.busy_ns ?? 0);
	const idle = cpu.idle_ns - (old?.idle_ns ?? 0);
	if (busy + idle <= 0)
		return cpu.load_permille / 1000;
	return Math.min(1, Math.max(0, busy / (busy + idle)));
}

function showSched(stats) {
	const { sched } = stats;
	const seconds = before ? (stats.uptime_ns - before.uptime_ns) / 1e9 : 0;
	const rate = (name) => (seconds > 0 ? `${count((sched[name] - before.sched[name]) / seconds)}/s` : "–");
	pairs("sched", [
		["Switches", rate("switches")],
		["Preemptions", rate("preemptions")],
		["Migrations", rate("migrations")],
		["Quantum", duration(sched.quantum_ns)],
		["Invariants", sched.invariants ? "checked" : "not checked"],
	]);
}

function showSecurity(security) {
	pairs("security", [
		["W^X", security.wx ? "holds" : `broken: ${bytes(security.writable_executable_bytes)}`],
		["Guard pages", count(security.guard_pages)],
		["Stack canaries", security.stack_protector ? "on" : "off"],
		["Refused by name", count(security.refused_host + security.refused_origin)],
		["Bad frames", count(security.bad_frames)],
		["Refused connections", count(security.refused_connections)],
	]);
}

function showHarts(stats) {
	const parent = byId("harts");
	if (parent.childElementCount !== stats.cpus.length) {
		parent.replaceChildren();
		stats.cpus.forEach((cpu) => makeBar(parent, `hart ${cpu.id}`, `--hart-${cpu.id % 8}`));
	}
	const loads = stats.cpus.map(hartLoad);
	loads.forEach((load, i) => setBar(parent.children[i], load));
	history.add(loads);
	showSched(stats);
	text("load", percent(loads.reduce((sum, load) => sum + load, 0) / loads.length));
}

// --- the rest ---

function showTasks(stats) {
	const elapsed = before ? stats.uptime_ns - before.uptime_ns : stats.uptime_ns;
	const old = new Map(before?.tasks.map((t) => [t.tid, t.cpu_time_ns]));
	for (const task of stats.tasks)
		task.share = Math.max(0, (task.cpu_time_ns - (old.get(task.tid) ?? 0)) / elapsed);
	tasks.update(stats.tasks);
	text("n-tasks", String(stats.tasks.length));
}

function pairs(id, entries) {
	const list = byId(id);
	if (list.childElementCount !== entries.length) {
		list.replaceChildren(...entries.map(() => {
			const pair = document.createElement("div");
			pair.append(document.createElement("dt"), document.createElement("dd"));
			return pair;
		}));
	}
	entries.forEach(([name, value], i) => {
		list.children[i].children[0].textContent = name;
		list.children[i].children[1].textContent = value;
	});
}

function showMemory(memory) {
	const box = byId("memory");
	if (!box.childElementCount) {
		box.innerHTML = `<div class="memory-bar"><p><span></span><span></span></p>
			<div class="track" role="meter" aria-label="memory in use" aria-valuemin="0" aria-valuemax="100"><div class="fill"></div></div></div>
			<dl class="pairs" id="memory-pairs"></dl>`;
	}
	const used = memory.total_bytes - memory.free_bytes;
	const share = used / memory.total_bytes;
	const [left, right] = box.querySelectorAll("p span");
	left.textContent = `${bytes(used)} of ${bytes(memory.total_bytes)} in use`;
	right.textContent = percent(share);
	box.querySelector(".fill").style.width = `${100 * share}%`;
	box.querySelector(".track").ariaValueNow = String(Math.round(100 * share));
	pairs("memory-pairs", [
		["Least free", bytes(memory.free_min_bytes)],
		["Kernel image", bytes(memory.kernel_bytes)],
		["Refused", count(memory.failures)],
	]);
	text("memory-short", bytes(used));
	pools.update(memory.pools ?? []);
}

function showNet(stats) {
	const seconds = before ? (stats.uptime_ns - before.uptime_ns) / 1e9 : 0;
	for (const iface of stats.net.interfaces ?? []) {
		const old = before?.net.interfaces.find((i) => i.name === iface.name);
		if (old && seconds > 0) {
			iface.rx_rate = (iface.rx_bytes - old.rx_bytes) / seconds;
			iface.tx_rate = (iface.tx_bytes - old.tx_bytes) / seconds;
		}
	}
	interfaces.update(stats.net.interfaces ?? []);
	const http = stats.http;
	if (!http)
		return;
	const rate = before?.http && seconds > 0 ? (http.requests - before.http.requests) / seconds : 0;
	pairs("http", [
		["Requests", count(http.requests)],
		["Rate", `${count(rate)}/s`],
		["Open connections", count(http.connections)],
		["Refused", count(http.refused)],
		["Timed out", count(http.timeouts)],
		["Sent", bytes(http.sent_bytes)],
	]);
}

function showLog(entries) {
	const list = byId("log");
	const atEnd = list.scrollTop + list.clientHeight >= list.scrollHeight - 8;
	for (const entry of entries.filter((e) => e.seq > logSeen)) {
		const item = document.createElement("li");
		item.dataset.level = entry.level;
		for (const part of [(entry.time_ns / 1e9).toFixed(6), `h${entry.cpu}`, entry.level, entry.text]) {
			const span = document.createElement("span");
			span.textContent = part;
			item.append(span);
		}
		list.append(item);
		logSeen = entry.seq;
	}
	while (list.childElementCount > LOG_MAX)
		list.firstElementChild.remove();
	if (entries.length && atEnd)
		list.scrollTop = list.scrollHeight;
}

// The machine was started anew: what was seen before says nothing about it.
function forget() {
	before = null;
	logSeen = 0;
	history.clear();
	byId("log").replaceChildren();
}

function onData([stats, connections, neighbours, log]) {
	byId("lost").hidden = true;
	byId("main").classList.remove("stale");
	byId("status").dataset.state = "live";
	text("status", "live");
	lastAnswer = Date.now();
	if (before && stats.uptime_ns < before.uptime_ns) {
		forget();
		return;
	}
	text("version", stats.version);
	text("uptime", uptime(stats.uptime_ns));
	showHarts(stats);
	showTasks(stats);
	showMemory(stats.memory);
	showNet(stats);
	showSecurity(stats.security);
	tcp.update(connections.connections);
	text("n-tcp", String(connections.connections.length));
	text("connections-short", count(connections.stats.connections));
	arp.update(neighbours.entries);
	showLog(log.entries);
	before = stats;
}

function onLost(error) {
	const since = lastAnswer ? ` The figures below are ${Math.round((Date.now() - lastAnswer) / 1000)} s old.` : "";
	byId("status").dataset.state = "lost";
	text("status", "no connection");
	text("lost", `The board does not answer. Trying again every second.${since}`);
	byId("lost").hidden = false;
	byId("main").classList.add("stale");
	console.warn(error.message);
}

poll(() => ["/api/stats", "/api/tcp", "/api/arp", `/api/klog?since=${logSeen}`], onData, onLost);
