/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Worlds opened as estates, and packets in them. Not linked by itself: the tests include it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "world.c"

/* endpoint: of each of the world's hosts; WH_NONE: it is not in this estate. */
struct estate {
	size_t endpoint[HOSTS];
	struct wh_arena *mem;
	struct wh_inventory inv;
	struct wh_topology t;
	struct wh_reach *r;
};

/* From an existing model. */
static void find_endpoints(struct estate *e)
{
	e->r = wh_reach_new(&e->t, e->mem);
	for (int i = 0; i < HOSTS; i++) {
		char name[16];
		size_t twins;
		snprintf(name, sizeof name, "H%d", i);
		size_t h = wh_topology_host(&e->t, name, &twins);
		e->endpoint[i] = twins == 1 ? e->t.hosts[h].first : WH_NONE;
	}
}

/* Of an inventory that was read already. */
static void build_estate(struct estate *e, const char *text)
{
	struct wh_error err = {.text = ""};
	if (wh_topology_build(&e->inv, e->mem, &e->t, &err))
		fail_msg("%s\n%s", err.text, text);
	find_endpoints(e);
}

static void open_estate(struct estate *e, const char *text)
{
	struct wh_error err = {.text = ""};
	*e = (struct estate){.mem = wh_arena_new()};
	e->inv = (struct wh_inventory){.mem = e->mem};
	char *copy = strdup(text);
	if (wh_inventory_add(&e->inv, "world.json", copy, strlen(copy), &err))
		fail_msg("%s\n%s", err.text, text);
	wh_inventory_join(&e->inv);
	build_estate(e, text);
}

static void close_estate(struct estate *e)
{
	wh_reach_free(e->r);
	wh_topology_free(&e->t);
	wh_inventory_free(&e->inv);
	wh_arena_free(e->mem);
}

static size_t endpoint_of(const struct estate *e, int host)
{
	return host == NONE ? WH_NONE : e->endpoint[host];
}

/* Between two hosts, or one and an address outside. */
__attribute__((unused)) static void any_packet(uint64_t *seed, const struct world *w, int *from, int *to,
                                               struct wh_reach_packet *p)
{
	static const uint8_t protos[] = {6, 6, 17, 1, 50, 47};
	*from = R(5) ? (int)R((uint32_t)w->n_hosts) : NONE;
	do
		*to = R(5) ? (int)R((uint32_t)w->n_hosts) : NONE;
	while (*to == *from);
	*p = (struct wh_reach_packet){.proto = protos[R(6)],
	                              .sport = (uint16_t)(R(2) ? R(6) * 100 : R(700)),
	                              .dport = (uint16_t)(R(2) ? R(6) * 100 + 22 * R(2) : R(700))};
	if (p->proto != 6 && p->proto != 17)
		p->sport = p->dport = 0;
	uint32_t outside = 203u << 24 | R(3) << 8 | R(5);
	p->from_addr = p->to_addr = wh_addr_v4(outside);
}
