/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The documents in which people have groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/json.h"
#include "whittle/nsg.h"

#define AZ_RULE                                                                                                                             \
	"{\"name\":\"ssh\",\"priority\":300,\"access\":\"Allow\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\",\"sourcePortRange\":\"*\"," \
	"\"sourceAddressPrefix\":\"1.2.3.0/24\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22\"}"
#define AZ_GROUP "{\"name\":\"web\",\"securityRules\":[" AZ_RULE "]}"
#define ARM_GROUP                                                                                                                                             \
	"{\"name\":\"web\",\"type\":\"microsoft.network/networksecuritygroups\",\"properties\":{\"securityRules\":[{\"name\":\"ssh\",\"properties\":" AZ_RULE \
	"}]}}"
#define PS_RULE(ports, from)                                                                                                                  \
	"{\"Name\":\"ssh\",\"Priority\":300,\"Access\":\"Allow\",\"Direction\":\"Inbound\",\"Protocol\":\"Tcp\",\"SourcePortRange\":[\"*\"]," \
	"\"SourceAddressPrefix\":" from ",\"DestinationAddressPrefix\":[\"*\"],\"DestinationPortRange\":" ports                               \
	",\"SourceApplicationSecurityGroups\":[]}"
#define PS_GROUP(rule) "{\"Name\":\"web\",\"Tag\":{\"Owner\":\"Ops\"},\"SecurityRules\":[" rule "],\"DefaultSecurityRules\":[]}"
#define TF_RULE(more)                                                                                                                                                   \
	"{\"access\":\"Allow\",\"description\":\"\",\"destination_address_prefix\":\"*\",\"destination_address_prefixes\":[],\"destination_port_range\":\"22\","        \
	"\"direction\":\"Inbound\",\"name\":\"ssh\",\"priority\":300,\"protocol\":\"Tcp\",\"source_address_prefix\":\"\",\"source_address_prefixes\":[\"1.2.3.0/24\"]," \
	"\"source_port_range\":\"*\"" more "}"
#define TF_SHOW(resources)                                                                                                                       \
	"{\"format_version\":\"1.0\",\"terraform_version\":\"1.9.0\",\"values\":{\"root_module\":{\"child_modules\":[{\"resources\":[" resources \
	"]}]}}}"
#define TF_GROUP(rules)                                                                                                                                                          \
	"{\"mode\":\"managed\",\"type\":\"azurerm_network_security_group\",\"name\":\"x\",\"values\":{\"name\":\"web\",\"resource_group_name\":\"rg\",\"security_rule\":[" rules \
	"]}}"
#define TF_LONE "{\"mode\":\"managed\",\"type\":\"azurerm_network_security_rule\",\"name\":\"x\",\"values\":" \
	TF_RULE(",\"network_security_group_name\":\"WEB\",\"resource_group_name\":\"rg\"") "}"

static void every_shape_gives_the_same_group(void **state)
{
	(void)state;
	static const char *const shapes[] = {
		AZ_GROUP,
		"[" AZ_GROUP "]",
		"{\"value\":[" AZ_GROUP "]}",
		"{\"NewNSG\":" AZ_GROUP "}",
		"{\"newNSG\":" ARM_GROUP "}",
		"{\"count\":1,\"data\":[" ARM_GROUP "],\"skip_token\":null,\"total_records\":1}",
		"{\"totalRecords\":1,\"resultTruncated\":\"false\",\"data\":{\"columns\":[{\"name\":\"name\"},{\"name\":\"securityRules\"}],\"rows\":[[\"web\",[" AZ_RULE
		"]]]}}",
		"{\"Data\":[" ARM_GROUP "],\"SkipToken\":\"\"}",
		PS_GROUP(PS_RULE("[\"22\"]", "[\"1.2.3.0/24\"]")),
		"[" PS_GROUP(PS_RULE("\"22\"", "\"1.2.3.0/24\"")) "]",
		"{\"value\":[" PS_GROUP(PS_RULE("\"22\"", "\"1.2.3.0/25 1.2.3.128/25\"")) "],\"Count\":1}",
		"{\"$schema\":\"x\",\"languageVersion\":\"2.0\",\"resources\":{\"other\":{\"type\":\"Microsoft.Network/networkSecurityGroups\",\"name\":\"far\",\"existing\":true},"
		"\"v\":{\"type\":\"Microsoft.Network/virtualNetworks\",\"name\":\"v\"},\"nsg\":" ARM_GROUP "}}",
		TF_SHOW(TF_GROUP(TF_RULE(""))),
		TF_SHOW(TF_GROUP("") "," TF_LONE),
		TF_SHOW(TF_GROUP(TF_RULE("")) "," TF_LONE),
		"{\"version\":4,\"terraform_version\":\"1.9.0\",\"resources\":[{\"mode\":\"managed\",\"type\":\"azurerm_network_security_group\",\"name\":\"x\",\"instances\":["
		"{\"attributes\":{\"name\":\"web\",\"resource_group_name\":\"rg\",\"security_rule\":[" TF_RULE("") "]}}]}]}",
	};
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		struct wh_arena *mem = wh_arena_new();
		struct wh_nsg *n, *plain;
		struct wh_nsg_change *changes;
		size_t count;
		struct wh_error err;
		if (wh_nsg_parse("x.json", shapes[i], strlen(shapes[i]), mem, &n, &count, &err))
			fail_msg("%zu: %s", i, err.text);
		assert_int_equal(count, 1);
		assert_string_equal(n->name, "web");
		assert_int_equal(wh_nsg_parse("x.json", AZ_GROUP, strlen(AZ_GROUP), mem, &plain, &count, &err), 0);
		if (wh_nsg_diff(plain, n, mem, &changes))
			fail_msg("%zu decides otherwise", i);
		const json_t *rule = json_array_get(json_object_get(json_object_get(n->source, "properties")
		                                                            ? json_object_get(n->source, "properties")
		                                                            : n->source,
		                                                    "securityRules"),
		                                    0);
		assert_non_null(json_object_get(rule, "name")); /* it goes out in az's or ARM's own shape */
		wh_nsgs_free(n, 1);
		wh_nsgs_free(plain, 1);
		wh_arena_free(mem);
	}
}

static void a_document_other_than_the_group_is_refused_with_the_command_to_run(void **state)
{
	(void)state;
	static const struct { const char *text, *words;
	} rows[] = {
		{"{\"value\":[\n{\"networkSecurityGroup\":{\"id\":\"/subscriptions/s/x/web\"},\"effectiveSecurityRules\":[]}]}",
	         "x.json:2: these are the effective rules"},
		{"[{\"networkSecurityGroup\":{\"id\":\"/subscriptions/s/x/web\"},\"effectiveSecurityRules\":[]}]",
	         "az network nsg show --ids /subscriptions/s/x/web"},
		{"{\"networkSecurityGroups\":[{\"effectiveSecurityRules\":[]}]}", "az network nsg show --ids"},
		{"{\"effectiveSecurityRules\":[]}", "az network nsg show --ids"},
		{"{\"count\":1,\"data\":[" ARM_GROUP "],\"skip_token\":\"abc\"}", "one page of several (skip_token)"},
		{"{\"value\":[" ARM_GROUP "],\"nextLink\":\"https://management.azure.com/x\"}", "one page of several (nextLink)"},
		{"{\"data\":[" ARM_GROUP "],\"resultTruncated\":\"true\"}", "one page of several"},
		{"{\"Name\":\"web\",\"SecurityRules\":[\"Microsoft.Azure.Commands.Network.Models.PSSecurityRule\"]}",
	         "ConvertTo-Json -Depth 10"},
		{"{\"resources\":[{\"type\":\"Microsoft.Network/networkSecurityGroups\",\"name\":\"web\",\"properties\":{\n\"securityRules\":\"[parameters('rules')]\"}}]}",
	         "x.json:2: securityRules is no list of rules"},
		{"{\"resources\":[{\"type\":\"Microsoft.Network/networkSecurityGroups\",\"name\":\"web\",\"properties\":{\"copy\":[{\"name\":\"securityRules\",\"count\":2,\"input\":{}}]}}]}",
	         "a loop (copy) makes the rules of this group"},
		{"{\"resources\":[{\"type\":\"Microsoft.Network/networkSecurityGroups\",\"name\":\"web\",\"properties\":{},\"resources\":[\n{\"type\":\"securityRules\",\"name\":\"ssh\",\"properties\":{}}]}]}",
	         "x.json:2: a rule that stands outside"},
		{"{\"resources\":{\"a\":{\"type\":\"Microsoft.Network/networkSecurityGroups\",\"name\":\"web\"},\n\"b\":{\"type\":\"Microsoft.Network/networkSecurityGroups/securityRules\"}}}",
	         "x.json:2: a rule that stands outside"},
		{"{\"terraform_version\":\"1\",\"planned_values\":{}}", "a plan of Terraform's"},
		{TF_SHOW("\n" TF_LONE), "x.json:2: the group 'WEB' of rule 'ssh' is not in this state"},
		{TF_SHOW(""), "there is no network security group in it: `az network nsg show"},
		{"{\"value\":[{\"type\":\"Microsoft.Compute/virtualMachines\",\"name\":\"vm\"}]}",
	         "there is no network security group in it"},
		{TF_SHOW(TF_GROUP("\n" TF_RULE(",\"x\":1") ",\n" TF_RULE(""))), "x.json:3: two rules of web have the name ssh"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wh_arena *mem = wh_arena_new();
		struct wh_nsg *n;
		size_t count;
		struct wh_error err = {.text = ""};
		assert_true(wh_nsg_parse("x.json", rows[i].text, strlen(rows[i].text), mem, &n, &count, &err) < 0);
		if (!strstr(err.text, rows[i].words))
			fail_msg("'%s' lacks '%s'", err.text, rows[i].words);
		assert_true(err.input);
		wh_arena_free(mem);
	}
}

static void a_tag_may_begin_with_a_digit_and_a_mistyped_address_is_no_tag(void **state)
{
	(void)state;
	static const struct { const char *source; bool good;
	} rows[] = {
		{"3CXCloud", true},  {"1Password.WestEurope", true}, {"Storage.WestEurope", true},
		{"10.0.0.x", false}, {"10.0.0.0/33", false},         {"1.2.3", false},
		{"12345", false},    {"10.0.0.1-10.0.0.9", false},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wh_arena *mem = wh_arena_new();
		struct wh_nsg *n;
		char text[700];
		size_t count;
		struct wh_error err = {.text = ""};
		snprintf(
			text, sizeof text,
			"{\"name\":\"web\",\"securityRules\":[{\"name\":\"a\",\"priority\":300,\"access\":\"Allow\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\","
			"\"sourcePortRange\":\"*\",\"sourceAddressPrefix\":\"%s\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22\"}]}",
			rows[i].source);
		int rc = wh_nsg_parse("x.json", text, strlen(text), mem, &n, &count, &err);
		if ((rc == 0) != rows[i].good)
			fail_msg("%s: %s", rows[i].source, err.text);
		if (!rc)
			wh_nsgs_free(n, 1);
		wh_arena_free(mem);
	}
}

/* Each file is read whole or refused in one sentence; where a tool's own output is read, its rules are as many as it has. */
static void files_of_tools_are_read_or_refused(void **state)
{
	(void)state;
	static const struct { const char *file; int rules;
	} rows[] = {
		{"az-graph-query.json", 1},        {"resource-graph-table-format.json", 1}, {"terraform-show-state.json", 3},
		{"terraform-show-empty.json", -1}, {"nic-list-effective-nsg.json", -1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char path[256], *text;
		size_t len, count;
		struct wh_error err;
		snprintf(path, sizeof path, "../shared/samples/azure/%s", rows[i].file);
		if (access(path, R_OK))
			snprintf(path, sizeof path, "../../shared/samples/azure/%s", rows[i].file);
		if (wh_read_file(path, 1 << 24, &text, &len, &err))
			skip(); /* optional */
		struct wh_arena *mem = wh_arena_new();
		struct wh_nsg *n;
		int rc = wh_nsg_parse(path, text, len, mem, &n, &count, &err);
		if ((rc < 0) != (rows[i].rules < 0))
			fail_msg("%s: %s", path, err.text);
		if (!rc) {
			assert_int_equal(n->n_rules - 6, rows[i].rules);
			wh_nsgs_free(n, count);
		}
		free(text);
		wh_arena_free(mem);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shape_gives_the_same_group),
		cmocka_unit_test(a_document_other_than_the_group_is_refused_with_the_command_to_run),
		cmocka_unit_test(a_tag_may_begin_with_a_digit_and_a_mistyped_address_is_no_tag),
		cmocka_unit_test(files_of_tools_are_read_or_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
