// SPDX-License-Identifier: GPL-2.0-or-later
// How long the map of a large estate takes in Chromium: the first picture, and frames while zooming and moving. usage: node map_times.js URL  with $TOKEN
const { chromium } = require("playwright-core");
const say = (name, value) => console.log(name, value);

(async () => {
	const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] }),
		page = await (
			await browser.newContext({ viewport: { width: 1280, height: 900 }, ignoreHTTPSErrors: true })
		).newPage();
	page.on("pageerror", (e) => say("error", String(e)));
	await page.goto(`${process.argv[2]}#/jit`);
	await page.fill("#token", process.env.TOKEN);
	await page.keyboard.press("Enter");
	await page.waitForSelector("nav.main a");
	await page.waitForFunction(() => !document.querySelector("main[aria-busy=true]"));
	for (const [name, hash] of [
		["default", "#/map"],
		["everything", "#/map?health=any&zone=any"],
		["traffic", "#/map?health=any&zone=any&view=traffic"],
	]) {
		const first = await page.evaluate(async (to) => {
			delete window.whittleMap;
			const begin = performance.now();
			location.hash = to;
			while (!window.whittleMap?.frames.length) await new Promise((r) => setTimeout(r, 5));
			await new Promise((r) => requestAnimationFrame(r));
			return performance.now() - begin;
		}, hash);
		say(`first-${name}`, Math.round(first));
		const box = await (await page.waitForSelector("canvas")).boundingBox(),
			x = box.x + box.width / 2,
			y = box.y + box.height / 2;
		const complete = await page.evaluate(async () => {
			const begin = performance.now();
			while (!window.whittleMap.resting()) await new Promise((r) => setTimeout(r, 5));
			return performance.now() - begin;
		});
		say(`complete-${name}`, Math.round(first + complete));
		await page.evaluate(() => {
			window.gaps = [];
			let last = performance.now();
			const next = (t) => {
				if (!window.gaps) return;
				window.gaps.push(t - last);
				last = t;
				requestAnimationFrame(next);
			};
			requestAnimationFrame(next);
		});
		for (let i = 0; i < 24; i++) {
			await page.mouse.move(x + 90 + i, y - 60);
			await page.mouse.wheel(0, i < 14 ? -100 : 100);
			await page.evaluate(() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))));
		}
		const frames = (
				await page.evaluate(() => {
					const g = window.gaps.slice(1);
					window.gaps = null;
					return g;
				})
			).sort((a, b) => a - b),
			at = (q) => frames[Math.min(frames.length - 1, Math.floor(q * frames.length))]?.toFixed(1);
		say(`frames-${name}`, `${frames.length} ${at(0.5)} ${at(0.95)} ${at(1)}`);
	}
	await browser.close();
})().catch((e) => {
	say("FAILED", e.message);
	process.exit(1);
});
