// The panels of the network: connections, interfaces, neighbours, the web server's own counters.

import { useSignal } from "@preact/signals";
import { html } from "htm/preact";
import { Chart } from "./chart.js";
import { bytes, count, duration, exact } from "./format.js";
import { arp, tcp, traffic, view } from "./state.js";
import { Pairs, Panel, Table } from "./table.js";

const word = (state) => state.toLowerCase().replaceAll("_", " ");
const NONE_BYTES = 1e9; // ssthresh before the first loss

const CONNECTIONS = [
	{ title: "Local", text: (c) => c.local, code: true, order: (c) => c.local },
	{ title: "Remote", text: (c) => c.remote, code: true, order: (c) => c.remote },
	{ title: "State", text: (c) => word(c.state), order: (c) => c.state, state: (c) => word(c.state) },
	{ title: "cwnd", text: (c) => bytes(c.cwnd_bytes), num: true, order: (c) => c.cwnd_bytes, hint: "congestion window" },
	{ title: "ssthresh", text: (c) => (c.ssthresh_bytes > NONE_BYTES ? "none" : bytes(c.ssthresh_bytes)), num: true,
		order: (c) => c.ssthresh_bytes, hint: "slow start threshold" },
	{ title: "RTT", text: (c) => duration(c.srtt_ns), num: true, order: (c) => c.srtt_ns, hint: "smoothed" },
	{ title: "RTO", text: (c) => duration(c.rto_ns), num: true, order: (c) => c.rto_ns, hint: "retransmission timeout" },
	{ title: "Received", text: (c) => bytes(c.rx_bytes), num: true, order: (c) => c.rx_bytes },
	{ title: "Sent", text: (c) => bytes(c.tx_bytes), num: true, order: (c) => c.tx_bytes },
	{ title: "Retrans.", text: (c) => count(c.retransmits), num: true, order: (c) => c.retransmits, mark: (c) => c.retransmits > 0,
		hint: "retransmitted segments" },
];

const isOpen = (c) => c.state !== "LISTEN" && c.state !== "TIME_WAIT";

export function Connections() {
	const all = useSignal(false);
	const rows = tcp.value?.connections;
	const shown = rows?.filter((c) => all.value || isOpen(c));
	const stats = tcp.value?.stats;
	const tools = html`<div class="tools"><button type="button" aria-pressed=${all.value} onClick=${() => { all.value = !all.value; }}
		title="show listeners and what waits for its end, too">All states</button></div>`;
	return html`<${Panel} id="connections" title="Connections" wide="w8" tools=${tools}
		note=${stats && `${count(stats.connections)} open, ${count(stats.time_waits)} in time wait`}>
		<${Table} label="TCP connections" columns=${CONNECTIONS} rows=${shown} sort=${1} className="mid" empty="no connection"
			keyOf=${(c) => `${c.local} ${c.remote} ${c.state}`} />
	</${Panel}>`;
}

const INTERFACES = [
	{ title: "Interface", text: (i) => i.name },
	{ title: "Address", text: (i) => i.address ?? "–", code: true },
	{ title: "In", text: (i) => `${bytes(i.rxRate)}/s`, num: true },
	{ title: "Out", text: (i) => `${bytes(i.txRate)}/s`, num: true },
	{ title: "Lost", text: (i) => count(i.lost), num: true, mark: (i) => i.lost > 0, hint: "dropped or in error" },
];

const ARP = [
	{ title: "Neighbour", text: (a) => a.ip, code: true, order: (a) => a.ip },
	{ title: "MAC", text: (a) => a.mac, code: true },
	{ title: "State", text: (a) => a.state, state: (a) => a.state },
	{ title: "Age", text: (a) => duration(a.age_ns), num: true, order: (a) => a.age_ns },
];

const STEPS = Array.from({ length: 24 }, (_, i) => 2 ** (i + 8)); // of the axis: whole binary units
const LINES = [{ label: "in", name: "--hart-0" }, { label: "out", name: "--hart-1" }];

export function Network() {
	const now = view.value;
	return html`<${Panel} id="network" title="Network" wide="w4" note=${html`<span class="legend">
		<span><i class="swatch in"></i>in</span><span><i class="swatch out"></i>out</span></span>`}>
		<${Chart} series=${traffic} lines=${LINES} incrs=${STEPS} format=${(y) => `${exact(bytes(y))}/s`} read=${(y) => `${bytes(y)}/s`} label="Traffic over the last two minutes" />
		<${Table} label="Interfaces" columns=${INTERFACES} rows=${now?.interfaces} keyOf=${(i) => i.name} className="free" />
		<${Table} label="ARP table" columns=${ARP} rows=${arp.value?.entries} keyOf=${(a) => a.ip} className="short" empty="no neighbour yet" />
	</${Panel}>`;
}

const full = (http) => ["connections", "websockets", "streams", "shells"]
	.reduce((total, what) => total + (http[`refused_${what}_full`] ?? 0), 0);
const alarm = (n, hint) => [count(n), n > 0 ? "high" : undefined, hint];
const hinted = (n, hint) => [count(n), undefined, hint];

export function Server() {
	const { http, rates, security, interfaces } = view.value ?? {};
	return html`<${Panel} id="server" title="Web server and protection" wide="w12">
		<div class="columns"><${Pairs} entries=${http ? [
			["Requests", count(http.requests)], ["Rate", rates.requests === null ? "–" : `${count(rates.requests)}/s`],
			["Connections", count(http.connections)], ["WebSockets", count(http.websockets ?? 0)],
			["Sent", bytes(http.sent_bytes)], ["Timed out", count(http.timeouts)],
			["Refused", ...hinted(http.refused, "for what they asked, or who they are")],
			["Refused, full", ...hinted(full(http), "connections, WebSockets, streams or shells were all in use")],
			["Refused, memory", ...alarm(http.refused_memory, "the machine was short of it")],
		] : []} /><${Pairs} entries=${security ? [
			["W^X", security.wx ? "holds" : "broken", security.wx ? undefined : "high"], ["Guard pages", count(security.guard_pages)],
			["Stack canaries", security.stack_protector ? "on" : "off"],
			["Refused by name", ...hinted(security.refused_host + security.refused_origin, "Host or Origin is no name of this machine")],
			["Refused cross-site", ...hinted(security.refused_cross_site, "a page of another site asked")],
			["Without token", ...hinted(security.refused_token, "refused: the token was missing or wrong")],
			["Wrong tokens", ...alarm(security.token_wrong + security.refused_token_rate, "somebody guesses, or mistypes")],
			["Refused connections", ...hinted(security.refused_connections, "TCP had no place for them")],
			["Bad frames", count(security.bad_frames)],
			["Held back", ...hinted(security.rate_limited, "answers to ARP, ping and strangers, which are rated")],
			["ARP conflicts", ...alarm(security.arp_conflicts, "somebody else has our address")],
			["Device stalls", ...hinted(interfaces.reduce((total, i) => total + i.stalls, 0), "the network device was set going again")],
			security.irq_storms !== undefined && ["Interrupt storms", ...alarm(security.irq_storms)],
		] : []} /></div>
	</${Panel}>`;
}
