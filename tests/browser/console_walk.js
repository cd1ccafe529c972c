// SPDX-License-Identifier: GPL-2.0-or-later
// Walks the console as a person would, with Debian's Chromium, at two widths. usage: node console_walk.js URL [DIRECTORY for screenshots]  with $TOKEN
// Prints one line "NAME VALUE" for each page: what axe-core finds, and whether the page is as wide as the window.
const fs = require("fs");
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const [url, shots] = process.argv.slice(2),
	say = (name, value) => console.log(name, value);

const pages = [
	["overview", "#/overview", "h1"],
	["unhealthy", "#/hardening/Unhealthy", "table"],
	["unscanned", "#/hardening/Unscanned", "h1"],
	["machine", "#/hardening/vm/web-1", "table"],
	["rule", null, "svg.chart"],
	["map", "#/map", "canvas"],
	["list", "#/map?health=any&zone=any&open.list=1", "table"],
	["alerts", "#/alerts", "table"],
	["alert", null, "ol, dl"],
	["recommendations", "#/recommendations", "table"],
	["inventory", "#/inventory", "table"],
	["compliance", "#/compliance", "h1"],
	["jit", "#/jit", "table"],
];

(async () => {
	const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
	const errors = [];
	for (const [width, scheme] of [
		[1280, "light"],
		[390, "dark"],
	]) {
		const context = await browser.newContext({
				viewport: { width, height: 900 },
				colorScheme: scheme,
				ignoreHTTPSErrors: true,
				bypassCSP: false,
			}),
			page = await context.newPage();
		page.on("console", (m) => {
			if (m.type() === "error" && !/401/.test(m.text())) errors.push(m.text());
		});
		page.on("pageerror", (e) => errors.push(String(e)));
		await page.goto(url);
		await page.fill("#token", process.env.TOKEN);
		await page.keyboard.press("Enter");
		await page.waitForSelector("nav.main a");
		for (const [name, hash, wait] of pages) {
			if (name === "rule" || name === "alert") {
				await page.click("tbody tr:first-child td a");
				if (name === "alert") await page.click("text=View full details");
			} else
				await page.evaluate((h) => {
					location.hash = h;
				}, hash);
			await page
				.waitForSelector(`main ${wait}`, { timeout: 20000 })
				.catch(() => errors.push(`${name}: no ${wait}`));
			await page.waitForFunction(() => !document.querySelector("main[aria-busy=true]"));
			if (shots) await page.screenshot({ path: `${shots}/${name}-${width}.png`, fullPage: true });
			await page.evaluate(axe).catch(() => page.addInitScript(axe));
			const found = await page.evaluate(() =>
				window.axe.run(document, { resultTypes: ["violations"] }).then((r) =>
					r.violations.map(
						(v) =>
							`${v.id}: ${v.nodes
								.map((n) => n.target.join(" "))
								.slice(0, 3)
								.join(", ")}`,
					),
				),
			);
			const wide = await page.evaluate(
				(narrow) => document.documentElement.scrollWidth > innerWidth || (narrow && [...document.querySelectorAll(".scroll")].some((e) => e.scrollWidth > e.clientWidth)),
				width < 760, // a table is as wide as the window there too
			);
			say(`${name}-${width}`, found.join("; ") + (wide ? " wider than the window" : "") || "good");
		}
		await context.close();
	}
	say("errors", errors.join("; ") || "none");
	await browser.close();
})().catch((e) => {
	say("FAILED", e.message);
	process.exit(1);
});
