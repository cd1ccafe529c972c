/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of Linux hosts by the traffic that their rulesets allow in, out and through. */
#include <string.h>
#include <sys/socket.h>
#include "posture/checks.h"

enum { MOST_PORTS = 32768 }; /* of 65,536: no rule names so many */

struct open { struct wh_ranges tcp, udp; const char *by; };

static struct open open_of(struct wh_run *run, const struct wh_judged_host *h, const struct wh_host_openings *o, int family,
                           bool certain)
{
	struct open x = {.by = NULL};
	x.tcp = wh_host_open(run, h, o, &(struct wh_host_way){family, WH_PROTO_TCP, certain}, &x.by);
	x.udp = wh_host_open(run, h, o, &(struct wh_host_way){family, WH_PROTO_UDP, certain}, &x.by);
	return x;
}

static struct open among(struct wh_run *run, struct open x, const struct wh_wanted_ports *w)
{
	return (struct open){wh_ranges_intersect(x.tcp, w->tcp, run->mem), wh_ranges_intersect(x.udp, w->udp, run->mem), x.by};
}

/* ---- ports ---- */

/* The rule that lets the first of these ports in. */
static const char *let_in_by(struct wh_run *run, const struct wh_judged_host *h, const struct open *x, bool certain)
{
	for (size_t i = 0; i < h->facts->inbound.n; i++) {
		const struct wh_host_opening *o = &h->facts->inbound.list[i];
		struct wh_ranges ports = wh_ports(&o->ports, 1, run->mem);
		if (o->certain == certain && o->by && *o->by &&
		    wh_ranges_meet(ports, o->proto == WH_PROTO_UDP ? x->udp : x->tcp, NULL) &&
		    wh_reach_large_part(
			    &(struct wh_reach_piece){
				    wh_ranges_intersect(o->peers, wh_reach_outside_ranges(run->in->reach), run->mem), ports},
			    1, run->mem)
		            .n)
			return o->by;
	}
	return x->by;
}

static void judge_ports(struct wh_run *run, const struct wh_judged_host *h)
{
	const struct wh_wanted_ports w = wh_run_wanted_ports(run);
	struct open is = among(run, open_of(run, h, &h->facts->inbound, AF_UNSPEC, true), &w),
		    may = among(run, open_of(run, h, &h->facts->inbound, AF_UNSPEC, false), &w);
	const char *by = let_in_by(run, h, is.tcp.n + is.udp.n ? &is : &may, is.tcp.n + is.udp.n > 0);
	if (is.tcp.n || is.udp.n)
		wh_run_add_host(run, h, WH_POSTURE_UNHEALTHY, "its ruleset lets the Internet reach %s%s%s",
		                wh_run_ports_text(run, is.tcp, is.udp), by ? ", by " : "", by ? by : "");
	else if (may.tcp.n || may.udp.n)
		wh_run_add_host(run, h, WH_POSTURE_NO_EVIDENCE, "what decides on %s is not known%s%s",
		                wh_run_ports_text(run, may.tcp, may.udp), by ? ": " : "", by ? by : "");
	else
		wh_run_add_sound(run, h, NULL);
}

int wh_check_host_ports(struct wh_run *run, struct wh_error *err)
{
	(void)err;
	wh_run_each_ruleset(run, judge_ports);
	return 0;
}

static void judge_jit(struct wh_run *run, const struct wh_judged_host *h)
{
	if (wh_run_jit(run, h->name))
		wh_run_add_sound(run, h, "its management ports are opened just in time");
	else
		judge_ports(run, h);
}

int wh_check_host_jit(struct wh_run *run, struct wh_error *err)
{
	(void)err;
	wh_run_each_ruleset(run, judge_jit);
	return 0;
}

/* ---- traffic that no rule names ---- */

static void judge_default(struct wh_run *run, const struct wh_judged_host *h)
{
	struct open is = open_of(run, h, &h->facts->inbound, AF_UNSPEC, true),
		    may = open_of(run, h, &h->facts->inbound, AF_UNSPEC, false);
	size_t tcp = wh_ports_count(is.tcp), udp = wh_ports_count(is.udp),
	       more = wh_ports_count(may.tcp), more_udp = wh_ports_count(may.udp);
	if (!h->facts->n_chains)
		wh_run_add_host(run, h, WH_POSTURE_UNHEALTHY, "no chain of its ruleset judges packets that come in");
	else if (tcp > MOST_PORTS || udp > MOST_PORTS)
		wh_run_add_host(run, h, WH_POSTURE_UNHEALTHY, "ports that no rule names are open: %zu TCP and %zu UDP ports", tcp,
		                udp);
	else if (tcp + more > MOST_PORTS || udp + more_udp > MOST_PORTS)
		wh_run_add_host(run, h, WH_POSTURE_NO_EVIDENCE, "what decides on ports that no rule names is not known%s%s",
		                may.by ? ": " : "", may.by ? may.by : "");
	else
		wh_run_add_sound(run, h, NULL);
}

int wh_check_host_default(struct wh_run *run, struct wh_error *err)
{
	(void)err;
	wh_run_each_ruleset(run, judge_default);
	return 0;
}

/* ---- IPv6 next to IPv4 ---- */

static bool has_family(const struct wh_host_facts *f, bool v4)
{
	for (size_t i = 0; i < f->n_addresses; i++)
		if (wh_addr_is_v4(&f->addresses[i].addr) == v4)
			return true;
	return false;
}

static void judge_twins(struct wh_run *run, const struct wh_judged_host *h)
{
	if (!has_family(h->facts, false)) {
		wh_run_add_host(run, h, WH_POSTURE_NOT_APPLICABLE, "it has no IPv6 address");
		return;
	}
	struct open six = open_of(run, h, &h->facts->inbound, AF_INET6, true),
		    four = open_of(run, h, &h->facts->inbound, AF_INET, true),
		    may = open_of(run, h, &h->facts->inbound, AF_INET6, false);
	struct wh_ranges tcp = wh_ranges_minus(six.tcp, four.tcp, run->mem), udp = wh_ranges_minus(six.udp, four.udp, run->mem),
			 may_tcp = wh_ranges_minus(may.tcp, four.tcp, run->mem),
			 may_udp = wh_ranges_minus(may.udp, four.udp, run->mem);
	if (tcp.n || udp.n)
		wh_run_add_host(run, h, WH_POSTURE_UNHEALTHY, "by IPv6 the Internet reaches %s, %s",
		                wh_run_ports_text(run, tcp, udp),
		                has_family(h->facts, true) ? "which IPv4's rules keep closed" : "and it has no IPv4 address");
	else if (may_tcp.n || may_udp.n)
		wh_run_add_host(run, h, WH_POSTURE_NO_EVIDENCE, "what decides by IPv6 on %s is not known",
		                wh_run_ports_text(run, may_tcp, may_udp));
	else
		wh_run_add_sound(run, h, NULL);
}

int wh_check_host_twins(struct wh_run *run, struct wh_error *err)
{
	(void)err;
	wh_run_each_ruleset(run, judge_twins);
	return 0;
}

/* ---- ports that are published ---- */

static const struct wh_host_opening *open_door(struct wh_run *run, const struct wh_host_facts *f, bool certain)
{
	struct wh_ranges internet = wh_reach_outside_ranges(run->in->reach);
	for (size_t i = 0; i < f->published.n; i++) {
		const struct wh_host_opening *o = &f->published.list[i];
		const struct wh_reach_piece piece = {wh_ranges_intersect(o->peers, internet, run->mem),
		                               wh_ports(&o->ports, 1, run->mem)};
		if (o->certain == certain && wh_host_leads_outside(f, &o->local) && wh_reach_large_part(&piece, 1, run->mem).n)
			return o;
	}
	return NULL;
}

static void judge_published(struct wh_run *run, const struct wh_judged_host *h)
{
	char to[WH_ADDR_STRLEN], proto[8];
	const struct wh_host_opening *open = open_door(run, h->facts, true),
				     *o = open ? open : open_door(run, h->facts, false);
	if (open)
		wh_run_add_host(
			run, h, WH_POSTURE_UNHEALTHY,
			"the Internet reaches port %u/%s, which leads to %s port %u: no rule stands before it, and the input chain never sees it",
			o->ports.from, wh_proto_text(o->proto, proto), wh_addr_text(&o->to, to), o->to_port);
	else if (o)
		wh_run_add_host(run, h, WH_POSTURE_NO_EVIDENCE,
		                "what decides on port %u/%s, which leads to %s port %u, is not known%s%s", o->ports.from,
		                wh_proto_text(o->proto, proto), wh_addr_text(&o->to, to), o->to_port, o->by ? ": " : "",
		                o->by ? o->by : "");
	else
		wh_run_add_sound(run, h,
		                 h->facts->published.n ? "rules stand before each port that it publishes"
		                                       : "it publishes no port");
}

int wh_check_host_published(struct wh_run *run, struct wh_error *err)
{
	(void)err;
	wh_run_each_ruleset(run, judge_published);
	return 0;
}

/* ---- forwarded and outbound traffic ---- */

static void judge_forwarding(struct wh_run *run, const struct wh_judged_host *h)
{
	static const char *const names[] = {"net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"};
	const char *unknown = NULL;
	for (size_t i = 0; i < 2; i++) {
		const char *value = wh_host_setting(h->facts, names[i]);
		if (!value && !i)
			unknown = "whether it forwards (net.ipv4.ip_forward) is not known";
		if (!value || !strcmp(value, "0") || h->facts->forwards[i] == WH_DENIED)
			continue;
		if (h->facts->forwards[i] == WH_ALLOWED) {
			wh_run_add_host(
				run, h, WH_POSTURE_UNHEALTHY,
				"it forwards packets of %s that no rule names: %s is %s, and nothing in its ruleset drops them",
				i ? "IPv6" : "IPv4", names[i], value);
			return;
		}
		unknown = "it forwards, and what its ruleset lets through is not known";
	}
	if (unknown)
		wh_run_add_host(run, h, WH_POSTURE_NO_EVIDENCE, "%s", unknown);
	else
		wh_run_add_sound(run, h, NULL);
}

int wh_check_host_forwarding(struct wh_run *run, struct wh_error *err)
{
	(void)err;
	wh_run_each_ruleset(run, judge_forwarding);
	return 0;
}

static void judge_egress(struct wh_run *run, const struct wh_judged_host *h)
{
	struct open is = open_of(run, h, &h->facts->outbound, AF_UNSPEC, true),
		    may = open_of(run, h, &h->facts->outbound, AF_UNSPEC, false);
	size_t tcp = wh_ports_count(is.tcp), more = wh_ports_count(may.tcp);
	if (tcp > MOST_PORTS)
		wh_run_add_host(run, h, WH_POSTURE_UNHEALTHY, "it may connect to the Internet at %zu TCP ports", tcp);
	else if (tcp + more > MOST_PORTS)
		wh_run_add_host(run, h, WH_POSTURE_NO_EVIDENCE, "where it may connect to is not known%s%s", may.by ? ": " : "",
		                may.by ? may.by : "");
	else
		wh_run_add_sound(run, h, NULL);
}

int wh_check_host_egress(struct wh_run *run, struct wh_error *err)
{
	(void)err;
	wh_run_each_ruleset(run, judge_egress);
	return 0;
}
