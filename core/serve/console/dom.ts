// SPDX-License-Identifier: GPL-2.0-or-later
// Elements are made by calls, and every text is a text node: nothing that the server sends is ever parsed as HTML.
import { recall, remember, slug } from "./address";

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
export const empty = (what: string, next: string) => h("div", { class: "empty" }, h("p", null, rich(what)), h("p", null, rich(next)));

// A sentence of the server's: it begins with a capital, unless with the name of the program, and commands stand in backticks.
export const rich = (text: string): Child[] =>
	(/^whittle\b/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1))
		.split("`")
		.map((x, i) => (i % 2 ? h("code", null, x) : x))
		.filter((x) => x !== "");

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

// Tabs and the panel of the current one.
export function tabs(names: string[], current: string, choose: (name: string) => void, body: Child | Child[]): HTMLElement {
	const all = names.map((n) =>
		h(
			"button",
			{
				type: "button",
				role: "tab",
				id: n === current ? "tab" : null,
				"aria-selected": String(n === current),
				"aria-controls": n === current ? "panel" : null,
				tabindex: n === current ? 0 : -1,
				click: () => choose(n),
			},
			n,
		),
	);
	const keydown = (e: KeyboardEvent) => {
		const step = e.key === "ArrowRight" ? 1 : e.key === "ArrowLeft" ? -1 : 0,
			at = all.indexOf(document.activeElement as HTMLElement);
		if (step && at >= 0) all[(at + step + all.length) % all.length].focus();
	};
	return h(
		"div",
		null,
		h("div", { class: "tabs", role: "tablist", keydown }, all),
		h("div", { id: "panel", role: "tabpanel", "aria-labelledby": "tab" }, body),
	);
}

// A section that opens; whether it is open is in the address.
export function section(name: string, attributes: Attributes, summary: Child | Child[], ...body: (Child | Child[])[]): HTMLElement {
	const key = `open.${slug(name)}`,
		d = h(
			"details",
			{ ...attributes, open: recall(key) === "1" },
			h("summary", null, summary),
			...body,
		) as HTMLDetailsElement;
	d.addEventListener("toggle", () => {
		if (d.isConnected && d.open !== (recall(key) === "1")) remember(key, d.open ? "1" : "");
	});
	return d;
}

// A button with a list of actions: Esc and a click elsewhere close it.
export function menu(label: string, items: [string, () => void][]): HTMLElement {
	const list = h("div", { class: "menu", popover: "auto" }),
		button = h(
			"button",
			{
				type: "button",
				"aria-label": label,
				"aria-haspopup": "true",
				"aria-expanded": "false",
				click: () => (list as any).togglePopover(),
			},
			"⋯",
		);
	const all = items.map(([text, act]) =>
		h(
			"button",
			{
				type: "button",
				click: () => {
					(list as any).hidePopover();
					act();
				},
			},
			text,
		),
	);
	fill(list, all);
	list.addEventListener("toggle", (e: any) => {
		const open = e.newState === "open",
			r = button.getBoundingClientRect();
		button.setAttribute("aria-expanded", String(open));
		if (!open) return;
		list.style.left = `${Math.max(8, Math.min(r.left, innerWidth - list.offsetWidth - 8))}px`;
		list.style.top = `${Math.max(8, Math.min(r.bottom + 4, innerHeight - list.offsetHeight - 8))}px`;
		all[0].focus();
	});
	list.addEventListener("keydown", (e: KeyboardEvent) => {
		const step = e.key === "ArrowDown" ? 1 : e.key === "ArrowUp" ? -1 : 0;
		if (!step) return;
		e.preventDefault();
		all[(all.indexOf(document.activeElement as HTMLElement) + step + all.length) % all.length].focus();
	});
	return h("span", null, button, list);
}

// The pane of what is chosen on a page: Esc and its button close it. `hint` stands there while nothing is chosen.
export function pane(label: string, hint: string, closed: () => void) {
	const element = h("aside", { "aria-label": label, "aria-live": "polite" });
	let from: HTMLElement | null = null;
	const hide = () => fill(element, h("div", { class: "card soft" }, hint));
	const close = () => {
		hide();
		closed();
		if (from?.isConnected) from.focus();
	};
	const key = (e: KeyboardEvent): void => {
		if (!element.isConnected) return removeEventListener("keydown", key);
		if (e.key !== "Escape" || !element.querySelector(".close") || document.querySelector("dialog[open], :popover-open"))
			return;
		close();
	};
	hide();
	return {
		element,
		close,
		focus() {
			const title = element.querySelector("h2");
			title?.setAttribute("tabindex", "-1");
			title?.focus();
		},
		show(body: Child | Child[], opener?: HTMLElement) {
			from = opener ?? null;
			fill(
				element,
				h(
					"div",
					{ class: "card" },
					h("button", { type: "button", class: "close", "aria-label": "Close", title: "Close (Esc)", click: close }, "×"),
					body,
				),
			);
			addEventListener("keydown", key);
			if (opener) element.scrollIntoView({ block: "nearest" });
		},
	};
}

// Asks, and resolves with the form's fields, or null. `send` does what was asked for while the form is open: it is closed once that
// is done, and else has the reason below the fields, which keep what was typed.
export function ask(title: string, fields: Child[], verb: string, send?: (f: FormData) => Promise<unknown>): Promise<FormData | null> {
	return new Promise((done) => {
		const act = h("button", { type: "submit", value: "yes", class: "main" }, verb) as HTMLButtonElement,
			said = h("p", { role: "alert" });
		const sent = async (e: Event) => {
			e.preventDefault();
			if (act.disabled) return;
			act.disabled = true;
			fill(said);
			try {
				await send!(new FormData(form));
				d.close("yes");
			} catch (x) {
				act.disabled = false;
				if ((x as { status?: number }).status === 401) {
					d.close("");
					dispatchEvent(new HashChangeEvent("hashchange")); // the page asks to sign in
					return;
				}
				said.className = "notice bad";
				fill(said, rich((x as Error).message));
				act.focus();
			}
		};
		const form = h(
			"form",
			{ method: "dialog", submit: send ? sent : null },
			h("h2", null, title),
			fields,
			said,
			h(
				"div",
				{ class: "end" },
				h("button", { type: "button", click: () => act.disabled || d.close("") }, "Cancel"), // no submit button: Enter is the verb
				act,
			),
		) as HTMLFormElement;
		const d: HTMLDialogElement = h("dialog", { "aria-label": title }, form) as HTMLDialogElement;
		d.addEventListener("close", () => {
			done(d.returnValue === "yes" ? new FormData(form) : null);
			d.remove();
		});
		d.addEventListener("cancel", (e) => act.disabled && e.preventDefault()); // what is under way ends first
		document.body.append(d);
		d.showModal();
	});
}
// Says what went wrong, with one button.
export function tell(title: string, text: string): Promise<void> {
	return new Promise((done) => {
		const d = h(
			"dialog",
			{ "aria-label": title, close: () => (d.remove(), done()) },
			h(
				"form",
				{ method: "dialog" },
				h("h2", null, title),
				h("p", { role: "alert" }, rich(text)),
				h("div", { class: "end" }, h("button", { type: "submit", class: "main" }, "Close")),
			),
		) as HTMLDialogElement;
		document.body.append(d);
		d.showModal();
	});
}
export const failed = (title: string) => (e: unknown) => tell(title, (e as Error).message);
export const field = (label: string, control: HTMLElement) => h("label", null, label, control);

// Filters above a list: each hands its name and new value on.
type Filtered = (more: Record<string, string>) => void;
export type Choices = [value: string, text: string][];
export const choice = (label: string, name: string, now: string, all: Choices, go: Filtered) =>
	field(
		label,
		h(
			"select",
			{ change: (e: any) => go({ [name]: e.target.value }) },
			all.map(([value, text]) => h("option", { value, selected: value === now }, text)),
		),
	);
export const search = (label: string, name: string, now: string, go: Filtered) =>
	field(label, h("input", { type: "search", value: now, change: (e: any) => go({ [name]: e.target.value }) }));
