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
// Address, short name for the bar, and the drawing function.
const pages: [string, string, Draw][] = [
	["overview", "Overview", overview],
	["hardening", "Hardening", hardening],
	["map", "Map", map],
	["alerts", "Alerts", alerts],
	["recommendations", "Recommendations", recommendations],
	["inventory", "Inventory", inventory],
	["compliance", "Compliance", compliance],
	["jit", "JIT access", jit],
];
const main = h("main", { id: "main", tabindex: -1 }),
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
	if (!moved && !before) return;
	const title = main.querySelector("h1");
	title?.setAttribute("tabindex", "-1");
	title?.focus();
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
	try {
		const node = await page[2]({
			words: words.slice(1),
			query,
			me: me!,
			go,
			note: (w, query) => history.replaceState(null, "", address(w, query)),
			again: draw,
		});
		if (mine === turn) {
			const before = focused();
			fill(main, node);
			main.removeAttribute("aria-busy");
			document.title = `${main.querySelector("h1")?.textContent ?? page[1]} · whittle`;
			refocus(before, moved);
			drawn = path;
		}
	} catch (e) {
		if (mine !== turn) return;
		if (e instanceof Failure && e.status === 401) {
			me = null;
			login("Your session is over: sign in again.");
			return;
		}
		main.removeAttribute("aria-busy");
		fill(
			main,
			h("h1", null, page[1]),
			h(
				"div",
				{ class: e instanceof Failure && e.status === 404 ? "notice" : "notice bad", role: "alert" },
				h("p", null, rich((e as Error).message)),
				h("button", { type: "button", click: draw }, "Try again"),
			),
		);
	}
}

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
		`Times are those of ${Intl.DateTimeFormat().resolvedOptions().timeZone}, this browser's time zone. A time's tooltip has it in UTC.`,
	),
);
addEventListener("hashchange", () => (me ? draw() : login()));
api("/api/v1/me").then(
	(m) => {
		me = m;
		draw();
	},
	(e) => login(e.status === 401 ? "" : e.message),
);
