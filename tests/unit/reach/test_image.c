/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The stored model decides as the documents do, and is safe to read, whatever wrote it. */
#include <unistd.h>
#include "opened.c"
#include "whittle/estate.h"
#include "whittle/state.h"

enum { ESTATES = 150, PACKETS = 200, DAMAGED = 40 };

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

static void compare(const struct estate *all, const struct estate *read, const struct world *w, uint64_t *seed, const char *text)
{
	for (int k = 0; k < PACKETS; k++) {
		struct wh_reach_answer want, got;
		struct wh_reach_packet p;
		int from, to;
		any_packet(seed, w, &from, &to, &p);
		p.from = endpoint_of(all, from), p.to = endpoint_of(all, to);
		wh_reach_decide(all->r, &p, all->mem, &want);
		p.from = endpoint_of(read, from), p.to = endpoint_of(read, to);
		wh_reach_decide(read->r, &p, read->mem, &got);
		if (want.verdict != got.verdict || want.n != got.n)
			fail_msg("%d → %d proto %u port %u: %d, by the documents %d\n%s", from, to, p.proto, p.dport, got.verdict,
			         want.verdict, text);
		for (size_t i = 0; i < want.n; i++)
			if (want.steps[i].rule && strcmp(want.steps[i].rule->name, got.steps[i].rule->name))
				fail_msg("%s decides in the place of %s\n%s", got.steps[i].rule->name, want.steps[i].rule->name,
				         text);
	}
}

static char path[64];

static struct wh_state *open_state(void)
{
	struct wh_error err = {.text = ""};
	struct wh_state *s;
	snprintf(path, sizeof path, "/tmp/whittle-image-%d.db", (int)getpid());
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

/* The model out of the ledger. */
static void load(struct wh_state *s, struct estate *e)
{
	struct wh_error err = {.text = ""};
	*e = (struct estate){.mem = wh_arena_new()};
	if (wh_topology_load(s, &e->inv, e->mem, &e->t, &err))
		fail_msg("the model was not read: %s", err.text);
	find_endpoints(e);
}

static void the_stored_model_decides_as_the_documents_do(void **state)
{
	uint64_t sd = 0xfeedface12345678u, *seed = &sd;
	struct wh_error err = {.text = ""};
	struct wh_state *s = open_state();
	size_t noted = 0;
	(void)state;
	for (int i = 0; i < ESTATES; i++) {
		struct world w;
		world_make(&w, seed);
		char *text = world_text(&w);
		import(s, text);
		struct estate all = {.mem = wh_arena_new()}, read;
		if (wh_inventory_load(s, all.mem, &all.inv, &err))
			fail_msg("%s", err.text);
		build_estate(&all, text);
		load(s, &read);
		assert_int_equal(read.t.n_hosts, all.t.n_hosts);
		assert_int_equal(read.inv.n_notes, all.inv.n_notes);
		for (size_t k = 0; k < all.inv.n_notes; k++)
			assert_string_equal(read.inv.notes[k], all.inv.notes[k]);
		noted += all.inv.n_notes;
		compare(&all, &read, &w, seed, text);
		close_estate(&read);
		close_estate(&all);
		free(text);
	}
	assert_true(noted > 0);
	close_state(s);
}

/* Bytes changed, cut or put behind: it is read or refused, and what was read can be asked. */
static void a_damaged_model_is_refused_or_safe_to_ask(void **state)
{
	uint64_t sd = 0x0ddba11deadbeefu, *seed = &sd;
	size_t refused = 0, asked = 0;
	(void)state;
	for (int i = 0; i < 30; i++) {
		struct world w;
		struct estate o;
		uint8_t *bytes;
		size_t len;
		world_make(&w, seed);
		char *text = world_text(&w);
		open_estate(&o, text);
		assert_int_equal(wh_topology_write(&o.t, &bytes, &len), 0);
		for (int k = 0; k < DAMAGED; k++) {
			size_t n = k % 4 ? len : R((uint32_t)len);
			uint8_t *copy = malloc(n ? n : 1);
			memcpy(copy, bytes, n);
			for (unsigned j = 0; n && j <= R(3); j++)
				copy[R((uint32_t)n)] = (uint8_t)(R(2) ? R(256) : R(2) ? 255 : R(4));
			struct estate e = {.mem = wh_arena_new()};
			bool good = !wh_topology_read(copy, n, &e.inv, e.mem, &e.t);
			if (good) {
				asked++;
				find_endpoints(&e);
				wh_reach_classes(e.r);
				for (size_t a = 0; a < e.t.n_endpoints; a++)
					for (size_t b = 0; b < e.t.n_endpoints; b++)
						wh_reach_ports(e.r, wh_reach_between(e.r, a, b));
			}
			refused += !good;
			close_estate(&e);
			free(copy);
		}
		free(bytes);
		close_estate(&o);
		free(text);
	}
	assert_true(refused > 100 && asked > 100);
}

static void the_rules_of_a_group_are_read_when_they_are_asked_for(void **state)
{
	uint64_t sd = 0x1a2b3c4d5e6fu, *seed = &sd;
	struct wh_error err = {.text = ""};
	struct wh_state *s = open_state();
	size_t groups = 0;
	(void)state;
	for (int i = 0; i < 20; i++) {
		struct world w;
		world_make(&w, seed);
		char *text = world_text(&w);
		import(s, text);
		struct estate all = {.mem = wh_arena_new()}, read;
		const struct wh_topology no_groups = {.n_nsgs = 0};
		struct wh_topology twin;
		const struct wh_rule *shapes;
		if (wh_inventory_load(s, all.mem, &all.inv, &err))
			fail_msg("%s", err.text);
		build_estate(&all, text);
		load(s, &read);
		assert_true(wh_topology_with(&read.t, &no_groups, read.mem, &twin));
		assert_int_equal(read.t.n_nsgs, all.t.n_nsgs);
		for (size_t g = 0; g < read.t.n_nsgs; g++) {
			const struct wh_nsg *want = &all.t.nsgs[g];
			if (!want->n_rules)
				continue;
			groups++;
			assert_null(read.t.nsgs[g].rules);
			assert_in_range(wh_topology_shapes(&read.t, g, &shapes), 1, want->n_rules);
			const struct wh_nsg *got = wh_topology_group(&read.t, g);
			assert_int_equal(got->n_rules, want->n_rules);
			for (size_t k = 0; k < want->n_rules; k++)
				assert_string_equal(got->rules[k].name, want->rules[k].name);
			assert_true(wh_topology_shares(&read.t, &twin, g)); /* the twin's are still unread */
			assert_ptr_equal(wh_topology_group(&twin, g)->rules, got->rules);
			twin.nsgs[g].rules = want->rules;
			assert_false(wh_topology_shares(&read.t, &twin, g));
		}
		close_estate(&read);
		close_estate(&all);
		free(text);
	}
	assert_true(groups > 20);
	close_state(s);
}

static void a_tag_that_only_a_security_admin_rule_names_is_known_after_the_import(void **state)
{
#define P "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/"
	static const char *const documents[] = {
		"[{\"type\": \"Microsoft.Network/virtualNetworks\", \"id\": \"" P
		"virtualNetworks/v\", \"name\": \"v\", \"addressSpace\": {\"addressPrefixes\": [\"10.0.0.0/16\"]}, \"subnets\": []},"
		"{\"id\": \"" P
		"networkManagers/m/securityAdminConfigurations/c/ruleCollections/r/rules/a\", \"name\": \"a\", \"priority\": 10, \"access\": \"Deny\", \"direction\": \"Inbound\", \"protocol\": \"Tcp\", "
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
	struct estate read;
	load(s, &read);
	assert_true((tag = wh_service_tag_find(&read.t.service, "storage")) && tag->n == 1);
	close_estate(&read);
	close_estate(&all);
	close_estate(&e);
	close_state(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_stored_model_decides_as_the_documents_do),
		cmocka_unit_test(a_damaged_model_is_refused_or_safe_to_ask),
		cmocka_unit_test(the_rules_of_a_group_are_read_when_they_are_asked_for),
		cmocka_unit_test(a_tag_that_only_a_security_admin_rule_names_is_known_after_the_import)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
