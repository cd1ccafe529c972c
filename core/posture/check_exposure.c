/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of machines by their exposure to the Internet, and by the devices in front of them. */
#include <string.h>
#include <strings.h>
#include "posture/checks.h"
#include "whittle/findings.h"

/* ---- the ports of a check ---- */

struct wh_wanted_ports wh_run_wanted_ports(struct wh_run *run)
{
	static const struct wh_port_range all[] = {{0, 65535}};
	struct wh_ranges named[2];
	if (!wh_run_ports(run, named))
		return (struct wh_wanted_ports){wh_ports(all, 1, run->mem), wh_ports(all, 1, run->mem)};
	return (struct wh_wanted_ports){named[0], named[1]};
}

/* A machine's open ports among those of the check, and who sees some of them. */
struct open_ports {
	struct wh_ranges tcp, udp, tcp_doubt, udp_doubt;
	const char *missing;
	size_t endpoint;
	struct wh_reach_seen by; /* of the check's ports, at that endpoint; by.reach NULL: none is open */
};

static void add_seen(struct wh_run *run, struct open_ports *o, size_t endpoint, const struct wh_reach_seen *seen,
                     const struct wh_wanted_ports *w)
{
	struct wh_reach_seen s = *seen;
	s.tcp = wh_ranges_intersect(s.tcp, w->tcp, run->mem);
	s.udp = wh_ranges_intersect(s.udp, w->udp, run->mem);
	if (!s.tcp.n && !s.udp.n)
		return;
	if (!o->by.reach || (o->by.tag && !s.tag)) {
		o->endpoint = endpoint;
		o->by = s;
	}
	o->tcp = wh_ranges_union(o->tcp, s.tcp, run->mem);
	o->udp = wh_ranges_union(o->udp, s.udp, run->mem);
}

static struct open_ports open_of(struct wh_run *run, const struct wh_host *h, const struct wh_wanted_ports *w)
{
	struct open_ports o = {.endpoint = h->first};
	wh_reach_classes(run->in->reach);
	for (size_t i = h->first; i < h->first + h->n; i++) {
		const struct wh_reach_opened *x = wh_reach_opened(run->in->reach, i);
		for (size_t k = 0; k < x->n; k++)
			add_seen(run, &o, i, &x->seen[k], w);
		o.tcp_doubt = wh_ranges_union(o.tcp_doubt, wh_ranges_intersect(x->tcp_doubt, w->tcp, run->mem), run->mem);
		o.udp_doubt = wh_ranges_union(o.udp_doubt, wh_ranges_intersect(x->udp_doubt, w->udp, run->mem), run->mem);
		o.missing = x->missing ? x->missing : o.missing;
	}
	return o;
}

/* ---- in words ---- */

/* "22 (SSH), 8000-8010"; `known` ports have names. */
static const char *named(struct wh_run *run, uint8_t proto, struct wh_ranges ports)
{
	struct wh_port_range *list;
	size_t n = wh_ports_list(ports, run->mem, &list);
	const char *out = "";
	for (size_t i = 0; i < n && i < 12; i++) {
		const struct wh_risky_port *p, *name = NULL;
		for (size_t k = 0; (p = wh_risky_port_at(k)) && !name; k++)
			if (p->proto == proto && p->port >= list[i].from && p->port <= list[i].to && list[i].from == list[i].to)
				name = p;
		const char *sep = *out ? ", " : "";
		out = list[i].from == list[i].to ? wh_arena_printf(run->mem, "%s%s%u%s%s%s", out, sep, list[i].from,
		                                                   name ? " (" : "", name ? name->name : "", name ? ")" : "")
		      : list[i].from == 0 && list[i].to == 65535
		              ? wh_arena_printf(run->mem, "%s%severy port", out, sep)
		              : wh_arena_printf(run->mem, "%s%s%u-%u", out, sep, list[i].from, list[i].to);
	}
	return n > 12 ? wh_arena_printf(run->mem, "%s and %zu more", out, n - 12) : out;
}

const char *wh_run_ports_text(struct wh_run *run, struct wh_ranges tcp, struct wh_ranges udp)
{
	const char *t = tcp.n ? wh_arena_printf(run->mem, "TCP %s", named(run, WH_PROTO_TCP, tcp)) : "",
		   *u = udp.n ? wh_arena_printf(run->mem, "UDP %s", named(run, WH_PROTO_UDP, udp)) : "";
	return wh_arena_printf(run->mem, "%s%s%s", t, *t && *u ? "; " : "", u);
}

/* What lets the Internet in at a port: a rule, a firewall, or nothing that stops it. */
static const char *let_in_by(struct wh_run *run, const struct open_ports *o, uint8_t proto, uint16_t port)
{
	struct wh_reach_packet p = {
		.from = WH_NONE, .to = o->endpoint, .proto = proto, .sport = WH_EPHEMERAL_PORT, .dport = port};
	struct wh_reach_answer a;
	if (!wh_reach_opened_from(&o->by, proto, port, &p.from_addr))
		return "";
	wh_reach_decide(o->by.reach, &p, run->mem, &a);
	if (a.through)
		return wh_arena_printf(run->mem, ", through %s", a.through);
	for (size_t i = a.n; i-- > 0;)
		if (a.steps[i].rule && a.steps[i].nsg)
			return wh_arena_printf(run->mem, ", by rule %s (%u) of %s", a.steps[i].rule->name,
			                       (unsigned)a.steps[i].rule->priority, a.steps[i].nsg);
	return ", no network security group stands before it";
}

/* The ports of one protocol by what lets them in: each cause once, in the order of the ports. */
struct cause { const char *text; struct wh_ranges tcp, udp; };
struct causes { struct cause *list; size_t n, room; };

static void add_causes(struct wh_run *run, struct causes *all, const struct open_ports *o, uint8_t proto)
{
	struct wh_port_range *list;
	size_t n = wh_ports_list(proto == WH_PROTO_TCP ? o->by.tcp : o->by.udp, run->mem, &list);
	for (size_t i = 0; i < n; i++) {
		const char *text = let_in_by(run, o, proto, list[i].from);
		struct cause *c = all->list;
		while (c < all->list + all->n && strcmp(c->text, text))
			c++;
		if (c == all->list + all->n) {
			all->list = wh_arena_grown(run->mem, all->list, all->n, &all->room, sizeof *all->list);
			c = &all->list[all->n++];
			*c = (struct cause){.text = text};
		}
		struct wh_ranges *to = proto == WH_PROTO_TCP ? &c->tcp : &c->udp;
		*to = wh_ranges_union(*to, wh_ports(&list[i], 1, run->mem), run->mem);
	}
}

/* "the Internet reaches TCP 22 (SSH), by rule a (300) of web; any customer's machine in Azure (the tag AzureCloud) TCP 443" */
static const char *open_text(struct wh_run *run, const struct open_ports *o)
{
	const char *tag = o->by.tag,
		   *text = tag ? wh_arena_printf(run->mem, WH_REACH_TENANTS " reaches ", tag)
	                       : "the Internet reaches ";
	struct causes all = {0};
	add_causes(run, &all, o, WH_PROTO_TCP);
	add_causes(run, &all, o, WH_PROTO_UDP);
	for (size_t i = 0; i < all.n; i++)
		text = wh_arena_printf(run->mem, "%s%s%s%s", text, i ? "; " : "",
		                       wh_run_ports_text(run, all.list[i].tcp, all.list[i].udp), all.list[i].text);
	struct wh_ranges tcp = wh_ranges_minus(o->tcp, o->by.tcp, run->mem), udp = wh_ranges_minus(o->udp, o->by.udp, run->mem);
	return tcp.n || udp.n ? wh_arena_printf(run->mem, "%s; by another way %s", text, wh_run_ports_text(run, tcp, udp)) : text;
}

static bool any(const struct open_ports *o, bool doubt)
{
	return doubt ? o->tcp_doubt.n || o->udp_doubt.n : o->tcp.n || o->udp.n;
}

static void judge(struct wh_run *run, const struct wh_host *h, const struct open_ports *o)
{
	const char *type = wh_host_type(h);
	if (any(o, false))
		wh_run_add(run, h->id, type, WH_POSTURE_UNHEALTHY, "%s", open_text(run, o));
	else if (h->unscanned)
		wh_run_add(run, h->id, type, WH_POSTURE_NO_EVIDENCE, "%s", h->unscanned);
	else if (any(o, true))
		wh_run_add(run, h->id, type, WH_POSTURE_NO_EVIDENCE, "the inventory lacks %s, which decides on %s", o->missing,
		           wh_run_ports_text(run, o->tcp_doubt, o->udp_doubt));
	else
		wh_run_add(run, h->id, type, WH_POSTURE_HEALTHY, NULL);
}

/* Whether the inventory has a machine of a scale set: an instance below its id, or one that stands for all; or a VM that names
 * it. */
static bool has_instance(const struct wh_run *run, const char *set)
{
	const struct wh_topology *t = run->in->topology;
	size_t len = strlen(set), from, to = wh_assets_of_type(run->in->assets, "Microsoft.Compute/virtualMachines", &from);
	for (size_t i = 0; i < t->n_hosts; i++)
		if (!strncasecmp(t->hosts[i].id, set, len) && (t->hosts[i].id[len] == '/' || !t->hosts[i].id[len]))
			return true;
	for (size_t i = from; i < to; i++) {
		const char *of = wh_field_ref(run->in->assets->list[run->in->assets->by_type[i]].body, "virtualMachineScaleSet");
		if (of && !strcasecmp(of, set))
			return true;
	}
	return false;
}

/* Scale sets of which neither an instance nor a model with addresses is in the inventory. */
static void judge_sets(struct wh_run *run)
{
	static const char type[] = "Microsoft.Compute/virtualMachineScaleSets";
	size_t from, to = wh_assets_of_type(run->in->assets, type, &from);
	for (size_t i = from; i < to; i++) {
		const struct wh_asset *a = &run->in->assets->list[run->in->assets->by_type[i]];
		const json_t *capacity = wh_field(wh_field(a->body, "sku"), "capacity");
		if (a->id && (!json_is_integer(capacity) || json_integer_value(capacity)) && !has_instance(run, a->id))
			wh_run_add(run, a->id, type, WH_POSTURE_NO_EVIDENCE,
			           "the inventory has none of its instances (`az vmss nic list`)");
	}
}

int wh_check_open_ports(struct wh_run *run, struct wh_error *err)
{
	struct wh_wanted_ports w = wh_run_wanted_ports(run);
	(void)err;
	for (size_t i = 0; i < run->in->topology->n_hosts; i++) {
		const struct wh_host *h = &run->in->topology->hosts[i];
		if (!wh_run_judged(h))
			continue;
		struct open_ports o = open_of(run, h, &w);
		judge(run, h, &o);
	}
	judge_sets(run);
	return 0;
}

/* ---- just-in-time access ---- */

bool wh_run_jit(const struct wh_run *run, const char *name)
{
	return wh_run_has(run->in->jit, run->in->n_jit, name);
}

/* Machines that some policy of just-in-time access names. */
static bool under_jit(const struct wh_run *run, const struct wh_host *h)
{
	size_t from, to = wh_assets_of_type(run->in->assets, "Microsoft.Security/locations/jitNetworkAccessPolicies", &from), k;
	json_t *v;
	for (size_t i = from; i < to; i++)
		json_array_foreach(wh_field(run->in->assets->list[run->in->assets->by_type[i]].body, "virtualMachines"), k, v)
			if (wh_field_text(v, "id") && !strcasecmp(wh_field_text(v, "id"), h->id))
				return true;
	return wh_run_jit(run, h->name);
}

int wh_check_jit(struct wh_run *run, struct wh_error *err)
{
	struct wh_wanted_ports w = wh_run_wanted_ports(run);
	(void)err;
	for (size_t i = 0; i < run->in->topology->n_hosts; i++) {
		const struct wh_host *h = &run->in->topology->hosts[i];
		if (!wh_run_judged(h))
			continue;
		struct open_ports o = open_of(run, h, &w);
		if (under_jit(run, h))
			wh_run_add(run, h->id, wh_host_type(h), WH_POSTURE_HEALTHY,
			           "its management ports are opened just in time");
		else
			judge(run, h, &o);
	}
	return 0;
}

/* ---- groups before machines ---- */

static const char *unguarded(struct wh_run *run, const struct wh_host *h)
{
	const struct wh_topology *t = run->in->topology;
	for (size_t i = h->first; i < h->first + h->n; i++) {
		const struct wh_endpoint *e = &t->endpoints[i];
		if (t->nics[e->nic].nsg == WH_NONE && (e->subnet == WH_NONE || t->subnets[e->subnet].nsg == WH_NONE))
			return wh_arena_printf(run->mem, "neither its interface %s nor its subnet has a network security group",
			                       t->nics[e->nic].name);
	}
	return NULL;
}

/* Setting `facing`: internet or internal. */
int wh_check_guarded(struct wh_run *run, struct wh_error *err)
{
	const char **facing;
	bool internet = wh_run_texts(run, "facing", &facing) && !strcasecmp(facing[0], "internet");
	(void)err;
	for (size_t i = 0; i < run->in->topology->n_hosts; i++) {
		const struct wh_host *h = &run->in->topology->hosts[i];
		bool asked = wh_topology_faces_internet(run->in->topology, h) == internet;
		if (!wh_run_judged(h) || (!h->unscanned && !asked))
			continue;
		const char *why = unguarded(run, h);
		if (h->unscanned && !h->n)
			wh_run_add(run, h->id, wh_host_type(h), WH_POSTURE_NO_EVIDENCE, "%s", h->unscanned);
		else if (asked)
			wh_run_add(run, h->id, wh_host_type(h), why ? WH_POSTURE_UNHEALTHY : WH_POSTURE_HEALTHY,
			           why ? "%s" : NULL, why);
	}
	return 0;
}

/* Setting `appliance-tags`: tags whose value or name marks a machine that forwards. */
int wh_check_forwarding(struct wh_run *run, struct wh_error *err)
{
	const struct wh_topology *t = run->in->topology;
	const char **tags;
	size_t n = wh_run_texts(run, "appliance-tags", &tags);
	(void)err;
	for (size_t i = 0; i < t->n_hosts; i++) {
		const struct wh_host *h = &t->hosts[i];
		const char *nic = NULL;
		bool appliance = false;
		if (!wh_run_judged(h) || !h->n)
			continue;
		for (size_t k = h->first; k < h->first + h->n; k++)
			nic = t->nics[t->endpoints[k].nic].forwards ? t->nics[t->endpoints[k].nic].name : nic;
		for (size_t k = 0; k < h->n_tags; k++)
			appliance |= wh_run_has(tags, n, h->tags[k].name) || wh_run_has(tags, n, h->tags[k].value);
		if (nic && appliance)
			wh_run_add(run, h->id, wh_host_type(h), WH_POSTURE_NOT_APPLICABLE,
			           "it forwards by its purpose: its tags say so");
		else
			wh_run_add(run, h->id, wh_host_type(h), nic ? WH_POSTURE_UNHEALTHY : WH_POSTURE_HEALTHY,
			           nic ? "its interface %s forwards packets that are not its own" : NULL, nic);
	}
	return 0;
}
