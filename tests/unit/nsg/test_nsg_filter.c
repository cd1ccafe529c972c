/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A group as a filter: packet by packet the same as Azure's first match, and the question of one port the same as the whole
 * group. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "nsg/filter.h"

static unsigned pick(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245u + 12345u;
	return (*seed >> 16) % n;
}

/* Sixteen addresses of 10.0.0.0/28, of which rules and packets are made. */
static struct wh_addr address(unsigned i)
{
	return wh_addr_v4(0x0a000000u + i);
}

static struct wh_prefix some_prefix(unsigned *seed)
{
	struct wh_addr a = address(pick(seed, 16) & ~3u);
	return pick(seed, 5) ? wh_prefix_of(&a, 126) : wh_prefix_all_v4;
}

struct made { struct wh_rule rule; struct wh_prefix peer, local; struct wh_port_range dst, src; const char *tag; };

static struct wh_nsg random_group(unsigned *seed, bool unknowns, struct made *m, struct wh_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		m[i] = (struct made){.peer = some_prefix(seed),
		                     .local = some_prefix(seed),
		                     .dst = {0, 65535},
		                     .src = {0, 65535},
		                     .tag = "Nowhere"};
		if (pick(seed, 3))
			m[i].dst = (struct wh_port_range){(uint16_t)(20 + pick(seed, 3)), (uint16_t)(22 + pick(seed, 3))};
		if (!pick(seed, 4))
			m[i].src = (struct wh_port_range){(uint16_t)(1000 * pick(seed, 3)), 2999};
		rules[i] = (struct wh_rule){.name = "r",
		                            .priority = (uint16_t)(100 + i),
		                            .direction = pick(seed, 4) ? WH_INBOUND : WH_OUTBOUND,
		                            .allow = pick(seed, 2),
		                            .is_default = i + 2 > n,
		                            .proto = pick(seed, 3)   ? WH_PROTO_TCP
		                                     : pick(seed, 2) ? WH_PROTO_UDP
		                                                     : WH_PROTO_ANY,
		                            .dst_ports = &m[i].dst,
		                            .n_dst_ports = 1,
		                            .src_ports = &m[i].src,
		                            .n_src_ports = 1,
		                            .peers = &m[i].peer,
		                            .n_peers = 1};
		if (pick(seed, 2))
			rules[i].locals = &m[i].local, rules[i].n_locals = 1;
		switch (unknowns ? pick(seed, 8) : 7) {
		case 0: rules[i].peer_tags = &m[i].tag, rules[i].n_peer_tags = 1; break;
		case 1: rules[i].local_tags = &m[i].tag, rules[i].n_local_tags = 1; break;
		case 2: rules[i].unsupported = rules[i].peer_group = true, rules[i].n_peers = 0; break;
		case 3: rules[i].unsupported = true, rules[i].n_locals = 0; break;
		}
	}
	return (struct wh_nsg){.name = "web", .rules = rules, .n_rules = n};
}

static bool in(const struct wh_port_range *r, uint16_t port)
{
	return port >= r->from && port <= r->to;
}

/* As Azure describes it: the first rule in order of priority that matches. */
static const struct wh_rule *first_match(const struct wh_nsg *n, const struct wh_filter_packet *p)
{
	for (size_t i = 0; i < n->n_rules; i++) {
		const struct wh_rule *r = &n->rules[i];
		if (r->direction == p->direction && (!r->proto || r->proto == p->proto) && in(r->dst_ports, p->dport) &&
		    in(r->src_ports, p->sport) && wh_prefix_has(r->peers, &p->peer) &&
		    (!r->n_locals || wh_prefix_has(r->locals, &p->local)))
			return r;
	}
	return NULL;
}

static struct wh_filter_packet random_packet(unsigned *seed)
{
	static const uint16_t sports[] = {500, 1500, 2500, 60000};
	return (struct wh_filter_packet){.direction = pick(seed, 4) ? WH_INBOUND : WH_OUTBOUND,
	                                 .proto = pick(seed, 2) ? WH_PROTO_TCP : WH_PROTO_UDP,
	                                 .local = address(pick(seed, 16)),
	                                 .peer = address(pick(seed, 16)),
	                                 .sport = sports[pick(seed, 4)],
	                                 .dport = (uint16_t)(19 + pick(seed, 7))};
}

static void the_whole_group_decides_each_packet_by_its_first_match(void **state)
{
	(void)state;
	unsigned seed = 1;
	for (int round = 0; round < 300; round++) {
		struct wh_arena *mem = wh_arena_new();
		struct made m[8];
		struct wh_rule rules[8];
		struct wh_nsg n = random_group(&seed, false, m, rules, 8);
		struct wh_filter f;
		wh_nsg_filter(&n, NULL, NULL, mem, &f);
		for (int k = 0; k < 40; k++) {
			struct wh_filter_packet p = random_packet(&seed);
			struct wh_filter_decision d = wh_filter_decide(&f, &p);
			const struct wh_rule *want = first_match(&n, &p);
			assert_int_equal(d.verdict, want && want->allow ? WH_ALLOWED : WH_DENIED);
			assert_ptr_equal(d.rule ? d.rule->from : NULL, want);
		}
		wh_arena_free(mem);
	}
}

/* Groups of unknown reach too: the sets of peers that pass for certain, from some source port, are those of the packets. */
static void the_question_of_one_port_is_the_whole_group_asked_packet_by_packet(void **state)
{
	(void)state;
	unsigned seed = 7;
	for (int round = 0; round < 300; round++) {
		struct wh_arena *mem = wh_arena_new();
		struct made m[6];
		struct wh_rule rules[6];
		struct wh_nsg n = random_group(&seed, true, m, rules, 6);
		const struct wh_nsg *list[] = {&n};
		struct wh_filter f;
		wh_nsg_filter(&n, NULL, NULL, mem, &f);
		for (int k = 0; k < 10; k++) {
			static const uint16_t sports[] = {0, 1500, 2500, 60000};
			struct wh_filter_packet p = random_packet(&seed);
			struct wh_judged j;
			wh_policy_judge(list, 1, NULL, &(struct wh_nsg_question){p.direction, p.proto, &p.local, p.dport}, mem,
			                &j);
			for (unsigned i = 0; i < 16; i++) {
				bool passes = false, doubt = false;
				p.peer = address(i);
				for (size_t s = 0; s < sizeof sports / sizeof *sports; s++) {
					p.sport = sports[s];
					enum wh_answer v = wh_filter_decide(&f, &p).verdict;
					passes |= v == WH_ALLOWED;
					doubt |= v == WH_UNDECIDED;
				}
				assert_int_equal(wh_ranges_has(j.allowed, &p.peer), passes);
				assert_true(!doubt || j.unknown);
			}
		}
		wh_arena_free(mem);
	}
}

static void a_port_that_only_default_rules_allow_was_opened_by_no_person(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_error err = {.text = ""};
	static const char text[] =
		"{\"name\":\"web\",\"securityRules\":[{\"name\":\"ssh\",\"priority\":300,\"access\":\"Allow\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\","
		"\"sourcePortRange\":\"*\",\"sourceAddressPrefix\":\"45.0.0.0/24\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22\"}]}";
	struct wh_nsg *n;
	size_t count;
	assert_int_equal(wh_nsg_parse("web.json", text, strlen(text), mem, &n, &count, &err), 0);
	struct wh_addr vnet = wh_addr_v4(0x0a000000), local = wh_addr_v4(0x0a000004), inside = wh_addr_v4(0x0a000009),
		       outside = wh_addr_v4(0x2d000001);
	struct wh_prefix ten = wh_prefix_of(&vnet, 104);
	struct wh_tag_context tags = {.vnet = &ten, .n_vnet = 1};
	const struct wh_nsg *list[] = {n};
	struct wh_judged j;
	wh_policy_judge(list, 1, &tags, &(struct wh_nsg_question){WH_INBOUND, WH_PROTO_TCP, &local, 22}, mem, &j);
	assert_true(wh_ranges_has(j.allowed, &inside) && wh_ranges_has(j.allowed, &outside));
	assert_true(!wh_ranges_has(j.opened, &inside) && wh_ranges_has(j.opened, &outside));
	assert_string_equal(wh_nsg_opener(n, &tags, &(struct wh_nsg_question){WH_INBOUND, WH_PROTO_TCP, &local, 22}, mem)->name,
	                    "ssh");
	assert_null(wh_nsg_opener(n, &tags, &(struct wh_nsg_question){WH_INBOUND, WH_PROTO_TCP, &local, 23}, mem));
	wh_nsgs_free(n, count);
	wh_arena_free(mem);
}

static void the_rule_that_opens_a_port_is_not_the_probes_own_while_another_does(void **state)
{
	(void)state;
	static const char text[] =
		"{\"name\":\"web\",\"securityRules\":["
		"{\"name\":\"probes\",\"priority\":300,\"access\":\"Allow\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\",\"sourcePortRange\":\"*\","
		"\"sourceAddressPrefix\":\"AzureLoadBalancer\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22-23\"},"
		"{\"name\":\"ssh\",\"priority\":310,\"access\":\"Allow\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\",\"sourcePortRange\":\"*\","
		"\"sourceAddressPrefix\":\"45.0.0.0/24\",\"destinationAddressPrefix\":\"*\",\"destinationPortRange\":\"22\"}]}";
	struct wh_arena *mem = wh_arena_new();
	struct wh_error err = {.text = ""};
	struct wh_tag_context tags = {0};
	struct wh_addr local = wh_addr_v4(0x0a000004);
	struct wh_nsg *n;
	size_t count;
	assert_int_equal(wh_nsg_parse("web.json", text, strlen(text), mem, &n, &count, &err), 0);
	assert_string_equal(wh_nsg_opener(n, &tags, &(struct wh_nsg_question){WH_INBOUND, WH_PROTO_TCP, &local, 22}, mem)->name,
	                    "ssh");
	assert_string_equal(wh_nsg_opener(n, &tags, &(struct wh_nsg_question){WH_INBOUND, WH_PROTO_TCP, &local, 23}, mem)->name,
	                    "probes");
	wh_nsgs_free(n, count);
	wh_arena_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_group_decides_each_packet_by_its_first_match),
		cmocka_unit_test(the_question_of_one_port_is_the_whole_group_asked_packet_by_packet),
		cmocka_unit_test(a_port_that_only_default_rules_allow_was_opened_by_no_person),
		cmocka_unit_test(the_rule_that_opens_a_port_is_not_the_probes_own_while_another_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
