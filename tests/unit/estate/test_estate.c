/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "whittle/estate.h"

static char dir[64];

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/whittle-estate-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[100];
	(void)state;
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command);
}

static const char *in_dir(const char *name)
{
	static char path[2][128];
	static int turn;
	turn = !turn;
	snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
	return path[turn];
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static struct wh_ledger open_ledger(const char *name)
{
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	if (wh_ledger_open(in_dir(name), WH_STATE_CREATE, &ledger, &err))
		fail_msg("%s", err.text);
	return ledger;
}

static struct wh_error import(struct wh_state *s, const char *yaml, struct wh_estate_summary *sum)
{
	struct wh_error err = {.text = ""};
	put("estate.yaml", yaml);
	if (wh_estate_import(s, in_dir("estate.yaml"), sum, &err) == 0)
		err.text[0] = 0;
	return err;
}

#define GROUP(name, src)                                                                                                                \
	"{\"name\":\"" name                                                                                                             \
	"\",\"securityRules\":[{\"name\":\"ssh\",\"priority\":300,\"access\":\"Allow\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\"," \
	"\"sourcePortRange\":\"*\",\"sourceAddressPrefix\":\"" src                                                                      \
	"\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22\"}]}"

static void an_imported_estate_is_loaded(void **state)
{
	(void)state;
	struct wh_ledger ledger = open_ledger("a.db");
	struct wh_arena *mem = wh_arena_new();
	struct wh_estate_summary sum;
	struct wh_estate *e;
	struct wh_error err;
	put("web.json", GROUP("web", "140.20.30.10/24"));
	put("all.json", "[" GROUP("one", "1.0.0.0/8") "," GROUP("two", "2.0.0.0/8") "]");
	err = import(
		ledger.state,
		"resources:\n"
		"  - name: vm2\n    addresses: [10.0.0.5]\n    nsg-scope: subnet\n    nsgs: [all.json#two, web.json]\n"
		"  - {name: vm1, id: /subscriptions/S/vm1, addresses: [10.0.0.4, '2001:db8::4'], internet-facing: true, nsgs: [web.json, all.json]}\n"
		"vnets: [10.0.0.0/16]\n",
		&sum);
	assert_string_equal(err.text, "");
	assert_int_equal(sum.resources, 2);
	assert_int_equal(sum.addresses, 3);
	assert_int_equal(sum.nsgs, 3);
	assert_non_null(strstr(sum.note_texts, "140.20.30.10/24 read as 140.20.30.0/24"));
	assert_non_null(strstr(sum.note_texts, "all.json holds 2 groups"));
	free(sum.note_texts);
	assert_int_equal(wh_estate_load(&ledger, mem, &e, &err), 0);
	assert_true(e->imported);
	assert_int_equal(e->n_vnets, 1);
	assert_string_equal(e->resources[0].name, "vm1");
	assert_int_equal(e->resources[0].n_nsgs, 3);
	assert_true(e->resources[0].internet_facing);
	assert_int_equal(e->resources[1].n_nsgs, 2);
	assert_int_equal(e->resources[0].nsg_scope, WH_NSG_SCOPE_UNSET);
	assert_int_equal(e->resources[1].nsg_scope, WH_NSG_SUBNET);
	assert_string_equal(e->resources[1].nsgs[0]->name, "two");
	assert_ptr_equal(wh_estate_find(e, "/SUBSCRIPTIONS/s/vm1"), &e->resources[0]);
	assert_ptr_equal(wh_estate_find(e, "2001:db8:0::4"), &e->resources[0]);
	assert_null(wh_estate_find(e, "vm3"));
	wh_estate_free(e);
	wh_arena_free(mem);
	wh_ledger_close(&ledger);
}

/* Without rules: the same resources with the same groups, and whole groups only where a rule is kept until a day. */
static void an_estate_without_rules_has_its_groups_and_what_they_keep(void **state)
{
	(void)state;
	struct wh_ledger ledger = open_ledger("short.db");
	struct wh_arena *mem = wh_arena_new();
	struct wh_estate_summary sum;
	struct wh_estate *whole, *e;
	struct wh_kept *kept;
	struct wh_error err;
	static const char keeps[] =
		"{\"name\":\"keeps\",\"securityRules\":["
		"{\"name\":\"ssh\",\"priority\":300,\"access\":\"Allow\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\","
		"\"sourcePortRange\":\"*\",\"sourceAddressPrefix\":\"*\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22\"},"
		"{\"name\":\"d\",\"priority\":299,\"access\":\"Deny\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\",\"description\":"
		"\"System %s by whittle, keeps ssh until 2027-01-31\",\"sourcePortRange\":\"*\",\"sourceAddressPrefix\":\"*\","
		"\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22\"}]}";
	char text[2][1200];
	snprintf(text[0], sizeof text[0], keeps, "Generated");
	snprintf(text[1], sizeof text[1], keeps, "\\u0047enerated"); /* the same in another spelling */
	put("plain.json", GROUP("plain\",\"type\":\"Microsoft.Network/networkSecurityGroups", "1.0.0.0/8"));
	put("many.json", "[" GROUP("one", "1.0.0.0/8") "," GROUP("two", "2.0.0.0/8") "]");
	put("keeps.json", text[0]);
	put("hides.json", text[1]);
	err = import(ledger.state,
	             "resources:\n"
	             "  - {name: vm1, addresses: [10.0.0.4], nsgs: [plain.json, many.json#two]}\n"
	             "  - {name: vm2, addresses: [10.0.0.5], nsgs: [keeps.json, hides.json]}\n",
	             &sum);
	assert_string_equal(err.text, "");
	free(sum.note_texts);
	assert_int_equal(wh_estate_load(&ledger, mem, &whole, &err), 0);
	assert_int_equal(wh_estate_load_without_rules(&ledger, mem, &e, &err), 0);
	assert_int_equal(e->n_nsgs, whole->n_nsgs);
	for (size_t i = 0; i < e->n_resources; i++) {
		assert_string_equal(e->resources[i].name, whole->resources[i].name);
		assert_int_equal(e->resources[i].n_nsgs, whole->resources[i].n_nsgs);
		for (size_t k = 0; k < e->resources[i].n_nsgs; k++) {
			assert_string_equal(e->resources[i].nsgs[k]->name, whole->resources[i].nsgs[k]->name);
			assert_int_equal(wh_nsg_kept(e->resources[i].nsgs[k], mem, &kept), i);
		}
	}
	assert_true(e->resources[0].nsgs[0]->n_rules < whole->resources[0].nsgs[0]->n_rules);
	wh_estate_free(whole);
	wh_estate_free(e);
	wh_arena_free(mem);
	wh_ledger_close(&ledger);
}

static void bad_input_names_its_line_and_changes_nothing(void **state)
{
	(void)state;
	static const struct { const char *yaml, *words;
	} rows[] = {
		{"resources:\n  - name: a\n    adresses: [10.0.0.4]\n",
	         "estate.yaml:3: unknown key 'adresses'; did you mean 'addresses'"},
		{"resources:\n  - name: a\n    addresses: [10.0.0.256]\n", "estate.yaml:3: '10.0.0.256' is not an address"},
		{"resources:\n  - name: a\n    addresses: [10.0.0.4]\n  - name: a\n    addresses: [10.0.0.5]\n",
	         "estate.yaml:4: there are two resources named 'a'"},
		{"resources:\n  - name: a\n    addresses: [10.0.0.4]\n  - name: b\n    addresses: ['::ffff:10.0.0.4']\n",
	         "estate.yaml:5: 10.0.0.4 is already an address of a"},
		{"resources:\n  - name: a\n    addresses: [10.0.0.4]\n    nsgs: [none.json]\n", "estate.yaml:4: "},
		{"resources:\n  - name: a\n    addresses: [10.0.0.4]\n    nsgs: [web.json#wep]\n",
	         "estate.yaml:4: web.json holds no network security group 'wep' (did you mean 'web'?)"},
		{"resources:\n  - name: a\n    addresses: [10.0.0.4]\n    nsgs: [bad.json]\n",
	         "bad.json:2: 'x/y' is not an address"},
		{"resources:\n  - name: a\n", "estate.yaml:2: a has no addresses"},
		{"resources:\n  - addresses: [10.0.0.4]\n", "estate.yaml:2: a resource needs a name"},
		{"resources:\n  - name: a\n    addresses: [10.0.0.4]\n    internet-facing: perhaps\n", "estate.yaml:4: "},
		{"resources:\n  - name: a\n    addresses: [10.0.0.4]\n    nsg-scope: host\n",
	         "estate.yaml:4: 'nsg-scope' must be nic, subnet or both, not 'host'"},
		{"resources: 3\n", "estate.yaml:1: 'resources' must be a list"},
		{"", "estate.yaml:1: an estate is a map"},
		{"resources: []\nvnets: [10.0.0.1/8]\n", "estate.yaml:2: '10.0.0.1/8' is not a prefix"},
	};
	struct wh_ledger ledger = open_ledger("b.db");
	struct wh_estate_summary sum;
	struct wh_estate *e;
	struct wh_error err;
	put("web.json", GROUP("web", "*"));
	put("bad.json", "\n" GROUP("web", "x/y"));
	err = import(ledger.state, "resources:\n  - name: kept\n    addresses: [10.0.0.9]\n    nsgs: [web.json]\n", &sum);
	assert_string_equal(err.text, "");
	free(sum.note_texts);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wh_arena *mem = wh_arena_new();
		err = import(ledger.state, rows[i].yaml, &sum);
		if (!strstr(err.text, rows[i].words))
			fail_msg("'%s' lacks '%s'", err.text, rows[i].words);
		assert_true(err.input);
		assert_int_equal(wh_estate_load(&ledger, mem, &e, &err), 0);
		assert_int_equal(e->n_resources, 1);
		assert_string_equal(e->resources[0].name, "kept");
		assert_int_equal(e->resources[0].n_nsgs, 1);
		wh_estate_free(e);
		wh_arena_free(mem);
	}
	wh_ledger_close(&ledger);
}

static void answer(const struct wh_ledger *l, const char *discover, const char *local)
{
	struct wh_locals *locals;
	struct wh_error err;
	struct wh_record rec = {.kind = WH_RECORD_FLOW};
	if (wh_estate_locals(l->state, discover, &locals, &err))
		fail_msg("%s", err.text);
	struct wh_edge_table *t = wh_edge_table_new(locals, 1 << 20);
	struct wh_flow *f = &rec.flow;
	wh_addr_parse("45.1.2.3", 8, &f->src);
	wh_addr_parse(local, strlen(local), &f->dst);
	f->src_port = 40000, f->dst_port = 22, f->proto = WH_PROTO_TCP;
	f->start_us = INT64_C(1790000000000000), f->end_us = f->start_us + 1000000;
	f->pkts_toserver = f->pkts_toclient = 10, f->bytes_toserver = f->bytes_toclient = 2000;
	f->tcp_flags_toserver = f->tcp_flags_toclient = 0x1b;
	f->has_tcp_flags = f->app_proto_known = true;
	f->state = WH_STATE_CLOSED;
	strcpy(f->app_proto, "ssh");
	assert_int_equal(wh_edge_table_fold(t, &rec), 0);
	if (wh_store_commit(l->store, t, NULL, NULL, &err))
		fail_msg("%s", err.text);
	wh_edge_table_free(t);
	wh_locals_free(locals);
}

static void expect_resources(const struct wh_ledger *l, const char *names)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_estate *e;
	struct wh_error err;
	char got[256] = "";
	if (wh_estate_load(l, mem, &e, &err))
		fail_msg("%s", err.text);
	for (size_t i = 0; i < e->n_resources; i++)
		snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s%s", i ? " " : "", e->resources[i].name,
		         e->resources[i].discovered ? "?" : "");
	assert_string_equal(got, names);
	wh_estate_free(e);
	wh_arena_free(mem);
}

static void hosts_that_answered_become_resources_where_discovery_looks(void **state)
{
	(void)state;
	struct wh_estate_summary sum;
	struct wh_ledger ledger = open_ledger("c.db");
	answer(&ledger, NULL, "10.1.1.1");  /* private, no estate */
	answer(&ledger, NULL, "8.8.8.8");   /* not private: nobody's */
	expect_resources(&ledger, "10.1.1.1?");
	struct wh_error err = import(ledger.state, "resources:\n  - name: vm1\n    addresses: [10.1.1.2]\n", &sum);
	assert_string_equal(err.text, "");
	free(sum.note_texts);
	expect_resources(&ledger, "vm1"); /* an estate lists the resources */
	answer(&ledger, "10.1.0.0/16,9.9.9.0/24", "9.9.9.9");
	expect_resources(&ledger, "10.1.1.1? 9.9.9.9? vm1"); /* recommend uses the ranges of ingest */
	answer(&ledger, "off", "10.1.1.7");
	expect_resources(&ledger, "vm1");
	wh_ledger_close(&ledger);
}

static void a_bad_discovery_range_is_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {"10.0.0.0/8,", "10.0.0.0/33", "on", ",", ""};
	struct wh_ledger ledger = open_ledger("d.db");
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct wh_locals *locals;
		struct wh_error err = {.text = ""};
		assert_true(wh_estate_locals(ledger.state, bad[i], &locals, &err) < 0);
		assert_true(err.input);
		assert_null(locals);
	}
	wh_ledger_close(&ledger);
}

static void each_of_thousands_of_resources_finds_its_group_in_one_file(void **state)
{
	enum { N = 3000 };
	struct wh_ledger ledger = open_ledger("many.db");
	struct wh_estate_summary sum;
	struct wh_arena *mem = wh_arena_new();
	struct wh_estate *e;
	struct wh_error err;
	FILE *yaml = fopen(in_dir("many.yaml"), "w"), *groups = fopen(in_dir("many.json"), "w");
	(void)state;
	fputs("resources:\n", yaml);
	for (size_t i = 0; i < N; i++) {
		fprintf(yaml, "  - {name: vm%zu, addresses: [10.%zu.%zu.%zu], nsgs: ['many.json#g%zu']}\n", i, i >> 16,
		        i >> 8 & 255, i & 255, i);
		fprintf(groups, "%c{\"name\":\"g%zu\",\"securityRules\":[]}", i ? ',' : '[', i);
	}
	fputs("]", groups);
	fclose(yaml);
	fclose(groups);
	if (wh_estate_import(ledger.state, in_dir("many.yaml"), &sum, &err) || wh_estate_load(&ledger, mem, &e, &err))
		fail_msg("%s", err.text);
	assert_int_equal(e->n_resources, N);
	for (size_t i = 0; i < N; i++) {
		assert_int_equal(e->resources[i].n_nsgs, 1);
		assert_string_equal(e->resources[i].nsgs[0]->name + 1, e->resources[i].name + 2); /* g7 of vm7 */
	}
	free(sum.note_texts);
	wh_estate_free(e);
	wh_arena_free(mem);
	wh_ledger_close(&ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_imported_estate_is_loaded),
		cmocka_unit_test(an_estate_without_rules_has_its_groups_and_what_they_keep),
		cmocka_unit_test(bad_input_names_its_line_and_changes_nothing),
		cmocka_unit_test(hosts_that_answered_become_resources_where_discovery_looks),
		cmocka_unit_test(a_bad_discovery_range_is_refused),
		cmocka_unit_test(each_of_thousands_of_resources_finds_its_group_in_one_file),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
