/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters, against an interpreter that tries every choice of the rules that may match. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/bytes.h"
#include "whittle/filter.h"
#include "../support/arena.h"

/* ---- the interpreter ---- */

enum came { UNDECIDED_BY_LIST, LEFT_LIST, DENIED_BY_RULE, ALLOWED_BY_RULE };
static const struct wh_filter_rule *doubtful[32];
static unsigned n_doubtful;

static bool in_set(const struct wh_ranges *set, const struct wh_addr *a)
{
	if (!set)
		return true;
	for (size_t i = 0; i < set->n; i++)
		if (memcmp(set->r[i].from.b, a->b, 16) <= 0 && memcmp(set->r[i].to.b, a->b, 16) >= 0)
			return true;
	return false;
}

static enum came interpret(const struct wh_filter *f, const struct wh_filter_packet *p, unsigned choice)
{
	struct wh_addr sport = {{[14] = (uint8_t)(p->sport >> 8), [15] = (uint8_t)p->sport}},
		       dport = {{[14] = (uint8_t)(p->dport >> 8), [15] = (uint8_t)p->dport}};
	for (size_t i = 0; i < f->n; i++) {
		const struct wh_filter_rule *r = &f->rules[i];
		if (r->direction != p->direction || (r->proto && r->proto != p->proto) || !in_set(r->local, &p->local) ||
		    !in_set(r->peer, &p->peer) || !in_set(r->sport, &sport) || !in_set(r->dport, &dport))
			continue;
		bool chosen = !r->may;
		for (unsigned k = 0; k < n_doubtful; k++)
			chosen |= doubtful[k] == r && (choice & 1u << k);
		if (!chosen)
			continue;
		if (r->action == WH_FILTER_ALLOW)
			return ALLOWED_BY_RULE;
		if (r->action == WH_FILTER_DENY)
			return DENIED_BY_RULE;
		if (r->action == WH_FILTER_RETURN)
			return LEFT_LIST;
		enum came c = interpret(r->to, p, choice);
		if (c == ALLOWED_BY_RULE || c == DENIED_BY_RULE)
			return c;
		if (r->action == WH_FILTER_GOTO)
			return LEFT_LIST;
	}
	return UNDECIDED_BY_LIST;
}

static void collect(const struct wh_filter *f)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->rules[i].may)
			doubtful[n_doubtful++] = &f->rules[i];
		if (f->rules[i].to)
			collect(f->rules[i].to);
	}
}

static enum wh_answer every_choice(const struct wh_filter *f, const struct wh_filter_packet *p)
{
	bool can[2] = {false, false};
	n_doubtful = 0;
	collect(f);
	for (unsigned choice = 0; choice < 1u << n_doubtful; choice++) {
		enum came c = interpret(f, p, choice);
		if (c == ALLOWED_BY_RULE || c == DENIED_BY_RULE)
			can[c == ALLOWED_BY_RULE] = true;
		else
			for (int v = WH_DENIED; v <= WH_ALLOWED; v++)
				can[v] |= f->otherwise == WH_UNDECIDED || (int)f->otherwise == v;
	}
	return can[0] && can[1] ? WH_UNDECIDED : can[1] ? WH_ALLOWED : WH_DENIED;
}

/* ---- random filters over a small universe ---- */

static const char *const addresses[] = {"10.0.0.0",  "10.0.0.1",    "10.0.0.2",    "10.0.0.9",
                                        "192.0.2.1", "2001:db8::1", "2001:db8::2", "::5"};
enum { ADDRESSES = sizeof addresses / sizeof *addresses, PORTS = 6 };
static const uint16_t ports[PORTS] = {0, 21, 22, 80, 443, 65535};
static const uint8_t protos[] = {WH_PROTO_TCP, WH_PROTO_UDP, WH_PROTO_ICMP, 47};

static struct wh_addr address(unsigned i)
{
	struct wh_addr a;
	assert_int_equal(wh_addr_parse(addresses[i], strlen(addresses[i]), &a), 0);
	return a;
}

static unsigned below(unsigned n)
{
	return (unsigned)rand() % n;
}

static const struct wh_ranges *some_addresses(void)
{
	static const char *const prefixes[] = {"10.0.0.0/31", "10.0.0.0/8",     "10.0.0.2",     "0.0.0.0/0",
	                                       "::/0",        "2001:db8::/127", "192.0.2.0/24", "2001:db8::2"};
	struct wh_prefix p[2];
	struct wh_ranges *r = wh_arena_alloc(mem, sizeof *r);
	if (!below(3))
		return NULL;
	unsigned n = 1 + below(2);
	for (unsigned i = 0; i < n; i++) {
		const char *text = prefixes[below(sizeof prefixes / sizeof *prefixes)];
		assert_int_equal(wh_prefix_parse(text, strlen(text), &p[i], NULL), 0);
	}
	*r = wh_ranges_from_prefixes(p, n, mem);
	return r;
}

static const struct wh_ranges *some_ports(unsigned seldom)
{
	static const struct wh_port_range some[] = {{22, 22}, {0, 79}, {80, 443}, {443, 65535}, {0, 65535}, {21, 22}};
	struct wh_ranges *r = wh_arena_alloc(mem, sizeof *r);
	if (below(seldom))
		return NULL;
	struct wh_port_range two[2] = {some[below(6)], some[below(6)]};
	*r = wh_ports(two, 1 + below(2), mem);
	return r;
}

static struct wh_filter *random_filter(unsigned depth, unsigned *may_left)
{
	struct wh_filter *f = wh_arena_alloc(mem, sizeof *f);
	struct wh_filter_rule *r = wh_arena_array(mem, 8, sizeof *r);
	f->name = "random";
	f->n = below(depth ? 4 : 8);
	f->rules = r;
	f->otherwise = (enum wh_answer)below(3);
	for (size_t i = 0; i < f->n; i++) {
		r[i].action = (enum wh_filter_action)(below(3) ? below(2) : below(depth < 2 ? 5 : 3));
		if (r[i].action >= WH_FILTER_JUMP)
			r[i].to = random_filter(depth + 1, may_left);
		r[i].direction = (enum wh_direction)below(2);
		r[i].proto = below(2) ? WH_PROTO_ANY : protos[below(4)];
		r[i].local = some_addresses();
		r[i].peer = some_addresses();
		r[i].dport = some_ports(2);
		r[i].sport = some_ports(4);
		if (*may_left && !below(4)) {
			r[i].may = "a group whose members are not known";
			--*may_left;
		}
	}
	return f;
}

static struct wh_filter *fresh_filter(void)
{
	unsigned may_left = 5;
	return random_filter(0, &may_left);
}

static struct wh_filter_packet random_packet(void)
{
	return (struct wh_filter_packet){(enum wh_direction)below(2), protos[below(4)],    address(below(ADDRESSES)),
	                                 address(below(ADDRESSES)),   ports[below(PORTS)], ports[below(PORTS)]};
}

static void the_verdict_is_that_of_every_choice_of_the_rules_that_may_match(void **state)
{
	(void)state;
	unsigned seen[3] = {0};
	srand(1);
	for (int i = 0; i < 1500; i++) {
		struct wh_filter *f = fresh_filter();
		for (int k = 0; k < 40; k++) {
			struct wh_filter_packet p = random_packet();
			struct wh_filter_decision d = wh_filter_decide(f, &p);
			enum wh_answer v = every_choice(f, &p);
			seen[v]++;
			assert_int_equal(d.verdict, v);
			if (v != WH_UNDECIDED && d.rule)
				assert_int_equal(d.rule->action == WH_FILTER_ALLOW, v == WH_ALLOWED);
			if (d.doubt)
				assert_true(d.verdict == WH_UNDECIDED);
		}
		wh_arena_reset(mem);
	}
	assert_true(seen[0] > 1000 && seen[1] > 1000 && seen[2] > 1000);
}

static bool set_has(struct wh_ranges s, const struct wh_addr *a)
{
	return in_set(&s, a);
}

static void a_region_along_a_free_dimension_has_the_verdict_of_each_of_its_packets(void **state)
{
	(void)state;
	srand(2);
	for (int i = 0; i < 400; i++) {
		const struct wh_filter *f[2] = {fresh_filter(), fresh_filter()};
		size_t n = below(3);
		for (int k = 0; k < 6; k++) {
			struct wh_filter_packet p = random_packet();
			for (int free = WH_FREE_PEER; free <= WH_FREE_DPORT; free++) {
				struct wh_outcomes o = wh_filter_outcomes(f, n, &p, (enum wh_filter_free)free, false, mem);
				for (unsigned v = 0; v < (free == WH_FREE_DPORT ? PORTS : ADDRESSES); v++) {
					struct wh_filter_packet q = p;
					struct wh_addr a = free == WH_FREE_DPORT ? wh_port_addr(ports[v]) : address(v);
					if (free == WH_FREE_PEER)
						q.peer = a;
					else if (free == WH_FREE_LOCAL)
						q.local = a;
					else
						q.dport = ports[v];
					enum wh_answer all = WH_ALLOWED;
					for (size_t j = 0; j < n; j++) {
						enum wh_answer one = every_choice(f[j], &q);
						all = one == WH_DENIED || all == WH_DENIED ? WH_DENIED
						      : one == WH_UNDECIDED                ? one
						                                           : all;
					}
					assert_int_equal(set_has(o.allowed, &a), all == WH_ALLOWED);
					assert_int_equal(set_has(o.undecided, &a), all == WH_UNDECIDED);
				}
			}
		}
		wh_arena_reset(mem);
	}
}

static void any_source_port_means_every_one_for_allowed_and_some_one_for_undecided(void **state)
{
	(void)state;
	srand(3);
	for (int i = 0; i < 300; i++) {
		const struct wh_filter *f = fresh_filter();
		struct wh_filter_packet p = random_packet();
		struct wh_outcomes o = wh_filter_outcomes(&f, 1, &p, WH_FREE_PEER, true, mem);
		for (unsigned v = 0; v < ADDRESSES; v++) {
			bool all = true, some = false;
			p.peer = address(v);
			for (unsigned s = 0; s < 65536; s += s < 512 ? 1 : 4093) {
				p.sport = (uint16_t)(s > 65535 ? 65535 : s);
				enum wh_answer one = wh_filter_decide(f, &p).verdict;
				all &= one == WH_ALLOWED;
				some |= one != WH_DENIED;
			}
			assert_int_equal(set_has(o.allowed, &p.peer), all);
			assert_int_equal(set_has(o.undecided, &p.peer), some && !all);
		}
		wh_arena_reset(mem);
	}
}

/* Exhaustive over the universe of the random filters; their cuts lie between these values. */
static bool every_packet_contained(const struct wh_filter *a, const struct wh_filter *b)
{
	struct wh_filter_packet p;
	for (int d = 0; d < 2; d++)
		for (unsigned proto = 0; proto < 4; proto++)
			for (unsigned x = 0; x < PORTS; x++)
				for (unsigned y = 0; y < PORTS; y++)
					for (unsigned l = 0; l < ADDRESSES; l++)
						for (unsigned r = 0; r < ADDRESSES; r++) {
							p = (struct wh_filter_packet){
								(enum wh_direction)d, protos[proto], address(l),
								address(r),           ports[x],      ports[y]};
							if (wh_addr_is_v4(&p.local) == wh_addr_is_v4(&p.peer) &&
							    wh_filter_decide(a, &p).verdict != WH_DENIED &&
							    wh_filter_decide(b, &p).verdict != WH_ALLOWED)
								return false;
						}
	return true;
}

static void containment_is_proved_or_broken_by_a_packet_that_breaks_it(void **state)
{
	(void)state;
	unsigned yes = 0, no = 0;
	srand(4);
	for (int i = 0; i < 40; i++) {
		struct wh_filter *a = fresh_filter(), *b = fresh_filter();
		struct wh_filter_packet ce;
		struct wh_error err;
		if (i % 2) { /* a narrower copy: denials in front */
			struct wh_filter_rule *r = wh_arena_array(mem, b->n + 1, sizeof *r);
			r[0] = (struct wh_filter_rule){
				.action = WH_FILTER_DENY, .direction = WH_INBOUND, .peer = some_addresses()};
			memcpy(r + 1, b->rules, b->n * sizeof *r);
			for (size_t k = 0; k < b->n; k++)
				r[k + 1].may = NULL;
			b->rules = r + 1;
			if (b->otherwise == WH_UNDECIDED)
				b->otherwise = WH_DENIED;
			*a = *b;
			a->rules = r;
			a->n++;
		}
		int rc = wh_filter_contained(a, b, 100000, mem, &ce, &err);
		assert_true(rc >= 0);
		if (rc) {
			no++;
			assert_true(every_choice(a, &ce) != WH_DENIED);
			assert_true(every_choice(b, &ce) != WH_ALLOWED);
		} else {
			yes++;
			assert_true(every_packet_contained(a, b));
		}
		wh_arena_reset(mem);
	}
	assert_true(yes > 5 && no > 5);
}

static void more_combinations_than_asked_for_are_refused(void **state)
{
	(void)state;
	struct wh_filter f = {.name = "one", .otherwise = WH_ALLOWED};
	struct wh_filter_packet ce;
	struct wh_error err;
	assert_int_equal(wh_filter_contained(&f, &f, 0, mem, &ce, &err), -E2BIG);
	assert_int_equal(wh_filter_contained(&f, &f, 1000, mem, &ce, &err), 0);
}

static void a_goto_leaves_the_list_that_made_it(void **state)
{
	(void)state;
	struct wh_filter empty = {.name = "empty"};
	struct wh_filter_rule inner[] = {{.action = WH_FILTER_GOTO, .to = &empty}, {.action = WH_FILTER_DENY}};
	struct wh_filter middle = {.name = "middle", .rules = inner, .n = 2};
	struct wh_filter_rule outer[] = {{.action = WH_FILTER_JUMP, .to = &middle}, {.action = WH_FILTER_ALLOW}};
	struct wh_filter f = {.name = "outer", .rules = outer, .n = 2};
	struct wh_filter_packet p = {.proto = WH_PROTO_TCP};
	struct wh_filter_decision d = wh_filter_decide(&f, &p);
	assert_int_equal(d.verdict, WH_ALLOWED);
	assert_ptr_equal(d.rule, &outer[1]);
}

static void ports_are_written_as_azure_writes_them(void **state)
{
	(void)state;
	const struct wh_port_range r[] = {{23, 65535}, {0, 21}, {5, 7}};
	assert_string_equal(wh_ports_text(wh_ports(r, 3, mem), mem), "[0-21,23-65535]");
	assert_string_equal(wh_ports_text((struct wh_ranges){0}, mem), "[]");
	const struct wh_port_range one = {22, 22};
	assert_string_equal(wh_ports_text(wh_ports(&one, 1, mem), mem), "[22]");
}

/* ---- as bytes ---- */

static void filters_decide_the_same_when_they_come_back_from_their_bytes(void **state)
{
	(void)state;
	srand(21);
	for (int i = 0; i < 400; i++) {
		const struct wh_filter *both[2] = {fresh_filter(), fresh_filter()}, *const *back;
		struct wh_bytes b = {.p = NULL};
		wh_put_filters(&b, both, 2);
		struct wh_taking t = {.p = b.p, .n = b.n};
		assert_int_equal(wh_take_filters(&t, mem, &back), 2);
		assert_false(t.failed || t.n);
		for (int k = 0; k < 80; k++) {
			struct wh_filter_packet p = random_packet();
			struct wh_filter_decision x = wh_filter_decide(both[k % 2], &p), y = wh_filter_decide(back[k % 2], &p);
			assert_int_equal(x.verdict, y.verdict);
			assert_int_equal(!x.rule, !y.rule);
			assert_int_equal(!x.doubt, !y.doubt);
			if (x.doubt)
				assert_int_equal(!x.doubt->may, !y.doubt->may);
		}
		free(b.p);
	}
}

/* Cut anywhere, or with a byte changed, they are refused or are other filters: nothing is read beyond them, and nothing leads in
 * a circle. */
static void bytes_that_are_no_filters_are_refused(void **state)
{
	(void)state;
	const struct wh_filter *f = NULL, *const *back;
	struct wh_bytes b = {.p = NULL};
	unsigned refused = 0;
	srand(22);
	while (!f || b.n < 400) {
		b.n = 0;
		f = fresh_filter();
		wh_put_filters(&b, &f, 1);
	}
	for (size_t n = 0; n < b.n; n++) {
		struct wh_taking t = {.p = b.p, .n = n};
		wh_take_filters(&t, mem, &back);
		assert_true(t.failed);
	}
	for (int i = 0; i < 3000; i++) {
		size_t at = (size_t)rand() % b.n;
		uint8_t was = b.p[at];
		b.p[at] = (uint8_t)rand();
		struct wh_taking t = {.p = b.p, .n = b.n};
		size_t n = wh_take_filters(&t, mem, &back);
		for (size_t k = 0; k < n; k++) {
			struct wh_filter_packet p = random_packet();
			wh_filter_decide(back[k], &p);
		}
		refused += t.failed;
		b.p[at] = was;
	}
	assert_true(refused > 300);
	free(b.p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_verdict_is_that_of_every_choice_of_the_rules_that_may_match),
		cmocka_unit_test(a_region_along_a_free_dimension_has_the_verdict_of_each_of_its_packets),
		cmocka_unit_test(any_source_port_means_every_one_for_allowed_and_some_one_for_undecided),
		cmocka_unit_test(containment_is_proved_or_broken_by_a_packet_that_breaks_it),
		cmocka_unit_test(more_combinations_than_asked_for_are_refused),
		cmocka_unit_test(a_goto_leaves_the_list_that_made_it),
		cmocka_unit_test(filters_decide_the_same_when_they_come_back_from_their_bytes),
		cmocka_unit_test(bytes_that_are_no_filters_are_refused),
		cmocka_unit_test(ports_are_written_as_azure_writes_them),
	};
	return cmocka_run_group_tests_name("filter", tests, arena_begin, arena_end);
}
