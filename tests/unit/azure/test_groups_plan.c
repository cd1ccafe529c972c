/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan for one group at Azure, and what refuses it: no exchange with a server is needed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "azure/groups_plan.h"
#include "base/json.h"

#define RULE(name, prio, access, proto, src, port)                                                                               \
	"{\"name\":\"" name "\",\"priority\":" prio ",\"access\":\"" access                                                      \
	"\",\"direction\":\"Inbound\",\"protocol\":\"" proto "\",\"sourcePortRange\":\"*\","                                     \
	"\"sourceAddressPrefix\":\"" src "\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"" port "\"}"
#define GROUP(rules) "{\"name\":\"web\",\"id\":\"/groups/web\",\"securityRules\":[" rules "]}"

/* The group as imported is the one that Azure has; vm1 is recommended 45.0.0.8/29. */
static int plan(const char *text, uint8_t proto, uint16_t port, struct wh_azure_group *group, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_nsg *nsg;
	const struct wh_nsg *list[1];
	size_t n;
	if (wh_nsg_parse("web.json", text, strlen(text), mem, &nsg, &n, err))
		fail_msg("%s\n%s", err->text, text);
	list[0] = nsg;
	struct wh_addr own = wh_addr_v4(0x0a000004), peer = wh_addr_v4(0x2d000008);
	struct wh_prefix prefix = wh_prefix_of(&peer, 125);
	struct wh_resource vm1 = {.name = "vm1", .addrs = &own, .n_addrs = 1, .nsgs = list, .n_nsgs = 1};
	struct wh_estate e = {.resources = &vm1, .n_resources = 1, .nsgs = nsg, .n_nsgs = 1};
	struct wh_recommended_rule rule = {
		.name = "n", .proto = proto, .port = port, .prefixes = &prefix, .n_prefixes = 1, .sources = 5, .flows = 9};
	struct wh_resource_result result = {.resource = &vm1, .status = WH_UNHEALTHY, .rules = &rule, .n_rules = 1};
	struct wh_recommendation rec = {.resources = &result, .n_resources = 1};
	struct wh_azure_work work = {.imported = *nsg};
	struct wh_azure a = {.e = &e, .r = &rec, .mem = mem, .err = err, .groups = group, .work = &work, .n = 1};
	json_incref(nsg->source);
	json_t *live = json_deep_copy(nsg->source);
	*group = (struct wh_azure_group){.name = "web", .id = "/groups/web", .notes = ""};
	int rc = wh_azure_plan_group(&a, 0, live);
	json_decref(live);
	wh_azure_free(&a);
	wh_nsgs_free(e.nsgs, 1);
	wh_arena_free(mem);
	return rc;
}

static void a_narrowing_is_planned(void **state)
{
	(void)state;
	struct wh_azure_group g;
	struct wh_error err;
	assert_int_equal(plan(GROUP(RULE("ssh", "300", "Allow", "Tcp", "45.0.0.0/24", "22")), WH_PROTO_TCP, 22, &g, &err), 0);
	assert_int_equal(g.state, WH_AZURE_PLANNED);
	assert_int_equal(plan(GROUP(RULE("ping", "300", "Allow", "Icmp", "45.0.0.0/24", "*")), WH_PROTO_ICMP, 0, &g, &err), 0);
	assert_int_equal(g.state, WH_AZURE_PLANNED);
}

/* Rules of ICMP are written for every port. This group has one for some ports only: what is recommended lies within it where the
 * rule is proved, and would be more than it everywhere else. */
static void a_group_that_would_let_in_more_is_refused_though_each_rule_is_proved(void **state)
{
	(void)state;
	struct wh_azure_group g;
	struct wh_error err = {0};
	assert_int_equal(plan(GROUP(RULE("ping", "300", "Allow", "Icmp", "45.0.0.0/24", "0-7")), WH_PROTO_ICMP, 0, &g, &err),
	                 -EPERM);
	assert_non_null(strstr(err.text, "the new group would allow"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_narrowing_is_planned),
		cmocka_unit_test(a_group_that_would_let_in_more_is_refused_though_each_rule_is_proved),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
