/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any network security group with openings just in time allows no peer that it did not allow without our rules, and no peer on
 * a port of the policy except the openings. Written again it stays as it is. After the time nothing of the openings is left.
 */
#include <stdlib.h>
#include <string.h>
#include "whittle/jit.h"

static void need(bool ok)
{
	if (!ok)
		abort();
}

enum { MAX_RULES = 24, PORT = 22 };

static struct wh_ranges allowed(const struct wh_nsg *n, const struct wh_addr *local, struct wh_arena *mem, bool *unknown)
{
	const struct wh_nsg *list[] = {n};
	struct wh_ranges r;
	wh_policy_allowed(list, 1, NULL, &(struct wh_nsg_question){WH_INBOUND, WH_PROTO_TCP, local, PORT}, mem, &r, unknown);
	return r;
}

static struct wh_nsg *reread(json_t *doc, struct wh_arena *mem, size_t *n)
{
	struct wh_error err = {0};
	struct wh_nsg *out = NULL;
	char *text = json_dumps(doc, JSON_COMPACT);
	need(text && !wh_nsg_parse("out", text, strlen(text), mem, &out, n, &err) && *n == 1);
	free(text);
	return out;
}

static size_t ours(const struct wh_nsg *n, bool allow)
{
	size_t k = 0;
	for (size_t i = 0; i < n->n_rules; i++)
		k += !strncasecmp(n->rules[i].name, "whittle-jit-", 12) && n->rules[i].allow == allow;
	return k;
}

static void check(const struct wh_nsg *n, struct wh_arena *mem)
{
	struct wh_addr local = wh_addr_v4(0x0a000004), from = wh_addr_v4(0xcb007107);
	const struct wh_nsg *list[] = {n};
	struct wh_resource res = {.name = "vm1", .addrs = &local, .n_addrs = 1, .nsgs = list, .n_nsgs = 1};
	struct wh_nsg one = *n;
	struct wh_estate e = {.resources = &res, .n_resources = 1, .nsgs = &one, .n_nsgs = 1};
	struct wh_jit_port port = {.proto = WH_PROTO_TCP, .port = PORT};
	struct wh_jit_policy policy = {.resource = "vm1", .ports = &port, .n_ports = 1, .longest_s = 3600};
	struct wh_jit_config c = {.policies = &policy, .n_policies = 1};
	struct wh_jit_grant g = {.id = "7",
	                         .resource = "vm1",
	                         .proto = WH_PROTO_TCP,
	                         .port = PORT,
	                         .from = wh_prefix_of(&from, 128),
	                         .opened_us = 1,
	                         .expires_us = 1000,
	                         .who = "ada",
	                         .why = "a look",
	                         .nsg = true};
	json_t *closed = NULL, *open = NULL, *again = NULL;
	struct wh_error err = {0};
	char *notes = NULL;
	size_t k;
	bool unknown, unknown_after;
	list[0] = &one;
	if (wh_jit_nsg(&(struct wh_jit_openings){&c, &e, &g, 1, 2000}, &one, mem, &closed, &notes, &err)) { /* its time is up */
		need(err.text[0] != 0);
		free(notes);
		return;
	}
	free(notes);
	notes = NULL;
	struct wh_nsg *shut = reread(closed, mem, &k);
	need(ours(shut, true) == 0 && ours(shut, false) == 1);
	need(allowed(shut, &local, mem, &unknown).n == 0);
	if (!wh_jit_nsg(&(struct wh_jit_openings){&c, &e, &g, 1, 500}, &one, mem, &open, &notes, &err)) {
		struct wh_nsg *now = reread(open, mem, &k);
		struct wh_ranges in = allowed(now, &local, mem, &unknown_after), own = wh_ranges_from_prefixes(&g.from, 1, mem);
		need(ours(now, true) == 1 && ours(now, false) == 1);
		need(!wh_ranges_minus(in, own, mem).n && (unknown_after || wh_ranges_has(in, &from)));
		/* written upon what was written: the same */
		struct wh_nsg written = *now;
		e.nsgs = &written;
		list[0] = &written;
		free(notes);
		notes = NULL;
		need(!wh_jit_nsg(&(struct wh_jit_openings){&c, &e, &g, 1, 500}, &written, mem, &again, &notes, &err) &&
		     json_equal(open, again));
		json_decref(again);
		wh_nsgs_free(now, 1);
	}
	free(notes);
	json_decref(open);
	json_decref(closed);
	wh_nsgs_free(shut, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_error err = {0};
	struct wh_nsg *nsgs;
	size_t n;
	if (!wh_nsg_parse("f", (const char *)data, size, mem, &nsgs, &n, &err)) {
		if (nsgs[0].n_rules <= MAX_RULES)
			check(&nsgs[0], mem);
		wh_nsgs_free(nsgs, n);
	}
	wh_arena_free(mem);
	return 0;
}
