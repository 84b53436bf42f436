// Stand-ins for tests: a clock that is moved by hand, and sockets that do what they are told.

export class FakeClock {
	constructor() {
		this.time = 0;
		this.timers = new Map();
		this.next = 1;
		this.setTimeout = (what, ms) => {
			this.timers.set(this.next, { at: this.time + ms, what });
			return this.next++;
		};
		this.clearTimeout = (id) => this.timers.delete(id);
	}

	// All that is due within so many milliseconds, in its order.
	advance(ms) {
		const end = this.time + ms;
		for (;;) {
			const [id, timer] = [...this.timers].filter(([, t]) => t.at <= end).sort(([, a], [, b]) => a.at - b.at)[0] ?? [];
			if (!timer)
				break;
			this.timers.delete(id);
			this.time = timer.at;
			timer.what();
		}
		this.time = end;
	}
}

export class FakeSocket {
	constructor() {
		this.sent = [];
		this.open = true;
	}

	send(data) {
		this.sent.push(data);
	}

	close() {
		this.open = false; // as a browser: onclose comes later, if at all
	}

	push(document) {
		this.onmessage({ data: typeof document === "string" || document instanceof ArrayBuffer ? document : JSON.stringify(document) });
	}

	break() {
		this.open = false;
		this.onclose?.({});
	}
}
