// SPDX-License-Identifier: GPL-2.0-or-later
// The frame of all pages. A page's state is its address: #/page/word?name=value.
import { api, Failure } from "./api";
import { fill, h } from "./dom";
import { overview } from "./overview";
import { hardening } from "./hardening";
import { alerts } from "./alerts";
import { map } from "./map";
import { jit } from "./jit";
import { compliance, inventory, recommendations } from "./posture";

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
	turn = 0;

const address = (words: string[], query: Record<string, string> = {}) => {
	const q = new URLSearchParams(Object.entries(query).filter(([, v]) => v)).toString();
	return `#/${words.map(encodeURIComponent).join("/")}${q ? `?${q}` : ""}`;
};

function login(why = "") {
	const input = h("input", {
		type: "password",
		name: "token",
		autocomplete: "current-password",
		required: true,
		id: "token",
	}) as HTMLInputElement;
	const said = h("p", { role: "alert" }, why);
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
						fill(said, (x as Error).message);
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
		[path, q] = location.hash.replace(/^#\/?/, "").split("?"),
		words = path.split("/").filter(Boolean).map(decodeURIComponent);
	const page = pages.find((p) => p[0] === words[0]) ?? pages[0];
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
	document.title = `${page[1]} · whittle`;
	const go = (w: string[], query: Record<string, string> = {}) => {
		location.hash = address(w, query);
	};
	main.setAttribute("aria-busy", "true");
	try {
		const node = await page[2]({
			words: words.slice(1),
			query: new URLSearchParams(q ?? ""),
			me: me!,
			go,
			note: (w, query) => history.replaceState(null, "", address(w, query)),
			again: draw,
		});
		if (mine === turn) {
			fill(main, node);
			main.removeAttribute("aria-busy");
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
				{ class: "notice bad", role: "alert" },
				h("p", null, (e as Error).message),
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
);
addEventListener("hashchange", () => (me ? draw() : login()));
api("/api/v1/me").then(
	(m) => {
		me = m;
		draw();
	},
	(e) => login(e.status === 401 ? "" : e.message),
);
