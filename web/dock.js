// The terminal at the foot of the page: a bar that opens, its height, and what stands there instead while there is no
// terminal: the question for the access token, or why none can be had. xterm.js is loaded when it is opened first.

import { effect, signal } from "@preact/signals";
import { html } from "htm/preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { get } from "./poll.js";
import { generation, shellUrl } from "./state.js";
import { colour, repaint } from "./theme.js";
import { tokenOf } from "./token.js";

const OPEN_KEY = "mazu-terminal"; // open again behind /?token=, which is another page load
const STEP_PX = 24;
const LEAST_PX = 120;

const open = signal(false);
const phase = signal("closed"); // asking, token, none, connecting, open, lost, exited
const why = signal("");
const height = signal(Math.round(Math.min(380, innerHeight * 0.45)));
let terminal = null;

const WORDS = { asking: "asking for access", token: "access token needed", none: "not available", connecting: "connecting", open: "connected",
	lost: "reconnecting", refused: "refused; trying again", exited: "session over", closed: "" };

const isLeave = (event) => event.ctrlKey && !event.altKey && event.code === "Backquote";

const mayOpen = async () => (await get("/api/access")).allowed;

function onState(now) {
	if (now === "token") {
		terminal.close(); // what it showed goes: the question stands in its place
		terminal = null;
	}
	phase.value = now;
}

async function begin(parent) {
	phase.value = "asking";
	why.value = "";
	try {
		if (!await mayOpen()) {
			phase.value = "token";
			return;
		}
		const { openTerminal } = await import("./terminal.js");
		phase.value = "connecting";
		terminal = openTerminal(parent, { url: shellUrl(), ask: mayOpen, colour, onState, isLeave, onLeave: toggle });
		globalThis.mazuTerminal = terminal; // for tests, and for the curious
		terminal.focus();
	} catch (error) {
		phase.value = "none";
		why.value = error.status === 404 ? "This build has no shell." : `The shell cannot be reached: ${error.message}.`;
	}
}

function toggle() {
	open.value = !open.value;
	try {
		sessionStorage.setItem(OPEN_KEY, open.value ? "open" : "");
	} catch {
		// not remembered then
	}
	if (!open.value)
		document.getElementById("dock-toggle").focus();
}

// A wrong one is told here: its address would show an error and no way back.
async function enter(event) {
	event.preventDefault();
	const token = tokenOf(new FormData(event.target).get("token"));
	why.value = token ? "" : "That is no access token.";
	if (!token)
		return;
	try {
		const access = await get("/api/access", "json", { Authorization: `Bearer ${token}` });
		if (access.allowed)
			location.replace(`/?token=${encodeURIComponent(token)}`);
		else
			why.value = "That is not the access token of this machine, or too many wrong ones have come.";
	} catch (error) {
		why.value = `The machine does not answer: ${error.message}.`;
	}
}

const Token = () => html`<form class="notice" onSubmit=${enter}>
	<p>The terminal can change this machine, so it needs the access token. The machine prints it at boot on its serial
		console, where <code>make run</code> was typed: open the line <code>Open http://…/?token=…</code>, or paste it here.</p>
	<p><label for="token">Token</label><input id="token" name="token" type="password" autocomplete="off" spellcheck=${false} required />
		<button type="submit">Unlock</button></p>
	<p role="alert">${why.value}</p>
</form>`;

function drag(event) {
	const from = event.clientY, was = height.value;
	const move = (e) => resize(was + from - e.clientY);
	event.target.setPointerCapture(event.pointerId);
	event.target.addEventListener("pointermove", move);
	event.target.addEventListener("lostpointercapture", () => event.target.removeEventListener("pointermove", move), { once: true });
}

function resize(px) {
	height.value = Math.max(LEAST_PX, Math.min(innerHeight - 90, px));
}

function keys(event) {
	const step = { ArrowUp: STEP_PX, ArrowDown: -STEP_PX }[event.key];
	if (!step)
		return;
	event.preventDefault();
	resize(height.value + step);
}

export function Dock() {
	const box = useRef();
	const isOpen = open.value;
	useLayoutEffect(() => {
		if (isOpen && !terminal && ["closed", "none", "token"].includes(phase.peek()))
			begin(box.current);
		else if (isOpen)
			terminal?.focus();
	}, [isOpen]);
	useLayoutEffect(() => {
		document.documentElement.style.setProperty("--dock", `${isOpen ? height.value : 0}px`);
	}, [isOpen, height.value]);
	return html`<aside class="dock" aria-label="Terminal">
		${isOpen && html`<div class="grip" role="separator" aria-orientation="horizontal" aria-label="Height of the terminal" tabindex="0"
			aria-valuenow=${height.value} aria-valuemin=${LEAST_PX} onPointerDown=${drag} onKeyDown=${keys}></div>`}
		<div class="dock-bar">
			<button type="button" id="dock-toggle" aria-expanded=${isOpen} aria-controls="dock-body" onClick=${toggle}>
				<span class="chevron" aria-hidden="true"></span>Terminal</button>
			<span class="dock-state" role="status" data-state=${phase.value}>${WORDS[phase.value]}</span>
			${phase.value === "exited" && html`<button type="button" onClick=${() => { terminal.restart(); terminal.focus(); }}>New session</button>`}
			<span class="keys"><kbd>Ctrl</kbd> <kbd>\`</kbd> opens and leaves it</span>
		</div>
		<div id="dock-body" class="dock-body" hidden=${!isOpen} style=${{ height: `${height.value}px` }}>
			<div class="term" ref=${box}></div>
			${phase.value === "token" && html`<${Token} />`}
			${phase.value === "none" && html`<p class="notice">${why.value}</p>`}
		</div>
	</aside>`;
}

export function startDock() {
	addEventListener("keydown", (event) => {
		if (isLeave(event) && !event.defaultPrevented && !event.target.closest?.(".term")) {
			event.preventDefault();
			toggle();
		}
	});
	effect(() => {
		if (repaint.value)
			terminal?.retheme();
	});
	effect(() => {
		if (generation.value)
			terminal?.restart(); // its session ended with the machine
	});
	try {
		open.value = sessionStorage.getItem(OPEN_KEY) === "open";
	} catch {
		// closed then
	}
}
