// node tests/web/mock.mjs [PORT]: serves build/web and made-up answers of /api, to work on the page without a board,
// with the security headers that the board sends. ?token=TOKEN unlocks the terminal, whose shell only echoes.
//
// For tests: startMock({...}) -> {port, state, reset(), hangUp(), close()}; what stands in `state` may be changed at any time:
// born (when, by Date.now()), boot and version of the machine, its token, more threads, log records and files; whether
// there are sockets and pushes; the state of the control loop; paths that are broken; before(path), which is waited for before an answer.

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { WebSocketServer } from "../../web/node_modules/ws/wrapper.mjs";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
export const TOKEN = "mock-token-0123456789";
export const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8" };
const CPUS = 4;
const LE = Array.from({ length: 23 }, (_, i) => 2 ** (i + 7) - 1);
const THREADS = [["idle", 0, "idle"], ["idle", 0, "idle"], ["idle", 0, "idle"], ["idle", 0, "idle"], ["softcall", 48, "fifo"],
	["net_rx", 40, "fifo"], ["klog", 8, "rr"], ["control_loop", 20, "deadline"], ["camera", 20, "deadline"], ["web/0", 16, "rr"],
	["web/1", 16, "rr"], ["console", 24, "rr"]];
const POOLS = [["thread", 416, 128, 13], ["file", 64, 256, 2], ["packet_rx", 464, 512, 128], ["packet_tx", 512, 512, 9],
	["tcp_conn", 896, 256, 5], ["tcp_timewait", 64, 1024, 31], ["http_conn", 704, 192, 4], ["http_socket", 1200, 16, 1]];
const LOG = ["Mazu mock on riscv-virtio,qemu, 4 harts", "mm: 253 MiB free", "plic: 96 interrupts", "virtio_net: virtio_mmio@10007000 is eth0",
	"net: eth0 has 10.0.2.15/24,10.0.2.2", "control_loop: admitted on hart 0: every deadline is met",
	"thread 8 \"control_loop\" has spent its runtime on hart 0: 1 overruns and 0 misses in 12 jobs", "web: serving on port 80 with 2 workers"];
const FILES = { "/": ["app/", "dev/", "proc/", "hello.txt"], "/app": ["readme.txt"], "/dev": ["*console", "klog", "*random", "time"],
	"/proc": ["meminfo", "sched", "thread/", "uptime", "version"], "/proc/thread": [] };

const ns = (seconds) => Math.round(1e9 * seconds);

function histogram(total, around, spread) {
	const weights = [...LE, 0].map((_, i) => Math.exp(-((i - around) ** 2) / spread));
	const all = weights.reduce((a, b) => a + b);
	const count = weights.map((w) => Math.floor((total * w) / all));
	return { le_ns: LE, count, max_ns: LE[Math.min(LE.length - 1, count.findLastIndex((n) => n > 0))] ?? 0, total: count.reduce((a, b) => a + b) };
}

function task([name, priority, kind], i, t) {
	const job = kind === "deadline" && { runtime_ns: 200000 * (i - 6), deadline_ns: 1000000 * (i - 6), period_ns: 1000000 * (i - 6),
		remaining_ns: 120000, jobs: Math.round(t * 1000 / (i - 6)), misses: i === 8 ? 3 : 0, overruns: i === 8 ? 4 : 0,
		lateness_max_ns: i === 8 ? 240000 : -610000, response: histogram(Math.round(t * 1000 / (i - 6)), 9 + i - 7, 4) };
	return { tid: i + 1, pid: 0, name, state: i % 5 === 0 ? "running" : "blocked", class: kind, priority, effective_priority: priority,
		cpu: i % CPUS, cpu_time_ns: ns(t * (kind === "idle" ? 0.7 : 0.012 * (i - 3))), stack_bytes: 16384,
		stack_peak_bytes: name === "console" ? 14000 : 1200 + 640 * i, wait: kind === "idle" ? "" : "event", domain: "system", ...job };
}

const idler = (name, i) => [name ?? `thread/${i}`, 4, "rr"];

function stats(t, state) {
	const busy = (c) => ns(t * (0.18 + 0.1 * c) + 1.4 * Math.sin(t / (5 + c)) + 1.4);
	const latency = ["irqs_off", "preempt_off", "wake"].flatMap((kind, k) => Array.from({ length: CPUS }, (_, cpu) => ({
		kind, cpu, ...histogram(Math.round(t * 40 * (k + 1)), 5 + 2 * k, 9), max_at_ns: 1, max_tid: 8, max_name: "control_loop", max_where: "sched_return+0x32" })));
	const harts = Array.from({ length: CPUS }, (_, cpu) => cpu);
	return {
		uptime_ns: ns(t), version: state.version, boot_id: state.boot,
		cpus: harts.map((id) => ({ id, load_permille: 200, busy_ns: busy(id), idle_ns: ns(t) - busy(id), ready: 0 })),
		tasks: [...THREADS, ...state.threads.map(idler)].map((row, i) => task(row, i, t)),
		memory: { total_bytes: 266231808, free_bytes: 256000000 - 4096 * Math.round(90 + 90 * Math.sin(t / 3)), free_min_bytes: 249000000,
			kernel_bytes: 2203648, failures: 0, stacks: { total: 64, used: 10, peak: 12, failures: 0 },
			pools: POOLS.map(([name, object_bytes, capacity, used]) => ({ name, object_bytes, capacity, used, peak: used * 2, allocs: 9 * used, failures: 0 })) },
		net: { interfaces: [
			{ name: "lo", address: "127.0.0.1/8", rx_bytes: 8200, tx_bytes: 8200, rx_dropped: 0, tx_dropped: 0, rx_errors: 0, tx_errors: 0 },
			{ name: "eth0", address: "10.0.2.15/24", rx_bytes: Math.round(t * 5120 + 9000 * Math.sin(t / 4)), tx_bytes: Math.round(t * 91000 + 90000 * Math.sin(t / 7)),
				rx_dropped: 2, tx_dropped: 0, rx_errors: 0, tx_errors: 0, rx_stalls: 20, tx_stalls: 1 }] },
		sched: { switches: Math.round(t * 900), preemptions: Math.round(t * 40), migrations: Math.round(t * 3), quantum_ns: 5000000, invariants: true,
			harts: harts.map((cpu) => ({ cpu, running_name: cpu ? "idle" : "web/0" })),
			admission: harts.map((cpu) => ({ cpu, mode: "low", utilization_ppm: cpu ? 0 : 405000, capacity_ppm: 950000 })), domains: [], latency },
		callouts: { hard: { lateness: histogram(Math.round(t * 20), 8, 6) }, soft: { lateness: histogram(Math.round(t * 10), 10, 6) } },
		security: { wx: true, writable_executable_bytes: 0, guard_pages: 68, stack_protector: true, refused_host: 1, refused_origin: 2,
			refused_cross_site: 22, refused_token: 23, token_wrong: 24, refused_token_rate: 1, rate_limited: 26, arp_conflicts: 27,
			bad_frames: 7, refused_connections: 0, irq_storms: 0 },
		http: { requests: Math.round(t * 4.2), connections: 4, websockets: 1, refused: 3, timeouts: 1, refused_memory: 28,
			refused_connections_full: 20, refused_websockets_full: 5, refused_streams_full: 3, refused_shells_full: 1, sent_bytes: Math.round(t * 81000) },
	};
}

function listing(path, state) {
	const names = FILES[path] && [...FILES[path], ...(path === "/" ? state.files : [])];
	return names && { path, entries: names.map((name) => ({ name: name.replace(/^\*|\/$/g, ""), mtime_ns: 0, size_bytes: name.endsWith("txt") ? 74 : 0,
		type: name.endsWith("/") ? "dir" : name.startsWith("*") ? "device" : "file" })) };
}

function answer(url, t, state, allowed) {
	switch (url.pathname) {
	case "/api/stats": return stats(t, state);
	case "/api/access": return { token_required: true, allowed };
	case "/api/tcp": return { stats: { connections: 5, time_waits: 2 }, connections: Array.from({ length: 7 }, (_, id) => ({ id,
		state: id === 0 ? "LISTEN" : id === 6 ? "TIME_WAIT" : "ESTABLISHED", local: "10.0.2.15:80", remote: `10.0.2.2:${40000 + 7 * id}`,
		cwnd_bytes: 14600 + 1460 * id, ssthresh_bytes: 1073741824, srtt_ns: 312000 + 9000 * id, rto_ns: 200000000, rx_bytes: 4100 * id,
		tx_bytes: 81000 * id, retransmits: Number(id === 3) })) };
	case "/api/arp": return { entries: [{ ip: "10.0.2.2", mac: "52:55:0a:00:02:02", iface: "eth0", state: "reachable", age_ns: 4100000000 },
		{ ip: "10.0.2.3", mac: "52:55:0a:00:02:03", iface: "eth0", state: "stale", age_ns: 64100000000 }] };
	case "/api/klog": return { entries: [...LOG, ...state.log].map((text, i) => ({ seq: i + 1, time_ns: 1200000 * (i + 1) ** 2, cpu: i % CPUS,
		level: i === 6 ? "warning" : "info", text })).filter((entry) => entry.seq > Number(url.searchParams.get("since") ?? 0)) };
	case "/api/fs": return listing(url.searchParams.get("path"), state);
	case "/api/app/control": return { state: state.control, tid: 8, set_point_millirps: 30000, speed_millirps: 29988, drive_permille: 301,
		steps: Math.round(1000 * t), overrun_events: 1, miss_events: 0, ...(state.control === "runs" && { cpu: 0, runtime_ns: 200000,
			deadline_ns: 1000000, period_ns: 1000000, jobs: Math.round(1000 * t), misses: 0, overruns: 1, response_max_ns: 461000 }) };
	default: return undefined;
	}
}

const hasToken = (request, state) => (request.headers.cookie ?? "").includes(`mazu_token=${state.token}`) ||
	request.headers.authorization === `Bearer ${state.token}`;

// The page and the API, beside the machine's age in seconds.
async function reply(request, response, age, state) {
	const url = new URL(request.url, "http://mock");
	const allowed = hasToken(request, state);
	const send = (status, type, body, more = {}) => {
		response.writeHead(status, { "Content-Type": type, "Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", ...more });
		response.end(body);
	};
	state.requests.push(url.pathname);
	await state.before(url.pathname);
	if (url.pathname === "/" && url.searchParams.get("token") === state.token) {
		send(303, "text/plain", "", { Location: "/", "Set-Cookie": `mazu_token=${state.token}; HttpOnly; SameSite=Strict; Path=/` });
		return;
	}
	if (state.broken.some((path) => url.pathname.startsWith(path))) {
		send(503, "application/problem+json", JSON.stringify({ status: 503, title: "Service Unavailable", detail: "broken for a test" }));
		return;
	}
	if (url.pathname === "/api/fs/read") {
		const path = url.searchParams.get("path");
		send(200, "text/plain; charset=utf-8", path.endsWith(".bin") ? Buffer.from([0x7f, 0x45, 0, 0xff]) : `${path} ${age()}\n`.repeat(3));
		return;
	}
	const data = answer(url, age(), state, allowed);
	if (data) {
		send(200, "application/json", JSON.stringify(data));
		return;
	}
	try {
		const name = url.pathname === "/" ? "/index.html" : url.pathname;
		send(200, TYPES[extname(name)] ?? "application/octet-stream", await readFile(join(state.root, name)));
	} catch {
		send(404, "application/problem+json", JSON.stringify({ status: 404, title: "Not Found" }));
	}
}

// Echoes what is typed; `exit` and Enter ends it. Escape sequences in many colours come at the beginning.
function shell(socket, state) {
	let line = "";
	state.shells++;
	socket.send(Buffer.from("mock shell \x1b[1;32mgreen\x1b[0m \x1b[38;2;90;30;160mtrue colour\x1b[0m \x1b[7minverse\x1b[0m\r\n$ "));
	socket.on("message", (data, isBinary) => {
		if (!isBinary) {
			state.sizes.push(JSON.parse(data));
			return;
		}
		for (const c of data.toString()) {
			if (c !== "\r") {
				line += c;
				socket.send(Buffer.from(c));
				continue;
			}
			if (line === "exit") {
				socket.send(JSON.stringify({ exited: true }));
				socket.close(1000);
				return;
			}
			socket.send(Buffer.from(`\r\nyou said: ${line}\r\n$ `));
			line = "";
		}
	});
}

const ordinary = () => ({ born: Date.now() - 4000e3, boot: "1", version: "mock", token: TOKEN, threads: [], log: [], files: [],
	sockets: true, pushes: true, control: "runs", broken: [], before: async () => {} });

export async function startMock({ port = 0, root = join(ROOT, "build/web") } = {}) {
	const state = { root, sizes: [], shells: 0, requests: [], ...ordinary() };
	const age = () => (Date.now() - state.born) / 1000;
	const server = createServer((request, response) => reply(request, response, age, state));
	const sockets = new WebSocketServer({ noServer: true });
	server.on("upgrade", (request, socket, head) => {
		const allowed = hasToken(request, state);
		if (!state.sockets || (request.url === "/api/shell/ws" && !allowed)) {
			socket.end(`HTTP/1.1 ${state.sockets ? 401 : 503} no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
			return;
		}
		sockets.handleUpgrade(request, socket, head, (ws) => {
			if (request.url === "/api/shell/ws") {
				shell(ws, state);
				return;
			}
			const push = () => {
				if (state.pushes)
					ws.send(JSON.stringify(stats(age(), state)));
			};
			push();
			const timer = setInterval(push, 1000);
			ws.on("close", () => clearInterval(timer));
		});
	});
	await new Promise((done) => server.listen(port, "127.0.0.1", done));
	return {
		port: server.address().port, state,
		reset: () => Object.assign(state, ordinary()),
		hangUp: () => { for (const ws of sockets.clients) ws.terminate(); },
		close: () => {
			for (const ws of sockets.clients)
				ws.terminate();
			server.closeAllConnections();
			server.close();
		},
	};
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const mock = await startMock({ port: Number(process.argv[2] ?? 8090) });
	console.log(`http://127.0.0.1:${mock.port}/ and http://127.0.0.1:${mock.port}/?token=${TOKEN}`);
}
