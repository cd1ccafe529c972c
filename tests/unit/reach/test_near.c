/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the ledger gives for a question about two ends decides as all of the estate does. */
#include <unistd.h>
#include "opened.c"
#include "whittle/estate.h"
#include "whittle/state.h"

enum { ESTATES = 150, PAIRS = 6, PACKETS = 60 };

/* Imports a world, as the command does. */
static void import(struct wh_state *s, const char *text)
{
	struct wh_error err = {.text = ""};
	struct wh_estate_summary sum;
	struct estate o;
	open_estate(&o, text);
	if (wh_inventory_store(s, &o.t, &sum, &err))
		fail_msg("%s", err.text);
	free(sum.note_texts);
	close_estate(&o);
}

static void compare(struct wh_state *s, const struct estate *all, const struct world *w, uint64_t *seed, const char *text)
{
	struct wh_error err = {.text = ""};
	struct wh_reach_packet p;
	int from, to;
	char names[2][WH_ADDR_STRLEN];
	any_packet(seed, w, &from, &to, &p);
	struct estate near = {.mem = wh_arena_new()};
	for (int k = 0; k < 2; k++) {
		int host = k ? to : from;
		if (host == NONE)
			strcpy(names[k], R(2) ? "Internet" : "203.0.0.1");
		else if (R(3))
			snprintf(names[k], sizeof names[k], "H%d", host);
		else
			wh_addr_text(&all->t.endpoints[endpoint_of(all, host)].addr, names[k]);
	}
	if (wh_inventory_load_near(s, (const char *const[]){names[0], names[1]}, 2, near.mem, &near.inv, &err))
		fail_msg("%s", err.text);
	build_estate(&near, text);
	assert_true(near.t.n_hosts <= all->t.n_hosts);
	for (int k = 0; k < PACKETS; k++) {
		struct wh_reach_answer want, got;
		int other_from, other_to;
		any_packet(seed, w, &other_from, &other_to, &p);
		p.from = endpoint_of(all, from), p.to = endpoint_of(all, to);
		wh_reach_decide(all->r, &p, all->mem, &want);
		p.from = endpoint_of(&near, from), p.to = endpoint_of(&near, to);
		assert_int_equal(p.from == WH_NONE, from == NONE);
		wh_reach_decide(near.r, &p, near.mem, &got);
		if (want.verdict != got.verdict)
			fail_msg("%s → %s proto %u port %u: %d, with all %d\n%s", names[0], names[1], p.proto, p.dport, got.verdict, want.verdict, text);
	}
	close_estate(&near);
}

static char path[64];

static struct wh_state *open_state(void)
{
	struct wh_error err = {.text = ""};
	struct wh_state *s;
	snprintf(path, sizeof path, "/tmp/whittle-near-%d.db", (int)getpid());
	if (wh_state_open(path, WH_STATE_CREATE, &s, &err))
		fail_msg("%s", err.text);
	return s;
}

static void close_state(struct wh_state *s)
{
	wh_state_close(s);
	for (const char *const *suffix = (const char *const[]){"", "-wal", "-shm", NULL}; *suffix; suffix++) {
		char file[80];
		snprintf(file, sizeof file, "%s%s", path, *suffix);
		unlink(file);
	}
}

static void what_is_near_two_ends_decides_as_all_of_the_estate_does(void **state)
{
	uint64_t sd = 0xfeedface12345678u, *seed = &sd;
	struct wh_error err = {.text = ""};
	struct wh_state *s = open_state();
	(void)state;
	for (int i = 0; i < ESTATES; i++) {
		struct world w;
		world_make(&w, seed);
		char *text = world_text(&w);
		import(s, text);
		struct estate all = {.mem = wh_arena_new()};
		if (wh_inventory_load(s, all.mem, &all.inv, &err))
			fail_msg("%s", err.text);
		build_estate(&all, text);
		for (int k = 0; k < PAIRS; k++)
			compare(s, &all, &w, seed, text);
		close_estate(&all);
		free(text);
	}
	struct estate none = {.mem = wh_arena_new()};
	assert_int_equal(wh_inventory_load_near(s, (const char *const[]){"H0", "10.0.0.0/8"}, 2, none.mem, &none.inv, &err), 1);
	close_estate(&none);
	none = (struct estate){.mem = wh_arena_new()};
	assert_int_equal(wh_inventory_load_near(s, (const char *const[]){"nobody"}, 1, none.mem, &none.inv, &err), 1);
	close_estate(&none);
	close_state(s);
}

static void a_tag_that_only_a_security_admin_rule_names_is_known_after_the_import(void **state)
{
#define P "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/"
	static const char *const documents[] = {
		"[{\"type\": \"Microsoft.Network/virtualNetworks\", \"id\": \"" P "virtualNetworks/v\", \"name\": \"v\", \"addressSpace\": {\"addressPrefixes\": [\"10.0.0.0/16\"]}, \"subnets\": []},"
		"{\"id\": \"" P "networkManagers/m/securityAdminConfigurations/c/ruleCollections/r/rules/a\", \"name\": \"a\", \"priority\": 10, \"access\": \"Deny\", \"direction\": \"Inbound\", \"protocol\": \"Tcp\", "
		"\"sources\": [{\"addressPrefix\": \"Storage\", \"addressPrefixType\": \"ServiceTag\"}], \"destinations\": [{\"addressPrefix\": \"*\", \"addressPrefixType\": \"IPPrefix\"}], "
		"\"sourcePortRanges\": [\"0-65535\"], \"destinationPortRanges\": [\"443\"]}]",
		"{\"changeNumber\": 7, \"cloud\": \"Public\", \"values\": [{\"name\": \"Storage\", \"properties\": {\"addressPrefixes\": [\"192.0.2.0/24\"]}}, {\"name\": \"Sql\", \"properties\": {\"addressPrefixes\": [\"192.0.2.0/24\"]}}]}"};
#undef P
	struct wh_error err = {.text = ""};
	struct wh_state *s = open_state();
	struct wh_estate_summary sum;
	struct estate e = {.mem = wh_arena_new()}, all = {.mem = wh_arena_new()};
	(void)state;
	e.inv = (struct wh_inventory){.mem = e.mem};
	for (size_t i = 0; i < 2; i++) {
		char *copy = strdup(documents[i]);
		if (wh_inventory_add(&e.inv, i ? "tags.json" : "net.json", copy, strlen(copy), &err))
			fail_msg("%s", err.text);
	}
	wh_inventory_join(&e.inv);
	build_estate(&e, documents[0]);
	assert_int_equal(e.t.n_admin, 1);
	if (wh_inventory_store(s, &e.t, &sum, &err) || wh_inventory_load(s, all.mem, &all.inv, &err))
		fail_msg("%s", err.text);
	const struct wh_service_tag *tag = wh_service_tag_find(&all.inv.service, "storage");
	assert_true(tag && tag->n == 1);
	assert_null(wh_service_tag_find(&all.inv.service, "Sql")); /* no rule names it */
	free(sum.note_texts);
	close_estate(&all);
	close_estate(&e);
	close_state(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_near_two_ends_decides_as_all_of_the_estate_does), cmocka_unit_test(a_tag_that_only_a_security_admin_rule_names_is_known_after_the_import)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
