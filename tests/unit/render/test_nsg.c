/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/json.h"
#include "whittle/render.h"

#define RULE(name, prio, access, src, port)                                                                                      \
	"{\"name\":\"" name "\",\"priority\":" prio ",\"access\":\"" access                                                      \
	"\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\",\"sourcePortRange\":\"*\","                                           \
	"\"sourceAddressPrefix\":\"" src "\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"" port                \
	"\",\"etag\":\"W/1\"}"

static struct wh_prefix prefix(const char *s)
{
	struct wh_prefix p;
	assert_int_equal(wh_prefix_parse(s, strlen(s), &p, NULL), 0);
	return p;
}

struct world {
	struct wh_arena *mem;
	struct wh_nsg *nsg;
	size_t n;
	const struct wh_nsg *list[1];
	struct wh_addr own;
	struct wh_resource res;
	struct wh_estate estate;
	struct wh_recommended_rule rules[4];
	struct wh_resource_result result;
	struct wh_recommendation rec;
};

static void make(struct world *w, const char *nsg_text, size_t n_rules)
{
	struct wh_error err;
	memset(w, 0, sizeof *w);
	w->mem = wh_arena_new();
	if (nsg_text && wh_nsg_parse("web.json", nsg_text, strlen(nsg_text), w->mem, &w->nsg, &w->n, &err))
		fail_msg("%s", err.text);
	w->own = wh_addr_v4(0x0a000004);
	w->list[0] = w->nsg;
	w->res = (struct wh_resource){.name = "vm1", .addrs = &w->own, .n_addrs = 1, .nsgs = w->list, .n_nsgs = w->n};
	w->estate = (struct wh_estate){.resources = &w->res, .n_resources = 1, .nsgs = w->nsg, .n_nsgs = w->n};
	w->result = (struct wh_resource_result){
		.resource = &w->res, .status = WH_UNHEALTHY, .rules = w->rules, .n_rules = n_rules};
	w->rec = (struct wh_recommendation){.resources = &w->result, .n_resources = 1};
}

static void drop(struct world *w)
{
	wh_nsgs_free(w->nsg, w->n);
	wh_arena_free(w->mem);
}

static char *render(struct world *w)
{
	struct wh_error err;
	char *text;
	if (wh_renderer_find("nsg")->render(&w->rec, &w->estate, NULL, &text, &err))
		fail_msg("%s", err.text);
	return text;
}

static bool passes(const struct wh_nsg *n, uint32_t peer, uint32_t local, uint16_t port, uint8_t proto)
{
	struct wh_addr p = wh_addr_v4(peer), l = wh_addr_v4(local);
	const struct wh_rule *r = wh_nsg_decide(n, NULL, WH_INBOUND, proto, &l, port, &p);
	return r && r->allow;
}

/* Random groups and proposals: on the narrowed port of the resource what passed and was proposed still passes; elsewhere nothing
 * changed. */
static void only_the_narrowed_port_of_the_resource_changes_and_only_narrows(void **state)
{
	(void)state;
	srand(5);
	for (int round = 0; round < 300; round++) {
		char text[8192] = "{\"name\":\"web\",\"securityRules\":[";
		struct world w;
		int rules = rand() % 6, prio = 100;
		for (int i = 0; i < rules; i++) {
			size_t at = strlen(text);
			prio += 1 + rand() % 3 * (rand() % 200);
			snprintf(
				text + at, sizeof text - at,
				"%s{\"name\":\"r%d\",\"priority\":%d,\"access\":\"%s\",\"direction\":\"Inbound\",\"protocol\":\"%s\",\"sourcePortRange\":\"*\",\"sourceAddressPrefix\":"
				"\"45.0.0.%d/%d\",\"destinationAddressPrefix\":\"%s\",\"destinationPortRange\":\"%d-%d\"}",
				i ? "," : "", i, prio, rand() % 3 ? "Allow" : "Deny", rand() % 3 ? "Tcp" : "*", rand() % 32,
				27 + rand() % 6, rand() % 4 ? "*" : "10.0.0.0/29", 20 + rand() % 3, 22 + rand() % 3);
		}
		strcat(text, "]}");
		make(&w, text, 1);
		struct wh_prefix p[2], x;
		struct wh_addr a = wh_addr_v4(0x2d000000 + (uint32_t)(rand() % 32)),
			       b = wh_addr_v4(0x2d000000 + (uint32_t)(rand() % 32));
		p[0] = wh_prefix_of(&a, 124 + (unsigned)(rand() % 5));
		p[1] = wh_prefix_of(&b, 126 + (unsigned)(rand() % 3));
		x = wh_prefix_of(&a, 128);
		w.rules[0] = (struct wh_recommended_rule){.name = "n",
		                                          .proto = WH_PROTO_TCP,
		                                          .port = 22,
		                                          .prefixes = p,
		                                          .n_prefixes = (size_t)(rand() % 3),
		                                          .except = &x,
		                                          .n_except = (size_t)(rand() % 2)};
		/* as after a proof: only what is allowed now */
		struct wh_counterexample ce;
		if (wh_prove(&w.estate, &w.res, w.rules, 1, w.mem, &ce, NULL)) {
			drop(&w);
			continue;
		}
		bool allowed_by_any = false;
		for (size_t i = 0; i < w.nsg->n_rules; i++)
			allowed_by_any |= w.nsg->rules[i].allow && !w.nsg->rules[i].is_default;
		if (!allowed_by_any) {
			drop(&w);
			continue;
		}
		char *out = render(&w);
		struct wh_nsg *after;
		size_t n;
		struct wh_error err;
		if (wh_nsg_parse("out", out, strlen(out), w.mem, &after, &n, &err))
			fail_msg("%s\n%s", err.text, out);
		for (uint32_t peer = 0x2d000000; peer < 0x2d000000 + 40; peer++)
			for (uint32_t local = 0x0a000003; local < 0x0a000006; local++)
				for (uint16_t port = 20; port < 26; port++)
					for (uint8_t proto = WH_PROTO_TCP; proto <= WH_PROTO_UDP;
					     proto += WH_PROTO_UDP - WH_PROTO_TCP) {
						struct wh_addr y = wh_addr_v4(peer);
						bool was = passes(w.nsg, peer, local, port, proto), in = false;
						for (size_t i = 0; i < w.rules[0].n_prefixes; i++)
							in |= wh_prefix_has(&p[i], &y);
						in &= !(w.rules[0].n_except && wh_prefix_has(&x, &y));
						bool narrowed = proto == WH_PROTO_TCP && port == 22 && local == 0x0a000004;
						if (passes(after, peer, local, port, proto) != (was && (!narrowed || in)))
							fail_msg("peer %x local %x port %u proto %u was %d in %d\n%s", peer,
							         local, port, proto, was, in, out);
					}
		wh_nsgs_free(after, n);
		free(out);
		drop(&w);
	}
}

static void the_group_matches_its_golden_file(void **state)
{
	(void)state;
	struct world w;
	struct wh_prefix p = prefix("140.20.30.8/29");
	make(&w,
	     "{\"etag\":\"W/0\",\"id\":\"/subscriptions/s/web\",\"location\":\"westeurope\",\"name\":\"web\",\"securityRules\":[" RULE(
		     "deny-bad", "200", "Deny", "45.0.0.0/8", "*") "," RULE("ssh", "300", "Allow", "140.20.30.10/24",
	                                                                    "22") "],\"tags\":{\"z\":\"1\",\"a\":\"2\"}}",
	     1);
	w.rules[0] = (struct wh_recommended_rule){.name = "n",
	                                          .proto = WH_PROTO_TCP,
	                                          .port = 22,
	                                          .prefixes = &p,
	                                          .n_prefixes = 1,
	                                          .sources = 5,
	                                          .flows = 155,
	                                          .days = 31,
	                                          .unseen = 3,
	                                          .narrows = "web: ssh"};
	char *out = render(&w), *want;
	size_t len;
	struct wh_error err;
	if (getenv("WH_UPDATE_GOLDEN")) { /* rewrites it: read the difference before you commit it */
		FILE *f = fopen("tests/golden/nsg/partner.json", "w");
		assert_non_null(f);
		fputs(out, f);
		fclose(f);
	}
	if (wh_read_file("tests/golden/nsg/partner.json", 1 << 20, &want, &len, &err))
		fail_msg("%s; it would be:\n%s", err.text, out);
	assert_string_equal(out, want);
	free(want);
	free(out);
	drop(&w);
}

/* The formats that are deployed, each against its own file. */
static void each_format_matches_its_golden_file(void **state)
{
	static const struct { const char *format, *file; } all[] = {
		{"arm", "tests/golden/nsg/partner.arm.json"}, {"bicep", "tests/golden/nsg/partner.bicep"},
		{"terraform", "tests/golden/nsg/partner.tf"}, {"az", "tests/golden/nsg/partner.az.sh"},
	};
	(void)state;
	struct world w;
	struct wh_prefix p[] = {prefix("140.20.30.8/29"), prefix("140.20.30.77")};
	make(&w,
	     "{\"etag\":\"W/0\",\"id\":\"/subscriptions/0a/resourceGroups/rg 'one'/providers/Microsoft.Network/networkSecurityGroups/web\","
	     "\"location\":\"westeurope\",\"name\":\"web\",\"provisioningState\":\"Succeeded\",\"securityRules\":[" RULE(
		     "it's ${odd}", "299", "Deny", "45.0.0.0/8", "*") "," RULE("ssh", "300", "Allow", "140.20.30.10/24",
	                                                                       "22") "],\"tags\":{\"z-1\":\"it's ${x}\"}}",
	     1);
	w.rules[0] = (struct wh_recommended_rule){.name = "n",
	                                          .proto = WH_PROTO_TCP,
	                                          .port = 22,
	                                          .prefixes = p,
	                                          .n_prefixes = 2,
	                                          .sources = 6,
	                                          .flows = 155,
	                                          .days = 31,
	                                          .unseen = 3,
	                                          .narrows = "web: ssh"};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		char *out, *want;
		size_t len;
		struct wh_error err;
		if (wh_renderer_find(all[i].format)->render(&w.rec, &w.estate, NULL, &out, &err))
			fail_msg("%s: %s", all[i].format, err.text);
		if (getenv("WH_UPDATE_GOLDEN")) {
			FILE *f = fopen(all[i].file, "w");
			assert_non_null(f);
			fputs(out, f);
			fclose(f);
		}
		if (wh_read_file(all[i].file, 1 << 20, &want, &len, &err))
			fail_msg("%s; it would be:\n%s", err.text, out);
		assert_string_equal(out, want);
		free(want);
		free(out);
	}
	drop(&w);
}

/* az would read the file "etc" for '@etc', and take '-h' as an option. */
static void no_name_of_a_group_is_a_file_or_an_option_of_az(void **state)
{
	(void)state;
	static const char *const names[] = {"@etc", "-h"};
	struct wh_prefix p = prefix("1.2.3.4");
	for (size_t i = 0; i < 4; i++) {
		struct world w;
		struct wh_error err = {0};
		char text[1024], *out = NULL;
		snprintf(
			text, sizeof text,
			"{\"id\":\"/subscriptions/0/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/w\",\"location\":\"x\","
			"\"name\":\"%s\",\"securityRules\":[" RULE("ssh", "300", "Allow", "*",
		                                                   "22") "," RULE("%s", "400", "Allow", "*", "80") "]}",
			i & 1 ? "w" : names[i / 2], i & 1 ? names[i / 2] : "r");
		make(&w, text, 1);
		w.rules[0] = (struct wh_recommended_rule){
			.name = "n", .proto = WH_PROTO_TCP, .port = 22, .prefixes = &p, .n_prefixes = 1, .narrows = "web: ssh"};
		assert_int_equal(wh_renderer_find("az")->render(&w.rec, &w.estate, NULL, &out, &err), -EINVAL);
		assert_non_null(strstr(err.text, names[i / 2]));
		assert_null(out);
		drop(&w);
	}
}

/* A template computes a text that begins with a bracket; a second bracket makes it plain. */
static void no_text_of_a_group_becomes_an_expression_of_the_template(void **state)
{
	(void)state;
	struct world w;
	struct wh_prefix p = prefix("1.2.3.4");
	struct wh_error err;
	char *out;
	make(&w,
	     "{\"name\":\"web\",\"securityRules\":[" RULE(
		     "ssh", "300", "Allow", "*",
		     "22") "],\"tags\":{\"owner\":\"[resourceGroup().id]\",\"[subscription().id]\":\"x\"}}",
	     1);
	w.rules[0] = (struct wh_recommended_rule){
		.name = "n", .proto = WH_PROTO_TCP, .port = 22, .prefixes = &p, .n_prefixes = 1, .narrows = "web: ssh"};
	if (wh_renderer_find("arm")->render(&w.rec, &w.estate, NULL, &out, &err))
		fail_msg("%s", err.text);
	assert_non_null(strstr(out, "\"[[resourceGroup().id]\""));
	assert_null(strstr(out, "\"[resourceGroup().id]\""));
	assert_non_null(strstr(out, "\"[[subscription().id]\": \"x\""));
	free(out);
	drop(&w);
}

static void without_a_gap_as_few_rules_as_possible_are_renumbered(void **state)
{
	(void)state;
	struct world w;
	struct wh_prefix p = prefix("1.2.3.4");
	make(&w,
	     "{\"name\":\"web\",\"securityRules\":[" RULE("a", "100", "Deny", "9.9.9.9", "22") "," RULE(
		     "b", "101", "Allow", "*", "22") "," RULE("c", "500", "Allow", "*", "80") "]}",
	     1);
	w.rules[0] = (struct wh_recommended_rule){
		.name = "n", .proto = WH_PROTO_TCP, .port = 22, .prefixes = &p, .n_prefixes = 1};
	char *out = render(&w);
	struct wh_nsg *after;
	size_t n;
	struct wh_error err;
	assert_int_equal(wh_nsg_parse("out", out, strlen(out), w.mem, &after, &n, &err), 0);
	static const struct {
		const char *name;
		unsigned priority;
	} want[] = {
		{"a", 100}, {"whittle-vm1-TCP-in-22-probes", 101}, {"whittle-vm1-TCP-in-22-allow", 102}, {NULL, 103}, {"b", 104},
		{"c", 500}};
	for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
		assert_int_equal(after->rules[i].priority, want[i].priority);
		if (want[i].name)
			assert_string_equal(after->rules[i].name, want[i].name);
		else
			assert_non_null(strstr(after->rules[i].name, "TCP-Inbound-DENY-"));
	}
	wh_nsgs_free(after, n);
	free(out);
	drop(&w);
}

static void a_host_without_a_group_gets_a_new_one(void **state)
{
	(void)state;
	struct world w;
	make(&w, NULL, 1);
	w.rules[0] = (struct wh_recommended_rule){.name = "n", .proto = WH_PROTO_TCP, .port = 23, .system_generated = true};
	char *out = render(&w);
	struct wh_nsg *after;
	size_t n;
	struct wh_error err;
	assert_int_equal(wh_nsg_parse("out", out, strlen(out), w.mem, &after, &n, &err), 0);
	assert_true(after->arm_resource);
	assert_false(passes(after, 0x01020304, 0x0a000004, 23, WH_PROTO_TCP));
	wh_nsgs_free(after, n);
	free(out);
	drop(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_narrowed_port_of_the_resource_changes_and_only_narrows),
		cmocka_unit_test(the_group_matches_its_golden_file),
		cmocka_unit_test(each_format_matches_its_golden_file),
		cmocka_unit_test(no_name_of_a_group_is_a_file_or_an_option_of_az),
		cmocka_unit_test(no_text_of_a_group_becomes_an_expression_of_the_template),
		cmocka_unit_test(without_a_gap_as_few_rules_as_possible_are_renumbered),
		cmocka_unit_test(a_host_without_a_group_gets_a_new_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
