// The terminal: xterm.js on the stream of shell_link.js. In a file of its own, loaded when it is opened.

import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import { ShellLink } from "./shell_link.js";
import { strictDocument } from "./strict_document.js";

strictDocument(document);

const NOTICES = {
	lost: "the connection is lost; trying again", exited: "the session is over; Enter starts another",
	refused: "the shell does not open: all its sessions are in use; trying again",
};
const COLOURS = ["background", "foreground", "cursor", "selectionBackground", "black", "red", "green", "yellow", "blue", "magenta",
	"cyan", "white", "brightBlack", "brightRed", "brightGreen", "brightYellow", "brightBlue", "brightMagenta", "brightCyan", "brightWhite"];

const dashed = (name) => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);

// colour(name): the colour that the style sheet has under --term-NAME. ask: as in shell_link.js.
export function openTerminal(parent, { url, ask, colour, onState, isLeave, onLeave }) {
	const encoder = new TextEncoder();
	const theme = () => Object.fromEntries(COLOURS.map((name) => [name, colour(`--term-${dashed(name)}`)]));
	const term = new Terminal({
		theme: theme(), fontSize: 13, lineHeight: 1.15, scrollback: 4000,
		fontFamily: getComputedStyle(parent).fontFamily, minimumContrastRatio: 4.5,
		cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
	});
	const fit = new FitAddon();
	term.loadAddon(fit);
	term.open(parent);
	fit.fit();

	let was = "";
	const link = new ShellLink({
		open: () => new WebSocket(url),
		ask,
		size: () => ({ columns: term.cols, rows: term.rows }),
		onBytes: (bytes) => term.write(bytes),
		onState: (phase) => {
			if (phase !== was && NOTICES[phase])
				term.write(`\r\n\x1b[2m[${NOTICES[phase]}]\x1b[0m\r\n`);
			was = phase;
			onState(phase);
		},
	});
	term.onData((text) => {
		if (link.phase === "exited" && text === "\r")
			link.connect();
		else
			link.send(encoder.encode(text));
	});
	term.onBinary((text) => link.send(Uint8Array.from(text, (c) => c.charCodeAt(0))));
	term.onResize(() => link.resize());
	term.attachCustomKeyEventHandler((event) => {
		if (!isLeave(event))
			return true;
		if (event.type === "keydown")
			onLeave();
		return false;
	});
	const watcher = new ResizeObserver(() => {
		if (parent.clientHeight > 0)
			fit.fit();
	});
	watcher.observe(parent);
	link.connect();
	return {
		focus: () => term.focus(),
		retheme: () => { term.options.theme = theme(); },
		restart: () => link.connect(),
		text: () => Array.from({ length: term.buffer.active.length }, (_, i) =>
			term.buffer.active.getLine(i).translateToString(true)).join("\n"),
		close: () => {
			watcher.disconnect();
			link.close();
			term.dispose();
		},
	};
}
