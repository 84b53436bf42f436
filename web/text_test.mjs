import assert from "node:assert/strict";
import test from "node:test";
import { contentOf } from "./content.js";
import { filterLog } from "./filter.js";
import { bytes, count, duration, exact, percent, uptime } from "./format.js";
import { crumbs, join, ordered } from "./paths.js";
import { Series } from "./series.js";
import { tokenOf } from "./token.js";

test("numbers have their unit", () => {
	assert.equal(bytes(0), "0 B");
	assert.equal(bytes(1536), "1.5 KiB");
	assert.equal(bytes(300 * 1024), "300 KiB");
	assert.equal(bytes(5 * 2 ** 40), "5120 GiB");
	assert.equal(count(1234567.4), "1\u202f234\u202f567");
	assert.equal(percent(0.0123), "1.2 %");
	assert.equal(percent(0), "0 %");
	assert.equal(percent(0.999), "100 %");
	assert.equal(duration(0), "0 ns");
	assert.equal(duration(999), "999 ns");
	assert.equal(duration(1500), "1.5 µs");
	assert.equal(duration(33554432), "33.6 ms");
	assert.equal(duration(250e9), "250 s");
	assert.equal(duration(-610000), "−610 µs");
	assert.equal(exact(duration(1e6)), "1 ms");
	assert.equal(uptime(3661e9), "01:01:01");
	assert.equal(uptime(90061e9), "1 d 01:01:01");
});

test("the log by level and words", () => {
	const log = [["info", "web: serving"], ["warning", "thread 12 is late"], ["error", "disk gone"], ["debug", "web: x"], ["odd", "web: y"]]
		.map(([level, text], seq) => ({ seq, level, text }));
	const seqs = (level, text) => filterLog(log, level, text).map((entry) => entry.seq);
	assert.deepEqual(seqs("debug", ""), [0, 1, 2, 3, 4]);
	assert.deepEqual(seqs("info", ""), [0, 1, 2, 4]);
	assert.deepEqual(seqs("error", ""), [2, 4]);
	assert.deepEqual(seqs("debug", "  WEB x "), [3]);
	assert.deepEqual(seqs("debug", "nowhere"), []);
});

test("paths", () => {
	assert.equal(join("/", "proc"), "/proc");
	assert.equal(join("/proc", "thread"), "/proc/thread");
	assert.deepEqual(crumbs("/"), [["/", "/"]]);
	assert.deepEqual(crumbs("/proc/thread"), [["/", "/"], ["proc", "/proc"], ["thread", "/proc/thread"]]);
	assert.deepEqual(ordered([{ name: "b", type: "file" }, { name: "z", type: "dir" }, { name: "a", type: "device" }]).map((e) => e.name), ["z", "a", "b"]);
});

test("a file that is no text is shown as numbers, a long one in part", () => {
	const of = (text) => contentOf(new TextEncoder().encode(text));
	assert.equal(of(""), "");
	assert.equal(of("a\tµ\n<b>"), "a\tµ\n<b>");
	assert.equal(of("x".repeat(300000)).length, 262144 + "\n[cut]".length);
	const elf = Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 0, 0xff, ...new Array(11).fill(0x41)]);
	assert.deepEqual(contentOf(elf).split("\n"), ["000000  7f 45 4c 46 00 ff 41 41 41 41 41 41 41 41 41 41  .ELF..AAAAAAAAAA",
		"000010  41                                               A", "[no text: 17 bytes]"]);
	assert.match(of("a\0b"), /^000000 {2}61 00 62 .* a\.b\n\[no text: 3 bytes\]$/);
	assert.equal(contentOf(new Uint8Array(1e6)).split("\n").length, 257);
});

test("a token is found in what was pasted", () => {
	const token = "abcdefghij_-0123456789";
	assert.equal(tokenOf(token), token);
	assert.equal(tokenOf(`  ${token}\n`), token);
	assert.equal(tokenOf(`Open http://localhost:8080/?token=${token}`), token);
	assert.equal(tokenOf(`http://localhost:8080/?a=b&token=${token}#x`), token);
	for (const none of ["", "short", "http://localhost:8080/", `${token}!`, null])
		assert.equal(tokenOf(none), null, String(none));
});

test("series keep the last samples, in columns of one length", () => {
	const s = new Series(3);
	assert.equal(s.length, 0);
	for (let x = 1; x <= 5; x++)
		s.add(x, [10 * x]);
	assert.deepEqual(s.columns, [[3, 4, 5], [30, 40, 50]]);
	s.add(6, [60, 7]); // a figure that was not there before
	assert.deepEqual(s.columns, [[4, 5, 6], [40, 50, 60], [null, null, 7]]);
	s.add(7, [70]);    // and is no more
	assert.deepEqual(s.columns, [[5, 6, 7], [50, 60, 70], [null, 7, null]]);
	s.clear();
	assert.equal(s.length, 0);
});

test("no line is drawn across a gap", () => {
	const s = new Series(4, 5);
	for (const x of [1, 6, 16])
		s.add(x, [10 * x]);
	assert.deepEqual(s.columns, [[1, 6, 11, 16], [10, 60, null, 160]]);
	s.add(26, [260]);
	assert.deepEqual(s.columns, [[11, 16, 21, 26], [null, 160, null, 260]]);
});
