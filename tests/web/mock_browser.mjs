// The page in Chromium before the mock, under the policy that the board sends: the terminal with its token, sessions that
// end or break, a server without sockets to spare, a machine that is started anew; what the page needs before it is
// usable, and names that would like to be markup.
// BUNDLE=DIR is the page; tests/system/web_browser_test.py runs this.

import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { launch, live, newPage, overflow, until } from "./chrome.mjs";
import { TOKEN, startMock } from "./mock.mjs";

// What is asked for before there are figures.
const FIRST = ["/", "/api/stats", "/app.js", "/style.css"];

let browser, mock, url;

before(async () => {
	mock = await startMock({ root: process.env.BUNDLE ?? "build/web" });
	browser = await launch();
	url = `http://127.0.0.1:${mock.port}/`;
});

beforeEach(() => mock.reset());

after(async () => {
	await browser?.close();
	mock?.close();
});

const screen = (page, text) => until(page, (wanted) => globalThis.mazuTerminal?.text().includes(wanted), text);
const focused = (page) => page.locator(".xterm-helper-textarea:focus").waitFor();
const state = (page, name) => page.locator(`.dock-state[data-state="${name}"]`).waitFor();

async function unlocked(options) {
	const page = await newPage(browser, options);
	await page.goto(`${url}?token=${TOKEN}`);
	assert.equal(page.url(), url);
	await live(page);
	return page;
}

// What was refused is what an operator looks for: each counter of /api/stats that means it is somewhere on the page.
test("what was refused is shown, and what it means", async () => {
	const page = await newPage(browser);
	await page.goto(url);
	await live(page);
	for (const [name, value, alarm] of [["Refused by name", 3], ["Refused cross-site", 22], ["Without token", 23], ["Wrong tokens", 25, "high"],
		["Held back", 26], ["ARP conflicts", 27, "high"], ["Refused, memory", 28, "high"], ["Refused, full", 29], ["Device stalls", 21],
		["Bad frames", 7], ["Interrupt storms", 0]]) {
		const pair = page.locator("#server .pairs div", { has: page.locator("dt", { hasText: new RegExp(`^${name}$`) }) });
		assert.equal(await pair.locator("dd").innerText(), String(value), name);
		assert.equal(await pair.locator("dd").getAttribute("data-state"), alarm ?? null, name);
	}
	await page.done();
});

// Its room is that of the harts there are.
test("a phone shows no empty room where there is one hart", async () => {
	const page = await newPage(browser, { viewport: { width: 390, height: 844 } });
	await page.goto(url);
	await live(page);
	await page.evaluate(() => document.querySelectorAll(".hart:not(:first-child)").forEach((hart) => { hart.hidden = true; }));
	const { height } = await page.locator(".harts").boundingBox();
	assert.ok(height < 50, `${height} pixels`);
	await page.done();
});

test("it is usable after two round trips, and waits for no timer and no push", async () => {
	const page = await newPage(browser);
	page.setDefaultTimeout(20000);
	await page.clock.install();
	await page.clock.pauseAt(Date.now() + 1000); // from here on no timer of the page fires
	let asked;
	const stats = new Promise((done) => { asked = done; });
	mock.state.requests.length = 0;
	mock.state.pushes = false;
	mock.state.before = async (path) => {
		if (path === "/api/stats")
			asked();
		if (path === "/app.js")
			await stats; // the figures are asked for beside the script, not by it
	};
	await page.goto(url, { waitUntil: "commit" });
	await page.locator("#threads tbody tr").first().waitFor();
	const first = mock.state.requests.slice(0, mock.state.requests.findIndex((path) => !FIRST.includes(path)));
	assert.deepEqual(first.sort(), FIRST); // each once
	await page.done();
});

test("without the token the terminal says how to get it, and takes it", async () => {
	const page = await newPage(browser);
	await page.goto(url);
	await live(page);
	assert.equal(mock.state.requests.includes("/terminal.js"), false); // not before somebody wants it
	await page.locator("#dock-toggle").click();
	await state(page, "token");
	assert.match(await page.locator(".notice").innerText(), /serial\s+console/);
	await page.locator("#token").fill("not a token");
	await page.keyboard.press("Enter");
	assert.equal(page.url(), url);
	await page.getByText("no access token").waitFor();
	await page.locator("#token").fill(TOKEN.replace("mock", "wrong"));
	await page.keyboard.press("Enter");
	await page.getByText("not the access token of this machine").waitFor();
	assert.equal(page.url(), url);
	await page.locator("#token").fill(`Open http://localhost:8080/?token=${TOKEN}`);
	await page.keyboard.press("Enter");
	await state(page, "open"); // it opens by itself: that is what was wanted
	assert.equal(page.url(), url);
	assert.equal(mock.state.requests.includes("/terminal.js"), true);
	await page.done();
});

test("typing, colours and the size, by keyboard alone", async () => {
	const page = await unlocked();
	await page.keyboard.press("Control+Backquote");
	await state(page, "open");
	await focused(page);
	await page.keyboard.type("good day");
	await page.keyboard.press("Enter");
	await screen(page, "you said: good day");
	const colour = await until(page, () => {
		const span = [...document.querySelectorAll(".xterm-rows span")].find((node) => node.textContent.includes("true colour"));
		return span && getComputedStyle(span).color;
	});
	assert.equal(colour, "rgb(90, 30, 160)");
	const grid = await page.evaluate(() => {
		const box = document.querySelector(".xterm-rows > div").getBoundingClientRect();
		return { height: box.height, rows: document.querySelectorAll(".xterm-rows > div").length };
	});
	assert.ok(grid.height > 10 && grid.rows > 5, JSON.stringify(grid)); // its style sheets are in force
	const before = mock.state.sizes.at(-1);
	await page.locator(".grip").focus();
	for (let i = 0; i < 4; i++)
		await page.keyboard.press("ArrowUp");
	while (mock.state.sizes.at(-1).rows <= before.rows)
		await page.waitForTimeout(50);
	await page.keyboard.press("Control+Backquote");
	assert.equal(await page.locator("#dock-body").isVisible(), false);
	await page.keyboard.press("Control+Backquote");
	await focused(page);
	await page.keyboard.type("still here\r");
	await screen(page, "you said: still here");
	await page.done();
});

test("a session that is over, and one that breaks", async () => {
	const page = await unlocked();
	await page.locator("#dock-toggle").click();
	await state(page, "open");
	const shells = mock.state.shells;
	await page.keyboard.type("exit\r");
	await state(page, "exited");
	await page.keyboard.press("Enter");
	await state(page, "open");
	mock.hangUp();
	await screen(page, "connection is lost");
	await state(page, "open");
	await live(page);
	assert.equal(mock.state.shells, shells + 2);
	await page.keyboard.type("and on\r");
	await screen(page, "you said: and on");
	await page.done();
});

test("a server that has no socket to spare is asked", async () => {
	mock.state.sockets = false;
	const page = await newPage(browser);
	await page.goto(url);
	await page.locator('.status[data-state="asking"]').waitFor();
	const uptime = await page.locator(".facts dd").first().innerText();
	await until(page, (was) => document.querySelector(".facts dd").textContent !== was, uptime);
	assert.ok(page.faults.every((fault) => fault.includes("WebSocket")), page.faults.join("\n"));
	page.faults.length = 0;
	mock.state.sockets = true;
	await live(page);
	page.faults.length = 0; // what was under way
	await page.done();
});

test("a machine that was started anew", async () => {
	const page = await newPage(browser);
	await page.goto(url);
	await live(page);
	await until(page, () => document.querySelector(".facts dd").textContent.startsWith("01:"));
	const { x, y, width } = await page.locator("#harts .chart").boundingBox();
	await page.mouse.move(x + width - 18, y + 60);
	await until(page, () => /hart 0 [\d.]+ %.*hart 3 [\d.]+ %/.test(document.querySelector("#harts .chart-tip").textContent));
	mock.state.born = Date.now() - 5000;
	await until(page, () => document.querySelector(".facts dd").textContent.startsWith("00:00:"));
	mock.state.log.push("hello from the second life");
	await page.getByText("hello from the second life").waitFor();
	await page.done();
});

test("a machine that was started anew while nobody looked, with another image", async () => {
	mock.state.log = ["hello from the first life"];
	const page = await newPage(browser);
	await page.goto(url);
	await live(page);
	await page.getByText("hello from the first life").waitFor();
	mock.state.log = [];
	mock.state.boot = "2"; // its uptime is greater than the last that was seen
	await page.getByText("hello from the first life").waitFor({ state: "detached" });
	await page.getByText("web: serving on port").waitFor();
	const loaded = mock.state.requests.filter((path) => path === "/app.js").length;
	mock.state.boot = "3";
	mock.state.version = "next";
	await page.locator(".version", { hasText: "next" }).waitFor();
	await live(page);
	assert.equal(mock.state.requests.filter((path) => path === "/app.js").length, loaded + 1); // its page is another one
	await page.done();
});

test("a machine that is gone while the clock is set back", async () => {
	const page = await newPage(browser);
	await page.goto(url);
	await live(page);
	await page.evaluate(() => { Date.now = () => 0; });
	mock.state.sockets = false;
	mock.state.broken = ["/api/"];
	mock.hangUp();
	const text = await until(page, () => document.querySelector(".lost")?.textContent);
	assert.match(text, /^The machine does not answer\. The figures are \d{1,2} s old\. Trying again( in [1-3] s)?\.\s*Now$/);
	mock.state.sockets = true;
	mock.state.broken = [];
	await live(page);
	page.faults.length = 0; // that nothing answered
	await page.done();
});

test("a document that cannot be had does not hide the others", async () => {
	mock.state.broken = ["/api/tcp", "/api/arp"];
	const page = await newPage(browser);
	await page.goto(url);
	await live(page);
	mock.state.log = ["said meanwhile"];
	await page.getByText("said meanwhile").waitFor();
	mock.state.broken = [];
	await page.locator("#connections tbody td").nth(3).waitFor();
	assert.ok(page.faults.every((fault) => fault.includes("503")), page.faults.join("\n"));
	page.faults.length = 0;
	await page.done();
});

test("names that would like to be markup, and hundreds of threads", async () => {
	const evil = `<img src="x" onerror="globalThis.evil = 1">'"&amp;\${1}</td>`;
	const odd = "a b&c#d%25?é.txt";
	Object.assign(mock.state, { threads: [evil, ...new Array(250)], log: [evil], files: [evil, odd, "some.bin"] });
	const page = await newPage(browser);
	await page.goto(url);
	await live(page);
	await page.locator("#threads").getByRole("button", { name: "Name" }).click();
	await page.locator("#threads td").getByText(evil, { exact: true }).waitFor();
	await page.locator("#log li").getByText(evil, { exact: true }).waitFor();
	assert.equal(await page.locator("#threads tbody tr").count(), 200);
	await page.locator("#threads").getByText("and 63 more").waitFor();
	for (const name of [evil, odd]) {
		await page.locator("#files li button", { hasText: name }).click();
		await page.locator("#files pre", { hasText: `/${name} ` }).waitFor(); // it was asked for by its name
	}
	await page.locator("#files li button", { hasText: "some.bin" }).click();
	await page.locator("#files pre", { hasText: "000000  7f 45 00 ff" }).waitFor();
	assert.equal(await page.locator('img[src="x"]').count(), 0);
	assert.equal(await page.evaluate(() => globalThis.evil), undefined);
	await page.done();
});

test("a machine that was started anew has another token, and its terminal asks for it", async () => {
	const page = await unlocked();
	await page.locator("#dock-toggle").click();
	await state(page, "open");
	mock.state.token = "another-token-0123456789";
	mock.hangUp();
	await state(page, "token");
	assert.match(await page.locator(".notice").innerText(), /serial\s+console/);
	await live(page);
	await page.locator("#token").fill(mock.state.token);
	await page.keyboard.press("Enter");
	await state(page, "open");
	await page.keyboard.type("new life\r");
	await screen(page, "you said: new life");
	await page.done();
});

test("the terminal on a phone", async () => {
	const page = await unlocked({ viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
	await page.locator("#dock-toggle").tap();
	await state(page, "open");
	await page.keyboard.type("small\r");
	await screen(page, "you said: small");
	assert.ok(mock.state.sizes.at(-1).columns >= 35);
	assert.equal(await overflow(page), 0);
	await page.done();
});

test("the control loop's page says why it does not run, and how it is started", async () => {
	const page = await newPage(browser);
	await page.goto(`${url}control.html`);
	await live(page);
	assert.equal(await page.locator("#again").isVisible(), false);
	for (const [state, said] of [["ended", "ended"], ["refused", "not admitted; the log says why"]]) {
		mock.state.control = state;
		await page.locator(`#status[data-state="${state}"]`, { hasText: said }).waitFor();
		assert.match(await page.locator("#again").innerText(), /echo start > \/app\/control\/ctl/);
		assert.equal(await page.locator("#loop dd").count(), 0);
		assert.equal(await overflow(page), 0);
	}
	mock.state.control = "runs";
	await live(page);
	assert.equal(await page.locator("#again").isVisible(), false);
	await page.done();
});
