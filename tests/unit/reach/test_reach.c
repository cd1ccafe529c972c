/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "opened.c"

enum { ESTATES = 2000, PACKETS = 1000 };

static enum wh_answer answer(unsigned can)
{
	return can == 1 ? WH_DENIED : can == 2 ? WH_ALLOWED : WH_UNDECIDED;
}

static void the_verdict_on_a_packet_is_that_of_the_documented_order(void **state)
{
	uint64_t s = 0x9e3779b97f4a7c15u, *seed = &s;
	struct world w;
	size_t seen[3] = {0};
	(void)state;
	for (int i = 0; i < ESTATES; i++) {
		struct estate e;
		world_make(&w, seed);
		char *text = world_text(&w);
		open_estate(&e, text);
		struct wh_arena *mem = wh_arena_new();
		for (int k = 0; k < PACKETS; k++) {
			struct wh_reach_packet p;
			struct wh_reach_answer a;
			int from, to;
			any_packet(seed, &w, &from, &to, &p);
			p.from = endpoint_of(&e, from);
			p.to = endpoint_of(&e, to);
			enum wh_answer want = answer(world_judge(&w, from, to, wh_addr_to_v4(&p.from_addr),
			                                         wh_addr_to_v4(&p.to_addr), p.proto, p.sport, p.dport));
			wh_arena_reset(mem);
			wh_reach_decide(e.r, &p, mem, &a);
			seen[want]++;
			if (a.verdict != want)
				fail_msg("estate %d: h%d → h%d proto %u %u → %u: %d, not %d\n%s", i, from, to, p.proto, p.sport,
				         p.dport, a.verdict, want, text);
			if (want == WH_UNDECIDED)
				assert_non_null(a.missing);
		}
		wh_arena_free(mem);
		close_estate(&e);
		free(text);
	}
	for (int i = 0; i < 3; i++)
		assert_true(seen[i] > ESTATES * PACKETS / 200); /* all three occur */
}

/* From some source port: the rules of these worlds distinguish no more. */
static unsigned from_some_port(const struct world *w, int from, int to, uint32_t outside, int proto, unsigned dport)
{
	unsigned allowed = 0, may = 0;
	for (unsigned sport = 0; sport <= 700; sport += proto == 6 || proto == 17 ? 50 : 1000) {
		unsigned can = world_judge(w, from, to, outside, outside, proto, sport, dport),
			 just = proto == 6 || proto == 17 ? world_judge(w, from, to, outside, outside, proto, sport + 1, dport)
		                                          : can;
		allowed |= can == 2 || just == 2;
		may |= (can & 2) || (just & 2);
	}
	return allowed ? 2 : may ? 3 : 1;
}

static bool has(struct wh_ranges r, unsigned port)
{
	struct wh_addr a = wh_port_addr((uint16_t)port);
	return wh_ranges_has(r, &a);
}

static enum wh_answer of_ports(const struct wh_reach_ports *x, int proto, unsigned dport)
{
	bool yes = proto == 6 ? has(x->tcp, dport) : proto == 17 ? has(x->udp, dport) : x->icmp;
	bool maybe = proto == 6 ? has(x->tcp_unknown, dport) : proto == 17 ? has(x->udp_unknown, dport) : x->icmp_unknown;
	return yes ? WH_ALLOWED : maybe ? WH_UNDECIDED : WH_DENIED;
}

static void classes_give_each_pair_the_verdict_of_its_packets(void **state)
{
	uint64_t s = 0xdeadbeefcafef00du, *seed = &s;
	static const int protos[] = {6, 17, 1};
	struct world w;
	(void)state;
	for (int i = 0; i < ESTATES / 4; i++) {
		struct estate e;
		world_make(&w, seed);
		char *text = world_text(&w);
		open_estate(&e, text);
		size_t n = wh_reach_classes(e.r);
		assert_true(n >= 1 && n <= (size_t)w.n_hosts);
		for (int from = 0; from < w.n_hosts; from++)
			for (int to = 0; to < w.n_hosts; to++) {
				if (from == to)
					continue;
				uint32_t v = wh_reach_pair(e.r, wh_reach_class(e.r, endpoint_of(&e, from)),
				                           wh_reach_class(e.r, endpoint_of(&e, to)));
				struct wh_reach_ports x = wh_reach_ports(e.r, v);
				for (int k = 0; k < 4; k++) {
					int proto = protos[R(3)];
					unsigned dport = proto == 1 ? 0 : R(2) ? R(6) * 100 + 22 * R(2) : R(700);
					enum wh_answer want = answer(from_some_port(&w, from, to, 0, proto, dport));
					if (of_ports(&x, proto, dport) != want)
						fail_msg("estate %d: h%d → h%d proto %d port %u: %d, not %d\n%s", i, from, to,
						         proto, dport, of_ports(&x, proto, dport), want, text);
				}
			}
		close_estate(&e);
		free(text);
	}
}

static void the_internet_is_cut_where_rules_cut_it(void **state)
{
	uint64_t s = 0x0123456789abcdefu, *seed = &s;
	struct world w;
	(void)state;
	for (int i = 0; i < ESTATES / 4; i++) {
		struct estate e;
		world_make(&w, seed);
		char *text = world_text(&w);
		open_estate(&e, text);
		for (int h = 0; h < w.n_hosts; h++)
			for (int d = 0; d < 2; d++) {
				struct wh_reach_outside *out;
				size_t n = wh_reach_cut(e.r, endpoint_of(&e, h), (enum wh_direction)d,
				                        wh_reach_outside_ranges(e.r), &out);
				for (int k = 0; k < 6; k++) {
					uint32_t a = R(3) ? 203u << 24 | R(3) << 8 | R(5) : 8u << 24 | R(1 << 20);
					struct wh_addr addr = wh_addr_v4(a);
					unsigned dport = R(2) ? R(6) * 100 + 22 * R(2) : R(700);
					size_t j = 0;
					while (j < n && !wh_ranges_has(out[j].peers, &addr))
						j++;
					assert_true(j < n);
					struct wh_reach_ports x = wh_reach_ports(e.r, out[j].verdict);
					enum wh_answer want = answer(from_some_port(&w, d ? h : NONE, d ? NONE : h, a, 6, dport));
					if (of_ports(&x, 6, dport) != want)
						fail_msg("estate %d: h%d %s 203.… port %u: %d, not %d\n%s", i, h,
						         d ? "to" : "from", dport, of_ports(&x, 6, dport), want, text);
				}
			}
		close_estate(&e);
		free(text);
	}
}

/* Two ranges of a VNet that lie next to each other are two routes of /16, not one of /15. */
static void each_range_of_a_vnet_is_a_route_of_its_own(void **state)
{
#define P "/subscriptions/s/resourceGroups/g/providers/Microsoft."
	static const char text[] =
		"[{\"type\": \"Microsoft.Network/virtualNetworks\", \"id\": \"" P
		"Network/virtualNetworks/v\", \"name\": \"v\", \"addressSpace\": {\"addressPrefixes\": [\"10.0.0.0/16\", \"10.1.0.0/16\"]}, \"subnets\": ["
		"{\"id\": \"" P
		"Network/virtualNetworks/v/subnets/a\", \"name\": \"a\", \"addressPrefix\": \"10.0.1.0/24\", \"routeTable\": {\"id\": \"" P
		"Network/routeTables/t\"}},"
		"{\"id\": \"" P "Network/virtualNetworks/v/subnets/b\", \"name\": \"b\", \"addressPrefix\": \"10.1.1.0/24\"}]},"
		"{\"type\": \"Microsoft.Network/routeTables\", \"id\": \"" P
		"Network/routeTables/t\", \"name\": \"t\", \"routes\": [{\"name\": \"drop\", \"addressPrefix\": \"10.0.0.0/15\", \"nextHopType\": \"None\"}]},"
		"{\"type\": \"Microsoft.Network/networkInterfaces\", \"id\": \"" P
		"Network/networkInterfaces/n0\", \"name\": \"n0\", \"virtualMachine\": {\"id\": \"" P
		"Compute/virtualMachines/h0\"}, \"ipConfigurations\": "
		"[{\"name\": \"c\", \"privateIPAddress\": \"10.0.1.4\", \"subnet\": {\"id\": \"" P
		"Network/virtualNetworks/v/subnets/a\"}}]},"
		"{\"type\": \"Microsoft.Network/networkInterfaces\", \"id\": \"" P
		"Network/networkInterfaces/n1\", \"name\": \"n1\", \"virtualMachine\": {\"id\": \"" P
		"Compute/virtualMachines/h1\"}, \"ipConfigurations\": "
		"[{\"name\": \"c\", \"privateIPAddress\": \"10.1.1.4\", \"subnet\": {\"id\": \"" P
		"Network/virtualNetworks/v/subnets/b\"}}]}]";
#undef P
	struct estate e;
	struct wh_reach_answer a;
	(void)state;
	open_estate(&e, text);
	wh_reach_decide(e.r,
	                &(struct wh_reach_packet){
				.from = endpoint_of(&e, 0), .to = endpoint_of(&e, 1), .proto = 6, .sport = 40000, .dport = 443},
	                e.mem, &a);
	assert_int_equal(a.verdict, WH_ALLOWED);
	close_estate(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_verdict_on_a_packet_is_that_of_the_documented_order),
		cmocka_unit_test(classes_give_each_pair_the_verdict_of_its_packets),
		cmocka_unit_test(the_internet_is_cut_where_rules_cut_it),
		cmocka_unit_test(each_range_of_a_vnet_is_a_route_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
