// The terminal's stream, /api/shell/ws: binary messages are the terminal's bytes, text is control in JSON.
// Here {"columns", "rows"} goes out and {"exited": true} comes in. A stream that breaks is opened again, which
// is a new session: the server ends a session whose client has gone.
//
// A browser does not tell why a stream does not open, and says aloud that it did not; so before it is opened again the
// server is asked, by ask(): may this page open one? It rejects while the machine does not answer.
//
// onState gets "connecting", "open", "lost", "refused" (there is no room for another session), "token" (this page may not
// open one, any more: a machine that was started anew has another token; it is not tried again) or "exited".

const RETRY_MS = [500, 1000, 2000, 5000];
const REFUSED_AFTER = 3; // one more may be the end of what was lost
const MESSAGE_MAX = 2048;

export class ShellLink {
	constructor({ open, ask, onBytes, onState, size, clock = globalThis }) {
		Object.assign(this, { open, ask, onBytes, onState, size, clock });
		this.failures = this.tries = 0; // failures: sockets, of a machine that answers
		this.phase = "exited";
	}

	say(phase) {
		this.phase = phase;
		this.onState(phase);
	}

	connect() {
		this.close();
		if (!this.failures)
			this.say("connecting");
		const socket = this.socket = this.open();
		socket.binaryType = "arraybuffer";
		socket.onopen = () => {
			this.failures = this.tries = 0;
			this.say("open");
			this.resize();
		};
		socket.onmessage = ({ data }) => {
			if (typeof data !== "string")
				this.onBytes(new Uint8Array(data));
			else if (JSON.parse(data).exited)
				this.exited = true;
		};
		socket.onclose = () => this.closed();
	}

	closed() {
		this.socket = null;
		if (this.exited) {
			this.say("exited");
			return;
		}
		this.later();
		this.say(++this.failures < REFUSED_AFTER ? "lost" : "refused");
	}

	later() {
		const wait = RETRY_MS[Math.min(this.tries++, RETRY_MS.length - 1)];
		const timer = this.timer = this.clock.setTimeout(() => this.again(timer), wait);
	}

	// An answer that comes when all is closed, or opened anew, says nothing any more.
	async again(timer) {
		const allowed = await this.ask().catch(() => null);
		if (timer !== this.timer)
			return;
		if (allowed) {
			this.connect();
		} else if (allowed === null) {
			this.failures = 0;
			this.later();
			this.say("lost");
		} else {
			this.close();
			this.say("token");
		}
	}

	// Bytes as typed, in messages that the server takes whole.
	send(bytes) {
		if (this.phase !== "open")
			return;
		for (let at = 0; at < bytes.length; at += MESSAGE_MAX)
			this.socket.send(bytes.slice(at, at + MESSAGE_MAX));
	}

	resize() {
		if (this.phase === "open")
			this.socket.send(JSON.stringify(this.size()));
	}

	close() {
		this.clock.clearTimeout(this.timer);
		this.timer = null;
		this.exited = false;
		if (this.socket) {
			this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
			this.socket.close();
			this.socket = null;
		}
	}
}
