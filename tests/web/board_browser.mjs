// The page in Chromium before a booted Mazu. BOARD is JSON: {host, port, token (null: none is needed), shell (is there one)}.
// tests/system/web_browser_test.py boots the machine and runs this. SHOTS=DIR makes the pictures that README shows, once
// the machine is up for SHOTS_AFTER seconds (125).

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, live, newPage, overflow, until } from "./chrome.mjs";
import { startProxy } from "./proxy.mjs";

const board = JSON.parse(process.env.BOARD);
const shots = process.env.SHOTS;
const USABLE_BYTES = 150000; // page, script and first figures: what comes before there is something to see
let browser, proxy, url;

before(async () => {
	proxy = await startProxy(board);
	browser = await launch();
	url = `http://127.0.0.1:${proxy.port}/`;
});

after(async () => {
	await browser?.close();
	await proxy?.close();
});

const fact = (page, name) => page.locator(".facts div", { hasText: name }).locator("dd").innerText();
const api = async (path) => (await fetch(`http://${board.host}:${board.port}${path}`)).json();
const rows = (page, id) => page.locator(`#${id} tbody tr`);

async function open(options) {
	const page = await newPage(browser, options);
	await page.goto(url);
	await live(page);
	return page;
}

// In the page: when the first figures are painted, and what had come until they were there, by the browser's timeline.
function watchOpening() {
	globalThis.opening = new Promise((done) => {
		new MutationObserver((_, observer) => {
			if (!document.querySelector("#threads tbody tr"))
				return;
			observer.disconnect();
			const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
			const came = entries.map(({ name, startTime, responseStart, responseEnd, transferSize }) =>
				({ path: new URL(name).pathname, startTime, responseStart, responseEnd, transferSize }))
				.filter(({ path }) => path !== "/icon.svg"); // the tab's, which nobody waits for
			const ready = performance.now();
			requestAnimationFrame(() => setTimeout(() => done({ ready, painted: performance.now(), came })));
		}).observe(document, { childList: true, subtree: true });
	});
}

// Nothing is waited for but the page, and what it asks for at once: that holds on a host of any speed. How long it takes
// does not, and is printed: OPENINGS=N openings by a browser that has seen nothing yet.
test("it is usable after two round trips", async (t) => {
	for (let i = 0; i < Number(process.env.OPENINGS ?? 1); i++) {
		const page = await newPage(browser);
		await page.addInitScript(watchOpening);
		for (const what of ["cold", "warm"]) {
			await page.goto(url, { waitUntil: "commit" });
			const { ready, painted, came } = await page.evaluate(() => globalThis.opening);
			const bytes = came.reduce((sum, { transferSize }) => sum + transferSize, 0);
			t.diagnostic(`usable ${Math.round(painted)} ms after navigation, ${what}: ${bytes} bytes; ` +
				`${came.map((c) => `${c.path} ${[c.startTime, c.responseStart, c.responseEnd].map(Math.round).join("-")}`).join(", ")}, shown ${Math.round(ready)}`);
			assert.deepEqual(came.map(({ path }) => path).sort(), ["/", "/api/stats", "/app.js", "/style.css"]);
			const script = came.find(({ path }) => path === "/app.js");
			for (const { path, startTime } of came)
				assert.ok(startTime < script.responseEnd, `${path} was not asked for before the script was there`);
			assert.ok(bytes < USABLE_BYTES, `${bytes} bytes`);
		}
		await live(page);
		await page.done();
	}
});

test("nothing shifts, and the figures move", async (t) => {
	const page = await newPage(browser);
	await page.addInitScript(() => {
		globalThis.shifted = 0;
		new PerformanceObserver((list) => {
			for (const entry of list.getEntries())
				globalThis.shifted += entry.hadRecentInput ? 0 : entry.value;
		}).observe({ type: "layout-shift", buffered: true });
	});
	await page.goto(url);
	await live(page);
	const uptime = await fact(page, "Up");
	await until(page, (was) => document.querySelector(".facts dd").textContent !== was, uptime);
	const jobs = await page.locator("#deadlines tbody td").nth(5).innerText();
	await until(page, (was) => document.querySelectorAll("#deadlines tbody td")[5].textContent !== was, jobs);
	await until(page, () => document.querySelectorAll("#log .log li[data-level]").length > 3);
	await until(page, () => document.querySelectorAll("#connections tbody td").length > 3);
	const shifted = await page.evaluate(() => globalThis.shifted);
	t.diagnostic(`layout shift ${shifted.toFixed(3)}`);
	assert.ok(shifted < 0.1, `it shifted by ${shifted}`);
	await page.done();
});

test("it shows what the API says", async () => {
	const page = await open();
	const stats = await api("/api/stats");
	assert.equal(await page.locator(".hart").count(), stats.cpus.length);
	assert.equal(await page.locator(".version").innerText(), stats.version);
	const names = new Set(await page.locator("#threads tbody td:nth-child(2)").allInnerTexts());
	for (const task of stats.tasks)
		assert.ok(names.has(task.name), task.name);
	assert.deepEqual(await page.locator("#deadlines tbody td:first-child").allInnerTexts(),
		stats.tasks.filter((task) => task.class === "deadline").map((task) => task.name));
	assert.deepEqual(await page.locator("#memory tbody td:first-child").allInnerTexts(), stats.memory.pools.map((pool) => pool.name));
	await page.getByText("web: serving on port").waitFor();
	const { entries } = await api("/api/arp");
	assert.equal(await page.getByRole("region", { name: "ARP table" }).locator("tbody tr").count(), entries.length);
	await until(page, () => document.querySelector("#latency .summary tbody tr:nth-child(2) td").textContent !== "0");
	await page.getByRole("button", { name: "Interrupts off" }).click();
	await page.locator("#latency .bar").first().waitFor();
	await page.done();
});

test("log, files and tables do what they are told", async () => {
	const page = await open();
	await page.getByText("web: serving on port").waitFor();
	const all = await page.locator("#log li").count();
	await page.getByLabel("Filter the log").fill("serving PORT");
	assert.equal(await page.locator("#log li[data-level]").count(), 1);
	await page.getByLabel("Filter the log").fill("");
	await page.getByLabel("Level").selectOption("error");
	await until(page, (were) => document.querySelectorAll("#log li[data-level]").length < were, all);

	await page.locator("#files").getByRole("button", { name: "proc/" }).click();
	await page.locator("#files").getByRole("button", { name: "version" }).click();
	await page.locator("#files pre").waitFor();
	const bytes = await (await fetch(`http://${board.host}:${board.port}/api/fs/read?path=/proc/version`)).text();
	assert.equal(await page.locator("#files pre").textContent(), bytes);
	await page.locator("#files .crumbs").getByRole("button", { name: "/", exact: true }).click();
	await page.locator("#files").getByRole("button", { name: "hello.txt" }).waitFor();

	const sort = page.locator("#threads").getByRole("button", { name: "TID" });
	await sort.focus();
	await page.keyboard.press("Enter");
	await page.keyboard.press("Enter");
	const tids = (await page.locator("#threads tbody td:first-child").allInnerTexts()).map(Number);
	assert.deepEqual(tids, [...tids].sort((a, b) => a - b));
	assert.equal(await page.locator("#threads th").first().getAttribute("aria-sort"), "ascending");
	await page.done();
});

test("a connection that is cut is said, and comes back by itself", async (t) => {
	const page = await open();
	await proxy.cut();
	await page.locator('.status[data-state="lost"]').waitFor();
	await page.locator(".lost").getByText("does not answer").waitFor();
	assert.equal(await page.locator("main.stale").count(), 1);
	const uptime = await fact(page, "Up");
	page.faults.length = 0; // that it could not connect
	await proxy.mend();
	const began = performance.now();
	await live(page);
	t.diagnostic(`back ${Math.round(performance.now() - began)} ms after it was mended`);
	await until(page, (was) => document.querySelector(".facts dd").textContent !== was, uptime);
	assert.equal(await page.locator(".lost").count(), 0);
	page.faults = page.faults.filter((fault) => !fault.includes("net::ERR") && !fault.includes("WebSocket"));
	await page.done();
});

test("light and dark, by the system or by choice", async () => {
	const seen = {};
	for (const colorScheme of ["light", "dark"]) {
		const page = await open({ colorScheme });
		const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
		seen[colorScheme] = await ground();
		await page.getByRole("button", { name: "Colours: auto" }).click();
		await page.getByRole("button", { name: "Colours: light" }).click();
		seen[`${colorScheme}, dark chosen`] = await ground();
		await page.reload();
		await live(page);
		assert.equal(await ground(), seen[`${colorScheme}, dark chosen`]); // remembered
		await page.done();
	}
	assert.notEqual(seen.light, seen.dark);
	assert.equal(seen["light, dark chosen"], seen.dark);
	assert.equal(seen["dark, dark chosen"], seen.dark);
});

test("on a phone nothing sticks out", async () => {
	for (const width of [390, 320]) {
		const page = await open({ viewport: { width, height: 800 }, hasTouch: true, isMobile: true });
		await rows(page, "connections").first().waitFor();
		assert.equal(await overflow(page), 0, `${width} px`);
		await page.done();
	}
});

test("everything that can be used has a name, and nothing moves for whom that is too much", async () => {
	const page = await open({ reducedMotion: "reduce" });
	await rows(page, "connections").first().waitFor();
	const bad = await page.evaluate(() => {
		const named = (node) => node.textContent.trim() || node.ariaLabel || node.labels?.length || node.getAttribute("aria-labelledby");
		const faults = [...document.querySelectorAll("button, a, input, select, [role=region], [role=meter], [role=img]")]
			.filter((node) => !named(node)).map((node) => node.outerHTML.slice(0, 80));
		const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
		const moving = [...document.querySelectorAll(".fill, .bar i, .bar b")].filter((node) => parseFloat(getComputedStyle(node).transitionDuration) > 0);
		return [...faults, ...ids.filter((id, i) => ids.indexOf(id) !== i), ...moving.map((node) => node.className)];
	});
	assert.deepEqual(bad, []);
	await page.keyboard.press("Tab");
	assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
	await page.done();
});

test("the control loop has its page", async () => {
	const page = await newPage(browser);
	await page.goto(`${url}control.html`);
	await live(page);
	const jobs = () => page.locator("#loop dd").nth(2).innerText();
	const was = await jobs();
	while (await jobs() === was)
		await page.waitForTimeout(100);
	assert.equal(await overflow(page), 0);
	await page.done();
});

async function shell(page) {
	await page.keyboard.press("Control+Backquote");
	await page.locator('.dock-state[data-state="open"]').waitFor();
}

const screen = (page, text) => until(page, (wanted) => globalThis.mazuTerminal?.text().includes(wanted), text);

test("the terminal runs commands, and comes back with the connection", { skip: !board.shell && "no shell in this build" }, async () => {
	const page = await newPage(browser);
	await page.goto(board.token ? `${url}?token=${board.token}` : url);
	await live(page);
	await shell(page);
	await page.keyboard.type("echo good-day | cat\r");
	await until(page, () => /^good-day\s*$/m.test(globalThis.mazuTerminal.text()));
	await proxy.cut();
	await page.locator('.dock-state[data-state="lost"]').waitFor();
	await proxy.mend();
	await page.locator('.dock-state[data-state="open"]').waitFor();
	await page.keyboard.type("cat /proc/version\r");
	await screen(page, await page.locator(".version").innerText());
	page.faults = page.faults.filter((fault) => !fault.includes("net::ERR") && !fault.includes("WebSocket"));
	await page.done();
});

// One page for all pictures, small and still until they are taken: what the browser takes of the host the machine does
// not get, whose figures these are. Beside it somebody asks for things, so that there is something to see.
test("pictures", { skip: !shots && "SHOTS=DIR makes them" }, async (t) => {
	const page = await newPage(browser, { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, reducedMotion: "reduce" });
	await page.goto(board.token ? `${url}?token=${board.token}` : url);
	await live(page);
	const until_s = Number(process.env.SHOTS_AFTER ?? 125);
	while ((await api("/api/stats")).uptime_ns < 1e9 * until_s) {
		for (let i = 0; i < 40 * Math.random() ** 3; i++)
			await fetch(`http://${board.host}:${board.port}/app.js`).then((reply) => reply.arrayBuffer());
		await page.waitForTimeout(1500);
	}
	const shoot = async (name, colorScheme, width, height, scale) => {
		await page.emulateMedia({ colorScheme });
		await page.setViewportSize({ width, height });
		for (let pushes = 0; pushes < 2; pushes++) { // figures of after the change
			const up = await fact(page, "Up");
			await until(page, (was) => document.querySelector(".facts dd").textContent !== was, up);
		}
		assert.equal(await overflow(page), 0, name);
		await page.screenshot({ path: `${shots}/${name}.png`, scale });
		t.diagnostic(`${name}: ${await fact(page, "Missed deadlines")} deadlines missed, ${await page.locator("#deadlines .note").innerText()}`);
	};
	await shoot("dashboard", "light", 1440, 900, "css");
	await shoot("dashboard-phone", "dark", 390, 844, "device");
	if (board.shell) {
		await page.setViewportSize({ width: 1440, height: 900 });
		await shell(page);
		await page.keyboard.type("help\r");
	}
	await shoot("dashboard-dark", "dark", 1440, 900, "css");
	await page.done();
});
