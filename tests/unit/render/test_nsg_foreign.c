/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules that just-in-time access or Terraform made are left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "whittle/render.h"

#define RULE(name, prio, access, src, more)                                                                                      \
	"{\"name\":\"" name "\",\"priority\":" prio ",\"access\":\"" access                                                      \
	"\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\",\"sourcePortRange\":\"*\","                                           \
	"\"sourceAddressPrefix\":\"" src "\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22\"" more "}"
#define GROUP(rules) "{\"name\":\"web\",\"securityRules\":[" rules "]}"
#define JIT_ALLOW "SecurityCenter-JITRule_1_A"
#define JIT_DENY "MicrosoftDefenderForCloud-JITRule_-1_B"

struct world {
	struct wh_arena *mem;
	struct wh_nsg *nsg, *after;
	size_t n, n_after;
	const struct wh_nsg *list[1];
	struct wh_addr own;
	struct wh_resource res;
	struct wh_estate estate;
	struct wh_prefix prefix;
	struct wh_recommended_rule rule;
	struct wh_resource_result result;
	struct wh_recommendation rec;
	char *notes, *text;
	struct wh_error err;
};

/* vm1 is recommended 45.0.0.8/29 on port 22. Returns what the renderer returned; on success w->after is the new group. */
static int make(struct world *w, const char *group)
{
	memset(w, 0, sizeof *w);
	w->mem = wh_arena_new();
	if (wh_nsg_parse("web.json", group, strlen(group), w->mem, &w->nsg, &w->n, &w->err))
		fail_msg("%s\n%s", w->err.text, group);
	w->list[0] = w->nsg;
	w->own = wh_addr_v4(0x0a000004);
	w->res = (struct wh_resource){.name = "vm1", .addrs = &w->own, .n_addrs = 1, .nsgs = w->list, .n_nsgs = 1};
	w->estate = (struct wh_estate){.resources = &w->res, .n_resources = 1, .nsgs = w->nsg, .n_nsgs = 1};
	struct wh_addr a = wh_addr_v4(0x2d000008);
	w->prefix = wh_prefix_of(&a, 125);
	w->rule = (struct wh_recommended_rule){
		.name = "n", .proto = WH_PROTO_TCP, .port = 22, .prefixes = &w->prefix, .n_prefixes = 1};
	w->result = (struct wh_resource_result){.resource = &w->res, .status = WH_UNHEALTHY, .rules = &w->rule, .n_rules = 1};
	w->rec = (struct wh_recommendation){.resources = &w->result, .n_resources = 1};
	struct wh_render_options opt = {.notes = &w->notes};
	int rc = wh_renderer_find("nsg")->render(&w->rec, &w->estate, &opt, &w->text, &w->err);
	if (!rc && wh_nsg_parse("out", w->text, strlen(w->text), w->mem, &w->after, &w->n_after, &w->err))
		fail_msg("%s\n%s", w->err.text, w->text);
	return rc;
}

static void drop(struct world *w)
{
	if (w->after)
		wh_nsgs_free(w->after, w->n_after);
	wh_nsgs_free(w->nsg, w->n);
	wh_arena_free(w->mem);
	free(w->notes);
	free(w->text);
}

static const struct wh_rule *decides(const struct wh_nsg *n, uint32_t peer)
{
	struct wh_addr p = wh_addr_v4(peer), l = wh_addr_v4(0x0a000004);
	return wh_nsg_decide(n, NULL, WH_INBOUND, WH_PROTO_TCP, &l, 22, &p);
}

static unsigned priority(const struct world *w, const char *name)
{
	const struct wh_rule *r = wh_rule_named(w->after, name);
	return r ? r->priority : 0;
}

static void an_opening_just_in_time_continues_and_is_reported(void **state)
{
	(void)state;
	struct world w;
	assert_int_equal(make(&w, GROUP(RULE(JIT_ALLOW, "290", "Allow", "198.51.100.7", "") "," RULE("ssh", "300", "Allow",
	                                                                                             "45.0.0.0/24", ""))),
	                 0);
	assert_int_equal(priority(&w, JIT_ALLOW), 290);
	assert_true(decides(w.after, 0xc6336407)->allow);
	assert_true(decides(w.after, 0x2d000009)->allow);
	assert_false(decides(w.after, 0x2d000001)->allow);
	assert_non_null(strstr(w.notes, JIT_ALLOW " belongs to just-in-time access, and is left alone"));
	drop(&w);
}

static void a_port_that_is_closed_but_for_openings_is_left_as_it_is(void **state)
{
	(void)state;
	struct world w;
	assert_int_equal(make(&w, GROUP(RULE(JIT_ALLOW, "100", "Allow", "198.51.100.7", "") "," RULE(
					  JIT_DENY, "200", "Deny", "*", "") "," RULE("ssh", "300", "Allow", "45.0.0.0/24", ""))),
	                 0);
	assert_int_equal(w.after->n_rules, w.nsg->n_rules);
	assert_true(decides(w.after, 0xc6336407)->allow);
	drop(&w);
}

static void our_own_openings_are_left_alone_too(void **state)
{
	(void)state;
	struct world w;
	assert_int_equal(make(&w, GROUP(RULE("whittle-jit-17-vm1-TCP-22", "299", "Allow", "198.51.100.7",
	                                     "") "," RULE("ssh", "300", "Allow", "45.0.0.0/24", ""))),
	                 0);
	assert_int_equal(priority(&w, "whittle-jit-17-vm1-TCP-22"), 299);
	assert_int_equal(priority(&w, "ssh"), 303); /* ours stand between them */
	assert_true(decides(w.after, 0xc6336407)->allow);
	drop(&w);
}

static void neither_is_moved_to_make_room(void **state)
{
	(void)state;
	struct world w;
	/* no gap before ssh, and just-in-time access directly behind it: what stands before moves down */
	assert_int_equal(make(&w, GROUP(RULE("deny-bad", "299", "Deny", "45.0.0.200", "") "," RULE(
					  "ssh", "300", "Allow", "45.0.0.0/24",
					  ",\"description\":\"terraform\"") "," RULE(JIT_DENY, "301", "Deny", "*", ""))),
	                 0);
	assert_int_equal(priority(&w, "ssh"), 300);
	assert_int_equal(priority(&w, JIT_DENY), 301);
	assert_false(decides(w.after, 0x2d0000c8)->allow);
	assert_true(decides(w.after, 0x2d000009)->allow);
	assert_non_null(strstr(w.notes, "1 rule is Terraform's, and left alone"));
	drop(&w);
	/* no way at all */
	assert_int_equal(make(&w, GROUP(RULE("deny-bad", "100", "Deny", "45.0.0.200", "") "," RULE(
					  "ssh", "101", "Allow", "45.0.0.0/24", ",\"description\":\"terraform\""))),
	                 -ENOSPC);
	assert_non_null(strstr(w.err.text, "of Terraform are not moved"));
	/* but the text for Terraform's own configuration names the new place */
	assert_int_equal(wh_renderer_find("terraform")->render(&w.rec, &w.estate, NULL, &w.text, &w.err), 0);
	assert_non_null(strstr(w.text, "# web: rule ssh must move from priority 101 to 104 first, where it is configured."));
	assert_non_null(strstr(w.text, "priority                    = 102"));
	drop(&w);
	/* nor is just-in-time access moved there */
	assert_int_equal(make(&w, GROUP(RULE("ssh", "100", "Allow", "45.0.0.0/24",
	                                     ",\"description\":\"terraform\"") "," RULE(JIT_DENY, "101", "Deny", "*", ""))),
	                 -ENOSPC);
	assert_int_equal(wh_renderer_find("terraform")->render(&w.rec, &w.estate, NULL, &w.text, &w.err), -ENOSPC);
	drop(&w);
}

static void an_opening_that_would_be_cut_off_is_refused_by_name(void **state)
{
	(void)state;
	struct world w;
	assert_int_equal(make(&w, GROUP(RULE("ssh", "300", "Allow", "45.0.0.0/24", "") "," RULE(JIT_ALLOW, "400", "Allow",
	                                                                                        "198.51.100.7", ""))),
	                 -EBUSY);
	assert_non_null(strstr(w.err.text, "narrowing ssh would cut off " JIT_ALLOW));
	drop(&w);
}

/* Random groups: a foreign rule still decides the same packets, from its own place; every other peer passes if it did before
 * and is proposed. */
static void foreign_rules_of_any_group_decide_as_before(void **state)
{
	(void)state;
	unsigned planned = 0, refused = 0;
	srand(23);
	for (int round = 0; round < 3000; round++) {
		char text[4096] = "{\"name\":\"web\",\"securityRules\":[";
		bool tight = rand() % 2;
		for (int i = 0, prio = 100, rules = 1 + rand() % 6; i < rules; i++) {
			size_t at = strlen(text);
			int kind = rand() % 5;
			snprintf(
				text + at, sizeof text - at,
				"%s{\"name\":\"%s%d\",\"description\":\"%s\",\"priority\":%d,\"access\":\"%s\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\","
				"\"sourcePortRange\":\"*\",\"sourceAddressPrefix\":\"45.0.0.%d/%d\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22\"}",
				i ? "," : "", kind == 0 ? "SecurityCenter-JITRule_" : "r", i,
				kind == 1 ? "Managed by Terraform" : "", prio, rand() % 4 ? "Allow" : "Deny", rand() % 32,
				26 + rand() % 7);
			prio += 1 + (tight ? rand() % 2 : rand() % 20);
		}
		strcat(text, "]}");
		struct world w;
		int rc = make(&w, text);
		bool within = true; /* a proposed peer passes today, as a proof would have made sure */
		for (uint32_t peer = 0x2d000008; peer < 0x2d000010; peer++)
			within &= decides(w.nsg, peer)->allow;
		if (rc || !within) {
			if (within && rc != -EBUSY && rc != -ENOSPC)
				fail_msg("%s\n%s", w.err.text, text);
			refused += within;
			drop(&w);
			continue;
		}
		planned++;
		for (size_t i = 0; i < w.nsg->n_rules; i++)
			if (w.nsg->rules[i].origin != WH_ORIGIN_PERSON &&
			    priority(&w, w.nsg->rules[i].name) != w.nsg->rules[i].priority)
				fail_msg("%s moved\n%s\n%s", w.nsg->rules[i].name, text, w.text);
		for (uint32_t peer = 0x2d000000; peer < 0x2d000000 + 40; peer++) {
			const struct wh_rule *was = decides(w.nsg, peer), *now = decides(w.after, peer);
			bool in = (peer & ~7u) == 0x2d000008;
			bool want = was->allow && (in || was->origin == WH_ORIGIN_JIT);
			if (now->allow != want)
				fail_msg("peer %x passes %d, not %d\n%s\n%s", peer, now->allow, want, text, w.text);
		}
		drop(&w);
	}
	assert_true(planned > 100 && refused > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_opening_just_in_time_continues_and_is_reported),
		cmocka_unit_test(a_port_that_is_closed_but_for_openings_is_left_as_it_is),
		cmocka_unit_test(our_own_openings_are_left_alone_too),
		cmocka_unit_test(neither_is_moved_to_make_room),
		cmocka_unit_test(an_opening_that_would_be_cut_off_is_refused_by_name),
		cmocka_unit_test(foreign_rules_of_any_group_decide_as_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
