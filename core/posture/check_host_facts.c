/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of Linux hosts by kernel settings, listeners, resolvers and the owners of their rules. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include "posture/checks.h"

/* ---- the kernel ---- */

static void judge_spoofing(struct wh_run *run, const struct wh_judged_host *h)
{
	const char *all = wh_host_setting(h->facts, "net.ipv4.conf.all.rp_filter"),
		   *by_default = wh_host_setting(h->facts, "net.ipv4.conf.default.rp_filter"),
		   *redirects = wh_host_setting(h->facts, "net.ipv4.conf.all.accept_redirects"),
		   *source = wh_host_setting(h->facts, "net.ipv4.conf.all.accept_source_route");
	if (!all || !by_default)
		wh_run_add_host(run, h, WH_POSTURE_NO_EVIDENCE, "net.ipv4.conf.*.rp_filter is not known");
	else if (!strcmp(all, "0") && !strcmp(by_default, "0"))
		wh_run_add_host(run, h, WH_POSTURE_UNHEALTHY,
		                "it takes packets with forged senders: net.ipv4.conf.all.rp_filter is 0");
	else if (source && strcmp(source, "0") != 0)
		wh_run_add_host(run, h, WH_POSTURE_UNHEALTHY,
		                "it follows the sender's route: net.ipv4.conf.all.accept_source_route is %s", source);
	else if (redirects && strcmp(redirects, "0") != 0 &&
	         !strcmp(wh_host_setting(h->facts, "net.ipv4.ip_forward") ?: "0", "1"))
		wh_run_add_host(run, h, WH_POSTURE_UNHEALTHY,
		                "it forwards, and takes redirects: net.ipv4.conf.all.accept_redirects is %s", redirects);
	else
		wh_run_add_sound(run, h, NULL);
}

int wh_check_host_spoofing(struct wh_run *run, struct wh_error *err)
{
	(void)err;
	wh_run_each_host(run, judge_spoofing);
	return 0;
}

static void judge_floods(struct wh_run *run, const struct wh_judged_host *h)
{
	const char *cookies = wh_host_setting(h->facts, "net.ipv4.tcp_syncookies"),
		   *count = wh_host_setting(h->facts, "net.netfilter.nf_conntrack_count"),
		   *most = wh_host_setting(h->facts, "net.netfilter.nf_conntrack_max");
	double used = count && most && strtod(most, NULL) > 0 ? strtod(count, NULL) / strtod(most, NULL) : 0;
	if (!cookies)
		wh_run_add_host(run, h, WH_POSTURE_NO_EVIDENCE, "net.ipv4.tcp_syncookies is not known");
	else if (!strcmp(cookies, "0"))
		wh_run_add_host(run, h, WH_POSTURE_UNHEALTHY, "a flood of SYN fills its queues: net.ipv4.tcp_syncookies is 0");
	else if (used > 0.8)
		wh_run_add_host(run, h, WH_POSTURE_UNHEALTHY,
		                "it tracks %s of at most %s connections: what comes beyond is dropped", count, most);
	else
		wh_run_add_sound(run, h, NULL);
}

int wh_check_host_floods(struct wh_run *run, struct wh_error *err)
{
	(void)err;
	wh_run_each_host(run, judge_floods);
	return 0;
}

/* ---- listeners ---- */

static bool any_address(const struct wh_addr *a)
{
	static const struct wh_addr six;
	const struct wh_addr four = wh_addr_v4(0);
	return wh_addr_eq(a, &six) || wh_addr_eq(a, &four);
}

/* Setting `ports`: of services without authentication. */
static void judge_daemons(struct wh_run *run, const struct wh_judged_host *h)
{
	const struct wh_wanted_ports w = wh_run_wanted_ports(run);
	struct wh_ranges open[2] = {
		wh_host_open(run, h, &h->facts->inbound, &(struct wh_host_way){AF_UNSPEC, WH_PROTO_TCP, true}, NULL),
		wh_host_open(run, h, &h->facts->inbound, &(struct wh_host_way){AF_UNSPEC, WH_PROTO_UDP, true}, NULL)};
	struct wh_ranges found[2] = {{0}, {0}};
	for (size_t i = 0; i < h->facts->n_listeners; i++) {
		const struct wh_host_listener *l = &h->facts->listeners[i];
		bool udp = l->proto == WH_PROTO_UDP;
		if ((any_address(&l->addr) || !wh_addr_is_private(&l->addr)) && wh_ports_have(udp ? w.udp : w.tcp, l->port) &&
		    wh_ports_have(open[udp], l->port))
			found[udp] = wh_ranges_union(
				found[udp], wh_ports(&(struct wh_port_range){l->port, l->port}, 1, run->mem), run->mem);
	}
	if (found[0].n || found[1].n)
		wh_run_add_host(run, h, WH_POSTURE_UNHEALTHY,
		                "a service listens at %s, and its ruleset lets the Internet reach it",
		                wh_run_ports_text(run, found[0], found[1]));
	else
		wh_run_add_sound(run, h, NULL);
}

int wh_check_host_daemons(struct wh_run *run, struct wh_error *err)
{
	(void)err;
	wh_run_each_ruleset(run, judge_daemons);
	return 0;
}

/* ---- unused listeners ---- */

struct used {
	const struct wh_estate *e;
	const struct wh_resource *of;
	struct wh_ranges tcp;
	int64_t from_us;
	struct wh_arena *mem;
};

static int use(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct used *u = arg;
	if (k->direction == WH_INBOUND && k->proto == WH_PROTO_TCP && e->flows && e->last_us >= u->from_us &&
	    wh_estate_by_addr(u->e, &k->local) == u->of)
		u->tcp = wh_ranges_union(u->tcp, wh_ports(&(struct wh_port_range){k->port, k->port}, 1, u->mem), u->mem);
	return 0;
}

static int used_ports(struct wh_run *run, const struct wh_judged_host *h, struct used *u, struct wh_error *err)
{
	int rc = 0;
	for (size_t i = 0; i < h->resource->n_addrs && !rc; i++)
		rc = wh_store_edges(run->in->ledger->store, &h->resource->addrs[i], use, u, err);
	return rc;
}

static int judge_unused(struct wh_run *run, const struct wh_judged_host *h, const struct wh_sensor *s, int64_t days,
                        struct wh_error *err)
{
	struct used u = {run->in->estate, h->resource, {0}, s->last_us - days * WH_US_PER_DAY, run->mem};
	struct wh_ranges left = {0};
	int rc = used_ports(run, h, &u, err);
	for (size_t i = 0; !rc && i < h->facts->n_listeners; i++) {
		const struct wh_host_listener *l = &h->facts->listeners[i];
		if (l->proto == WH_PROTO_TCP) /* a UDP socket without a peer may be a client's */
			left = wh_ranges_union(left, wh_ports(&(struct wh_port_range){l->port, l->port}, 1, run->mem), run->mem);
	}
	left = wh_ranges_minus(left, u.tcp, run->mem);
	if (rc)
		return rc;
	if (!left.n)
		wh_run_add_sound(run, h, NULL);
	else if (s->unfit || s->last_us - s->first_us < days * WH_US_PER_DAY)
		wh_run_add_host(run, h, WH_POSTURE_NO_EVIDENCE, "%s", s->unfit ? s->unfit : "the ledger is younger than that");
	else
		wh_run_add_host(run, h, WH_POSTURE_UNHEALTHY,
		                "services listen at %s, and no client was answered there for %lld days",
		                wh_run_ports_text(run, left, (struct wh_ranges){0}), (long long)days);
	return 0;
}

/* Setting `days`: a listener without a client for so long is unused. */
int wh_check_host_unused(struct wh_run *run, struct wh_error *err)
{
	const struct wh_hosts *hosts = wh_run_hosts(run);
	const struct wh_sensor *s;
	int rc = wh_run_sensor(run, &s, err);
	for (size_t i = 0; i < hosts->n && !rc; i++) {
		const struct wh_judged_host *h = &hosts->list[i];
		if (!h->facts)
			wh_run_add_host(run, h, WH_POSTURE_NO_EVIDENCE,
			                "what listens there is not known: `whittle estate facts`");
		else if (!run->in->ledger || !s->last_us || !h->resource)
			wh_run_add_host(run, h, WH_POSTURE_NO_EVIDENCE, "%s",
			                s->unfit ? s->unfit : "no connection of it was seen");
		else
			rc = judge_unused(run, h, s, wh_run_number(run, "days", 30), err);
	}
	return rc;
}

/* ---- resolvers ---- */

/* Setting `trusted`; private addresses are. */
static void judge_resolvers(struct wh_run *run, const struct wh_judged_host *h)
{
	const char **list, *bad = NULL;
	char text[WH_ADDR_STRLEN];
	size_t n = wh_run_texts(run, "trusted", &list);
	for (size_t i = 0; i < h->facts->n_resolvers && !bad; i++)
		if (!wh_addr_is_private(&h->facts->resolvers[i]) &&
		    !wh_run_has(list, n, wh_addr_text(&h->facts->resolvers[i], text)))
			bad = text;
	if (bad)
		wh_run_add_host(run, h, WH_POSTURE_UNHEALTHY,
		                "it is configured to ask the resolver %s, which is neither private nor trusted", bad);
	else if (!h->facts->n_resolvers)
		wh_run_add_host(run, h, WH_POSTURE_NO_EVIDENCE, "which resolver it asks is not known");
	else
		wh_run_add_sound(run, h, NULL);
}

int wh_check_host_resolvers(struct wh_run *run, struct wh_error *err)
{
	(void)err;
	wh_run_each_host(run, judge_resolvers);
	return 0;
}

/* ---- owners of the rules ---- */

/* The tables of one program: iptables-nft uses iptables' names. whittle does not count, as it only narrows what others allow. */
static const char *owner_of(const char *chain, struct wh_arena *mem)
{
	static const char *const iptables[] = {"filter", "mangle", "raw", "nat", "security"};
	char *table = wh_arena_strdup(mem, chain);
	table[strcspn(table, " ")] = 0;
	if (!strcmp(table, "whittle") || !strcmp(table, "whittle_jit"))
		return NULL;
	return wh_run_has(iptables, sizeof iptables / sizeof *iptables, table) ? "filter (iptables)" : table;
}

static void judge_owners(struct wh_run *run, const struct wh_judged_host *h)
{
	const char **owners = wh_arena_array(run->mem, h->facts->n_chains + 1, sizeof *owners), *all = "";
	size_t n = 0;
	for (size_t i = 0; i < h->facts->n_chains; i++) {
		const char *owner = owner_of(h->facts->chains[i], run->mem);
		if (owner && !wh_run_has(owners, n, owner)) {
			all = wh_arena_printf(run->mem, "%s%s%s", all, n ? ", " : "", owner);
			owners[n++] = owner;
		}
	}
	if (n > 1)
		wh_run_add_host(run, h, WH_POSTURE_UNHEALTHY, "tables of %zu programs judge what comes in: %s", n, all);
	else
		wh_run_add_sound(run, h, NULL);
}

int wh_check_host_owners(struct wh_run *run, struct wh_error *err)
{
	(void)err;
	wh_run_each_ruleset(run, judge_owners);
	return 0;
}
