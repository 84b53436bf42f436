// Asks the server once a second, one round at a time, and goes on asking when it does not answer.

const PERIOD_MS = 1000;
const PATIENCE_MS = 4000;

async function get(path) {
	const reply = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS), cache: "no-store" });
	if (!reply.ok)
		throw new Error(`${path} answered ${reply.status}`);
	return reply.json();
}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

function visible() {
	if (!document.hidden)
		return Promise.resolve();
	return new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
}

// paths() gives the addresses of a round; onData gets the answers in their order, onLost the reason.
export async function poll(paths, onData, onLost) {
	for (;;) {
		await visible();
		const began = performance.now();
		try {
			onData(await Promise.all(paths().map(get)));
		} catch (error) {
			onLost(error);
		}
		await sleep(Math.max(100, PERIOD_MS - (performance.now() - began)));
	}
}
