// SPDX-License-Identifier: GPL-2.0-or-later
// What a person does in the console, as claims: each is a sentence and a function that throws if it is not true.
const { chromium } = require("playwright-core");
const url = process.argv[2];
const claims = [];
const claim = (name, run) => claims.push([name, run]);
const must = (condition, why) => {
	if (!condition) throw new Error(why);
};
const settled = (page) => page.waitForFunction(() => document.querySelector("main h1") && !document.querySelector("main[aria-busy=true]"));

async function open(page, hash, token = process.env.TOKEN) {
	await page.goto(url + hash);
	await page.waitForFunction(() => document.querySelector("#token, main h1 ~ *"));
	if (await page.$("#token")) {
		await page.fill("#token", token);
		await page.keyboard.press("Enter");
		await page.waitForSelector("nav.main a");
	}
	await settled(page);
}
const active = (page, what = "textContent") => page.evaluate((w) => document.activeElement[w], what);
// Moves the focus to what `selector` matches, by the Tab key alone.
async function tabTo(page, selector) {
	for (let i = 0; i < 80; i++) {
		await page.keyboard.press("Tab");
		if (await page.evaluate((s) => document.activeElement.matches(s), selector)) return;
	}
	throw new Error(`the Tab key never reaches ${selector}`);
}

// Runs those whose sentence contains `part`; prints "ok NAME" or "not NAME: why" for each.
async function run(part = process.argv[3] ?? "") {
	const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
	for (const [name, act] of claims.filter(([c]) => c.includes(part))) {
		const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ignoreHTTPSErrors: true, acceptDownloads: true }),
			page = await context.newPage(),
			errors = [];
		page.setDefaultTimeout(20000);
		page.on("pageerror", (e) => errors.push(String(e)));
		await act(page, context).then(
			() => console.log(errors.length ? `not ${name}: ${errors}` : `ok ${name}`),
			(e) => console.log(`not ${name}: ${e.message.split("\n")[0]}`),
		);
		await context.close();
	}
	await browser.close();
}

module.exports = {
	url,
	claim,
	must,
	settled,
	open,
	active,
	tabTo,
	run: () => run().catch((e) => console.log(`not the walk ends: ${e.message}`)),
};
