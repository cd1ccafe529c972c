// SPDX-License-Identifier: GPL-2.0-or-later
// Uses the map of the network as a person would.
// usage: node console_map.js URL [PART of a claim]  with $TOKEN and $READER; prints "ok NAME" or "not NAME: why" for each claim
const { claim, must, open, active, tabTo, run } = require("./claims");

claim("the map's pane opens from the list, and Esc closes it", async (page) => {
	await open(page, "#/map?health=any&zone=any");
	await page.focus("summary");
	await page.keyboard.press("Enter");
	await tabTo(page, "details td a");
	await page.keyboard.press("Enter");
	await page.waitForSelector("aside .close");
	await page.reload();
	await page.waitForSelector("aside .close");
	must(await page.evaluate(() => document.querySelector("details").open), "the list is closed after the reload");
	await page.keyboard.press("Escape");
	must(!(await page.$("aside .close")), "the pane is still there");
});

claim("the map is zoomed by its buttons, and its place is in the address", async (page) => {
	await open(page, "#/map?health=any&zone=any");
	const zoom = () => page.evaluate(() => new URLSearchParams(location.hash.split("?")[1]).get("at")?.split("~")[0]);
	await page.click('button[aria-label="Zoom in"]');
	await page.waitForFunction(() => /at=1\.5/.test(location.hash));
	await page.click('button[aria-label="Zoom in"]');
	await page.waitForFunction(() => /at=2\.25/.test(location.hash));
	await page.click('button[aria-label="Zoom out"]');
	await page.waitForFunction(() => /at=1\.5(~|%7E)/.test(location.hash));
	await page.click('button[aria-label="Whole map"]');
	await page.waitForFunction(() => !/at=/.test(location.hash), null, { timeout: 5000 }).catch(async () => must(false, `still at ${await zoom()}`));
});

// Answers the map with virtual hubs, each of the VNets in its list (null: all).
async function withHubs(page, hubs) {
	await page.route("**/api/v1/map/brief", async (r) => {
		const answer = await r.fetch(),
			doc = await answer.json(),
			row = (name, vnet) => [name, "virtual hub", vnet, 0];
		for (const [name, of] of hubs) doc.gateways.push(row(name, -1), ...(of ?? doc.vnets.map((_, i) => i)).map((i) => row(name, i)));
		await r.fulfill({ response: answer, json: doc });
	});
	await open(page, "#/map");
	await page.waitForFunction((n) => window.whittleMap.hubs().length === n, hubs.length);
}

claim("a virtual hub is a diamond between its networks, and says which it joins", async (page) => {
	await withHubs(page, [["hub-eu", null], ["hub-us", [0]]]);
	const [eu, us] = await page.evaluate(() => window.whittleMap.hubs().map((s) => ({ x: s.x, y: s.y, names: s.vnets.map((n) => n.name), ends: s.ends.length, near: s.ends.map((e) => Math.hypot(e.x - s.x, e.y - s.y)) }))),
		box = await (await page.$("canvas")).boundingBox();
	must(Math.hypot(eu.x - us.x, eu.y - us.y) > 20, "the two overlap");
	must([...eu.near, ...us.near].every((d) => d > 20), "one lies on a circle");
	must(us.names.length === 1 && eu.ends === eu.names.length, JSON.stringify([eu, us]));
	await page.mouse.move(box.x + us.x, box.y + us.y);
	await page.waitForSelector(".tip:visible");
	const tip = await page.textContent(".tip");
	must(tip.includes("hub-us") && tip.includes(us.names[0]), tip);
	must((await page.textContent(".legend")).includes("virtual hub"), "the legend lacks it");
	const pixel = await page.evaluate(({ x, y }) => {
		const c = document.querySelector("canvas"), d = devicePixelRatio;
		return [...c.getContext("2d").getImageData(Math.round((x - 10) * d), Math.round(y * d), 1, 1).data];
	}, us);
	must(pixel[3] > 100, `nothing is drawn there: ${pixel}`);
});

for (const width of [1280, 390])
	claim(`names of virtual hubs touch nothing, and their lines lie on no others, ${width} wide`, async (page) => {
		await page.setViewportSize({ width, height: 844 });
		await withHubs(page, [["hub-westeurope-prod", null], ["hub-eastus-prod", [0]], ["hub-x", [1]], ["hub-spare", null]]);
		const spots = await page.evaluate(() => {
			const c = document.createElement("canvas").getContext("2d");
			c.font = "11px system-ui, sans-serif";
			return window.whittleMap.hubs().map(({ x, y, r, hub, ends }) => ({ x, y, r, ends: ends.map((e) => ({ x: e.x, y: e.y })), half: Math.max(r, c.measureText(hub.name).width / 2) }));
		});
		for (const [i, a] of spots.entries())
			for (const b of spots.slice(i + 1))
				must(Math.abs(a.x - b.x) >= a.half + b.half || Math.abs(a.y - b.y) >= a.r + b.r + 13, `two touch: ${JSON.stringify([a, b])}`);
		const [p, q] = spots[0].ends; // both are peered
		for (const s of spots) {
			const from = Math.abs((q.x - p.x) * (p.y - s.y) - (p.x - s.x) * (q.y - p.y)) / Math.hypot(q.x - p.x, q.y - p.y);
			must(from >= 15, `a hub is ${from} pixels from the peering's line`);
		}
	});

claim("a virtual hub opens from the list and by a click, is chosen after a reload, and leads to its networks", async (page) => {
	await withHubs(page, [["hub-eu", null]]);
	await page.focus("summary");
	await page.keyboard.press("Enter");
	await tabTo(page, 'details td a[href*="hub%3Ahub-eu"]');
	await page.keyboard.press("Enter");
	await page.waitForSelector('aside h2:text-is("hub-eu")');
	await page.reload();
	await page.waitForSelector('aside h2:text-is("hub-eu")');
	await page.keyboard.press("Escape");
	must(!(await page.$("aside .close")) && !page.url().includes("chosen="), page.url());
	const [{ x, y }] = await page.evaluate(() => window.whittleMap.hubs().map((s) => ({ x: s.x, y: s.y })));
	await page.click("canvas", { position: { x, y } });
	await page.waitForSelector('aside h2:text-is("hub-eu")');
	await tabTo(page, "aside li button");
	const name = await active(page);
	await page.keyboard.press("Enter");
	await page.waitForSelector(`aside h2:text-is("${name}")`);
	must((await active(page)) === name, `the focus is on ${await active(page)}`);
});

claim("the tooltip's link focuses on its node, and zooming out leaves the focus", async (page) => {
	await open(page, "#/map?health=any&zone=any");
	const box = await (await page.$("canvas")).boundingBox();
	let y = 40;
	for (; y < box.height - 40 && !(await page.isVisible(".tip")); y += 9)
		for (let x = 40; x < box.width - 40 && !(await page.isVisible(".tip")); x += 9) await page.mouse.move(box.x + x, box.y + y);
	const name = await page.textContent(".tip strong");
	must(/resource group .+ · subscription ./.test(await page.textContent(".tip")), await page.textContent(".tip"));
	await page.click(".tip button");
	await page.waitForSelector(`main .notice >> text=Only ${name}`);
	must((await page.textContent("aside h2")) === name, await page.textContent("aside h2"));
	await page.focus("canvas");
	for (let i = 0; i < 4 && page.url().includes("focus="); i++) {
		await page.keyboard.press("-");
		await page.evaluate(() => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(r))));
	}
	await page.waitForFunction(() => !location.hash.includes("focus="));
});

claim("a peer that is chosen in the table of traffic has the focus", async (page) => {
	await open(page, "#/map?view=traffic&health=any&zone=any&chosen=web-1");
	await tabTo(page, "section td button");
	const name = await active(page);
	await page.keyboard.press("Enter");
	await page.waitForSelector(`aside h2:text-is("${name}")`);
	must((await active(page)) === name, `the focus is on ${await active(page)}`);
});

run();
