// SPDX-License-Identifier: GPL-2.0-or-later
// The frame of all pages. A page's state is its address: #/page/word?name=value.
import { api, Failure } from "./api";
import { address, here } from "./address";
import { fill, h, rich } from "./dom";
import { overview } from "./overview";
import { hardening } from "./hardening";
import { inventory } from "./inventory";
import { alerts } from "./alerts";
import { map } from "./map";
import { jit } from "./jit";
import { compliance, recommendations } from "./posture";

export interface Page {
	words: string[];
	query: URLSearchParams;
	me: { name: string; role: string };
	go(words: string[], query?: Record<string, string>): void;
	note(words: string[], query?: Record<string, string>): void; // the address alone: the page is as it says already
	again(): void;
}
type Draw = (p: Page) => Promise<Node>;
// Address, short name for the bar, heading, and the drawing function.
const pages: [string, string, string, Draw][] = [
	["overview", "Overview", "Overview", overview],
	["hardening", "Hardening", "Adaptive network hardening", hardening],
	["map", "Map", "Network map", map],
	["alerts", "Alerts", "Security alerts", alerts],
	["recommendations", "Recommendations", "Recommendations", recommendations],
	["inventory", "Inventory", "Asset inventory", inventory],
	["compliance", "Compliance", "Regulatory compliance", compliance],
	["jit", "JIT access", "Just-in-time access", jit],
];
const patience = 400; // milliseconds until a page that is being fetched is drawn without its content
const main = h("main", { id: "main", tabindex: -1, "aria-busy": "true" }),
	nav = h("nav", { class: "main", "aria-label": "Pages" }),
	who = h("span", { class: "who" });
let me: Page["me"] | null = null,
	drawn: string | null = null, // the words of the page that is shown
	turn = 0;

// What has the focus, so that the same control has it in the page that is drawn next: a redrawn page must not lose a keyboard.
const controls = "a, button, input, select, textarea, summary, canvas, [tabindex]";
const nameOf = (e: Element) =>
	[e.tagName, e.getAttribute("aria-label"), e.closest("label")?.firstChild?.textContent, e.matches("a, button, summary") && e.textContent].join("|");
function focused(): { name: string; nth: number; tab: boolean } | null {
	const e = document.activeElement;
	if (!e || !main.contains(e) || e === main) return null;
	const name = nameOf(e),
		same = [...main.querySelectorAll(controls)].filter((x) => nameOf(x) === name);
	return { name, nth: same.indexOf(e), tab: e.getAttribute("role") === "tab" };
}
function refocus(before: ReturnType<typeof focused>, moved: boolean) {
	if (document.querySelector("dialog[open]")) return;
	const again =
		before && (!moved || before.tab)
			? [...main.querySelectorAll(controls)].filter((x) => nameOf(x) === before.name)[before.nth]
			: null;
	if (again) return (again as HTMLElement).focus({ preventScroll: true });
	if (moved || before) toHeading();
}
function toHeading() {
	const title = main.querySelector("h1");
	title?.setAttribute("tabindex", "-1");
	title?.focus();
}

const loading = (title: string) => h("div", null, h("h1", null, title), h("p", { class: "soft", role: "status" }, "Loading…"));

// In place of a page: why it can't be shown, and the ways on.
function failure(e: Error, title: string, list: string | null): Node {
	const missing = e instanceof Failure && e.status === 404;
	return h(
		"div",
		null,
		h("h1", null, title),
		h(
			"div",
			{ class: missing ? "notice" : "notice bad", role: "alert" },
			h("p", null, rich(e.message)),
			missing && list ? h("p", null, h("a", { href: list }, `Back to “${title}”`)) : null,
			h("button", { type: "button", click: draw }, "Try again"),
		),
	);
}

function login(why = "") {
	const input = h("input", {
		type: "password",
		name: "token",
		autocomplete: "current-password",
		required: true,
		id: "token",
	}) as HTMLInputElement;
	const said = h("p", { role: "alert" }, rich(why));
	drawn = null;
	turn++; // what is being fetched is no longer wanted
	main.removeAttribute("aria-busy");
	fill(nav);
	fill(who);
	document.title = "Sign in · whittle";
	fill(
		main,
		h(
			"form",
			{
				class: "login card",
				submit: async (e: Event) => {
					e.preventDefault();
					try {
						me = await api("/api/v1/session", "POST", undefined, input.value.trim());
						draw();
					} catch (x) {
						fill(said, rich((x as Error).message));
					}
				},
			},
			h("h1", null, "whittle"),
			h("label", { for: "token" }, "Token", input),
			h("button", { class: "main", type: "submit" }, "Sign in"),
			said,
			h(
				"p",
				{ class: "soft" },
				"An administrator makes one: ",
				h("code", null, "whittle serve token add NAME --role operator"),
			),
		),
	);
	input.focus();
}

async function draw() {
	const mine = ++turn,
		{ words, query } = here(),
		page = pages.find((p) => p[0] === words[0]) ?? pages[0],
		path = words.join("/"),
		moved = drawn !== null && drawn !== path;
	let before: ReturnType<typeof focused> = null;
	fill(
		nav,
		pages.map(([id, title]) =>
			h("a", { href: address([id]), "aria-current": id === page[0] ? "page" : null }, title),
		),
	);
	fill(
		who,
		`${me!.name} (${me!.role}) `,
		h(
			"button",
			{
				type: "button",
				click: async () => {
					await api("/api/v1/session", "DELETE").catch(() => {});
					me = null;
					login();
				},
			},
			"Sign out",
		),
	);
	const go = (w: string[], query: Record<string, string> = {}) => {
		location.hash = address(w, query);
	};
	main.setAttribute("aria-busy", "true");
	// Without it, the page before would stand under the name of the next one.
	const late = setTimeout(() => {
		if (mine !== turn || drawn === path) return;
		before = focused();
		fill(main, loading(page[2]));
		if (before) toHeading();
	}, patience);
	let node: Node;
	try {
		node = await page[3]({
			words: words.slice(1),
			query,
			me: me!,
			go,
			note: (w, query) => history.replaceState(null, "", address(w, query)),
			again: draw,
		});
	} catch (e) {
		if (mine === turn && e instanceof Failure && e.status === 401) {
			clearTimeout(late);
			me = null;
			login("Your session is over: sign in again.");
			return;
		}
		node = failure(e as Error, page[2], words.length > 1 ? address([page[0]]) : null);
	}
	clearTimeout(late);
	if (mine !== turn) return;
	before ??= focused();
	fill(main, node);
	main.removeAttribute("aria-busy");
	document.title = `${main.querySelector("h1")?.textContent ?? page[2]} · whittle`;
	refocus(before, moved);
	drawn = path;
}

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
document.body.append(
	h(
		"a",
		{
			href: "#main",
			class: "skip",
			click: (e: Event) => {
				e.preventDefault();
				main.focus();
			},
		},
		"Skip to content",
	),
	h("header", { class: "top" }, h("strong", null, "whittle"), nav, who),
	main,
	h(
		"footer",
		{ class: "soft" },
		`Times are those of ${zone}, this browser's time zone.${zone === "UTC" ? "" : " A time's tooltip has it in UTC."}`,
	),
);
addEventListener("hashchange", () => (me ? draw() : login()));
setTimeout(() => main.firstChild || fill(main, loading("whittle")), patience);
api("/api/v1/me").then(
	(m) => {
		me = m;
		draw();
	},
	(e) => login(e.status === 401 ? "" : e.message),
);
