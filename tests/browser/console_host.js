// SPDX-License-Identifier: GPL-2.0-or-later
// Enforces rules and opens ports in the console, on the host that the server runs on: the kernel's own rules are compared after each step.
// usage: node console_host.js URL  with $TOKEN and $READER, in the server's network namespace; prints "ok NAME" or "not NAME: why"
const { execFileSync } = require("child_process");
const { chromium } = require("playwright-core");
const url = process.argv[2];
const must = (condition, why) => {
	if (!condition) throw new Error(why);
};
const nft = (table) => {
	try {
		return execFileSync("nft", ["list", "table", "inet", table], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
	} catch {
		return "";
	}
};
// Whether the kernel's table sends a packet to a rule: an entry of its maps that has not expired.
const decides = () => /: (goto|jump) /.test(nft("whittle"));
const text = (page) => page.textContent("main");
const shows = (page, words) =>
	page.waitForFunction((w) => document.querySelector("main").textContent.includes(w), words).catch(async () => must(false, `no "${words}" in: ${(await text(page)).slice(0, 600)}`));

async function open(browser, hash, token, errors) {
	const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 }, ignoreHTTPSErrors: true })).newPage();
	page.setDefaultTimeout(20000);
	page.on("pageerror", (e) => errors.push(String(e)));
	await page.goto(url + hash);
	await page.fill("#token", token);
	await page.keyboard.press("Enter");
	await page.waitForSelector("main h1");
	return page;
}
async function enforce(page, audit) {
	await page.click('button:text-is("Enforce…")');
	await page.selectOption("dialog select[name=within]", "60");
	if (audit) await page.check("dialog [name=audit]");
	await page.click('dialog button:text-is("Enforce")');
	await page.waitForSelector("[role=timer]");
}
const seconds = async (page) => {
	const [m, s] = (await page.textContent("[role=timer]")).split(":").map(Number);
	return 60 * m + s;
};

const steps = [
	[
		"in audit mode, rules that drop nothing wait in the kernel, and the page counts down",
		async ({ operator, reader }) => {
			await enforce(operator, true);
			must(/counter/.test(nft("whittle")) && !/\bdrop\b/.test(nft("whittle").replace(/comment "[^"]*"/g, "")), nft("whittle"));
			await shows(operator, "audit mode");
			const first = await seconds(operator);
			must(first > 30 && first <= 60, `${first} seconds`);
			await operator.waitForFunction((t) => document.querySelector("[role=timer]").textContent !== t, await operator.textContent("[role=timer]"));
			must((await seconds(operator)) < first, "it does not count down");
			await reader.reload();
			await shows(reader, "An operator can confirm");
			must(!(await reader.$('button:text-is("Confirm")')), "a reader may confirm");
		},
	],
	[
		"Confirm keeps them, and the page says so",
		async ({ operator }) => {
			await operator.click('button:text-is("Confirm")');
			await shows(operator, "Confirmed rules are in force");
			await shows(operator, "audit mode");
			const drift = await operator.evaluate(() => fetch("/api/v1/drift", { headers: { "X-Whittle": "1" } }).then((r) => r.json()));
			must(nft("whittle") && drift.state === "confirmed" && drift.same, JSON.stringify(drift));
		},
	],
	[
		"the page shows what is in force after a reload, and one button goes a step back",
		async ({ operator }) => {
			await operator.reload();
			await shows(operator, "Confirmed rules are in force");
			await operator.click('button:text-is("Roll back one step")');
			await operator.waitForFunction(() => !document.querySelector(".notice"));
			must(!nft("whittle"), nft("whittle"));
		},
	],
	[
		"a countdown that runs out: the kernel is as before, and the page says what happened and what is in force",
		async ({ operator, reader }) => {
			const short = (r) => r.continue({ postData: JSON.stringify({ ...r.request().postDataJSON(), confirmWithin: 3 }) });
			await operator.route("**/api/v1/enforce", short);
			await enforce(operator, false);
			must(/\bdrop\b/.test(nft("whittle")), nft("whittle"));
			await shows(operator, "Not confirmed in time.");
			must(!decides(), nft("whittle"));
			await shows(operator, "No rules of whittle are in force on this machine");
			must(!(await operator.$('[role=timer], button:text-is("Confirm")')), await text(operator));
			await reader.reload();
			await shows(reader, "walker (whittle serve) applied rules at");
			await operator.unroute("**/api/v1/enforce", short);
		},
	],
	[
		"after one more, the rules that were confirmed before are in force again",
		async ({ operator }) => {
			await enforce(operator, true);
			await operator.click('button:text-is("Confirm")');
			await shows(operator, "Confirmed rules are in force");
			must(!(await text(operator)).includes("Not confirmed in time"), await text(operator));
			await operator.route("**/api/v1/enforce", (r) => r.continue({ postData: JSON.stringify({ ...r.request().postDataJSON(), confirmWithin: 3 }) }), { times: 1 });
			await enforce(operator, false);
			await shows(operator, "The rules that were confirmed before are in force again.");
			await shows(operator, "audit mode");
			const drift = await operator.evaluate(() => fetch("/api/v1/drift", { headers: { "X-Whittle": "1" } }).then((r) => r.json()));
			must(drift.state === "confirmed" && drift.same && drift.auditedPorts === drift.ports, JSON.stringify(drift));
			await operator.click('button:text-is("Roll back one step")');
			await operator.waitForFunction(() => !document.querySelector(".notice"));
			must(!nft("whittle"), nft("whittle"));
		},
	],
	[
		"rules that drop can be rolled back before they are confirmed",
		async ({ operator }) => {
			await enforce(operator, false);
			must(/\bdrop\b/.test(nft("whittle")), nft("whittle"));
			must(!(await text(operator)).includes("audit mode"), "it says that they drop nothing");
			await operator.click('button:text-is("Roll back now")');
			await operator.waitForFunction(() => !document.querySelector(".notice"));
			must(!nft("whittle"), nft("whittle"));
		},
	],
	[
		"an operator adds a policy, and a reader requests access by it",
		async ({ operator, reader }) => {
			await operator.goto(`${url}#/jit`);
			await operator.click('button:text-is("Add policy…")');
			await operator.fill("dialog [name=ports]", "22/tcp");
			await operator.fill("dialog [name=from]", "203.0.113.0/24");
			await operator.click('dialog button:text-is("Save")');
			await operator.waitForSelector('button:text-is("Open…")');
			await reader.goto(`${url}#/jit`);
			for (const [from, why] of [["203.0.113.77", "the disk is full"], ["203.0.113.78", "curious"]]) {
				await reader.click('button:text-is("Request access…")');
				await reader.fill("dialog [name=from]", from);
				await reader.fill("dialog [name=minutes]", "30");
				await reader.fill("dialog [name=why]", why);
				await reader.click('dialog button:text-is("Request")');
				await reader.waitForSelector(`div[aria-label=Requests] tr:has-text("${from}")`);
			}
			must(!(await reader.$('button:text-is("Approve")')) && !(await reader.$('button:text-is("Open…")')), "a reader may approve");
			must(!/203\.0\.113/.test(nft("whittle_jit")), nft("whittle_jit"));
		},
	],
	[
		"a request beyond the policy is refused with the reason",
		async ({ reader }) => {
			await reader.click('button:text-is("Request access…")');
			await reader.fill("dialog [name=from]", "198.51.100.7");
			await reader.fill("dialog [name=why]", "elsewhere");
			await reader.click('dialog button:text-is("Request")');
			await reader.waitForSelector("dialog [role=alert]");
			must(/is not within/.test(await reader.textContent("dialog [role=alert]")), await reader.textContent("dialog"));
			must((await reader.inputValue("dialog [name=why]")) === "elsewhere", "what was typed is gone");
			await reader.click('dialog button:text-is("Cancel")');
		},
	],
	[
		"an operator approves one, which opens the port for that source alone, and refuses the other",
		async ({ operator, reader }) => {
			await operator.reload();
			await operator.click('tr:has-text("203.0.113.78") button:text-is("Refuse…")');
			await operator.fill("dialog [name=why]", "no ticket");
			await operator.click('dialog button:text-is("Refuse")');
			await operator.waitForSelector('tr:has-text("203.0.113.78") button', { state: "detached" });
			await operator.click('tr:has-text("203.0.113.77") button:text-is("Approve")');
			await operator.waitForSelector('div[aria-label="Open now"] tr:has-text("203.0.113.77")');
			must(/203\.0\.113\.77/.test(nft("whittle_jit")) && !/203\.0\.113\.78/.test(nft("whittle_jit")), nft("whittle_jit"));
			await reader.reload();
			await reader.waitForSelector('div[aria-label="Open now"] tr:has-text("asked for by looker")');
			must(/refused.*no ticket/s.test(await reader.textContent("div[aria-label=Log]")), await text(reader));
		},
	],
	[
		"Close ends it in the kernel",
		async ({ operator }) => {
			await operator.click('div[aria-label="Open now"] button:text-is("Close")');
			await shows(operator, "Nothing is open.");
			must(!/203\.0\.113/.test(nft("whittle_jit")), nft("whittle_jit"));
		},
	],
];

(async () => {
	const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] }),
		errors = [];
	const on = {
		operator: await open(browser, "#/hardening/vm/vm1", process.env.TOKEN, errors),
		reader: await open(browser, "#/hardening/vm/vm1", process.env.READER, errors),
	};
	for (const [name, run] of steps)
		await run(on).then(
			() => console.log(errors.length ? `not ${name}: ${errors}` : `ok ${name}`),
			(e) => console.log(`not ${name}: ${e.message.split("\n").slice(0, 3).join(" / ")}`),
		);
	await browser.close();
})().catch((e) => console.log(`not the walk ends: ${e.message}`));
