/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The difference between two estates equals the difference of their verdicts on every pair. */
#include "opened.c"

enum { ESTATES = 300 };

static void open_world(struct estate *e, const struct world *w)
{
	char *text = world_text(w);
	open_estate(e, text);
	free(text);
	wh_reach_classes(e->r);
}

static int at(const struct wh_reach_ports *x, bool tcp, unsigned port)
{
	struct wh_addr a = wh_port_addr((uint16_t)port);
	return wh_ranges_has(tcp ? x->tcp : x->udp, &a) ? 2 : wh_ranges_has(tcp ? x->tcp_unknown : x->udp_unknown, &a) ? 1 : 0;
}

static bool is_named(const char *const *list, size_t n, int host)
{
	char name[16];
	snprintf(name, sizeof name, "/h%d", host);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(strrchr(list[i], '/'), name))
			return true;
	return false;
}

static const struct wh_reach_change *change_of(const struct wh_reach_change *c, size_t n, int from, int to,
                                               const struct wh_addr *outside)
{
	for (size_t i = 0; i < n; i++)
		if ((from == NONE ? !c[i].n_from && wh_ranges_has(c[i].outside, outside)
		                  : is_named(c[i].from, c[i].n_from, from)) &&
		    (to == NONE ? !c[i].n_to && wh_ranges_has(c[i].outside, outside) : is_named(c[i].to, c[i].n_to, to)))
			return &c[i];
	return NULL;
}

/* As commands ask about the Internet: a service tag without known addresses makes no certain port undecided. */
static uint32_t from_internet(const struct estate *o, size_t to, const struct wh_addr *outside)
{
	struct wh_reach_outside *pieces;
	size_t n = wh_reach_internet(o->r, to, WH_INBOUND, &pieces);
	for (size_t i = 0; i < n; i++)
		if (wh_ranges_has(pieces[i].peers, outside))
			return pieces[i].verdict;
	return 0;
}

static struct wh_reach_ports alone(const struct estate *o, int from, int to, const struct wh_addr *outside)
{
	size_t a = endpoint_of(o, from), b = endpoint_of(o, to);
	if ((from != NONE && a == WH_NONE) || (to != NONE && b == WH_NONE))
		return (struct wh_reach_ports){.missing = NULL}; /* it is not in this estate */
	uint32_t v = from == NONE ? from_internet(o, b, outside)
	             : to == NONE ? wh_reach_outside(o->r, a, outside, WH_OUTBOUND)
	                          : wh_reach_pair(o->r, wh_reach_class(o->r, a), wh_reach_class(o->r, b));
	return wh_reach_ports(o->r, v);
}

static void compare(const struct estate o[2], const struct wh_reach_change *c, size_t n, int hosts, uint64_t *seed,
                    size_t *differ)
{
	for (int from = NONE; from < hosts; from++)
		for (int to = NONE; to < hosts; to++) {
			struct wh_addr outside = wh_addr_v4(203u << 24 | R(3) << 8 | R(5));
			if (from == to)
				continue;
			const struct wh_reach_change *x = change_of(c, n, from, to, &outside);
			struct wh_reach_ports before = alone(&o[0], from, to, &outside), after = alone(&o[1], from, to, &outside);
			for (int k = 0; k < 12; k++) {
				bool tcp = R(2);
				unsigned port = R(2) ? R(6) * 100 + 22 * R(2) : R(700);
				int was = at(&before, tcp, port), is = at(&after, tcp, port);
				*differ += was != is;
				if (x ? at(&x->before, tcp, port) != was || at(&x->after, tcp, port) != is : was != is)
					fail_msg("h%d → h%d %s %u: %d and then %d, but the difference says %d and %d", from, to,
					         tcp ? "TCP" : "UDP", port, was, is, x ? at(&x->before, tcp, port) : -1,
					         x ? at(&x->after, tcp, port) : -1);
			}
		}
}

static void a_difference_matches_the_verdicts_of_both_estates_on_every_pair(void **state)
{
	uint64_t sd = 0x1122334455667788u, *seed = &sd;
	size_t differ = 0;
	(void)state;
	for (int i = 0; i < ESTATES; i++) {
		struct world w, other;
		struct estate o[2];
		struct wh_reach *r[2];
		struct wh_reach_change *c;
		world_make(&w, seed);
		other = w;
		if (i % 3 == 0 && w.n_hosts > 1)
			other.n_hosts--; /* a machine goes */
		else if (i % 3 == 1 && w.n_groups && w.group[0].n)
			other.group[0].rule[R((uint32_t)w.group[0].n)].allow ^= 1;
		else if (w.n_groups)
			other.group[R((uint32_t)w.n_groups)].n = 0;
		open_world(&o[0], &w);
		open_world(&o[1], &other);
		wh_reach_two(&o[0].t, &o[1].t, o[0].mem, r);
		size_t n = wh_reach_diff(r[0], r[1], o[0].mem, &c);
		compare(o, c, n, w.n_hosts, seed, &differ);
		wh_reach_free(r[0]);
		wh_reach_free(r[1]);
		close_estate(&o[1]);
		close_estate(&o[0]);
	}
	assert_true(differ > 500);
}

/* The other rules over the same model; this shows that only groups differ. */
static void other_rules_over_one_model_differ_by_the_verdicts_of_both_estates(void **state)
{
	uint64_t sd = 0x6a09e667f3bcc908u, *seed = &sd;
	size_t differ = 0;
	(void)state;
	for (int i = 0; i < ESTATES; i++) {
		struct world w, other;
		struct estate o[2];
		struct wh_reach *r[2];
		struct wh_reach_change *c;
		struct wh_topology with;
		world_make(&w, seed);
		other = w;
		for (int g = 0; g < w.n_groups; g++)
			if (i % 3 == 0 && R(2) && w.group[g].n)
				other.group[g].rule[R((uint32_t)w.group[g].n)].allow ^= 1;
			else if (i % 3 == 1 && !g)
				other.group[g].n = 0;
			else if (i % 3 == 2 && R(3) == 0)
				other.group[g].n /= 2;
		open_world(&o[0], &w);
		open_world(&o[1], &other);
		struct wh_topology over = {.n_nsgs = o[1].t.n_nsgs, .nsgs = o[1].t.nsgs};
		assert_true(wh_topology_with(&o[0].t, &over, o[0].mem, &with));
		wh_reach_two(&o[0].t, &with, o[0].mem, r);
		size_t n = wh_reach_diff(r[0], r[1], o[0].mem, &c);
		compare(o, c, n, w.n_hosts, seed, &differ);
		wh_reach_free(r[0]);
		wh_reach_free(r[1]);
		close_estate(&o[1]);
		close_estate(&o[0]);
	}
	assert_true(differ > 500);
}

static void an_estate_does_not_differ_from_itself(void **state)
{
	uint64_t sd = 42, *seed = &sd;
	(void)state;
	for (int i = 0; i < 20; i++) {
		struct world w;
		struct estate o[2];
		struct wh_reach *r[2];
		struct wh_reach_change *c;
		world_make(&w, seed);
		open_world(&o[0], &w);
		open_world(&o[1], &w);
		wh_reach_two(&o[0].t, &o[1].t, o[0].mem, r);
		assert_int_equal(wh_reach_diff(r[0], r[1], o[0].mem, &c), 0);
		wh_reach_free(r[0]);
		wh_reach_free(r[1]);
		close_estate(&o[1]);
		close_estate(&o[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(a_difference_matches_the_verdicts_of_both_estates_on_every_pair),
	                                   cmocka_unit_test(other_rules_over_one_model_differ_by_the_verdicts_of_both_estates),
	                                   cmocka_unit_test(an_estate_does_not_differ_from_itself)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
