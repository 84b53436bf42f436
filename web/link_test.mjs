import assert from "node:assert/strict";
import test from "node:test";
import { FakeClock, FakeSocket } from "../tests/web/fake.mjs";
import { Link, SILENCE_MS } from "./link.js";

// ask: what the server answers to a question, or an Error.
function make(ask = () => new Error("nobody there")) {
	const t = { clock: new FakeClock(), sockets: [], data: [], states: [], asked: 0, ask };
	t.link = new Link({
		clock: t.clock, now: () => t.clock.time,
		open: () => {
			t.sockets.push(new FakeSocket());
			return t.sockets.at(-1);
		},
		ask: async () => {
			t.asked++;
			const answer = await t.ask();
			if (answer instanceof Error)
				throw answer;
			return answer;
		},
		onData: (data) => t.data.push(data),
		onState: ({ phase }) => t.states.push(phase),
	});
	t.link.start();
	return t;
}

const settled = () => new Promise((done) => setImmediate(done));

test("a push makes it live", () => {
	const t = make();
	t.sockets[0].push({ n: 1 });
	t.sockets[0].push({ n: 2 });
	assert.deepEqual(t.data, [{ n: 1 }, { n: 2 }]);
	assert.deepEqual(t.states, ["connecting", "live"]);
});

test("the first figures do not wait for a push, and do not come behind one", async () => {
	const t = make(() => ({ asked: true }));
	await settled();
	assert.deepEqual(t.data, [{ asked: true }]);
	assert.deepEqual(t.states, ["connecting"]);
	const late = make(() => ({ asked: true }));
	late.sockets[0].push({ n: 1 });
	await settled();
	assert.deepEqual(late.data, [{ n: 1 }]);
});

test("a socket that breaks is opened again, at longer and longer intervals", async () => {
	const t = make();
	t.sockets[0].push({});
	const waits = [];
	for (let i = 0; i < 7; i++) {
		const began = t.clock.time, opened = t.sockets.length;
		t.sockets.at(-1).break();
		assert.equal(t.states.at(-1), "lost");
		while (t.sockets.length === opened)
			t.clock.advance(50);
		waits.push(t.clock.time - began);
	}
	assert.deepEqual(waits, [...waits].sort((a, b) => a - b));
	assert.ok(waits[0] <= 500 && waits.at(-1) >= 2000 && waits.at(-1) <= 10000, waits.join());
	t.sockets.at(-1).push({ back: true });
	assert.equal(t.states.at(-1), "live");
	assert.deepEqual(t.data.at(-1), { back: true });
	const began = t.clock.time, opened = t.sockets.length;
	t.sockets.at(-1).break(); // it had recovered: the next wait is short again
	while (t.sockets.length === opened)
		t.clock.advance(50);
	assert.equal(t.clock.time - began, waits[0]);
});

test("silence is a loss", () => {
	const t = make();
	t.sockets[0].push({});
	t.clock.advance(SILENCE_MS - 1);
	assert.equal(t.states.at(-1), "live");
	t.sockets[0].push({});
	t.clock.advance(SILENCE_MS - 1);
	assert.equal(t.states.at(-1), "live");
	t.clock.advance(1);
	assert.equal(t.states.at(-1), "lost");
	assert.equal(t.sockets[0].open, false);
	t.clock.advance(1000);
	assert.equal(t.sockets.length, 2);
});

test("what a socket says that was given up is not heard", () => {
	const t = make();
	t.sockets[0].push({ n: 1 });
	t.clock.advance(SILENCE_MS + 1000);
	t.sockets[0].push({ n: "late" });
	t.sockets[0].break();
	assert.equal(t.sockets.length, 2);
	t.sockets[1].push({ n: 2 });
	assert.deepEqual(t.data, [{ n: 1 }, { n: 2 }]);
});

test("without a socket to be had the server is asked, until there is one", async () => {
	const t = make(() => ({ asked: true }));
	for (let i = 0; i < 3; i++) {
		t.sockets.at(-1).break();
		await settled();
		t.clock.advance(9000);
	}
	assert.equal(t.states.at(-1), "asking");
	assert.ok(t.data.length >= 2 && t.data.every((d) => d.asked));
	t.ask = () => new Error("gone");
	t.sockets.at(-1).break();
	await settled();
	assert.equal(t.states.at(-1), "lost");
	t.clock.advance(9000);
	t.sockets.at(-1).push({ pushed: true });
	assert.equal(t.states.at(-1), "live");
});

test("one question at a time: no answer comes behind a later one", async () => {
	const answers = [];
	const t = make(() => new Promise((done) => answers.push(done)));
	for (let i = 0; i < 4; i++) {
		t.sockets.at(-1).break();
		t.clock.advance(3000);
	}
	assert.equal(t.asked, 1);
	answers[0]({ n: 1 });
	await settled();
	assert.equal(t.states.at(-1), "asking");
	t.sockets.at(-1).break();
	assert.equal(t.asked, 2);
	answers[1]({ n: 2 });
	await settled();
	assert.deepEqual(t.data, [{ n: 1 }, { n: 2 }]);
});

test("retry does not wait, and opens one socket only", () => {
	const t = make();
	t.sockets[0].push({});
	t.link.retry();
	assert.equal(t.sockets.length, 1); // it is live: nothing to do
	t.sockets[0].break();
	t.link.retry();
	assert.equal(t.sockets.length, 2);
	t.sockets[1].push({});
	t.clock.advance(SILENCE_MS - 1);
	assert.equal(t.sockets.length, 2);
});
