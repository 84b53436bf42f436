// Debian's Chromium for the tests, and pages that tell what they must not do.

import assert from "node:assert/strict";
import { chromium } from "../../web/node_modules/playwright-core/index.mjs";

export const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 60000); // ends what hangs: the machine that the page shows may be slow

export const launch = () => chromium.launch({
	executablePath: "/usr/bin/chromium", chromiumSandbox: false,
	args: ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

// A page in a context of its own. page.faults: errors of the console and of scripts, and requests to anybody else.
export async function newPage(browser, options = {}) {
	const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
	context.setDefaultTimeout(PATIENCE_MS);
	const page = await context.newPage();
	page.faults = [];
	page.on("console", (message) => {
		if (["error", "warning"].includes(message.type()))
			page.faults.push(`${message.type()}: ${message.text()} (${message.location().url})`);
	});
	page.on("pageerror", (error) => page.faults.push(String(error.stack ?? error)));
	page.on("request", (request) => {
		const { hostname, protocol } = new URL(request.url());
		if (hostname !== "127.0.0.1" && protocol !== "data:")
			page.faults.push(`a request to ${request.url()}`);
	});
	page.done = async () => {
		assert.deepEqual(page.faults, []);
		await context.close();
	};
	return page;
}

export const live = (page) => page.locator('.status[data-state="live"]').waitFor();

// Waits until `what`, in the page, gives something true; that.
export async function until(page, what, arg) {
	const handle = await page.waitForFunction(what, arg, { timeout: PATIENCE_MS, polling: 100 });
	return handle.jsonValue();
}

// How many pixels the page is wider than its window. (A phone makes the window as wide as the page.)
export const overflow = async (page) => await page.evaluate(() => document.documentElement.scrollWidth) - page.viewportSize().width;
