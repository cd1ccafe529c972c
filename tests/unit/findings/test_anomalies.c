/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "whittle/findings.h"

/* Small worlds, in which every packet can be tried: 4 local addresses, 8 peers, 4 ports, 2 protocols. */
enum { LOCALS = 4, PEERS = 8, PORTS = 4, MOST_RULES = 12 };

static struct wh_ranges *some_addresses(uint32_t base, unsigned n, struct wh_arena *mem)
{
	struct wh_prefix p[8];
	size_t k = 0;
	for (unsigned x = 0; x < n; x++)
		if (rand() % 3) {
			struct wh_addr a = wh_addr_v4(base + x);
			p[k++] = wh_prefix_of(&a, 128);
		}
	struct wh_ranges *out = wh_arena_alloc(mem, sizeof *out);
	*out = wh_ranges_from_prefixes(p, k, mem);
	return out->n ? out : NULL;
}

static struct wh_ranges *some_ports(struct wh_arena *mem)
{
	unsigned from = (unsigned)rand() % PORTS, to = from + (unsigned)rand() % (PORTS - from);
	const struct wh_port_range r = {(uint16_t)from, (uint16_t)to};
	struct wh_ranges *out = wh_arena_alloc(mem, sizeof *out);
	*out = wh_ports(&r, 1, mem);
	return out;
}

static struct wh_filter random_list(struct wh_filter_rule *rules, struct wh_arena *mem)
{
	static const uint8_t protos[] = {WH_PROTO_ANY, WH_PROTO_TCP, WH_PROTO_UDP};
	size_t n = 1 + (size_t)rand() % MOST_RULES;
	for (size_t i = 0; i < n; i++)
		rules[i] = (struct wh_filter_rule){.action = rand() % 2 ? WH_FILTER_ALLOW : WH_FILTER_DENY,
		                                   .direction = rand() % 4 ? WH_INBOUND : WH_OUTBOUND,
		                                   .proto = protos[rand() % 3],
		                                   .local = rand() % 2 ? some_addresses(0x0a000000u, LOCALS, mem) : NULL,
		                                   .peer = rand() % 3 ? some_addresses(0xc0000200u, PEERS, mem) : NULL,
		                                   .dport = rand() % 3 ? some_ports(mem) : NULL,
		                                   .may = rand() % 8 ? NULL : "unknown"};
	return (struct wh_filter){.rules = rules, .n = n};
}

static bool has(const struct wh_filter_rule *r, const struct wh_filter_packet *p)
{
	struct wh_addr port = wh_port_addr(p->dport);
	return (!r->proto || r->proto == p->proto) && (!r->local || wh_ranges_has(*r->local, &p->local)) &&
	       (!r->peer || wh_ranges_has(*r->peer, &p->peer)) && (!r->dport || wh_ranges_has(*r->dport, &port));
}

/* Packet number x of the world; one more address, port and protocol stand for all that no rule names. */
static struct wh_filter_packet packet(unsigned x)
{
	static const uint8_t protos[] = {WH_PROTO_TCP, WH_PROTO_UDP, 1};
	struct wh_filter_packet p = {.proto = protos[x % 3]};
	p.local = wh_addr_v4(0x0a000000u + x / 3 % (LOCALS + 1));
	p.peer = wh_addr_v4(0xc0000200u + x / 3 / (LOCALS + 1) % (PEERS + 1));
	p.dport = (uint16_t)(x / 3 / (LOCALS + 1) / (PEERS + 1));
	return p;
}
enum { PACKETS = 3 * (LOCALS + 1) * (PEERS + 1) * (PORTS + 1) };

/* Whether rules of the direction before it, which match for certain, match all packets of rule i; *otherwise: one decides
 * otherwise on a packet that it is the first to match. */
static bool is_covered(const struct wh_filter *f, size_t i, bool *otherwise)
{
	*otherwise = false;
	for (unsigned x = 0; x < PACKETS; x++) {
		struct wh_filter_packet p = packet(x);
		size_t k = 0;
		if (!has(&f->rules[i], &p))
			continue;
		while (k < i && (f->rules[k].may || f->rules[k].direction != f->rules[i].direction || !has(&f->rules[k], &p)))
			k++;
		if (k == i)
			return false;
		*otherwise |= f->rules[k].action != f->rules[i].action;
	}
	return true;
}

static const struct wh_anomaly *about(const struct wh_anomaly *a, size_t n, const struct wh_filter_rule *r,
                                      const struct wh_filter_rule *by)
{
	for (size_t i = 0; i < n; i++)
		if (a[i].rule == r && a[i].kind != WH_PERMISSIVE && (!by || a[i].other == by))
			return &a[i];
	return NULL;
}

static void check_pair(const struct wh_filter *f, size_t i, size_t k, const struct wh_anomaly *a, size_t n)
{
	const struct wh_filter_rule *r = &f->rules[i], *e = &f->rules[k];
	bool common = false, more = false;
	for (unsigned x = 0; x < PACKETS; x++) {
		struct wh_filter_packet p = packet(x);
		common |= has(r, &p) && has(e, &p);
		more |= has(e, &p) && !has(r, &p);
	}
	const struct wh_anomaly *got = about(a, n, r, e);
	bool wanted = common && !e->may && e->direction == r->direction && e->action != r->action;
	assert_int_equal(got != NULL, wanted);
	if (wanted)
		assert_int_equal(got->kind, more ? WH_CORRELATED : WH_GENERALISED);
}

static void findings_equal_those_of_trying_each_packet(void **state)
{
	(void)state;
	srand(11);
	size_t found = 0;
	for (int world = 0; world < 400; world++) {
		struct wh_arena *mem = wh_arena_new();
		struct wh_filter_rule rules[MOST_RULES];
		struct wh_filter f = random_list(rules, mem);
		struct wh_anomaly *a;
		size_t skipped, steps = WH_ANOMALY_STEPS, n = wh_anomalies(&f, &steps, mem, &a, &skipped);
		assert_int_equal(skipped, 0);
		for (size_t i = 0; i < f.n; i++) {
			bool otherwise, covered = !rules[i].may && is_covered(&f, i, &otherwise);
			const struct wh_anomaly *x = about(a, n, &rules[i], NULL);
			if (covered)
				assert_true(x && x->kind == (otherwise ? WH_SHADOWED : WH_REDUNDANT));
			else if (x)
				assert_true(!rules[i].may && (x->kind == WH_CORRELATED || x->kind == WH_GENERALISED));
			for (size_t k = 0; !covered && !rules[i].may && k < i; k++)
				check_pair(&f, i, k, a, n);
		}
		for (size_t i = 0; i < n; i++) /* each packet is of both rules */
			assert_true(has(a[i].rule, &a[i].packet) && (!a[i].other || has(a[i].other, &a[i].packet)));
		found += n;
		wh_arena_free(mem);
	}
	assert_true(found > 1000);
}

/* Rules that are exceptions from the last one. */
static struct wh_filter many_pieces(size_t n, struct wh_filter_rule *rules, struct wh_arena *mem)
{
	for (size_t i = 0; i < n; i++) {
		struct wh_addr peer = wh_addr_v4(0x80000000u + (uint32_t)i * 4),
			       local = wh_addr_v4(0x0a000000u + (uint32_t)i * 4);
		struct wh_prefix of_peer = wh_prefix_of(&peer, 128), of_local = wh_prefix_of(&local, 128);
		const struct wh_port_range port = {(uint16_t)(3 * i), (uint16_t)(3 * i)};
		struct wh_ranges *set = wh_arena_array(mem, 3, sizeof *set);
		set[0] = wh_ranges_from_prefixes(&of_peer, 1, mem);
		set[1] = wh_ranges_from_prefixes(&of_local, 1, mem);
		set[2] = wh_ports(&port, 1, mem);
		rules[i] = (struct wh_filter_rule){
			.action = WH_FILTER_ALLOW, .peer = &set[0], .local = &set[1], .dport = &set[2]};
	}
	rules[n] = (struct wh_filter_rule){.action = WH_FILTER_DENY};
	return (struct wh_filter){.rules = rules, .n = n + 1};
}

static void time_and_output_are_bounded_by_the_number_of_rules(void **state)
{
	(void)state;
	enum { N = 400 };
	struct wh_arena *mem = wh_arena_new();
	struct wh_filter_rule *rules = wh_arena_array(mem, N + 1, sizeof *rules);
	struct wh_filter f = many_pieces(N, rules, mem);
	struct wh_anomaly *a;
	size_t skipped, steps = WH_ANOMALY_STEPS;
	size_t n = wh_anomalies(&f, &steps, mem, &a, &skipped);
	assert_int_equal(n, N); /* the last rule generalises each of them */
	assert_int_equal(skipped, 0);
	assert_true(steps < WH_ANOMALY_STEPS + N * WH_ANOMALY_FINDING + 2 * WH_ANOMALY_FINDING);

	steps = 0; /* two findings a rule, and what it takes to find them */
	for (size_t i = 0; i <= N; i++)
		rules[i].action = i % 2 ? WH_FILTER_ALLOW : WH_FILTER_DENY, rules[i].local = rules[i].dport = NULL;
	for (size_t i = 1; i <= N; i += 2) {
		const struct wh_port_range port = {(uint16_t)i, (uint16_t)i};
		struct wh_ranges *set = wh_arena_alloc(mem, sizeof *set);
		*set = wh_ports(&port, 1, mem);
		rules[i].peer = NULL;
		rules[i].dport = set;
	}
	n = wh_anomalies(&f, &steps, mem, &a, &skipped);
	assert_in_range(n, 1, 2 * N);
	assert_true(skipped > 0 && !steps);
	wh_arena_free(mem);
}

/* Lists of thousands of prefixes with nothing in common: no copy for each pair. */
static void disjoint_lists_take_no_memory_for_each_pair(void **state)
{
	(void)state;
	enum { RULES = 100, PREFIXES = 1000 };
	struct wh_arena *in = wh_arena_new(), *mem = wh_arena_new();
	struct wh_filter_rule *rules = wh_arena_array(in, RULES + 1, sizeof *rules);
	struct wh_prefix *p = wh_arena_array(in, PREFIXES, sizeof *p);
	for (uint32_t i = 0; i < RULES; i++) {
		for (uint32_t k = 0; k < PREFIXES; k++) {
			struct wh_addr a = wh_addr_v4(0x0b000000u +
			                              (k * RULES + i) * 2); /* interleaved: the worst order for a walk */
			p[k] = wh_prefix_of(&a, 128);
		}
		struct wh_ranges *set = wh_arena_alloc(in, sizeof *set);
		*set = wh_ranges_from_prefixes(p, PREFIXES, in);
		rules[i] = (struct wh_filter_rule){.action = i % 2 ? WH_FILTER_ALLOW : WH_FILTER_DENY, .peer = set};
	}
	struct wh_filter f = {.rules = rules, .n = RULES};
	struct wh_anomaly *a;
	size_t skipped, steps = WH_ANOMALY_STEPS, before = steps + RULES * 2 * WH_ANOMALY_FINDING;
	assert_int_equal(wh_anomalies(&f, &steps, mem, &a, &skipped), 0);
	assert_int_equal(skipped, 0);
	assert_in_range(before - steps, 1, RULES * RULES / 2 * 3 * PREFIXES);
	wh_arena_free(mem);
	wh_arena_free(in);
}

/* One that opens SSH to everybody, for no machine, behind and in front of one that would be compared with it. */
static void a_rule_that_matches_nothing_is_left_alone(void **state)
{
	(void)state;
	struct wh_arena *mem = wh_arena_new();
	struct wh_ranges none = {0}, ssh = wh_ports(&(struct wh_port_range){22, 22}, 1, mem);
	struct wh_filter_rule rules[] = {{.action = WH_FILTER_DENY, .peer = &none},
	                                 {.action = WH_FILTER_ALLOW, .dport = &ssh, .local = &none},
	                                 {.action = WH_FILTER_DENY, .dport = &ssh}};
	struct wh_filter f = {.rules = rules, .n = 3};
	struct wh_anomaly *a;
	size_t skipped, steps = WH_ANOMALY_STEPS;
	assert_int_equal(wh_anomalies(&f, &steps, mem, &a, &skipped), 0);
	assert_int_equal(skipped, 0);
	wh_arena_free(mem);
}

/* SMB and RPC are for networks of one's own: no office's addresses and no hour make them right on the Internet. */
static void smb_is_not_to_be_opened_just_in_time(void **state)
{
	static const struct { uint16_t port; const char *words; } rows[] = {
		{22, "just-in-time"}, {3389, "just-in-time"}, {445, "by VPN"}, {135, "by VPN"}};
	struct wh_arena *mem = wh_arena_new();
	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct wh_range port = {wh_port_addr(rows[i].port), wh_port_addr(rows[i].port)};
		struct wh_ranges ports = {&port, 1};
		struct wh_filter_rule rule = {.action = WH_FILTER_ALLOW, .proto = WH_PROTO_TCP, .dport = &ports};
		struct wh_filter f = {.rules = &rule, .n = 1};
		struct wh_anomaly *a;
		size_t skipped, steps = WH_ANOMALY_STEPS;
		assert_int_equal(wh_anomalies(&f, &steps, mem, &a, &skipped), 1);
		assert_int_equal(a[0].kind, WH_PERMISSIVE);
		assert_non_null(strstr(a[0].fix, rows[i].words));
	}
	wh_arena_free(mem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings_equal_those_of_trying_each_packet),
		cmocka_unit_test(time_and_output_are_bounded_by_the_number_of_rules),
		cmocka_unit_test(a_rule_that_matches_nothing_is_left_alone),
		cmocka_unit_test(smb_is_not_to_be_opened_just_in_time),
		cmocka_unit_test(disjoint_lists_take_no_memory_for_each_pair),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
