/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the ledger gives for a question about two ends decides as all of the estate does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "whittle/estate.h"
#include "whittle/state.h"
#include "world.c"

enum { ESTATES = 150, PAIRS = 6, PACKETS = 60 };

struct opened { struct wh_arena *mem; struct wh_inventory inv; struct wh_topology t; struct wh_reach *r; int rc; };

static void finish(struct opened *o)
{
	struct wh_error err = {.text = ""};
	if (o->rc < 0 || (!o->rc && wh_topology_build(&o->inv, o->mem, &o->t, &err)))
		fail_msg("%d %s", o->rc, err.text);
	if (!o->rc)
		o->r = wh_reach_new(&o->t, o->mem);
}

static void drop(struct opened *o)
{
	wh_reach_free(o->r);
	wh_topology_free(&o->t);
	wh_inventory_free(&o->inv);
	wh_arena_free(o->mem);
}

static size_t endpoint(const struct opened *o, int host)
{
	char name[16];
	size_t twins;
	snprintf(name, sizeof name, "h%d", host);
	size_t h = host == NONE ? WH_NONE : wh_topology_host(&o->t, name, &twins);
	return h == WH_NONE ? WH_NONE : o->t.hosts[h].first;
}

static void any_packet(uint64_t *seed, const struct world *w, int *from, int *to, struct wh_reach_packet *p)
{
	static const uint8_t protos[] = {6, 6, 17, 1, 50, 47};
	*from = R(5) ? (int)R((uint32_t)w->n_hosts) : NONE;
	do
		*to = R(5) ? (int)R((uint32_t)w->n_hosts) : NONE;
	while (*to == *from);
	*p = (struct wh_reach_packet){.proto = protos[R(6)], .sport = (uint16_t)(R(2) ? R(6) * 100 : R(700)), .dport = (uint16_t)(R(2) ? R(6) * 100 + 22 * R(2) : R(700))};
	if (p->proto != 6 && p->proto != 17)
		p->sport = p->dport = 0;
	uint32_t outside = 203u << 24 | R(3) << 8 | R(5);
	p->from_addr = p->to_addr = wh_addr_v4(outside);
}

/* Imports a world, as the command does. */
static void import(struct wh_state *s, const char *text)
{
	struct wh_error err = {.text = ""};
	struct wh_estate_summary sum;
	struct opened o = {.mem = wh_arena_new()};
	char *copy = strdup(text);
	o.inv = (struct wh_inventory){.mem = o.mem};
	o.rc = wh_inventory_add(&o.inv, "world.json", copy, strlen(copy), &err);
	wh_inventory_join(&o.inv);
	finish(&o);
	if (wh_inventory_store(s, &o.t, &sum, &err))
		fail_msg("%s", err.text);
	free(sum.note_texts);
	drop(&o);
}

static void compare(struct wh_state *s, const struct opened *all, const struct world *w, uint64_t *seed, const char *text)
{
	struct wh_error err = {.text = ""};
	struct wh_reach_packet p;
	int from, to;
	char names[2][WH_ADDR_STRLEN];
	any_packet(seed, w, &from, &to, &p);
	struct opened near = {.mem = wh_arena_new()};
	for (int k = 0; k < 2; k++) {
		int host = k ? to : from;
		if (host == NONE)
			strcpy(names[k], R(2) ? "Internet" : "203.0.0.1");
		else if (R(3))
			snprintf(names[k], sizeof names[k], "H%d", host);
		else
			wh_addr_text(&all->t.endpoints[endpoint(all, host)].addr, names[k]);
	}
	near.rc = wh_inventory_load_near(s, (const char *const[]){names[0], names[1]}, 2, near.mem, &near.inv, &err);
	assert_int_equal(near.rc, 0);
	finish(&near);
	assert_true(near.t.n_hosts <= all->t.n_hosts);
	for (int k = 0; k < PACKETS; k++) {
		struct wh_reach_answer want, got;
		int other_from, other_to;
		any_packet(seed, w, &other_from, &other_to, &p);
		p.from = endpoint(all, from), p.to = endpoint(all, to);
		wh_reach_decide(all->r, &p, all->mem, &want);
		p.from = endpoint(&near, from), p.to = endpoint(&near, to);
		assert_int_equal(p.from == WH_NONE, from == NONE);
		wh_reach_decide(near.r, &p, near.mem, &got);
		if (want.verdict != got.verdict)
			fail_msg("%s → %s proto %u port %u: %d, with all %d\n%s", names[0], names[1], p.proto, p.dport, got.verdict, want.verdict, text);
	}
	drop(&near);
}

static void what_is_near_two_ends_decides_as_all_of_the_estate_does(void **state)
{
	uint64_t sd = 0xfeedface12345678u, *seed = &sd;
	char path[64];
	struct wh_error err = {.text = ""};
	struct wh_state *s;
	(void)state;
	snprintf(path, sizeof path, "/tmp/whittle-near-%d.db", (int)getpid());
	if (wh_state_open(path, WH_STATE_CREATE, &s, &err))
		fail_msg("%s", err.text);
	for (int i = 0; i < ESTATES; i++) {
		struct world w;
		world_make(&w, seed);
		char *text = world_text(&w);
		import(s, text);
		struct opened all = {.mem = wh_arena_new()};
		all.rc = wh_inventory_load(s, all.mem, &all.inv, &err);
		finish(&all);
		for (int k = 0; k < PAIRS; k++)
			compare(s, &all, &w, seed, text);
		drop(&all);
		free(text);
	}
	struct opened none = {.mem = wh_arena_new()};
	assert_int_equal(wh_inventory_load_near(s, (const char *const[]){"H0", "10.0.0.0/8"}, 2, none.mem, &none.inv, &err), 1);
	drop(&none);
	none = (struct opened){.mem = wh_arena_new()};
	assert_int_equal(wh_inventory_load_near(s, (const char *const[]){"nobody"}, 1, none.mem, &none.inv, &err), 1);
	drop(&none);
	wh_state_close(s);
	for (const char *const *suffix = (const char *const[]){"", "-wal", "-shm", NULL}; *suffix; suffix++) {
		char file[80];
		snprintf(file, sizeof file, "%s%s", path, *suffix);
		unlink(file);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_near_two_ends_decides_as_all_of_the_estate_does)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
