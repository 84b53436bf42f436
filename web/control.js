// The state of the example control loop, once a second.

import { count, duration } from "./format.js";
import { get, poll } from "./poll.js";

const rps = (n) => `${(n / 1000).toFixed(3)} turns/s`;

const MOTOR = [
	["Wanted", (c) => rps(c.set_point_millirps)],
	["Speed", (c) => rps(c.speed_millirps)],
	["Drive", (c) => `${(c.drive_permille / 10).toFixed(1)} %`],
	["Steps", (c) => count(c.steps)],
];

const LOOP = [
	["Runtime in each period", (c) => `${duration(c.runtime_ns)} of ${duration(c.period_ns)}`],
	["Hart", (c) => String(c.cpu)],
	["Jobs", (c) => count(c.jobs)],
	["Missed deadlines", (c) => count(c.misses)],
	["Overruns", (c) => count(c.overruns)],
	["Longest response", (c) => duration(c.response_max_ns)],
];

// In its own words, but for these.
const STATES = { runs: "live", refused: "not admitted; the log says why" };

function show(id, rows, control) {
	const list = document.getElementById(id);
	list.replaceChildren(...rows.map(([name, text]) => {
		const pair = document.createElement("div");
		const term = pair.appendChild(document.createElement("dt"));
		const value = pair.appendChild(document.createElement("dd"));
		term.textContent = name;
		value.textContent = text(control);
		return pair;
	}));
}

function state(name, text) {
	const status = document.getElementById("status");
	status.dataset.state = name;
	status.textContent = text;
}

async function round() {
	const control = await get("/api/app/control");
	document.getElementById("lost").hidden = true;
	document.getElementById("again").hidden = control.state !== "refused" && control.state !== "ended";
	state(control.state === "runs" ? "live" : control.state, STATES[control.state] ?? control.state);
	show("motor", MOTOR, control);
	show("loop", "jobs" in control ? LOOP : [], control);
}

function onLost(error) {
	state("lost", "no answer");
	const lost = document.getElementById("lost");
	lost.hidden = false;
	lost.textContent = `The machine does not answer: ${error.message}`;
}

poll(round, { period: 1000, onLost });
