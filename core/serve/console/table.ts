// SPDX-License-Identifier: GPL-2.0-or-later
// Tables that sort by their heads and are saved as CSV or JSON.
import { recall, remember, slug } from "./address";
import { csv } from "./csv";
import { Child, fill, h } from "./dom";

export interface Column<T> {
	title: string;
	cell: (row: T) => Child | Child[];
	value?: (row: T) => string | number; // what it sorts by; the cell's text, if it has none
	class?: string;
	control?: boolean; // buttons: neither sorted nor saved
}
// The first column without controls links to `href`; `choose` replaces a plain click on it.
export interface Link<T> {
	href: (row: T) => string;
	choose?: (row: T, link: HTMLElement) => void;
}
const at_once = 500; // rows in the document; more are added when asked for

// A cell as a file has it: times as the server sent them, nothing for the dash of an empty cell.
function plain(e: HTMLElement): string {
	e.querySelectorAll("time").forEach((t) => (t.textContent = t.getAttribute("datetime")));
	const text = (e.textContent ?? "").trim();
	return text === "–" ? "" : text;
}

const order = (a: string | number, b: string | number) =>
	typeof a === "number" && typeof b === "number"
		? a - b
		: String(a).localeCompare(String(b), undefined, { numeric: true });

export function save(name: string, body: Blob) {
	const url = URL.createObjectURL(body);
	h("a", { href: url, download: slug(name) }).click();
	setTimeout(() => URL.revokeObjectURL(url), 1000);
}

class Table<T> {
	body = h("tbody", { role: "rowgroup" });
	more = h("p", null);
	heads: HTMLElement[];
	shown: T[];
	by = -1;
	up = true;
	constructor(
		private name: string,
		private columns: Column<T>[],
		private rows: T[],
		private link?: Link<T>,
	) {
		this.shown = rows;
		this.heads = columns.map((c, i) =>
			h(
				"th",
				{ scope: "col", role: "columnheader" },
				c.control ? c.title : h("button", { type: "button", click: () => this.press(i) }, c.title),
			),
		);
		const [title, way] = (recall(this.key) ?? "").split("~"),
			i = columns.findIndex((c) => slug(c.title) === title && !c.control);
		if (i >= 0) this.sort(i, way !== "down");
		else this.draw(at_once);
	}
	get key() {
		return `sort.${slug(this.name)}`;
	}
	press(i: number) {
		this.sort(i, this.by === i ? !this.up : true);
		remember(this.key, `${slug(this.columns[i].title)}~${this.up ? "up" : "down"}`);
	}
	sort(i: number, up: boolean) {
		this.by = i;
		this.up = up;
		this.heads.forEach((x, k) =>
			k === i ? x.setAttribute("aria-sort", up ? "ascending" : "descending") : x.removeAttribute("aria-sort"),
		);
		const c = this.columns[i],
			value = c.value ?? ((r: T) => plain(h("i", null, c.cell(r))));
		this.shown = this.rows
			.map((r): [string | number, T] => [value(r), r])
			.sort((a, b) => order(a[0], b[0]) * (up ? 1 : -1))
			.map(([, r]) => r);
		this.draw(at_once);
	}
	draw(most: number) {
		const first = this.columns.findIndex((c) => !c.control),
			line = (r: T) =>
				h(
					"tr",
					{ role: "row" },
					this.columns.map((c, i) =>
						h(
							"td",
							{ role: "cell", class: i === first ? `first ${c.class ?? ""}` : (c.class ?? null), "data-label": c.title },
							i === first && this.link ? this.anchor(c, r) : c.cell(r),
						),
					),
				);
		fill(this.body, this.shown.slice(0, most).map(line));
		fill(
			this.more,
			this.shown.length > most &&
				h(
					"button",
					{ type: "button", click: () => this.draw(Infinity) },
					`Show all ${this.shown.length.toLocaleString()} rows`,
				),
		);
	}
	anchor(c: Column<T>, r: T) {
		const { href, choose } = this.link!,
			a: HTMLElement = h(
				"a",
				{
					href: href(r),
					click: (e: MouseEvent) => {
						if (!choose || e.ctrlKey || e.metaKey || e.shiftKey) return;
						e.preventDefault();
						choose(r, a);
					},
				},
				c.cell(r),
			);
		return a;
	}
	lines(): string {
		const all = this.columns.filter((c) => !c.control);
		return csv([all.map((c) => c.title), ...this.shown.map((r) => all.map((c) => plain(h("i", null, c.cell(r)))))]);
	}
}

// `none` stands there without rows; `saved` is a row as the JSON file has it, if it is not the row itself.
export function table<T>(
	name: string,
	columns: Column<T>[],
	rows: T[],
	link?: Link<T>,
	none?: Node,
	saved: (row: T) => unknown = (row) => row,
): HTMLElement {
	if (!rows.length && none) return none as HTMLElement;
	const t = new Table(name, columns, rows, link),
		button = (label: string, file: string, make: () => string, type: string) =>
			h(
				"button",
				{
					type: "button",
					class: "link",
					"aria-label": `Save ${name} as ${label}`,
					click: () => save(file, new Blob([make()], { type })),
				},
				label,
			);
	return h(
		"div",
		{ class: "table" },
		h(
			"div",
			{ class: "scroll", tabindex: 0, role: "region", "aria-label": name },
			h(
				"table",
				{ role: "table" }, // and of its parts: in a narrow window each row is a card, which would lose them
				h("caption", { class: "skip" }, name),
				h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, t.heads)),
				t.body,
			),
		),
		t.more,
		h(
			"p",
			{ class: "soft" },
			`${rows.length.toLocaleString()} row${rows.length === 1 ? "" : "s"} · save as `,
			button("CSV", `${name}.csv`, () => t.lines(), "text/csv"),
			" · ",
			button("JSON", `${name}.json`, () => JSON.stringify(t.shown.map(saved), null, 1), "application/json"),
		),
	);
}
