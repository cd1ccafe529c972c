// SPDX-License-Identifier: GPL-2.0-or-later
// Elements are made by calls, and every text is a text node: nothing that the server sends is ever parsed as HTML.
import { csv } from "./csv";

export type Child = Node | string | number | null | undefined | false;
export type Attributes = Record<string, string | number | boolean | null | undefined | ((e: any) => void)>;

export function h(name: string, attributes: Attributes | null, ...children: (Child | Child[])[]): HTMLElement {
	const e = document.createElement(name);
	set(e, attributes);
	add(e, children);
	return e;
}

export function svg(name: string, attributes: Attributes, ...children: (Child | Child[])[]): SVGElement {
	const e = document.createElementNS("http://www.w3.org/2000/svg", name);
	set(e, attributes);
	add(e, children);
	return e;
}

function set(e: Element, attributes: Attributes | null) {
	for (const [key, value] of Object.entries(attributes ?? {}))
		if (typeof value === "function") e.addEventListener(key, value);
		else if (value === true) e.setAttribute(key, "");
		else if (value !== false && value != null) e.setAttribute(key, String(value));
}

function add(e: Element, children: (Child | Child[])[]) {
	for (const c of children.flat()) if (c != null && c !== false) e.append(c instanceof Node ? c : String(c));
}

export const fill = (e: Element, ...children: (Child | Child[])[]) => {
	e.replaceChildren();
	add(e, children);
};
export const badge = (text: string, kind = "") => h("span", { class: `badge ${kind}` }, text);
export const severity = (s: string) =>
	badge(s, ({ High: "high", Medium: "medium", Low: "low", Healthy: "good" } as Record<string, string>)[s] ?? "");
export const empty = (what: string, next: string) => h("div", { class: "empty" }, h("p", null, what), h("p", null, next));

// In the viewer's time zone, with UTC in a tooltip.
export function time(iso: string | null | undefined): Child {
	if (!iso) return "–";
	const d = new Date(iso);
	return isNaN(+d)
		? iso
		: h(
				"time",
				{ datetime: iso, title: iso },
				d.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }),
			);
}

export interface Column<T> {
	title: string;
	cell: (row: T) => Child | Child[];
	value?: (row: T) => string | number;
	class?: string;
}

// A table that sorts by its heads and is saved as CSV or JSON. `choose`: a row can be opened.
export function table<T>(name: string, columns: Column<T>[], rows: T[], choose?: (row: T) => void, none?: Node): HTMLElement {
	let by = -1,
		up = true;
	const body = h("tbody", null),
		heads = columns.map((c, i) =>
			h(
				"th",
				{ scope: "col" },
				c.value ? h("button", { type: "button", click: () => sort(i) }, c.title) : c.title,
			),
		);
	const text = (c: Column<T>, r: T) => String(c.value ? c.value(r) : h("i", null, c.cell(r)).textContent);
	function draw(list: T[]) {
		fill(
			body,
			list.map((r) =>
				h(
					"tr",
					null,
					columns.map((c, i) =>
						h(
							"td",
							{ class: c.class ?? null },
							i === 0 && choose
								? h(
										"a",
										{
											href: "#",
											click: (e: Event) => {
												e.preventDefault();
												choose(r);
											},
										},
										c.cell(r),
									)
								: c.cell(r),
						),
					),
				),
			),
		);
	}
	function sort(i: number) {
		up = by === i ? !up : true;
		by = i;
		heads.forEach((x, k) =>
			k === i ? x.setAttribute("aria-sort", up ? "ascending" : "descending") : x.removeAttribute("aria-sort"),
		);
		const v = columns[i].value!;
		draw([...rows].sort((a, b) => (v(a) < v(b) ? -1 : v(a) > v(b) ? 1 : 0) * (up ? 1 : -1)));
	}
	if (!rows.length && none) return none as HTMLElement;
	draw(rows);
	const table = () => csv([columns.map((c) => c.title), ...rows.map((r) => columns.map((c) => text(c, r)))]);
	return h(
		"div",
		null,
		h(
			"div",
			{ class: "scroll", tabindex: 0, role: "region", "aria-label": name },
			h("table", null, h("caption", { class: "skip" }, name), h("thead", null, h("tr", null, heads)), body),
		),
		h(
			"p",
			{ class: "soft" },
			`${rows.length} row${rows.length === 1 ? "" : "s"} · save as `,
			h("a", { href: "#", click: (e: Event) => save(e, `${name}.csv`, table(), "text/csv") }, "CSV"),
			" · ",
			h(
				"a",
				{
					href: "#",
					click: (e: Event) =>
						save(e, `${name}.json`, JSON.stringify(rows, null, 1), "application/json"),
				},
				"JSON",
			),
		),
	);
}

function save(e: Event, name: string, text: string, type: string) {
	e.preventDefault();
	const url = URL.createObjectURL(new Blob([text], { type })),
		a = h("a", { href: url, download: name.toLowerCase().replace(/[^a-z0-9.]+/g, "-") });
	a.click();
	setTimeout(() => URL.revokeObjectURL(url), 1000);
}

export function tabs(names: string[], current: string, choose: (name: string) => void): HTMLElement {
	const all = names.map((n) =>
		h(
			"button",
			{
				type: "button",
				role: "tab",
				"aria-selected": String(n === current),
				tabindex: n === current ? 0 : -1,
				click: () => choose(n),
			},
			n,
		),
	);
	return h(
		"div",
		{
			class: "tabs",
			role: "tablist",
			keydown: (e: KeyboardEvent) => {
				const step = e.key === "ArrowRight" ? 1 : e.key === "ArrowLeft" ? -1 : 0,
					at = all.indexOf(document.activeElement as HTMLElement);
				if (step && at >= 0) all[(at + step + all.length) % all.length].focus();
			},
		},
		all,
	);
}

// Asks, and resolves with the form's fields, or null.
export function ask(title: string, fields: Child[], verb: string): Promise<FormData | null> {
	return new Promise((done) => {
		const form = h(
			"form",
			{ method: "dialog" },
			h("h2", null, title),
			fields,
			h(
				"div",
				{ class: "end" },
				h("button", { type: "submit", value: "", formnovalidate: true }, "Cancel"),
				h("button", { type: "submit", value: "yes", class: "main" }, verb),
			),
		) as HTMLFormElement;
		const d = h("dialog", { "aria-label": title }, form) as HTMLDialogElement;
		d.addEventListener("close", () => {
			done(d.returnValue === "yes" ? new FormData(form) : null);
			d.remove();
		});
		document.body.append(d);
		d.showModal();
	});
}
export const field = (label: string, control: HTMLElement) => h("label", null, label, control);
