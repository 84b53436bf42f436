// The stream of /api/ws that comes back by itself.
//
// A socket that closes, or says nothing for much longer than a slow board needs, is given up and opened again, at longer
// and longer intervals. While sockets fail but the server answers (it has only so many), the document is asked for
// instead. Clock, timers, sockets and questions come from outside.
//
// onState gets {phase, retryAt}: "connecting", "live", "asking" (live, without a socket), "lost" (retryAt: when it is
// tried again).

export const SILENCE_MS = 10000;
const RETRY_MS = [300, 700, 1500, 3000];

export class Link {
	constructor({ open, ask, onData, onState, clock = globalThis, now = () => performance.now() }) {
		Object.assign(this, { open, ask, onData, onState, clock, now });
		this.failures = this.taken = 0; // taken: how many pushes
		this.phase = "connecting";
		this.generation = 0;
		this.asked = false; // a question is under way
	}

	start() {
		this.say("connecting");
		this.question(); // the first figures do not wait for the first push
		this.connect();
	}

	// What is waited for is tried now: the person says so, or the machine that shows the page woke up.
	retry() {
		if (this.phase === "lost" || this.phase === "asking")
			this.connect();
	}

	say(phase, retryAt = null) {
		this.phase = phase;
		this.onState({ phase, retryAt });
	}

	connect() {
		const generation = ++this.generation;
		this.clock.clearTimeout(this.timer);
		this.socket?.close();
		const socket = this.socket = this.open();
		const current = () => generation === this.generation;
		socket.onmessage = (event) => {
			if (current())
				this.take(JSON.parse(event.data));
		};
		socket.onclose = () => {
			if (current())
				this.fail();
		};
		this.watch();
	}

	watch() {
		this.clock.clearTimeout(this.timer);
		this.timer = this.clock.setTimeout(() => this.fail(), SILENCE_MS);
	}

	take(data) {
		this.failures = 0;
		this.taken++;
		this.watch();
		if (this.phase !== "live")
			this.say("live");
		this.onData(data);
	}

	fail() {
		this.generation++;
		this.socket?.close();
		this.socket = null;
		const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
		this.failures++;
		this.retryAt = this.now() + wait;
		if (this.phase !== "asking")
			this.say("lost", this.retryAt);
		this.clock.clearTimeout(this.timer);
		this.timer = this.clock.setTimeout(() => this.connect(), wait);
		if (this.failures > 1)
			this.question();
	}

	// One at a time: an answer that another one overtook would look like a machine that was started anew.
	async question() {
		if (this.asked)
			return;
		const { taken } = this;
		this.asked = true;
		let data;
		try {
			data = await this.ask();
		} catch {
			if (this.phase === "asking")
				this.say("lost", this.retryAt);
			return;
		} finally {
			this.asked = false;
		}
		if (this.taken !== taken)
			return; // the stream was faster
		if (this.phase !== "connecting")
			this.say("asking");
		this.onData(data);
	}
}
