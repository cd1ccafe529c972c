/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The choice of the groups before a resource that get its rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "whittle/render.h"

#define RULES                                                                                                                        \
	"\"securityRules\":[{\"name\":\"ssh\",\"priority\":300,\"access\":\"Allow\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\"," \
	"\"sourcePortRange\":\"*\",\"sourceAddressPrefix\":\"45.0.0.0/24\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22\"}]"
/* The first as az prints it, the second as ARM does. */
static const char groups[] = "[{\"name\":\"at-nic\",\"subnets\":null,\"networkInterfaces\":[{\"id\":\"/n\"}]," RULES "},"
                             "{\"name\":\"at-subnet\",\"properties\":{\"subnets\":[{\"id\":\"/s\"}]," RULES "}}]";
static const char silent[] = "[{\"name\":\"silent\"," RULES "}]";

/* The names of the groups that are written for one resource behind all groups of `text`, or the error's sentence. */
static char *written(const char *text, enum wh_nsg_scope asked, enum wh_nsg_scope of_resource, enum wh_nsg_scope by_default,
                     char **notes)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_nsg *nsgs;
	struct wh_error err = {.text = ""};
	size_t n;
	assert_int_equal(wh_nsg_parse("g.json", text, strlen(text), mem, &nsgs, &n, &err), 0);
	const struct wh_nsg *list[2] = {&nsgs[0], &nsgs[n - 1]};
	struct wh_addr own = wh_addr_v4(0x0a000004), a = wh_addr_v4(0x2d000008);
	struct wh_prefix prefix = wh_prefix_of(&a, 125);
	struct wh_resource res = {
		.name = "vm1", .addrs = &own, .n_addrs = 1, .nsgs = list, .n_nsgs = n, .nsg_scope = of_resource};
	struct wh_estate estate = {.resources = &res, .n_resources = 1, .nsgs = nsgs, .n_nsgs = n};
	struct wh_recommended_rule rule = {.name = "n", .proto = WH_PROTO_TCP, .port = 22, .prefixes = &prefix, .n_prefixes = 1};
	struct wh_resource_result result = {.resource = &res, .status = WH_UNHEALTHY, .rules = &rule, .n_rules = 1};
	struct wh_recommendation rec = {.resources = &result, .n_resources = 1};
	struct wh_render_options opt = {.nsg_scope = asked, .nsg_scope_default = by_default, .notes = notes};
	char *out = NULL, *names = NULL;
	size_t len;
	*notes = NULL;
	if (wh_renderer_find("az")->render(&rec, &estate, &opt, &out, &err))
		names = strdup(err.text);
	else {
		FILE *f = open_memstream(&names, &len);
		for (const char *at = out; (at = strstr(at, "\n# ---- ")); at++)
			fprintf(f, "%.*s ", (int)strcspn(at + 8, " "), at + 8);
		fclose(f);
	}
	free(out);
	wh_nsgs_free(nsgs, n);
	wh_arena_free(mem);
	return names;
}

static void expect(const char *text, enum wh_nsg_scope asked, enum wh_nsg_scope of_resource, enum wh_nsg_scope by_default,
                   const char *want)
{
	char *notes, *names = written(text, asked, of_resource, by_default, &notes);
	bool sentence = strstr(want, " does not say") != NULL; /* of which the beginning is enough */
	if (sentence ? strncmp(names, want, strlen(want)) != 0 : strcmp(names, want) != 0)
		fail_msg("'%s' is not '%s'", names, want);
	free(names);
	free(notes);
}

static void without_a_setting_every_group_gets_the_rules(void **state)
{
	(void)state;
	expect(groups, 0, 0, 0, "at-nic at-subnet ");
	expect(groups, WH_NSG_BOTH, 0, WH_NSG_NIC, "at-nic at-subnet ");
}

static void only_those_at_an_interface_or_at_a_subnet(void **state)
{
	(void)state;
	expect(groups, WH_NSG_NIC, 0, 0, "at-nic ");
	expect(groups, WH_NSG_SUBNET, 0, 0, "at-subnet ");
}

static void the_option_precedes_the_estate_and_the_estate_precedes_the_default(void **state)
{
	(void)state;
	expect(groups, 0, 0, WH_NSG_SUBNET, "at-subnet ");
	expect(groups, 0, WH_NSG_NIC, WH_NSG_SUBNET, "at-nic ");
	expect(groups, WH_NSG_SUBNET, WH_NSG_NIC, WH_NSG_NIC, "at-subnet ");
}

static void a_group_without_its_place_is_refused_if_the_scope_needs_it(void **state)
{
	(void)state;
	expect(silent, WH_NSG_NIC, 0, 0, "silent does not say whether a network interface or a subnet has it");
	expect(silent, 0, WH_NSG_SUBNET, 0, "silent does not say whether a network interface or a subnet has it");
	expect(silent, WH_NSG_BOTH, 0, 0, "silent ");
}

static void a_resource_without_a_group_for_its_rules_is_named(void **state)
{
	static const char one[] = "[{\"name\":\"at-subnet\",\"subnets\":[{\"id\":\"/s\"}]," RULES "}]";
	char *notes, *names = written(one, WH_NSG_NIC, 0, 0, &notes);
	(void)state;
	assert_string_equal(names, "");
	assert_non_null(strstr(notes, "vm1: none of its groups is at a network interface (nsg-scope), so its rules go nowhere"));
	assert_null(strstr(notes, "Nothing to change"));
	free(names);
	free(notes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_setting_every_group_gets_the_rules),
		cmocka_unit_test(only_those_at_an_interface_or_at_a_subnet),
		cmocka_unit_test(the_option_precedes_the_estate_and_the_estate_precedes_the_default),
		cmocka_unit_test(a_group_without_its_place_is_refused_if_the_scope_needs_it),
		cmocka_unit_test(a_resource_without_a_group_for_its_rules_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
