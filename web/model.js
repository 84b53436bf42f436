// From two documents of /api/stats to what the page shows. Rates and shares are differences of the two. Pure.

import { quantile, sum } from "./histogram.js";

const clamp = (x) => Math.min(1, Math.max(0, x));

// The share of the time since the last document that a hart was busy.
function hartLoad(cpu, before) {
	const old = before?.cpus.find((c) => c.id === cpu.id);
	const busy = cpu.busy_ns - (old?.busy_ns ?? 0);
	const idle = cpu.idle_ns - (old?.idle_ns ?? 0);
	return busy + idle > 0 ? clamp(busy / (busy + idle)) : clamp(cpu.load_permille / 1000);
}

function harts(stats, before) {
	return stats.cpus.map((cpu) => {
		const running = stats.sched.harts?.find((h) => h.cpu === cpu.id);
		const admission = stats.sched.admission?.find((a) => a.cpu === cpu.id);
		return {
			id: cpu.id, load: hartLoad(cpu, before), ready: cpu.ready ?? 0, running: running?.running_name ?? "",
			admitted: (admission?.utilization_ppm ?? 0) / 1e6, capacity: (admission?.capacity_ppm ?? 0) / 1e6,
			mode: admission?.mode ?? "low",
		};
	});
}

function threads(stats, before) {
	const elapsed = before ? stats.uptime_ns - before.uptime_ns : stats.uptime_ns;
	const old = new Map(before?.tasks.map((t) => [t.tid, t]));
	return stats.tasks.map((t) => ({
		...t,
		share: elapsed > 0 ? Math.max(0, (t.cpu_time_ns - (old.get(t.tid)?.cpu_time_ns ?? 0)) / elapsed) : 0,
		stack: t.stack_bytes > 0 ? t.stack_peak_bytes / t.stack_bytes : 0,
		recent: {
			jobs: (t.jobs ?? 0) - (old.get(t.tid)?.jobs ?? t.jobs ?? 0),
			misses: (t.misses ?? 0) - (old.get(t.tid)?.misses ?? t.misses ?? 0),
		},
	}));
}

function deadlines(all, seconds) {
	return all.filter((t) => t.class === "deadline").map((t) => ({
		...t,
		reserved: t.period_ns > 0 ? t.runtime_ns / t.period_ns : 0,
		jobRate: seconds > 0 ? t.recent.jobs / seconds : 0,
		response: {
			median: quantile(t.response, 0.5), p99: quantile(t.response, 0.99), max: t.response?.total ? t.response.max_ns : null,
		},
	}));
}

function interfaces(stats, before, seconds) {
	return (stats.net.interfaces ?? []).map((iface) => {
		const old = before?.net.interfaces?.find((i) => i.name === iface.name);
		const rate = (name) => (old && seconds > 0 ? Math.max(0, (iface[name] - old[name]) / seconds) : 0);
		return {
			...iface, rxRate: rate("rx_bytes"), txRate: rate("tx_bytes"),
			lost: iface.rx_dropped + iface.tx_dropped + iface.rx_errors + iface.tx_errors,
			stalls: (iface.rx_stalls ?? 0) + (iface.tx_stalls ?? 0),
		};
	});
}

// One histogram for each kind of latency, all harts together, and the circumstances of the longest.
export function latencies(stats) {
	const kinds = new Map();
	for (const entry of stats.sched.latency ?? [])
		kinds.set(entry.kind, [...(kinds.get(entry.kind) ?? []), entry]);
	const all = [...kinds].map(([kind, entries]) => {
		const worst = entries.reduce((a, b) => (b.max_ns > a.max_ns ? b : a));
		return { kind, ...sum(entries), worst: worst.max_ns > 0 ? worst : null };
	});
	const timers = ["hard", "soft"].map((kind) => stats.callouts[kind]?.lateness).filter(Boolean);
	if (timers.length)
		all.push({ kind: "timer", ...sum(timers), worst: null });
	return all;
}

// The machine was started anew between the two. By the uptime alone who was away for long cannot tell.
export function isRestart(before, stats) {
	return before !== null && (stats.boot_id !== before.boot_id || stats.uptime_ns < before.uptime_ns);
}

// `before` is null for the first document, and for the first after a restart.
export function derive(before, stats) {
	const seconds = before ? (stats.uptime_ns - before.uptime_ns) / 1e9 : 0;
	const rate = (of) => (before && seconds > 0 ? (of(stats) - of(before)) / seconds : null);
	const all = threads(stats, before);
	const cpus = harts(stats, before);
	const used = stats.memory.total_bytes - stats.memory.free_bytes;
	const lines = interfaces(stats, before, seconds);
	return {
		version: stats.version, uptime_ns: stats.uptime_ns, seconds, harts: cpus, threads: all,
		load: cpus.reduce((total, cpu) => total + cpu.load, 0) / Math.max(1, cpus.length),
		deadlines: deadlines(all, seconds),
		misses: all.reduce((total, t) => total + (t.misses ?? 0), 0),
		rates: {
			switches: rate((s) => s.sched.switches), preemptions: rate((s) => s.sched.preemptions),
			migrations: rate((s) => s.sched.migrations), requests: rate((s) => s.http?.requests ?? 0),
		},
		sched: stats.sched, domains: stats.sched.domains ?? [],
		memory: { ...stats.memory, used_bytes: used, share: clamp(used / stats.memory.total_bytes) },
		interfaces: lines,
		rxRate: lines.reduce((total, i) => total + (i.name === "lo" ? 0 : i.rxRate), 0),
		txRate: lines.reduce((total, i) => total + (i.name === "lo" ? 0 : i.txRate), 0),
		http: stats.http ?? null, security: stats.security, latencies: latencies(stats),
	};
}
