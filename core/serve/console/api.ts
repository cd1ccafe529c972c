// SPDX-License-Identifier: GPL-2.0-or-later
export class Failure extends Error {
	constructor(
		public status: number,
		public code: string,
		message: string,
	) {
		super(message);
	}
}

let sending = 0; // requests that change something: the page shows that they are under way
const send = (n: number) => document.body.classList.toggle("sending", (sending += n) > 0);

export async function api(path: string, method = "GET", body?: unknown, token?: string): Promise<any> {
	const headers: Record<string, string> = { "X-Whittle": "1" };
	if (body !== undefined) headers["Content-Type"] = "application/json";
	if (token) headers.Authorization = `Bearer ${token}`;
	let answer: Response;
	if (method !== "GET") send(1);
	try {
		answer = await fetch(path, {
			method,
			headers,
			body: body === undefined ? undefined : JSON.stringify(body),
			credentials: "same-origin",
		});
	} catch {
		throw new Failure(0, "Unreachable", "the server does not answer; is `whittle serve` running?");
	} finally {
		if (method !== "GET") send(-1);
	}
	const text = await answer.text();
	let doc: any = null;
	try {
		doc = text ? JSON.parse(text) : null;
	} catch {
		/* not JSON */
	}
	if (!answer.ok)
		throw new Failure(
			answer.status,
			doc?.error?.code ?? "Error",
			doc?.error?.message ?? `the server answered ${answer.status}`,
		);
	return doc;
}
export const seg = encodeURIComponent;
const unless = (path: string, fatal: (status: number) => boolean): Promise<{ doc?: any; why?: string }> =>
	api(path).then(
		(doc) => ({ doc }),
		(e) => {
			if (fatal(e.status)) throw e;
			return { why: e.message };
		},
	);
// A document that may not be there yet, with the reason as a text; a server that fails is a failure of the page.
export const maybe = (path: string) => unless(path, (status) => status !== 404);
// A part of a page, which shows the rest without it, and the reason as a text.
export const part = (path: string) => unless(path, (status) => status === 401);
