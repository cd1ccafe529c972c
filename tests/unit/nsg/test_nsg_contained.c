/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether one group lets through nothing that another does not: held against every packet of a small world. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "nsg/filter.h"

enum { RULES = 8 };

static unsigned pick(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245u + 12345u;
	return (*seed >> 16) % n;
}

/* Four blocks of addresses, of which rules are made; the fifth is named by none. */
static struct wh_addr block(unsigned i)
{
	return wh_addr_v4(0x0a000000u + 4 * i);
}

struct made { struct wh_prefix peer, local; struct wh_port_range dst, src; };

static const char *const names[RULES] = {"a", "b", "c", "d", "e", "f", "g", "h"};
static const char *nowhere = "Nowhere";

static struct wh_prefix some_prefix(unsigned *seed)
{
	struct wh_addr a = block(pick(seed, 4));
	return pick(seed, 4) ? wh_prefix_of(&a, 126) : wh_prefix_all_v4;
}

static struct wh_rule random_rule(unsigned *seed, bool unknowns, size_t i, struct made *m)
{
	*m = (struct made){.peer = some_prefix(seed), .local = some_prefix(seed), .dst = {0, 65535}, .src = {0, 65535}};
	if (pick(seed, 3))
		m->dst = (struct wh_port_range){(uint16_t)(20 + pick(seed, 3)), (uint16_t)(22 + pick(seed, 3))};
	if (!pick(seed, 6))
		m->src = (struct wh_port_range){(uint16_t)(1000 * pick(seed, 3)), 2999};
	struct wh_rule r = {.name = names[i],
	                    .priority = (uint16_t)(100 + i),
	                    .direction = pick(seed, 5) ? WH_INBOUND : WH_OUTBOUND,
	                    .allow = pick(seed, 2),
	                    .proto = pick(seed, 3)   ? WH_PROTO_TCP
	                             : pick(seed, 2) ? WH_PROTO_UDP
	                                             : WH_PROTO_ANY,
	                    .dst_ports = &m->dst,
	                    .n_dst_ports = 1,
	                    .src_ports = &m->src,
	                    .n_src_ports = 1,
	                    .peers = &m->peer,
	                    .n_peers = 1};
	if (pick(seed, 2))
		r.locals = &m->local, r.n_locals = 1;
	if (unknowns && !pick(seed, 4))
		r.peer_tags = &nowhere, r.n_peer_tags = 1, r.n_peers = 0;
	return r;
}

static bool in(const struct wh_port_range *r, uint16_t port)
{
	return port >= r->from && port <= r->to;
}

/* By the first match, where a rule for a tag without addresses takes the packet if its bit in `members` says so. */
static bool allows(const struct wh_nsg *n, const struct wh_filter_packet *p, unsigned members)
{
	for (size_t i = 0; i < n->n_rules; i++) {
		const struct wh_rule *r = &n->rules[i];
		bool peer = r->n_peer_tags ? members >> (*r->name - 'a') & 1 : wh_prefix_has(r->peers, &p->peer);
		if (peer && r->direction == p->direction && (!r->proto || r->proto == p->proto) && in(r->dst_ports, p->dport) &&
		    in(r->src_ports, p->sport) && (!r->n_locals || wh_prefix_has(r->locals, &p->local)))
			return r->allow;
	}
	return false;
}

static unsigned unknown_rules(const struct wh_nsg *n)
{
	unsigned bits = 0;
	for (size_t i = 0; i < n->n_rules; i++)
		bits |= n->rules[i].n_peer_tags ? 1u << (*n->rules[i].name - 'a') : 0;
	return bits;
}

static bool opens(const struct wh_nsg *a, const struct wh_nsg *b, const struct wh_filter_packet *p)
{
	unsigned unknown = unknown_rules(a) | unknown_rules(b);
	for (unsigned members = unknown;; members = (members - 1) & unknown) {
		if (allows(a, p, members) && !allows(b, p, members))
			return true;
		if (!members)
			return false;
	}
}

static bool opens_somewhere(const struct wh_nsg *a, const struct wh_nsg *b)
{
	static const uint16_t sports[] = {500, 1500, 2500, 60000};
	static const uint8_t protos[] = {WH_PROTO_TCP, WH_PROTO_UDP, 47};
	for (unsigned i = 0; i < 2 * 3 * 5 * 5 * 4 * 7; i++) {
		unsigned k = i / 2;
		struct wh_filter_packet p = {.direction = i % 2 ? WH_OUTBOUND : WH_INBOUND,
		                             .proto = protos[k % 3],
		                             .local = block(k / 3 % 5),
		                             .peer = block(k / 15 % 5),
		                             .sport = sports[k / 75 % 4],
		                             .dport = (uint16_t)(19 + k / 300)};
		if (opens(a, b, &p))
			return true;
	}
	return false;
}

/* A few rules go, come, change places or are altered. */
static struct wh_nsg changed(unsigned *seed, bool unknowns, const struct wh_nsg *from, struct made *m, struct wh_rule *rules)
{
	size_t n = 0;
	for (size_t i = 0; i < from->n_rules; i++)
		if (pick(seed, 6))
			rules[n++] = from->rules[i];
	if (n > 1 && !pick(seed, 3)) {
		struct wh_rule first = rules[0];
		rules[0] = rules[n - 1];
		rules[n - 1] = first;
	}
	if (n && !pick(seed, 3))
		rules[n - 1] = random_rule(seed, unknowns, (size_t)(*rules[n - 1].name - 'a'), m);
	for (size_t i = 0; i < n; i++)
		rules[i].priority = (uint16_t)(200 + i);
	return (struct wh_nsg){.name = "changed", .rules = rules, .n_rules = n};
}

static unsigned compare_rounds(unsigned seed, bool unknowns, int rounds, unsigned *yes, unsigned *no)
{
	unsigned refused = 0;
	for (int round = 0; round < rounds; round++) {
		struct wh_arena *mem = wh_arena_new();
		struct made m[RULES], extra;
		struct wh_rule rules[RULES], others[RULES];
		struct wh_filter_packet ce;
		struct wh_error err;
		for (size_t i = 0; i < RULES; i++)
			rules[i] = random_rule(&seed, unknowns, i, &m[i]);
		struct wh_nsg b = {.name = "web", .rules = rules, .n_rules = RULES},
			      a = changed(&seed, unknowns, &b, &extra, others);
		int rc = wh_nsg_contained(&a, &b, NULL, mem, &ce, &err);
		if (rc == 0) {
			++*yes;
			assert_false(opens_somewhere(&a, &b));
		} else if (rc == 1) {
			++*no;
			assert_true(opens(&a, &b, &ce));
		} else {
			refused++;
			assert_true(unknowns && rc == -EPERM && err.input);
		}
		wh_arena_free(mem);
	}
	return refused;
}

static void a_contained_group_opens_no_packet_and_another_one_has_a_counter_example(void **state)
{
	(void)state;
	unsigned yes = 0, no = 0;
	assert_int_equal(compare_rounds(3, false, 500, &yes, &no), 0);
	assert_true(yes > 60 && no > 60);
}

static void rules_of_unknown_reach_are_proved_for_all_peers_that_they_may_match(void **state)
{
	(void)state;
	unsigned yes = 0, no = 0, refused = compare_rounds(5, true, 500, &yes, &no);
	assert_true(yes > 30 && no > 30 && refused > 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_contained_group_opens_no_packet_and_another_one_has_a_counter_example),
		cmocka_unit_test(rules_of_unknown_reach_are_proved_for_all_peers_that_they_may_match),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
