import assert from "node:assert/strict";
import test from "node:test";
import { FakeClock, FakeSocket } from "../tests/web/fake.mjs";
import { ShellLink } from "./shell_link.js";

function make() {
	const t = { clock: new FakeClock(), sockets: [], bytes: [], states: [], window: { columns: 80, rows: 24 }, ask: async () => true };
	t.link = new ShellLink({
		clock: t.clock, size: () => t.window, ask: () => t.ask(),
		open: () => {
			t.sockets.push(new FakeSocket());
			return t.sockets.at(-1);
		},
		onBytes: (bytes) => t.bytes.push(...bytes),
		onState: (phase) => t.states.push(phase),
	});
	t.link.connect();
	return t;
}

test("the size is the first that is said, and again when it changes", () => {
	const t = make();
	t.link.resize(); // not before there is somebody to hear it
	t.sockets[0].onopen();
	t.window = { columns: 100, rows: 30 };
	t.link.resize();
	assert.deepEqual(t.sockets[0].sent.map((s) => JSON.parse(s)), [{ columns: 80, rows: 24 }, { columns: 100, rows: 30 }]);
	assert.deepEqual(t.states, ["connecting", "open"]);
});

test("bytes go both ways, a long paste in pieces", () => {
	const t = make();
	t.link.send(new Uint8Array([1]));
	t.sockets[0].onopen();
	const paste = Uint8Array.from({ length: 5000 }, (_, i) => i);
	t.link.send(paste);
	const sent = t.sockets[0].sent.slice(1);
	assert.ok(sent.every((part) => part.length <= 4096));
	assert.deepEqual(sent.flatMap((part) => [...part]), [...paste]);
	t.sockets[0].push(new Uint8Array([104, 105]).buffer);
	assert.deepEqual(t.bytes, [104, 105]);
});

const answered = () => new Promise((done) => { setImmediate(done); });

test("a stream that breaks comes back; one whose session is over does not", async () => {
	const t = make();
	t.sockets[0].onopen();
	t.sockets[0].break();
	assert.equal(t.states.at(-1), "lost");
	t.clock.advance(1000);
	await answered();
	assert.equal(t.sockets.length, 2);
	t.sockets[1].onopen();
	assert.equal(t.states.at(-1), "open");
	t.sockets[1].push('{"exited":true}');
	t.sockets[1].break();
	assert.equal(t.states.at(-1), "exited");
	t.clock.advance(60000);
	assert.equal(t.sockets.length, 2);
	t.link.connect();
	assert.equal(t.sockets.length, 3);
});

// Sockets that break, one after the other.
async function fail(t, times) {
	for (let i = 0; i < times; i++) {
		t.sockets.at(-1).break();
		t.clock.advance(5000);
		await answered();
	}
}

test("what does not open is refused, until it does", async () => {
	const t = make();
	await fail(t, 5);
	assert.deepEqual(t.states, ["connecting", "lost", "lost", "refused", "refused", "refused"]);
	t.sockets.at(-1).onopen();
	t.sockets.at(-1).break();
	assert.equal(t.states.at(-1), "lost");
});

test("while the machine does not answer it is lost, however long, and not tried", async () => {
	const t = make();
	t.sockets[0].onopen();
	t.ask = async () => { throw new Error("no answer"); };
	t.sockets[0].break();
	for (let i = 0; i < 9; i++) {
		t.clock.advance(5000);
		await answered();
	}
	assert.deepEqual(new Set(t.states.slice(2)), new Set(["lost"]));
	assert.equal(t.sockets.length, 1);
	t.ask = async () => true;
	t.clock.advance(5000);
	await answered();
	assert.equal(t.sockets.length, 2);
	t.sockets.at(-1).break(); // one that fails then is the first
	assert.equal(t.states.at(-1), "lost");
});

test("where the token is another one it is not tried", async () => {
	const t = make();
	t.sockets[0].onopen();
	t.ask = async () => false;
	await fail(t, 1);
	assert.deepEqual(t.states, ["connecting", "open", "lost", "token"]);
	t.clock.advance(60000);
	await answered();
	assert.equal(t.sockets.length, 1);
});

test("an answer that comes too late says nothing", async () => {
	for (const answer of [true, false]) {
		const t = make();
		let late;
		t.ask = () => new Promise((done) => { late = done; });
		await fail(t, 1);
		t.link.connect();
		t.sockets.at(-1).onopen();
		late(answer);
		await answered();
		assert.equal(t.states.at(-1), "open");
		assert.equal(t.sockets.length, 2);
	}
});

test("closed by us it says nothing more", () => {
	const t = make();
	const [socket] = t.sockets;
	socket.onopen();
	t.link.close();
	assert.equal(socket.open, false);
	assert.equal(socket.onclose, null);
	t.clock.advance(60000);
	assert.equal(t.sockets.length, 1);
});
