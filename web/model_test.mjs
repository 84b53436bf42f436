import assert from "node:assert/strict";
import test from "node:test";
import { heights, quantile, since, sum } from "./histogram.js";
import { derive, isRestart, latencies } from "./model.js";

const h = (count, max_ns) => ({ le_ns: [127, 255, 511], count, max_ns, total: count.reduce((a, b) => a + b) });

function document(seconds, { cpu = 0, busy = 0, idle = 0, more = {} } = {}) {
	return {
		uptime_ns: seconds * 1e9, version: "v",
		cpus: [{ id: 0, load_permille: 250, busy_ns: busy, idle_ns: idle }, { id: 1, load_permille: 1200, busy_ns: 0, idle_ns: 0 }],
		tasks: [
			{ tid: 1, name: "a", class: "rr", cpu_time_ns: cpu, stack_bytes: 16384, stack_peak_bytes: 4096 },
			{ tid: 2, name: "loop", class: "deadline", cpu_time_ns: 0, stack_bytes: 0, stack_peak_bytes: 0, runtime_ns: 200, deadline_ns: 1000,
				period_ns: 1000, jobs: 100 * seconds, misses: seconds, overruns: 0, response: h([90, 9, 1, 0], 300) },
		],
		memory: { total_bytes: 1000, free_bytes: 750 }, callouts: { hard: { lateness: h([1, 0, 0, 0], 7) } },
		net: { interfaces: [{ name: "lo", rx_bytes: 1e6 * seconds, tx_bytes: 0, rx_dropped: 0, tx_dropped: 0, rx_errors: 0, tx_errors: 0 },
			{ name: "eth0", rx_bytes: 500 * seconds, tx_bytes: 0, rx_dropped: 1, tx_dropped: 2, rx_errors: 0, tx_errors: 4, rx_stalls: 2, tx_stalls: 3 }] },
		sched: { switches: 10 * seconds, preemptions: 0, migrations: 0,
			latency: [{ kind: "wake", cpu: 0, ...h([1, 2, 0, 0], 200) }, { kind: "wake", cpu: 1, ...h([0, 1, 0, 5], 9000), max_name: "x" }] },
		security: {}, ...more,
	};
}

test("rates and shares are differences of two documents", () => {
	const now = derive(document(10, { cpu: 1e9, busy: 5e8, idle: 5e8 }), document(12, { cpu: 2e9, busy: 2e9, idle: 1e9 }));
	assert.equal(now.seconds, 2);
	assert.equal(now.threads[0].share, 0.5);
	assert.equal(now.threads[0].stack, 0.25);
	assert.equal(now.threads[1].stack, 0);
	assert.equal(now.harts[0].load, 0.75);
	assert.equal(now.harts[1].load, 1); // no time seen: what the kernel says, at most all of it
	assert.equal(now.rates.switches, 10);
	assert.equal(now.rxRate, 500); // what the machine says to itself is no traffic
	assert.equal(now.interfaces[1].lost, 7);
	assert.deepEqual(now.interfaces.map((i) => i.stalls), [0, 5]);
	assert.equal(now.memory.share, 0.25);
});

test("the first document has no rates, and a restart is seen", () => {
	const first = derive(null, document(10));
	assert.equal(first.rates.switches, null);
	assert.equal(first.rxRate, 0);
	assert.equal(first.deadlines[0].jobRate, 0);
	assert.equal(isRestart(null, document(10)), false);
	assert.equal(isRestart(document(10), document(11)), false);
	assert.equal(isRestart(document(10), document(3)), true);
	const boot = (boot_id) => ({ more: { boot_id } });
	assert.equal(isRestart(document(10, boot("a")), document(70, boot("a"))), false);
	assert.equal(isRestart(document(10, boot("a")), document(70, boot("b"))), true); // it is up for longer than the last was
});

test("threads with deadlines", () => {
	const { deadlines, misses } = derive(document(10), document(12));
	assert.equal(deadlines.length, 1);
	assert.equal(deadlines[0].reserved, 0.2);
	assert.equal(deadlines[0].jobRate, 100);
	assert.deepEqual(deadlines[0].response, { median: 127, p99: 255, max: 300 });
	assert.equal(misses, 12);
});

test("a build without a part of it is shown all the same", () => {
	const bare = document(5);
	delete bare.sched.latency;
	delete bare.net.interfaces;
	bare.callouts = {};
	const now = derive(null, bare);
	assert.deepEqual(now.latencies, []);
	assert.deepEqual(now.interfaces, []);
	assert.equal(now.http, null);
});

test("one histogram for each kind, all harts together", () => {
	const [wake, timer] = latencies(document(1));
	assert.deepEqual([wake.kind, wake.count, wake.total, wake.max_ns], ["wake", [1, 3, 0, 5], 9, 9000]);
	assert.equal(wake.worst.max_name, "x");
	assert.equal(timer.kind, "timer");
});

test("histograms: sums, differences, quantiles, heights", () => {
	assert.equal(sum([]), null);
	assert.deepEqual(since([5, 7], [2, 7]), [3, 0]);
	assert.deepEqual(since([5, 7], [9, 7]), [5, 7]); // started anew
	assert.deepEqual(since([5, 7], undefined), [5, 7]);
	const all = h([50, 49, 0, 1], 4000);
	assert.equal(quantile(all, 0.5), 127);
	assert.equal(quantile(all, 0.99), 255);
	assert.equal(quantile(all, 1), 4000); // behind the last bound: the longest
	assert.equal(quantile(h([3, 0, 0, 0], 90), 0.99), 90);
	assert.equal(quantile(h([0, 0, 0, 0], 0), 0.5), null);
	const [none, one, many] = heights([0, 1, 1000000]);
	assert.equal(none, 0);
	assert.ok(one >= 0.04 && one < 0.1);
	assert.equal(many, 1);
	assert.deepEqual(heights([0, 0]), [0, 0]);
});
