/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of service and their legitimate users. Each follows the descriptions of its operators (lease times, office weeks,
 * privacy addresses, dynamic lines), not the strengths of any method.
 */
#include <stdlib.h>
#include <string.h>
#include "legitimate.h"

static void partner(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix p = random_net(r, 3);
	partner_in(w, s, net, &p, (unsigned)rng_range(r, 4, 6), 0, EVAL_DAYS, r);
}

static void dhcp_small(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix p = random_net(r, 5);
	dhcp_pool(w, s, &p, 2, 28, 17, 0.8, 0, INTERACTIVE, r);
	has_neighbours(net, s, &p, 120, 5);
}

static void dhcp_medium(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix p = random_net(r, 8);
	dhcp_pool(w, s, &p, 20, 180, 90, 0.6, 0, INTERACTIVE, r);
	has_neighbours(net, s, &p, 118, 4);
}

static void dhcp_large(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix p = random_net(r, 10);
	dhcp_pool(w, s, &p, 16, 960, 520, 0.3, 0, INTERACTIVE, r);
	has_neighbours(net, s, &p, 118, 6);
}

/* A carrier's pool of outside addresses: a subscriber keeps one for a while, and anyone's infected machine is behind it too. */
static void carrier_nat(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	enum { USERS = 90 };
	struct wh_prefix p = random_net(r, 10);
	uint32_t held[USERS];

	for (unsigned u = 0; u < USERS; u++)
		held[u] = rng_below(r, 1024);
	for (int day = 0; day < EVAL_DAYS; day++)
		for (unsigned u = 0; u < USERS; u++) {
			if (!rng_chance(r, weekend(day) ? 0.3 : 0.6))
				continue;
			for (int k = rng_range(r, 1, 4); k > 0; k--) {
				if (rng_chance(r, 0.4))
					held[u] = rng_below(r, 1024);
				struct wh_addr a = host_in(&p, held[u]);
				converse(w, s, day, &a, rng_chance(r, 0.15) ? QUICK : INTERACTIVE, true, r);
			}
		}
	has_neighbours(net, s, &p, 118, 14);
}

static unsigned cloud_nat_hosts(struct wh_addr hosts[static 4], struct rng *r)
{
	unsigned n = (unsigned)rng_range(r, 2, 4);
	for (unsigned i = 0; i < n; i++) {
		struct wh_prefix p = random_net(r, 16);
		hosts[i] = address_in(&p, r);
	}
	return n;
}

static void cloud_nat(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_addr hosts[4];
	unsigned n = cloud_nat_hosts(hosts, r);
	for (unsigned i = 0; i < n; i++) {
		struct wh_prefix p = wh_prefix_of(&hosts[i], 120);
		has_neighbours(net, s, &p, 112, 6);
		has_neighbours(net, s, &p, 120, 2);
	}
	fixed_hosts(w, s, hosts, n, 0, EVAL_DAYS, APPLICATION, 40, r);
}

static void monthly(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix p = random_net(r, 8), q = random_net(r, 8);
	struct wh_addr job = address_in(&p, r), watcher = address_in(&q, r);
	int phase = rng_range(r, 0, 29);

	for (int day = phase; day < EVAL_DAYS; day += 30)
		sessions(w, s, day, &job, BATCH, rng_range(r, 10, 25), r);
	fixed_hosts(w, s, &watcher, 1, 0, EVAL_DAYS, APPLICATION, 6, r);
	has_neighbours(net, s, &p, 120, 2);
}

static void weekly(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix p = random_net(r, 8), q = random_net(r, 8);
	struct wh_addr hosts[2] = {address_in(&p, r), address_in(&q, r)};
	for (unsigned i = 0; i < 2; i++)
		for (int day = rng_range(r, 0, 6); day < EVAL_DAYS; day += 7)
			sessions(w, s, day, &hosts[i], BATCH, rng_range(r, 2, 8), r);
	has_neighbours(net, s, &p, 120, 2);
}

static unsigned service_named(const char *name)
{
	unsigned i = 0;
	while (strcmp(kinds[i].name, name))
		i++;
	return i;
}

/* Administrators at home on lines that change address within their provider's area, sometimes on a mobile carrier. */
static void roaming(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	enum { ADMINS = 8 };
	struct wh_prefix home[ADMINS], mobile[ADMINS];
	struct wh_addr at[ADMINS];
	double change[ADMINS];

	for (unsigned i = 0; i < ADMINS; i++) {
		const struct isp *isp = &net->isps[rng_below(r, N_ISPS)];
		struct wh_addr a = isp_address(isp, r), m = isp_address(&net->isps[rng_below(r, N_ISPS)], r);
		home[i] = wh_prefix_of(&a, 128 - (unsigned)rng_range(r, 10, 13));
		mobile[i] = wh_prefix_of(&m, 128 - 12);
		change[i] = rng_chance(r, 0.35) ? 0.005 : rng_chance(r, 0.5) ? 0.08 : 0.5; /* cable, DSL, daily reconnection */
		at[i] = address_in(&home[i], r);
		has_neighbours(net, s, &home[i], 116, 5);
	}
	for (int day = 0; day < EVAL_DAYS; day++)
		for (unsigned i = 0; i < ADMINS; i++) {
			if (rng_chance(r, change[i]))
				at[i] = address_in(&home[i], r);
			if (!rng_chance(r, weekend(day) ? 0.2 : 0.8))
				continue;
			struct wh_addr away = address_in(&mobile[i], r);
			sessions(w, s, day, rng_chance(r, 0.1) ? &away : &at[i], INTERACTIVE, rng_range(r, 1, 5), r);
			if (i < 3 && rng_chance(r, 0.3)) /* some look after other machines too */
				sessions(w,
				         service_named(i == 0   ? "partner"
				                       : i == 1 ? "weekly-job"
				                                : "moved"),
				         day, &at[i], INTERACTIVE, 1, r);
		}
}

/* Several /64s of one site; every device makes itself a new address every day; a few servers keep theirs. */
static void ipv6_office(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_addr site = {{0x2a, 0x02}}, server[3];
	unsigned lans = (unsigned)rng_range(r, 3, 6);
	uint8_t lan[6];

	for (int i = 2; i < 6; i++)
		site.b[i] = (uint8_t)rng_below(r, 256);
	for (unsigned i = 0; i < lans; i++)
		lan[i] = (uint8_t)(i * 4 + rng_below(r, 4)); /* numbered with gaps */
	for (unsigned i = 0; i < 3; i++) {
		server[i] = site;
		server[i].b[7] = lan[0];
		server[i].b[15] = (uint8_t)(10 + i);
	}
	for (int day = 0; day < EVAL_DAYS; day++)
		for (unsigned d = 0; d < 30; d++) {
			if (!rng_chance(r, weekend(day) ? 0.05 : 0.75))
				continue;
			struct wh_prefix p = {site, 64};
			p.addr.b[7] = lan[d % lans];
			struct wh_addr a = address_in(&p, r);
			sessions(w, s, day, &a, INTERACTIVE, rng_range(r, 1, 3), r);
		}
	fixed_hosts(w, s, server, 3, 0, EVAL_DAYS, APPLICATION, 8, r);
	struct wh_prefix p = {site, 48};
	has_neighbours(net, s, &p, 44, 6);
}

/* Hundreds of servers elsewhere: some racks, many alone; a few are health checks; now and then one is replaced. */
static void fan_in(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	enum { RACKS = 6, MOST = 420 };
	static struct wh_addr hosts[MOST];
	static struct wh_prefix of[MOST];
	unsigned n = 0;

	for (unsigned k = 0; k < RACKS; k++) {
		struct wh_prefix p = random_net(r, 8);
		unsigned first = (unsigned)rng_range(r, 8, 180), size = (unsigned)rng_range(r, 8, 30);
		for (unsigned i = 0; i < size; i++)
			if (rng_chance(r, 0.85)) {
				hosts[n] = host_in(&p, first + i);
				of[n++] = p;
			}
		has_neighbours(net, s, &p, 120, 1);
	}
	for (unsigned lone = (unsigned)rng_range(r, 150, 240); lone > 0; lone--) {
		struct wh_prefix p = random_net(r, 8);
		hosts[n] = address_in(&p, r);
		of[n++] = p;
	}
	for (int day = 0; day < EVAL_DAYS; day++)
		for (unsigned i = 0; i < n; i++) {
			if (rng_chance(r, 0.002))
				hosts[i] = address_in(&of[i], r);
			if (rng_chance(r, 0.96))
				sessions(w, s, day, &hosts[i], i % 12 == 5 ? MONITOR : APPLICATION,
				         i % 12 == 5 ? 8 : rng_range(r, 1, 4), r);
		}
}

static void unused(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	(void)w, (void)s, (void)net, (void)r;
}

static void moved(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix from = random_net(r, 4), to = random_net(r, 4);
	int day = rng_range(r, 12, 18);
	partner_in(w, s, net, &from, 8, 0, day - 1, r);
	partner_in(w, s, net, &to, 8, day, EVAL_DAYS, r);
}

static void new_branch(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix old = random_net(r, 6), fresh = random_net(r, 5);
	dhcp_pool(w, s, &old, 4, 56, 30, 0.7, 0, INTERACTIVE, r);
	dhcp_pool(w, s, &fresh, 2, 28, 14, 0.7, rng_range(r, 23, 26), INTERACTIVE, r);
	has_neighbours(net, s, &old, 120, 3);
	has_neighbours(net, s, &fresh, 120, 3);
}

/* A supplier that comes at the quarter's end, and a partner that is always there. */
static void seasonal(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix always = random_net(r, 3), season = random_net(r, 3);
	struct wh_addr hosts[3];
	uint32_t at[3];
	int back = rng_range(r, 32, 37);

	partner_in(w, s, net, &always, 4, 0, EVAL_DAYS, r);
	pick(r, 3, 8, at);
	for (unsigned i = 0; i < 3; i++)
		hosts[i] = host_in(&season, at[i]);
	fixed_hosts(w, s, hosts, 3, 0, 4, BATCH, 4, r);
	fixed_hosts(w, s, hosts, 3, back, back + 4, BATCH, 4, r);
	has_neighbours(net, s, &season, 120, 3);
}

/* A monitoring company's probes: from outside, to many machines, each time the same few bytes. */
void probes_make(struct world *w, struct rng *r)
{
	static const char *const watched[] = {"office-medium", "cloud-nat", "monthly-job", "new-branch", "seasonal", "webhook"};
	struct wh_addr hosts[4];
	for (unsigned i = 0; i < 4; i++)
		hosts[i] = wh_addr_v4(random_public(r));
	for (unsigned k = 0; k < sizeof watched / sizeof *watched; k++)
		fixed_hosts(w, service_named(watched[k]), hosts, 4, 0, EVAL_DAYS, MONITOR, 6, r);
}

/* A service on the net that calls from any address of its published range. */
static void webhook(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix p = random_net(r, 7);
	for (int day = 0; day < EVAL_DAYS; day++)
		for (int k = rng_range(r, 10, 30); k > 0; k--) {
			struct wh_addr a = address_in(&p, r);
			converse(w, s, day, &a, APPLICATION, true, r);
		}
	has_neighbours(net, s, &p, 120, 3);
}

/* Colleagues on the inside: each looks in on a day or two of the month, for a moment. One of their machines is infected. */
static void internal(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	enum { COLLEAGUES = 40 };
	struct wh_addr lan, host_of[COLLEAGUES], infected;
	uint32_t at[COLLEAGUES + 1];

	(void)net;
	pick(r, COLLEAGUES + 1, 4096, at);
	for (unsigned i = 0; i < COLLEAGUES; i++)
		host_of[i] = wh_addr_v4(0x0a140000u + at[i]); /* 10.20.0.0/20 */
	lan = wh_addr_v4(0x0a1e0105u);
	infected = wh_addr_v4(0x0a140000u + at[COLLEAGUES]);
	fixed_hosts(w, s, &lan, 1, 0, EVAL_DAYS, APPLICATION, 4, r);
	for (int day = 0; day < EVAL_DAYS; day++)
		for (unsigned i = 0; i < COLLEAGUES; i++)
			if (rng_chance(r, weekend(day) ? 0.01 : 0.09))
				sessions(w, s, day, &host_of[i], QUICK, 1, r);
	for (int day = rng_range(r, 10, 25); day < EVAL_DAYS && !w->calm; day++)
		for (int k = rng_range(r, 4, 20); k > 0; k--)
			converse(w, s, day, &infected, GUESS, false, r);
}

/* The rules in force name a partner's emergency site, which comes when needed, and the provider's range with the partner's
 * office. */
static const char *const named_ranges[] = {"185.77.8.8/29", "185.90.0.0/16"};

static void named(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct wh_prefix p, q;
	struct wh_addr site[2], office[3];

	wh_prefix_parse(named_ranges[0], strlen(named_ranges[0]), &p, NULL);
	wh_prefix_parse(named_ranges[1], strlen(named_ranges[1]), &q, NULL);
	for (unsigned i = 0; i < 3; i++)
		office[i] = address_in(&q, r);
	fixed_hosts(w, s, office, 3, 0, EVAL_DAYS, INTERACTIVE, 3, r);
	has_neighbours(net, s, &q, 112, 40);
	for (unsigned i = 0; i < 2; i++) {
		site[i] = host_in(&p, 2 + 3 * i);
		for (int day = rng_range(r, 4, 12); day < EVAL_DAYS; day += rng_range(r, 9, 16))
			sessions(w, s, day, &site[i], QUICK, 3, r);
	}
}

/* A console on the machine of cloud-nat's database, which the same hosts open a few times in a month. */
static void console(struct world *w, unsigned s, struct internet *net, struct rng *r)
{
	struct rng theirs = rng_of(w->seed, 100 + service_named("cloud-nat"));
	struct wh_addr hosts[4];
	unsigned n = cloud_nat_hosts(hosts, &theirs);

	(void)net;
	for (int day = 0; day < EVAL_DAYS; day++)
		for (unsigned i = 0; i < n; i++)
			if (rng_chance(r, 0.1))
				sessions(w, s, day, &hosts[i], QUICK, 2, r);
}

size_t kind_policy(const struct kind *k, const char *const **ranges)
{
	*ranges = named_ranges;
	return strcmp(k->name, "named") ? 0 : sizeof named_ranges / sizeof *named_ranges;
}

const struct kind kinds[] = {
	{"partner", "four to six fixed hosts of a partner's /29", 22, "ssh", partner},
	{"office-small", "17 devices on a DHCP pool of 28", 3389, "rdp", dhcp_small},
	{"office-medium", "90 devices on a DHCP pool of 180", 3389, "rdp", dhcp_medium},
	{"office-large", "520 devices on a DHCP pool of 960, three in ten a day", 445, "smb", dhcp_large},
	{"carrier-nat", "90 subscribers behind a carrier's /22, infected ones too", 5900, "", carrier_nat},
	{"cloud-nat", "two to four fixed addresses in different clouds", 5432, "pgsql", cloud_nat},
	{"monthly-job", "one host that comes once in 30 days, one every day", 873, "", monthly},
	{"weekly-job", "two hosts that come once a week", 22, "ssh", weekly},
	{"roaming", "eight administrators on residential lines and mobiles", 22, "ssh", roaming},
	{"ipv6-office", "three to six /64s with privacy addresses, three servers", 22, "ssh", ipv6_office},
	{"fan-in", "200 to 400 fixed servers, racked and alone, some health checks", 6379, "", fan_in},
	{"unused", "nobody legitimate", 23, "", unused},
	{"moved", "eight hosts that move to another network mid-window", 5985, "http", moved},
	{"new-branch", "an office pool, and a second from the last week of training", 3389, "rdp", new_branch},
	{"seasonal", "a supplier seen in the first five days that comes back, and a partner", 22, "ssh", seasonal},
	{"webhook", "a service that calls from anywhere in its /25", 9200, "http", webhook},
	{"internal", "colleagues at private addresses who connect once a month, and one infected", 22, "ssh", internal},
	{"named", "a partner's emergency site that the rules in force name, within a rule for its provider's range", 22, "ssh",
         named},
	{"console", "a second port of cloud-nat's machine, which the same hosts open a few times in a month", 8443, "tls",
         console},
};
const unsigned n_kinds = sizeof kinds / sizeof *kinds;
