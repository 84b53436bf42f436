// Asks the server for something again and again: gently, one question at a time, and only while somebody looks.

const PATIENCE_MS = 4000;

export async function get(path, as = "json", headers = {}) {
	const reply = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS), cache: "no-store", headers });
	if (!reply.ok) {
		const problem = await reply.json().catch(() => ({}));
		throw Object.assign(new Error(problem.detail ?? `${path} answered ${reply.status}`), { status: reply.status });
	}
	return reply[as]();
}

const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

function visible() {
	if (!document.hidden)
		return Promise.resolve();
	return new Promise((done) => document.addEventListener("visibilitychange", done, { once: true }));
}

// round() asks and resolves when all is shown, or rejects. A long answer is asked for less often.
export async function poll(round, { period, onLost = () => {}, ready = () => true }) {
	for (;;) {
		await visible();
		const began = performance.now();
		try {
			if (ready())
				await round();
		} catch (error) {
			onLost(error);
		}
		const took = performance.now() - began;
		await sleep(Math.max(period - took, 4 * Math.min(took, PATIENCE_MS), 100));
	}
}
