// SPDX-License-Identifier: GPL-2.0-or-later
// Uses the console as a person would: by keyboard alone, with reloads, saved files, and in another time zone.
// usage: node console_person.js URL [PART of a claim]  with $TOKEN and $READER; prints "ok NAME" or "not NAME: why" for each claim
const fs = require("fs");
const { url, claim, must, settled, open, active, tabTo, run } = require("./claims");

claim("every control that the Tab key reaches shows its focus", async (page) => {
	await open(page, "#/overview");
	await page.reload();
	await settled(page);
	const names = [];
	for (let i = 0; i < 60; i++) {
		await page.keyboard.press("Tab");
		const now = await page.evaluate(() => {
			const e = document.activeElement;
			return e === document.body ? null : [`${e.tagName} ${e.textContent.slice(0, 20)}`, getComputedStyle(e).outlineStyle];
		});
		if (!now) break;
		must(now[1] !== "none", `${now[0]} has no outline`);
		names.push(now[0]);
	}
	must(names[0]?.includes("Skip to content"), `the first is ${names[0]}`);
	must(new Set(names).size > 15, `only ${names.length} controls`);
});

claim("the zone of all times is named, and a time's tooltip has UTC", async (page) => {
	await open(page, "#/alerts");
	const zone = await page.evaluate(() => Intl.DateTimeFormat().resolvedOptions().timeZone);
	must((await page.textContent("footer")).includes(`Times are those of ${zone}`), await page.textContent("footer"));
	const title = await page.getAttribute("main time", "title");
	must(/^[0-9-]+T[0-9:.]+Z$/.test(title), title);
});

claim("a page that is opened by keyboard begins at its heading", async (page) => {
	await open(page, "#/overview");
	await tabTo(page, 'nav a[href="#/alerts"]');
	await page.keyboard.press("Enter");
	await page.waitForFunction(() => document.activeElement.tagName === "H1");
	must((await active(page)) === "Security alerts", await active(page));
	must((await page.title()) === "Security alerts · whittle", await page.title());
});

claim("Esc closes the pane, the focus returns, and a reload shows the pane again", async (page) => {
	await open(page, "#/alerts");
	await tabTo(page, "tbody a");
	const link = await active(page);
	await page.keyboard.press("Enter");
	await page.waitForSelector("aside .close");
	must(page.url().includes("chosen="), page.url());
	await page.reload();
	await page.waitForSelector("aside .close");
	await tabTo(page, "tbody a");
	await page.keyboard.press("Enter");
	await page.keyboard.press("Escape");
	must(!(await page.$("aside .close")), "the pane is still there");
	must((await active(page)) === link, `the focus is on ${await active(page)}`);
	must(!page.url().includes("chosen="), page.url());
});

claim("a table keeps its order over a reload", async (page) => {
	await open(page, "#/hardening/Unhealthy");
	await tabTo(page, "th:nth-child(2) button");
	await page.keyboard.press("Enter");
	await page.keyboard.press("Enter");
	const rows = () => page.$$eval("tbody tr", (l) => l.map((r) => r.cells[1].textContent).join());
	const before = await rows(),
		sorted = before.split(",").map(Number);
	must(sorted.every((v, i) => !i || sorted[i - 1] >= v), before);
	await page.reload();
	await page.waitForSelector("th[aria-sort=descending]");
	must((await rows()) === before, `${before} became ${await rows()}`);
});

const states = [
	"#/overview?sort.sensors=flows~up",
	"#/hardening/Unscanned",
	"#/hardening/vm/web-1?tab=Alerts",
	"#/hardening/vm/files?pick=TCP-Inbound-445",
	"#/hardening/vm/web-1/TCP-Inbound-22?open.days=1",
	"#/map?view=traffic&health=any&zone=any&focus=shop&open.list=1",
	"#/alerts?status=all&severity=Low&text=scan",
	"#/recommendations?state=Passed&severity=High&text=NS",
	"#/inventory?type=virtualmachines&zone=internal&advice=some&text=web",
	"#/compliance?standard=cis-v8",
	"#/jit",
];
claim("a reload of each page shows the same view", async (page) => {
	for (const hash of states) {
		await open(page, hash);
		await page.waitForTimeout(150);
		const view = () => page.evaluate(() => document.querySelector("main").innerText + [...document.querySelectorAll("main input, main select")].map((e) => `${e.value} ${e.checked}`)),
			before = await view();
		await page.reload();
		await settled(page);
		await page.waitForTimeout(150);
		must((await view()) === before, `${hash} differs`);
		must(page.url().endsWith(hash), `${hash} became ${page.url()}`);
	}
});

claim("back and forward show the views that were left", async (page) => {
	await open(page, "#/inventory");
	const views = [];
	const seen = async () => {
		await settled(page);
		return page.evaluate(() => location.hash + document.querySelector("main").innerText + [...document.querySelectorAll("main select")].map((e) => e.value));
	};
	const then = async (act) => {
		const before = page.url();
		views.push(await seen());
		await act();
		await page.waitForFunction((u) => location.href !== u, before);
	};
	await then(() => page.selectOption("select >> nth=1", "internal"));
	await then(() => page.selectOption("select >> nth=2", "none"));
	await then(() => page.click('nav a[href="#/map"]'));
	await then(() => page.selectOption("select >> nth=0", "traffic"));
	const last = await seen();
	for (const view of views.slice().reverse()) {
		const at = page.url();
		await page.goBack();
		await page.waitForFunction((u) => location.href !== u, at);
		must((await seen()) === view, `back at ${page.url()}: ${await seen()}`);
	}
	for (const view of [...views.slice(1), last]) {
		const at = page.url();
		await page.goForward();
		await page.waitForFunction((u) => location.href !== u, at);
		must((await seen()) === view, `forward at ${page.url()}: ${await seen()}`);
	}
});

claim("a suppression is simulated, listed and deleted", async (page) => {
	await open(page, "#/alerts?status=all");
	await page.click("tbody tr td a");
	await page.click("text=View full details");
	await page.click('[role=tab]:text-is("Take action")');
	await page.click('button:text-is("Suppress…")');
	await page.fill("dialog [name=name]", "planned-scan");
	await page.fill("dialog [name=why]", "ours");
	await page.click('dialog button:text-is("Simulate")');
	await page.waitForSelector("dialog >> text=would have dismissed 1 of the");
	await page.click('dialog button:text-is("Suppress")');
	await page.waitForSelector("dialog", { state: "detached" });
	await settled(page);
	await open(page, "#/alerts?open.suppressions=1");
	await page.click('tr:has-text("planned-scan") button:text-is("Delete…")');
	await page.click('dialog button:text-is("Delete")');
	await page.waitForSelector('tr:has-text("planned-scan")', { state: "detached" });
	must((await page.textContent("main details")).includes("No alert is suppressed"), await page.textContent("main details"));
});

// "a","b""c" in lines, as spreadsheets read them.
const parse = (text) =>
	text
		.trimEnd()
		.split("\r\n")
		.map((l) => [...l.matchAll(/"((?:[^"]|"")*)"(?:,|$)/g)].map((m) => m[1].replace(/""/g, '"')));
claim("every table is saved as CSV and JSON, as it is shown", async (page) => {
	let tables = 0;
	for (const hash of ["#/overview", "#/hardening/Unhealthy", "#/hardening/vm/web-1", "#/hardening/vm/web-1/TCP-Inbound-22?open.days=1", "#/map?health=any&zone=any&open.list=1", "#/alerts", "#/recommendations", "#/inventory", "#/compliance", "#/jit"]) {
		await open(page, hash);
		for (const part of await page.$$("main .table")) {
			if (!(await part.isVisible())) continue;
			const file = async (type) => {
				const [d] = await Promise.all([page.waitForEvent("download"), (await part.$(`button:text-is("${type}")`)).click()]);
				return fs.readFileSync(await d.path(), "utf8");
			};
			const [heads, rows] = await part.evaluate((e) => [
					[...e.querySelectorAll("th")].filter((x) => x.querySelector("button")).map((x) => x.textContent),
					e.querySelectorAll("tbody tr").length,
				]),
				csv = parse(await file("CSV")),
				json = JSON.parse(await file("JSON"));
			must(csv[0].join() === heads.join(), `${hash}: ${csv[0]}`);
			must(csv.length === rows + 1 && json.length === rows, `${hash}: ${csv.length - 1} and ${json.length} of ${rows} rows`);
			must(csv.every((l) => l.length === heads.length), `${hash}: a line has other columns`);
			must(!csv.flat().some((x) => x === "undefined" || x === "–" || x.includes("[object")), `${hash}: ${csv.flat().join()}`);
			tables++;
		}
	}
	must(tables >= 12, `only ${tables} tables`);
});

claim("recommendations have their counts, alerts their severity in words and times in UTC in the file", async (page) => {
	await open(page, "#/recommendations");
	must(await page.$$eval("tbody tr", (l) => l.every((r) => /^\d+$/.test(r.cells[3].textContent))), "a count is missing");
	await open(page, "#/alerts");
	const [d] = await Promise.all([page.waitForEvent("download"), page.click('button:text-is("CSV")')]),
		row = parse(fs.readFileSync(await d.path(), "utf8"))[1];
	must(row[1] === "Informational", row.join());
	must(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(row[3]), row.join());
});

claim("the inventory's counts lead to what they count, the worst first", async (page) => {
	await open(page, "#/inventory?type=virtualmachines");
	const row = 'tr:has(a:text-is("web-2"))',
		badges = (await page.textContent(`${row} .counts`)).match(/\d+/g).map(Number);
	await page.click(`${row} .counts`);
	await page.waitForSelector("main .notice >> text=web-2");
	await settled(page);
	const rank = ["High", "Medium", "Low"],
		severities = await page.$$eval("tbody tr", (l) => l.map((r) => r.cells[1].textContent));
	must(severities.length === badges.reduce((a, b) => a + b), `${severities.length} of ${badges}`);
	must(severities.every((v, i) => !i || rank.indexOf(severities[i - 1]) <= rank.indexOf(v)), severities.join());
	await page.click('.notice button:text-is("Show all")');
	await page.waitForFunction((n) => document.querySelectorAll("tbody tr").length > n, severities.length);
	await open(page, "#/inventory?type=virtualmachines");
	await page.click(`${row} td[data-label=Alerts] a`);
	await page.waitForFunction(() => document.querySelector("h1").textContent === "Security alerts" && document.querySelectorAll("tbody tr").length === 1);
	await page.click('tbody td[data-label=Resource] a:text-is("web-2")');
	await page.waitForFunction(() => location.hash === "#/hardening/vm/web-2");
});

claim("an alert's tactic and a subnet are named in words", async (page) => {
	await open(page, "#/alerts");
	await page.click("tbody td.first a");
	must((await page.textContent("aside dl")).includes("Before an attack"), await page.textContent("aside dl"));
	await open(page, "#/inventory?type=subnets");
	const names = await page.$$eval("tbody td.first", (l) => l.map((x) => x.textContent));
	must(names.includes("shop / web") && !names.some((n) => n.includes("subnets")), names.join());
});

claim("a dialog opens and closes by keyboard, and Enter does what its button says", async (page) => {
	await open(page, "#/hardening/vm/web-1");
	await tabTo(page, "button.main");
	await page.keyboard.press("Enter");
	await page.waitForSelector("dialog[open]");
	await page.keyboard.press("Escape");
	await page.waitForSelector("dialog", { state: "detached" });
	must((await active(page)) === "Enforce…", await active(page));
	await page.focus('button:text-is("Add rule…")');
	await page.keyboard.press("Enter");
	await page.fill("dialog [name=port]", "443");
	await page.fill("dialog [name=list]", "192.0.2.7");
	await page.fill("dialog [name=why]", "a test");
	await page.keyboard.press("Enter");
	await page.waitForFunction(() => document.querySelector("main table").textContent.includes("443"), null, { timeout: 5000 })
		.catch(async () => must(false, `no rule: ${await page.evaluate(() => document.body.innerText.slice(-400).replace(/\n+/g, " / "))}`));
	must((await active(page)) === "Add rule…", `the focus is on ${await active(page)}`);
	await page.click('button:text-is("Undo last change")');
	await page.waitForFunction(() => !document.querySelector("main table").textContent.includes("443"));
});

claim("a change that is refused keeps the form, with the reason, and can be mended", async (page) => {
	await open(page, "#/hardening/vm/web-1");
	await page.click('button:text-is("Add rule…")');
	await page.fill("dialog [name=port]", "8443");
	await page.fill("dialog [name=list]", "192.0.2.7");
	await page.fill("dialog [name=why]", "a test");
	await page.keyboard.press("Enter");
	await page.waitForSelector("dialog [role=alert] >> text=narrow-only");
	must((await page.inputValue("dialog [name=list]")) === "192.0.2.7", "what was typed is gone");
	must((await active(page)) === "Add", `the focus is on ${await active(page)}`);
	await page.fill("dialog [name=port]", "443");
	await page.keyboard.press("Enter");
	await page.waitForSelector("dialog", { state: "detached" });
	await page.waitForSelector("main table >> text=443/TCP");
	await page.click('button:text-is("Undo last change")');
	await page.waitForFunction(() => !document.querySelector("main table").textContent.includes("443"));
});

claim("alerts begin with the most severe, of those the newest", async (page) => {
	await page.route("**/api/v1/alerts", async (r) => {
		const answer = await r.fetch(),
			[a] = (await answer.json()).value,
			row = (name, severity, endTimeUtc) => ({ ...a, name, properties: { ...a.properties, alertDisplayName: name, severity, endTimeUtc } });
		await r.fulfill({ json: { value: [row("c", "Low", "2026-11-03T00:00:00Z"), row("b", "High", "2026-11-01T00:00:00Z"), row("a", "High", "2026-11-02T00:00:00Z")] } });
	});
	await open(page, "#/alerts");
	const names = await page.$$eval("tbody td.first", (l) => l.map((x) => x.textContent).join(""));
	must(names === "abc", names);
});

claim("the program's name keeps its small letter, and a path stays in its card", async (page) => {
	const why = `whittle's table exists, but ${"/var/lib/whittle".repeat(4)} does not say which rules it should hold`;
	await page.route("**/api/v1/drift", (r) => r.fulfill({ json: { state: "unknown", why } }));
	await open(page, "#/overview");
	must((await page.textContent("main")).includes("whittle's table exists"), await page.textContent("main"));
	must(await page.$$eval(".card", (l) => l.every((e) => e.scrollWidth <= e.clientWidth)), "a text leaves its card");
});

claim("rules that another program changed are said to be", async (page) => {
	await page.route("**/api/v1/drift", (r) => r.fulfill({ json: { state: "confirmed", same: false, ports: 1, auditedPorts: 0 } }));
	await open(page, "#/hardening/vm/web-1");
	must((await page.textContent("main .notice")).includes("Another program has changed them"), await page.textContent("main .notice"));
});

claim("the three dots open a menu by keyboard, and Esc closes it", async (page) => {
	await open(page, "#/hardening/vm/web-1");
	await tabTo(page, 'button[aria-label^="Actions for"]');
	await page.keyboard.press("Enter");
	await page.waitForSelector(".menu:popover-open");
	must((await active(page)) === "Edit…", await active(page));
	await page.keyboard.press("ArrowDown");
	must((await active(page)) === "Delete…", await active(page));
	await page.keyboard.press("Escape");
	must(!(await page.$(".menu:popover-open")), "the menu is still there");
	must((await active(page)) === "⋯", await active(page));
});

claim("times are in the viewer's zone", async (page, context) => {
	const texts = [];
	for (const timezoneId of ["America/New_York", "Asia/Tokyo"]) {
		const c = await context.browser().newContext({ ignoreHTTPSErrors: true, timezoneId, locale: "en-GB" }),
			p = await c.newPage();
		await open(p, "#/alerts");
		texts.push(await p.textContent("tbody time"));
		await c.close();
	}
	must(texts[0] !== texts[1], texts.join());
});

run();
