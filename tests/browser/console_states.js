// SPDX-License-Identifier: GPL-2.0-or-later
// A reader's token, a session that ended, and a server that is away, fails, or is slow.
// usage: node console_states.js URL [PART of a claim]  with $TOKEN and $READER; prints "ok NAME" or "not NAME: why" for each claim
const { url, claim, must, settled, open, active, tabTo, run } = require("./claims");

claim("a reader sees no button that changes anything", async (page, context) => {
	await context.clearCookies();
	await open(page, "#/hardening/vm/web-1", process.env.READER);
	must(!(await page.$('main button:text-is("Enforce…"), main [aria-label^="Actions for"], main input[type=checkbox]')), "there is one");
	must((await page.textContent("main")).includes("An operator can"), "nothing says who can");
	await context.clearCookies();
});

claim("a session that ended asks to sign in, and then shows the same page", async (page, context) => {
	await open(page, "#/inventory?type=virtualmachines");
	await context.clearCookies();
	await page.selectOption("select >> nth=1", "internal");
	await page.waitForSelector("#token");
	must((await page.textContent("main")).includes("sign in again"), await page.textContent("main"));
	await page.fill("#token", process.env.TOKEN);
	await page.keyboard.press("Enter");
	await page.waitForSelector("main table");
	must((await page.textContent("h1")) === "Asset inventory", await page.textContent("h1"));
	must(page.url().includes("zone=internal"), page.url());
});

claim("a wrong token is refused in words", async (page, context) => {
	await context.clearCookies();
	await page.goto(`${url}#/overview`);
	await page.reload();
	await page.fill("#token", "whittle_wrong");
	await page.keyboard.press("Enter");
	await page.waitForFunction(() => document.querySelector("[role=alert]").textContent.length > 10);
});

claim("a server that is away is said so, and can be tried again", async (page) => {
	await open(page, "#/overview");
	await page.route("**/api/**", (r) => r.abort());
	await page.click('nav a[href="#/hardening"]');
	await page.waitForSelector(".notice.bad");
	must((await page.textContent(".notice.bad")).includes("does not answer"), await page.textContent(".notice.bad"));
	await page.focus('button:text-is("Try again")');
	await page.keyboard.press("Enter");
	await page.waitForFunction(() => !document.querySelector("main[aria-busy=true]"));
	must((await active(page)) === "Try again", `the focus is on ${await active(page)}`);
	await page.unroute("**/api/**");
	await page.keyboard.press("Enter");
	await page.waitForSelector("main table");
});

claim("a server that fails is not taken for one that has nothing", async (page) => {
	await open(page, "#/overview");
	await page.route("**/api/v1/**", (r) =>
		/api\/v1\/me$/.test(r.request().url()) ? r.continue() : r.fulfill({ status: 500, contentType: "application/json", body: '{"error":{"code":"InternalServerError","message":"the disk is full"}}' }));
	const headings = {
		hardening: "Adaptive network hardening",
		"hardening/vm/web-1": "Adaptive network hardening",
		map: "Network map",
		alerts: "Security alerts",
		recommendations: "Recommendations",
		inventory: "Asset inventory",
		compliance: "Regulatory compliance",
		jit: "Just-in-time access",
		overview: "Overview",
	};
	for (const hash of Object.keys(headings)) {
		await page.goto(`${url}#/${hash}`);
		await page.reload();
		await page.waitForFunction(() => document.querySelector("main h1") && !document.querySelector("main[aria-busy=true]"));
		const text = await page.textContent("main");
		must(/The disk is full/.test(text) && (await page.$('button:text-is("Try again")')), `${hash}: ${text}`);
		must(!/yet|No .* is known/.test(text), `${hash}: ${text}`);
		must((await page.textContent("h1")) === headings[hash], `${hash} is headed ${await page.textContent("h1")}`);
		must((await page.title()) === `${headings[hash]} · whittle`, await page.title());
	}
});

// Holds the answers of `path` back until it is called.
async function held(page, path) {
	let release;
	const gate = new Promise((go) => (release = go));
	await page.route(path, async (r) => {
		await gate;
		await r.continue();
	});
	return release;
}

claim("a page that takes long stands there under its own name, without the one before", async (page) => {
	await open(page, "#/alerts");
	const release = await held(page, "**/api/v1/inventory");
	await tabTo(page, 'nav a[href="#/inventory"]');
	await page.keyboard.press("Enter");
	await page.waitForSelector("main [role=status]");
	must((await page.textContent("main")) === "Asset inventoryLoading…", await page.textContent("main"));
	release();
	await page.waitForSelector("main table");
	must((await active(page)) === "Asset inventory", `the focus is on ${await active(page)}`);
});

claim("a filter of a server that is slow takes nothing away, and keeps the focus", async (page) => {
	await open(page, "#/inventory");
	const release = await held(page, "**/api/v1/inventory");
	await page.focus("select >> nth=1");
	await page.selectOption("select >> nth=1", "internal");
	await page.waitForSelector("main[aria-busy=true]");
	must(await page.$("main table"), "the table is gone");
	release();
	await page.waitForFunction(() => !document.querySelector("main[aria-busy=true]"));
	must(await page.evaluate(() => document.activeElement.value === "internal"), `the focus is on ${await active(page)}`);
});

claim("after signing in at a slow server the form is gone, and a sign-out is not undone by a late answer", async (page) => {
	const release = await held(page, "**/api/v1/status");
	await page.goto(`${url}#/overview`);
	await page.fill("#token", process.env.TOKEN);
	await page.keyboard.press("Enter");
	await page.waitForSelector("main [role=status]");
	must(!(await page.$("#token")), "the form is still there");
	await page.click('button:text-is("Sign out")');
	await page.waitForSelector("#token");
	const late = page.waitForResponse("**/api/v1/status");
	release();
	await late;
	await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
	must(await page.$("#token"), "the page came back");
});

claim("a name that is unknown leads back to the list", async (page) => {
	for (const [hash, heading] of [["hardening/vm/nobody", "Adaptive network hardening"], ["alerts/none", "Security alerts"], ["recommendations/none", "Recommendations"]]) {
		await open(page, `#/${hash}`);
		await page.click(`main a:text-is("Back to “${heading}”")`);
		await page.waitForFunction((u) => location.hash === u, `#/${hash.split("/")[0]}`);
		await settled(page);
		must(!(await page.$("main .notice")), await page.textContent("main"));
	}
});

run();
