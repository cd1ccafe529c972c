// SPDX-License-Identifier: GPL-2.0-or-later
// A page's state is its address: #/page/word?name=value. Parts of a page, such as a table's order and an opened section, keep
// theirs in names that begin with "sort." or "open.": they stay while the page's own state changes.
const part = /^(sort|open)\./;
const now = (): [string, URLSearchParams] => {
	const [path, q] = location.hash.split("?");
	return [path, new URLSearchParams(q ?? "")];
};

export const address = (words: string[], query: Record<string, string> = {}) => {
	const path = `#/${words.map(encodeURIComponent).join("/")}`,
		[here, before] = now(),
		kept = here === path ? [...before].filter(([name]) => part.test(name)) : [],
		all = new URLSearchParams([...Object.entries(query).filter(([, v]) => v), ...kept]).toString();
	return path + (all ? `?${all}` : "");
};

// The words and the state that the address has.
export const here = (): { words: string[]; query: URLSearchParams } => {
	const [path, query] = now();
	return {
		words: path
			.replace(/^#\/?/, "")
			.split("/")
			.filter(Boolean)
			.map((w) => {
				try {
					return decodeURIComponent(w);
				} catch {
					return w; // an address that somebody typed
				}
			}),
		query,
	};
};

export const slug = (text: string) => text.toLowerCase().replace(/[^a-z0-9.]+/g, "-");
export const recall = (name: string) => now()[1].get(name);
// Writes one name into the address, without another entry of the history; "": removes it.
export function remember(name: string, value: string) {
	const [path, query] = now();
	if (value) query.set(name, value);
	else query.delete(name);
	const all = query.toString();
	history.replaceState(null, "", (path || "#/overview") + (all ? `?${all}` : ""));
}
