// SPDX-License-Identifier: GPL-2.0-or-later
// Opens each page of a console that has nothing to show: each must have its heading and say what to do next. Prints those that don't, and fails.
// usage: node console_blank.js URL [WORDS that each page must have]  with $TOKEN
const { chromium } = require("playwright-core");
const [url, words] = process.argv.slice(2);
const pages = ["overview", "hardening", "hardening/vm/none", "hardening/vm/none/rule", "map", "alerts", "alerts/none", "recommendations/none", "inventory", "jit", "%E0%A4%A"];

(async () => {
	const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] }),
		page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage();
	let bad = 0;
	const wrong = (why) => {
		bad++;
		console.log(why);
	};
	page.on("pageerror", (e) => wrong(String(e)));
	await page.goto(url);
	await page.fill("#token", process.env.TOKEN);
	await page.keyboard.press("Enter");
	await page.waitForSelector("nav.main a");
	for (const name of pages) {
		await page.goto(`${url}#/${name}`);
		await page.reload();
		await page.waitForFunction(() => document.querySelector("main h1") && !document.querySelector("main[aria-busy=true]"));
		const text = await page.evaluate(() => document.querySelector("main").innerText);
		if (!(await page.$("main code, main .empty")) || /undefined|NaN|\[object/.test(text)) wrong(`${name}: ${text}`);
		if (words && !text.includes(words)) wrong(`${name} does not say "${words}": ${text}`);
	}
	await browser.close();
	process.exit(bad ? 1 : 0);
})().catch((e) => {
	console.log(e.message);
	process.exit(1);
});
