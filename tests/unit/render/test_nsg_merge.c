/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Merging into random groups: two dual-stack hosts, both directions, tight priorities, tags, exports upon exports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "whittle/render.h"

enum { RULES = 6, PEERS = 34 };

struct world {
	struct wh_arena *mem;
	struct wh_nsg *nsg;
	size_t n;
	const struct wh_nsg *list[1];
	struct wh_addr own[2][2];
	struct wh_resource res[2];
	struct wh_estate estate;
	struct wh_recommended_rule rules[2][4];
	struct wh_resource_result results[2];
	struct wh_recommendation rec;
	struct wh_prefix vnet[2];
};

static struct wh_addr address(const char *s)
{
	struct wh_addr a;
	assert_int_equal(wh_addr_parse(s, strlen(s), &a), 0);
	return a;
}

/* The small universe of peers: 16 IPv4, 16 IPv6, the platform's prober, one in the VNet. */
static struct wh_addr peer(unsigned i)
{
	char text[64];
	if (i < 16)
		return wh_addr_v4(0x2d000000 + i);
	if (i == 32)
		return address("168.63.129.16");
	if (i == 33)
		return address("10.9.9.9");
	snprintf(text, sizeof text, "2001:db8::%x", i - 16);
	return address(text);
}

static const char *random_side(char *buf, size_t size)
{
	static const char *const words[] = {"*", "*", "Internet", "VirtualNetwork", "AzureLoadBalancer", "0.0.0.0/0", "::/0"};
	unsigned pick = (unsigned)rand() % 14;
	if (pick < 7)
		return words[pick];
	if (pick < 11)
		snprintf(buf, size, "45.0.0.%d/%d", rand() % 16, 28 + rand() % 5);
	else
		snprintf(buf, size, "2001:db8::%x/%d", rand() % 16, 124 + rand() % 5);
	return buf;
}

static const char *random_local(void)
{
	static const char *const words[] = {"*", "*", "*", "VirtualNetwork", "10.0.0.4", "10.0.0.0/29", "2001:db8:1::4"};
	return words[rand() % 7];
}

static void random_group(char *text, size_t size)
{
	bool used[2][5000] = {0};
	bool tight = rand() % 2;
	size_t at = (size_t)snprintf(text, size, "{\"name\":\"web\",\"securityRules\":[");
	int n = rand() % (RULES + 1);
	for (int i = 0; i < n; i++) {
		char buf[64];
		int out = rand() % 4 == 0, prio;
		do
			prio = tight ? (rand() % 2 ? 100 + rand() % 8 : 4089 + rand() % 8) : 100 + rand() % 3997;
		while (used[out][prio]);
		used[out][prio] = true;
		const char *p = random_side(buf, sizeof buf), *l = random_local();
		int from = 20 + rand() % 4;
		at += (size_t)snprintf(
			text + at, size - at,
			"%s{\"name\":\"r%d\",\"priority\":%d,\"access\":\"%s\",\"direction\":\"%s\",\"protocol\":\"%s\",\"sourcePortRange\":\"*\","
			"\"sourceAddressPrefix\":\"%s\",\"destinationAddressPrefix\":\"%s\",\"destinationPortRange\":\"%d-%d\"}",
			i ? "," : "", i, prio, rand() % 3 ? "Allow" : "Deny", out ? "Outbound" : "Inbound",
			rand() % 3 ? "Tcp" : "*", out ? l : p, out ? p : l, from, from + rand() % 3);
	}
	snprintf(text + at, size - at, "]}");
}

static void random_rule(struct world *w, struct wh_recommended_rule *r, unsigned i)
{
	struct wh_prefix *p = wh_arena_array(w->mem, 4, sizeof *p), *x = wh_arena_array(w->mem, 2, sizeof *x);
	*r = (struct wh_recommended_rule){.name = "n",
	                                  .proto = WH_PROTO_TCP,
	                                  .port = (uint16_t)(21 + i),
	                                  .direction = i == 3 ? WH_OUTBOUND : WH_INBOUND,
	                                  .prefixes = p,
	                                  .except = x};
	for (int k = rand() % 4; k > 0; k--) {
		struct wh_addr a = peer((unsigned)rand() % PEERS);
		p[r->n_prefixes++] = wh_prefix_of(&a, 125 + (unsigned)rand() % 4);
	}
	r->n_prefixes = wh_prefix_merge(p, r->n_prefixes);
	for (int k = rand() % 3; k > 0; k--) {
		struct wh_addr a = peer((unsigned)rand() % PEERS);
		x[r->n_except++] = wh_prefix_of(&a, 127 + (unsigned)rand() % 2);
	}
}

static void make(struct world *w, const char *text)
{
	struct wh_error err;
	if (wh_nsg_parse("web.json", text, strlen(text), w->mem, &w->nsg, &w->n, &err))
		fail_msg("%s\n%s", err.text, text);
	w->list[0] = w->nsg;
	w->own[0][0] = address("10.0.0.4"), w->own[0][1] = address("2001:db8:1::4");
	w->own[1][0] = address("10.0.0.5"), w->own[1][1] = address("2001:db8:1::5");
	w->vnet[0] = wh_prefix_of(&w->own[0][0], 104);
	w->vnet[1] = wh_prefix_of(&w->own[0][1], 48);
	for (int i = 0; i < 2; i++) {
		w->res[i] = (struct wh_resource){
			.name = i ? "vm2" : "vm1", .addrs = w->own[i], .n_addrs = 2, .nsgs = w->list, .n_nsgs = 1};
		w->results[i] = (struct wh_resource_result){.resource = &w->res[i], .status = WH_UNHEALTHY, .rules = w->rules[i]};
	}
	w->estate = (struct wh_estate){
		.resources = w->res, .n_resources = 2, .nsgs = w->nsg, .n_nsgs = 1, .vnets = w->vnet, .n_vnets = 2};
	w->rec = (struct wh_recommendation){.resources = w->results, .n_resources = 2};
}

/* Keeps only what a proof lets through, as recommend does. */
static void random_rules(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		w->results[i].n_rules = 0;
		for (unsigned k = 0; k < 4; k++) {
			struct wh_counterexample ce;
			struct wh_recommended_rule *r = &w->rules[i][w->results[i].n_rules];
			random_rule(w, r, k);
			/* the common part of two ports becomes one rule */
			if (k && k < 3 && rand() % 2 && w->results[i].n_rules) {
				const struct wh_recommended_rule *like = &w->rules[i][rand() % w->results[i].n_rules];
				r->prefixes = like->prefixes, r->n_prefixes = like->n_prefixes;
				r->except = like->except, r->n_except = like->n_except;
			}
			w->results[i].n_rules += rand() % 4 && !wh_prove(&w->estate, &w->res[i], r, 1, w->mem, &ce, NULL);
		}
	}
}

static bool proposed(const struct world *w, int host, enum wh_direction d, uint16_t port, uint8_t proto, const struct wh_addr *p)
{
	if (d == WH_INBOUND && wh_addr_eq(p, &wh_azure_probes.addr))
		return true; /* the load balancer's probes pass as before wherever a port is narrowed */
	for (size_t i = 0; host >= 0 && i < w->results[host].n_rules; i++) {
		const struct wh_recommended_rule *r = &w->rules[host][i];
		bool in = false;
		if (r->direction != d || r->port != port || r->proto != proto)
			continue;
		for (size_t k = 0; k < r->n_prefixes; k++)
			in |= wh_prefix_has(&r->prefixes[k], p);
		for (size_t k = 0; k < r->n_except; k++)
			in &= !wh_prefix_has(&r->except[k], p);
		return in;
	}
	return true; /* not narrowed */
}

static bool passes(const struct world *w, const struct wh_nsg *n, enum wh_direction d, uint8_t proto, const struct wh_addr *l,
                   uint16_t port, const struct wh_addr *p)
{
	const struct wh_tag_context tags = {w->vnet, 2, NULL};
	return wh_nsg_decide(n, &tags, d, proto, l, port, p)->allow;
}

static void compare(const struct world *w, const struct wh_nsg *before, const struct wh_nsg *after, const char *text)
{
	const struct wh_addr locals[] = {w->own[0][0], w->own[0][1], w->own[1][0], w->own[1][1], address("10.0.0.6")};
	for (unsigned sample = 0; sample < 700; sample++) {
		unsigned l = (unsigned)rand() % 5, i = (unsigned)rand() % PEERS;
		struct wh_addr p = peer(i);
		enum wh_direction d = rand() % 3 ? WH_INBOUND : WH_OUTBOUND;
		uint8_t proto = rand() % 3 ? WH_PROTO_TCP : WH_PROTO_UDP;
		uint16_t port = (uint16_t)(19 + rand() % 8);
		if (wh_addr_is_v4(&p) != wh_addr_is_v4(&locals[l]))
			continue; /* there is no such packet */
		bool was = passes(w, before, d, proto, &locals[l], port, &p),
		     now = passes(w, after, d, proto, &locals[l], port, &p);
		if (now != (was && proposed(w, l < 4 ? (int)(l / 2) : -1, d, port, proto, &p)))
			fail_msg("peer %u local %u %s proto %u port %u: was %d, now %d\n%s", i, l, wh_direction_text(d), proto,
			         port, was, now, text);
	}
}

static char *render(struct world *w)
{
	struct wh_error err;
	char *text = NULL;
	if (wh_renderer_find("nsg")->render(&w->rec, &w->estate, NULL, &text, &err))
		fail_msg("%s", err.text);
	return text;
}

/* The template is read back to the same packets. A group that needs no change is not in it. */
static bool compare_template(struct world *w, const struct wh_nsg *before)
{
	struct wh_error err;
	char *text = NULL;
	struct wh_nsg *after;
	size_t n;
	if (wh_renderer_find("arm")->render(&w->rec, &w->estate, NULL, &text, &err))
		fail_msg("%s", err.text);
	bool has = !wh_nsg_parse("arm", text, strlen(text), w->mem, &after, &n, &err);
	if (has) {
		compare(w, before, after, text);
		wh_nsgs_free(after, n);
	} else {
		assert_non_null(strstr(text, "\"resources\": []"));
	}
	free(text);
	return has;
}

/* before ∧ proposed on what is narrowed, before elsewhere; then again upon the result, with other rules. */
static void only_packets_that_passed_and_were_proposed_pass(void **state)
{
	(void)state;
	unsigned changed = 0, moved = 0, joined = 0, templates = 0;
	srand(21);
	for (int round = 0; round < 150; round++) {
		struct world w = {.mem = wh_arena_new()};
		char text[4096];
		random_group(text, sizeof text);
		make(&w, text);
		for (int again = 0; again < 3; again++) {
			random_rules(&w);
			char *out = render(&w);
			struct wh_nsg *after, *before = w.nsg;
			size_t n;
			struct wh_error err;
			if (wh_nsg_parse("out", out, strlen(out), w.mem, &after, &n, &err))
				fail_msg("%s\n%s", err.text, out);
			assert_int_equal(n, 1);
			compare(&w, before, after, out);
			templates += compare_template(&w, before);
			changed += after->n_rules != before->n_rules;
			joined += strstr(out, "\"21-22\"") || strstr(out, "\"21-23\"") || strstr(out, "\"22-23\"") ||
			          strstr(out, "\"23\"]");
			for (size_t i = 0; i < before->n_rules; i++)
				for (size_t k = 0; k < after->n_rules; k++)
					moved += !strcmp(before->rules[i].name, after->rules[k].name) &&
					         before->rules[i].name[0] == 'r' &&
					         before->rules[i].priority != after->rules[k].priority;
			/* the result is the next round's present policy, and exporting the same again changes nothing */
			struct wh_recommendation same = w.rec;
			make(&w, out);
			free(out);
			w.rec = same;
			out = render(&w);
			struct wh_nsg *still;
			size_t m;
			assert_int_equal(wh_nsg_parse("out", out, strlen(out), w.mem, &still, &m, &err), 0);
			assert_true(json_equal(still->source, w.nsg->source));
			wh_nsgs_free(still, m);
			wh_nsgs_free(before, n);
			wh_nsgs_free(after, n);
			free(out);
		}
		wh_nsgs_free(w.nsg, 1);
		wh_arena_free(w.mem);
	}
	assert_true(changed > 120);
	assert_true(templates > 120);
	assert_true(joined > 100);
	assert_true(moved > 10); /* the tight groups really made rules move */
}

static struct wh_nsg *render_and_read(struct world *w, char **notes)
{
	struct wh_render_options opt = {.notes = notes};
	struct wh_error err;
	struct wh_nsg *after;
	size_t n;
	char *out;
	if (wh_renderer_find("nsg")->render(&w->rec, &w->estate, &opt, &out, &err) ||
	    wh_nsg_parse("out", out, strlen(out), w->mem, &after, &n, &err))
		fail_msg("%s", err.text);
	free(out);
	return after;
}

#define R(name, prio, access, src, port)                                                                                         \
	"{\"name\":\"" name "\",\"priority\":" prio ",\"access\":\"" access                                                      \
	"\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\",\"sourcePortRange\":\"*\"," src                                       \
	",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"" port "\"}"
#define FROM(p) "\"sourceAddressPrefix\":\"" p "\""

static void free_priorities_anywhere_below_are_used_before_a_rule_moves(void **state)
{
	(void)state;
	struct world w = {.mem = wh_arena_new()};
	struct wh_prefix p = {.addr = wh_addr_v4(0x2d000001), .len = 128};
	char *notes;
	make(&w, "{\"name\":\"web\",\"securityRules\":[" R("other", "299", "Allow", FROM("*"), "80") "," R("ssh", "300", "Allow",
	                                                                                                   FROM("*"), "22") "]}");
	w.rules[0][0] = (struct wh_recommended_rule){
		.name = "n", .proto = WH_PROTO_TCP, .port = 22, .prefixes = &p, .n_prefixes = 1};
	w.results[0].n_rules = 1;
	struct wh_nsg *after = render_and_read(&w, &notes);
	assert_null(strstr(notes, "moves"));
	assert_false(after->rules[0].allow); /* IPv6: nobody */
	assert_int_equal(after->rules[0].priority, 295);
	assert_string_equal(after->rules[1].name, "whittle-vm1-TCP-in-22-probes");
	assert_string_equal(after->rules[2].name, "whittle-vm1-TCP-in-22-allow");
	assert_int_equal(after->rules[3].priority, 298);
	assert_string_equal(after->rules[4].name, "other");
	free(notes);
	wh_nsgs_free(after, 1);
	wh_nsgs_free(w.nsg, 1);
	wh_arena_free(w.mem);
}

static void each_moved_rule_is_reported_and_no_other_moves(void **state)
{
	(void)state;
	struct world w = {.mem = wh_arena_new()};
	struct wh_prefix p = {.addr = wh_addr_v4(0x2d000001), .len = 128};
	char *notes;
	make(&w, "{\"name\":\"web\",\"securityRules\":[" R("ssh", "100", "Allow", FROM("*"), "22") "," R(
			 "a", "101", "Allow", FROM("*"), "80") "," R("b", "110", "Allow", FROM("*"), "81") "]}");
	w.res[0].n_addrs = 1;
	w.rules[0][0] = (struct wh_recommended_rule){
		.name = "n", .proto = WH_PROTO_TCP, .port = 22, .prefixes = &p, .n_prefixes = 1};
	w.results[0].n_rules = 1;
	struct wh_nsg *after = render_and_read(&w, &notes);
	assert_non_null(strstr(notes, "web: ssh moves from priority 100 to 103 to make room\n"));
	assert_non_null(strstr(notes, "web: a moves from priority 101 to 104 to make room\n"));
	assert_null(strstr(notes, "web: b"));
	assert_string_equal(after->rules[5].name, "b");
	assert_int_equal(after->rules[5].priority, 110);
	free(notes);
	wh_nsgs_free(after, 1);
	wh_nsgs_free(w.nsg, 1);
	wh_arena_free(w.mem);
}

static void a_rule_of_unknown_reach_stays_ahead(void **state)
{
	(void)state;
	struct world w = {.mem = wh_arena_new()};
	char *notes;
	make(&w, "{\"name\":\"web\",\"securityRules\":[" R("apps", "200", "Allow",
	                                                   "\"sourceApplicationSecurityGroups\":[{\"id\":\"x\"}]",
	                                                   "22") "," R("ssh", "201", "Allow", FROM("*"), "22") "]}");
	w.res[0].n_addrs = 1;
	w.rules[0][0] = (struct wh_recommended_rule){.name = "n", .proto = WH_PROTO_TCP, .port = 22};
	w.results[0].n_rules = 1;
	struct wh_nsg *after = render_and_read(&w, &notes);
	assert_non_null(strstr(notes, "the addresses that apps matches cannot be resolved"));
	assert_string_equal(after->rules[0].name, "apps");
	assert_int_equal(after->rules[0].priority, 200);
	assert_string_equal(after->rules[1].name, "whittle-vm1-TCP-in-22-probes");
	assert_false(after->rules[2].allow);
	assert_string_equal(after->rules[3].name, "ssh");
	free(notes);
	wh_nsgs_free(after, 1);
	wh_nsgs_free(w.nsg, 1);
	wh_arena_free(w.mem);
}

static void rules_behind_an_earlier_export_stay_behind_the_next(void **state)
{
	(void)state;
	struct world w = {.mem = wh_arena_new()};
	struct wh_prefix p = {.addr = wh_addr_v4(0x2d000000), .len = 124};
	char *notes;
	make(&w, "{\"name\":\"web\",\"securityRules\":[" R("ssh", "300", "Allow", FROM("45.0.0.0/24"), "22") "]}");
	w.res[0].n_addrs = 1;
	w.rules[0][0] = (struct wh_recommended_rule){
		.name = "n", .proto = WH_PROTO_TCP, .port = 22, .prefixes = &p, .n_prefixes = 1};
	w.results[0].n_rules = 1;
	struct wh_nsg *first = render_and_read(&w, &notes), *second;
	free(notes);
	/* a person takes the broad rule away, and denies the rest behind ours */
	json_t *rules = json_object_get(first->source, "securityRules"), *ssh = json_array_get(rules, 0);
	json_object_set_new(ssh, "access", json_string("Deny"));
	char *text = json_dumps(first->source, 0);
	wh_nsgs_free(w.nsg, 1);
	make(&w, text);
	w.res[0].n_addrs = 1;
	w.results[0].n_rules = 1;
	p.len = 126;
	second = render_and_read(&w, &notes);
	assert_int_equal(second->n_rules, first->n_rules);
	assert_non_null(strstr(notes, "3 rules of an earlier export replaced"));
	for (unsigned i = 0; i < 16; i++) {
		struct wh_addr a = peer(i);
		assert_int_equal(passes(&w, second, WH_INBOUND, WH_PROTO_TCP, &w.own[0][0], 22, &a), i < 4);
	}
	free(text);
	free(notes);
	wh_nsgs_free(first, 1);
	wh_nsgs_free(second, 1);
	wh_nsgs_free(w.nsg, 1);
	wh_arena_free(w.mem);
}

static void more_rules_than_azure_takes_are_refused(void **state)
{
	(void)state;
	struct world w = {.mem = wh_arena_new()};
	struct wh_prefix p = {.addr = wh_addr_v4(0x2d000000), .len = 128};
	struct wh_error err = {.text = ""};
	char *text = NULL, *out = NULL;
	size_t len;
	for (int others = 996; others <= 997; others++) { /* with ours, three of IPv4 and one of IPv6: 1,000 and 1,001 */
		FILE *f = open_memstream(&text, &len);
		fputs("{\"name\":\"web\",\"securityRules\":[" R("ssh", "4000", "Allow", FROM("*"), "22"), f);
		for (int i = 0; i < others - 1; i++)
			fprintf(f,
			        ",{\"name\":\"o%d\",\"priority\":%d,\"access\":\"Allow\",\"direction\":\"Inbound\",\"protocol\":\"Udp\",\"sourcePortRange\":\"*\"," FROM(
					"10.0.0.9") ",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"53\"}",
			        i, 200 + i);
		fputs("]}", f);
		fclose(f);
		make(&w, text);
		w.rules[0][0] = (struct wh_recommended_rule){
			.name = "n", .proto = WH_PROTO_TCP, .port = 22, .prefixes = &p, .n_prefixes = 1};
		w.results[0].n_rules = 1;
		int rc = wh_renderer_find("nsg")->render(&w.rec, &w.estate, NULL, &out, &err);
		assert_int_equal(rc, others == 996 ? 0 : -E2BIG);
		assert_true(others == 996 ? out != NULL : strstr(err.text, "more than the 1,000") && !out);
		free(out);
		free(text);
		out = NULL;
		wh_nsgs_free(w.nsg, 1);
	}
	wh_arena_free(w.mem);
}

static void more_prefixes_than_azure_takes_are_refused(void **state)
{
	(void)state;
	struct world w = {.mem = wh_arena_new()};
	struct wh_prefix *p = wh_arena_array(w.mem, 4001, sizeof *p);
	struct wh_error err = {.text = ""};
	char *out = NULL;
	make(&w, "{\"name\":\"web\",\"securityRules\":[" R("ssh", "300", "Allow", FROM("*"), "22") "]}");
	for (uint32_t i = 0; i < 4001; i++)
		p[i] = (struct wh_prefix){.addr = wh_addr_v4(0x2d000000 + 2 * i), .len = 128};
	w.rules[0][0] = (struct wh_recommended_rule){
		.name = "n", .proto = WH_PROTO_TCP, .port = 22, .prefixes = p, .n_prefixes = 4001};
	w.results[0].n_rules = 1;
	assert_true(wh_renderer_find("nsg")->render(&w.rec, &w.estate, NULL, &out, &err) < 0);
	assert_non_null(strstr(err.text, "more than the 4,000"));
	assert_null(out);
	wh_nsgs_free(w.nsg, 1);
	wh_arena_free(w.mem);
}

static void names_and_descriptions_keep_azures_rules_for_any_resource_name(void **state)
{
	(void)state;
	static const char *const names[] = {
		"vm1",
		"2001:db8::4",
		"a b",
		"a/b",
		"---",
		"\xc3\xbc\xc3\xbc",
		"x",
		"",
		"a-very-long-name-of-a-virtual-machine-that-somebody-must-have-generated-with-a-template-and-then-some"};
	char seen[9][128];
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct world w = {.mem = wh_arena_new()};
		struct wh_prefix p = {.addr = wh_addr_v4(0x2d000001), .len = 128};
		char *notes, long_name[400] = "";
		for (int k = 0; k < 120; k++)
			strcat(long_name, "\xc3\xbc"); /* two bytes a character: cut between characters */
		char text[1500];
		snprintf(text, sizeof text, "{\"name\":\"web\",\"securityRules\":[" R("%s", "300", "Allow", FROM("*"), "22") "]}",
		         long_name);
		make(&w, text);
		w.res[0].name = names[i];
		w.rules[0][0] = (struct wh_recommended_rule){
			.name = "n", .proto = WH_PROTO_TCP, .port = 22, .prefixes = &p, .n_prefixes = 1};
		w.results[0].n_rules = 1;
		struct wh_nsg *after = render_and_read(&w, &notes);
		json_t *rule;
		size_t k;
		json_array_foreach(json_object_get(after->source, "securityRules"), k, rule) {
			const char *name = json_string_value(json_object_get(rule, "name")),
				   *d = json_string_value(json_object_get(rule, "description"));
			size_t characters = 0;
			if (!d)
				continue; /* the imported one */
			assert_true(strlen(name) <= 80);
			assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"),
			                 strlen(name));
			assert_true(strchr("-.", name[strlen(name) - 1]) == NULL);
			for (; *d; d++)
				characters += ((unsigned char)*d & 0xc0) != 0x80;
			assert_true(characters <= 140 && characters > 50);
		}
		snprintf(seen[i], sizeof seen[i], "%s", after->rules[0].name);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(seen[i], seen[j]);
		free(notes);
		wh_nsgs_free(after, 1);
		wh_nsgs_free(w.nsg, 1);
		wh_arena_free(w.mem);
	}
}

static void a_new_group_leaves_every_other_port_as_open_as_it_was(void **state)
{
	(void)state;
	struct world w = {.mem = wh_arena_new()};
	struct wh_prefix p = {.addr = wh_addr_v4(0x2d000001), .len = 128};
	char *notes;
	make(&w, "{\"name\":\"web\",\"securityRules\":[]}");
	w.res[0].n_nsgs = 0;
	w.rules[0][0] = (struct wh_recommended_rule){
		.name = "n", .proto = WH_PROTO_TCP, .port = 22, .prefixes = &p, .n_prefixes = 1};
	w.results[0].n_rules = 1;
	struct wh_nsg *after = render_and_read(&w, &notes);
	assert_true(after->arm_resource);
	assert_non_null(strstr(notes, "whittle-everything-else"));
	for (unsigned i = 0; i < PEERS; i++)
		for (uint16_t port = 21; port < 24; port++)
			for (int d = 0; d < 2; d++) {
				struct wh_addr a = peer(i);
				bool v4 = wh_addr_is_v4(&a);
				assert_int_equal(
					passes(&w, after, (enum wh_direction)d, WH_PROTO_TCP, &w.own[0][v4 ? 0 : 1], port, &a),
					d == WH_OUTBOUND || port != 22 || i == 1 || i == 32);
			}
	free(notes);
	wh_nsgs_free(after, 1);
	wh_nsgs_free(w.nsg, 1);
	wh_arena_free(w.mem);
}

/* Ports 22 and 3389 for the same partner, 443 for all of the range: two rules for the first two, and when one of them goes its
 * own way, each has its own. */
static void ports_with_the_same_prefixes_share_their_rules_until_they_part(void **state)
{
	(void)state;
	struct world w = {.mem = wh_arena_new()};
	struct wh_prefix partner = {.addr = wh_addr_v4(0x2d000008), .len = 125},
			 wide = {.addr = wh_addr_v4(0x2d000000), .len = 124}, one = {.addr = wh_addr_v4(0x2d000009), .len = 128};
	static const uint16_t ports[] = {443, 3389, 22};
	char *notes;
	make(&w,
	     "{\"name\":\"web\",\"securityRules\":[{\"name\":\"any\",\"priority\":300,\"access\":\"Allow\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\","
	     "\"sourcePortRange\":\"*\",\"sourceAddressPrefix\":\"45.0.0.0/24\",\"destinationAddressPrefix\":\"*\",\"destinationPortRanges\":[\"22\",\"443\",\"3389\"]}]}");
	for (unsigned i = 0; i < 3; i++)
		w.rules[0][i] = (struct wh_recommended_rule){
			.name = "n", .proto = WH_PROTO_TCP, .port = ports[i], .prefixes = i ? &partner : &wide, .n_prefixes = 1};
	w.results[0].n_rules = 3;
	struct wh_nsg *after = render_and_read(&w, &notes);
	assert_int_equal(after->n_rules, 8 + 6); /* any, two threes for IPv4, one deny for the three in IPv6; the defaults */
	const struct wh_rule *shared = wh_rule_named(after, "whittle-vm1-TCP-in-22-allow");
	assert_non_null(shared);
	assert_int_equal(shared->n_dst_ports, 2);
	assert_int_equal(shared->dst_ports[0].from, 22);
	assert_int_equal(shared->dst_ports[1].from, 3389);
	compare(&w, w.nsg, after, "shared");
	free(notes);

	wh_nsgs_free(w.nsg, 1);
	w.nsg = after;
	w.list[0] = after;
	w.estate.nsgs = after;
	w.rules[0][1].prefixes = &one; /* 3389 */
	struct wh_nsg *apart = render_and_read(&w, &notes);
	assert_int_equal(apart->n_rules, 11 + 6);
	assert_int_equal(wh_rule_named(apart, "whittle-vm1-TCP-in-22-allow")->n_dst_ports, 1);
	assert_int_equal(wh_rule_named(apart, "whittle-vm1-TCP-in-3389-allow")->n_dst_ports, 1);
	compare(&w, after, apart, "apart");
	free(notes);
	wh_nsgs_free(apart, 1);
	wh_nsgs_free(w.nsg, 1);
	wh_arena_free(w.mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_packets_that_passed_and_were_proposed_pass),
		cmocka_unit_test(free_priorities_anywhere_below_are_used_before_a_rule_moves),
		cmocka_unit_test(each_moved_rule_is_reported_and_no_other_moves),
		cmocka_unit_test(a_rule_of_unknown_reach_stays_ahead),
		cmocka_unit_test(rules_behind_an_earlier_export_stay_behind_the_next),
		cmocka_unit_test(more_rules_than_azure_takes_are_refused),
		cmocka_unit_test(more_prefixes_than_azure_takes_are_refused),
		cmocka_unit_test(names_and_descriptions_keep_azures_rules_for_any_resource_name),
		cmocka_unit_test(ports_with_the_same_prefixes_share_their_rules_until_they_part),
		cmocka_unit_test(a_new_group_leaves_every_other_port_as_open_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
