// What the page knows, as signals, and how it comes to know it.

import { signal } from "@preact/signals";
import { since } from "./histogram.js";
import { Link } from "./link.js";
import { derive, isRestart } from "./model.js";
import { get, poll } from "./poll.js";
import { Series } from "./series.js";

export const SAMPLES = 120; // seconds that the charts go back
const MINUTE = 60;
const LEAST_NS = 5e8; // of less time rates and shares say nothing: the first push may follow the first answer at once
const GAP = 5; // seconds without a document that a chart does not draw a line across
const LOG_MAX = 600;
const GENTLE_MS = 2000;

export const link = signal({ phase: "connecting", retryAt: null });
export const view = signal(null);        // model.js derive()
export const recent = signal(new Map()); // kind of latency -> counts of the last minute
export const missesBefore = signal(0);   // deadlines missed a minute ago
export const tcp = signal(null);
export const arp = signal(null);
export const log = signal([]);
export const seconds = signal(0);        // grows once a second, for "n s ago"
export const answered = signal(null);    // when the last document came, by performance.now()
export const generation = signal(0);     // grows when the machine was started anew
export const load = new Series(SAMPLES, GAP);
export const traffic = new Series(SAMPLES, GAP);

let before = null;
let snapshots = []; // one a second: {at, counts, misses}
let logSeen = 0;

function forget() {
	before = null;
	snapshots = [];
	logSeen = 0;
	load.clear();
	traffic.clear();
	log.value = [];
	tcp.value = arp.value = null;
	generation.value++;
}

// What the last minute added: against the oldest snapshot that is not older.
function minute(now) {
	const at = now.uptime_ns / 1e9;
	snapshots = snapshots.filter((s) => s.at >= at - MINUTE && s.at <= at);
	const [oldest] = snapshots;
	recent.value = new Map(now.latencies.map(({ kind, count }) => [kind, since(count, oldest?.counts.get(kind) ?? count)]));
	missesBefore.value = oldest?.misses ?? now.misses;
	snapshots.push({ at, misses: now.misses, counts: new Map(now.latencies.map(({ kind, count }) => [kind, count])) });
}

function take(stats) {
	if (isRestart(before, stats)) {
		if (stats.version !== before.version)
			location.reload(); // it has a page of its own
		forget();
	}
	answered.value = performance.now();
	if (before && stats.uptime_ns - before.uptime_ns < LEAST_NS)
		return;
	const now = derive(before, stats);
	before = stats;
	const at = stats.uptime_ns / 1e9;
	load.add(at, now.harts.map((hart) => 100 * hart.load));
	if (now.seconds > 0)
		traffic.add(at, [now.rxRate, now.txRate]);
	minute(now);
	view.value = now;
}

function takeLog({ entries }) {
	const fresh = entries.filter((entry) => entry.seq > logSeen);
	if (!fresh.length)
		return;
	logSeen = fresh.at(-1).seq;
	log.value = [...log.value, ...fresh].slice(-LOG_MAX);
}

// What cannot be had does not keep the rest from being shown, and what a machine said that is no more is not shown.
async function ask(path, show) {
	const began = generation.value;
	const answer = await get(path).catch(() => null);
	if (answer && began === generation.value)
		show(answer);
}

async function slower() {
	await ask("/api/tcp", (connections) => { tcp.value = connections; });
	await ask("/api/arp", (neighbours) => { arp.value = neighbours; });
	await ask(`/api/klog?since=${logSeen}`, takeLog);
}

const socketUrl = (path) => `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
export const shellUrl = () => socketUrl("/api/shell/ws");

const stream = new Link({
	open: () => new WebSocket(socketUrl("/api/ws")),
	ask: () => get("/api/stats"),
	onData: take,
	onState: (state) => { link.value = state; },
});

export const retry = () => stream.retry();

// onFirst: there are figures. What is slower waits for them: a board answers one after the other.
export function start(onFirst) {
	let begun = false;
	stream.start();
	view.subscribe((now) => {
		if (!now || begun)
			return;
		begun = true;
		poll(slower, { period: GENTLE_MS, ready: () => link.value.phase !== "lost" });
		onFirst();
	});
	setInterval(() => { seconds.value++; }, 1000);
	addEventListener("online", retry);
	document.addEventListener("visibilitychange", () => {
		if (!document.hidden)
			retry();
	});
}
