/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever the bytes, the reader of network security groups ends in a sentence that names the file, or in groups that can be trusted:
 * rules in order, priorities unique, evaluation by ranges and by packet the same, and a deny of one port merged in exactly.
 */
#include <stdlib.h>
#include <string.h>
#include "whittle/render.h"

enum { MAX_RULES = 24 };

static void need(bool ok)
{
	if (!ok)
		abort();
}

static void check_rules(const struct wh_nsg *n)
{
	for (size_t i = 0; i < n->n_rules; i++) {
		const struct wh_rule *r = &n->rules[i];
		need(r->name && r->priority >= 100 && r->n_dst_ports && r->n_src_ports && (r->is_default ? r->index < 0 : r->priority <= 4096));
		for (size_t k = 0; k < r->n_dst_ports; k++)
			need(r->dst_ports[k].from <= r->dst_ports[k].to);
		if (i && n->rules[i - 1].direction == r->direction)
			need(n->rules[i - 1].priority < r->priority);
	}
}

static const char *const peers[] = {"1.2.3.4", "10.0.0.9", "168.63.129.16", "140.20.30.9", "2001:db8::1", "fe80::1"};

static void check_decisions(const struct wh_nsg *n, uint16_t port, struct wh_arena *mem)
{
	static const char *const own = "10.0.0.4";
	const struct wh_nsg *list[] = {n};
	struct wh_addr local, peer;
	struct wh_ranges r;
	bool unknown;
	wh_addr_parse(own, strlen(own), &local);
	for (int d = 0; d < 2; d++) {
		wh_policy_allowed(list, 1, NULL, &(struct wh_nsg_question){(enum wh_direction)d, WH_PROTO_TCP, &local, port}, mem, &r, &unknown);
		for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
			wh_addr_parse(peers[i], strlen(peers[i]), &peer);
			struct wh_port_range *from;
			size_t classes = wh_source_ports(list, 1, (enum wh_direction)d, WH_PROTO_TCP, port, mem, &from);
			bool passes = false;
			for (size_t c = 0; c < classes; c++) {
				struct wh_nsg seen = wh_nsg_from_port(n, from[c].from, mem);
				const struct wh_rule *rule = wh_nsg_decide(&seen, NULL, (enum wh_direction)d, WH_PROTO_TCP, &local, port, &peer);
				need(rule != NULL);
				passes |= rule->allow;
			}
			need(unknown || wh_ranges_has(r, &peer) == passes);
		}
	}
}

static void check_merge(const struct wh_nsg *n, uint16_t port)
{
	const struct wh_nsg *list[] = {n};
	struct wh_addr local = wh_addr_v4(0x0a000004);
	struct wh_resource res = {.name = "vm1", .addrs = &local, .n_addrs = 1, .nsgs = list, .n_nsgs = 1};
	struct wh_recommended_rule rule = {.name = "n", .proto = WH_PROTO_TCP, .port = port, .system_generated = true};
	struct wh_resource_result result = {.resource = &res, .rules = &rule, .n_rules = 1};
	struct wh_recommendation rec = {.resources = &result, .n_resources = 1};
	struct wh_nsg one = *n;
	struct wh_estate e = {.resources = &res, .n_resources = 1, .nsgs = &one, .n_nsgs = 1};
	struct wh_error err;
	char *out = NULL;
	list[0] = &one;
	int rc = wh_renderer_find("nsg")->render(&rec, &e, NULL, &out, &err);
	need(rc == 0 || rc == -ENOSPC || rc == -E2BIG || rc == -EBUSY); /* never a merge that decides otherwise */
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_error err = {0};
	struct wh_nsg *nsgs;
	size_t n;
	int rc = wh_nsg_parse("f", (const char *)data, size, mem, &nsgs, &n, &err);
	if (rc) {
		need(err.text[0] == 'f' && (err.input || rc == -ENOMEM));
	} else {
		need(n > 0);
		for (size_t i = 0; i < n; i++)
			check_rules(&nsgs[i]);
		if (nsgs[0].n_rules <= MAX_RULES) {
			uint16_t port = nsgs[0].rules[0].dst_ports[0].from;
			check_decisions(&nsgs[0], port, mem);
			check_merge(&nsgs[0], port);
		}
		wh_nsgs_free(nsgs, n);
	}
	wh_arena_free(mem);
	return 0;
}
