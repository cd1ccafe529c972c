/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Linux hosts: those of the estate that no cloud's inventory has, and each of which facts are known. Facts are joined with a
 * resource by an address of an interface that leads outside (those of bridges are the same on many machines), else by the name.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include "posture/run.h"

enum { FRESH_DAYS = 7 };

/* ---- which hosts there are ---- */

struct known { struct wh_addr addr; size_t of; };

static int by_addr(const void *a, const void *b)
{
	return wh_addr_cmp(&((const struct known *)a)->addr, &((const struct known *)b)->addr);
}

static bool outside(const struct wh_host_facts *f, const struct wh_host_address *a)
{
	for (size_t i = 0; i < f->n_addresses; i++)
		if (f->addresses[i].outside && wh_addr_is_v4(&f->addresses[i].addr) == wh_addr_is_v4(&a->addr))
			return a->outside;
	return true; /* none leads outside: each may */
}

static size_t index_addresses(struct wh_run *run, struct known **out)
{
	size_t n = 0, most = 0;
	for (size_t i = 0; i < run->in->n_hosts; i++)
		most += run->in->hosts[i].n_addresses;
	*out = wh_arena_array(run->mem, most + 1, sizeof **out);
	for (size_t i = 0; i < run->in->n_hosts; i++)
		for (size_t k = 0; k < run->in->hosts[i].n_addresses; k++)
			if (outside(&run->in->hosts[i], &run->in->hosts[i].addresses[k]))
				(*out)[n++] = (struct known){run->in->hosts[i].addresses[k].addr, i};
	if (n)
		qsort(*out, n, sizeof **out, by_addr);
	return n;
}

static const struct wh_host_facts *facts_of(struct wh_run *run, const struct wh_resource *r, const struct known *known, size_t n)
{
	for (size_t i = 0; i < r->n_addrs && n; i++) {
		const struct known key = {.addr = r->addrs[i]}, *at = bsearch(&key, known, n, sizeof *known, by_addr);
		if (at)
			return &run->in->hosts[at->of];
	}
	for (size_t i = 0; !r->id && i < run->in->n_hosts; i++)
		if (!strcasecmp(run->in->hosts[i].name, r->name))
			return &run->in->hosts[i];
	return NULL;
}

const struct wh_hosts *wh_run_hosts(struct wh_run *run)
{
	const struct wh_estate *e = run->in->estate;
	struct known *known;
	if (run->hosts)
		return run->hosts;
	size_t n_known = index_addresses(run, &known), most = (e ? e->n_resources : 0) + run->in->n_hosts + 1;
	bool *joined = wh_arena_array(run->mem, run->in->n_hosts + 1, sizeof *joined);
	struct wh_hosts *h = wh_arena_alloc(run->mem, sizeof *h);
	*h = (struct wh_hosts){.list = wh_arena_array(run->mem, most, sizeof *h->list)};
	for (size_t i = 0; e && i < e->n_resources; i++) {
		const struct wh_resource *r = &e->resources[i];
		const struct wh_host_facts *f = facts_of(run, r, known, n_known);
		if (f)
			joined[f - run->in->hosts] = true;
		if (f || !r->id)
			h->list[h->n++] = (struct wh_judged_host){wh_resource_label(r), wh_resource_type(r), r->name, f, r};
	}
	for (size_t i = 0; i < run->in->n_hosts; i++)
		if (!joined[i]) {
			const struct wh_host_facts *f = &run->in->hosts[i];
			/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there are n_hosts hosts */
			h->list[h->n++] = (struct wh_judged_host){f->name, "host", f->name, f, NULL};
		}
	return run->hosts = h;
}

/* ---- verdicts ---- */

void wh_run_add_host(struct wh_run *run, const struct wh_judged_host *h, enum wh_posture_status status, const char *fmt, ...)
{
	char buf[2048];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(buf, sizeof buf, fmt, ap);
	va_end(ap);
	wh_run_add(run, h->id, h->type, status, "%s", buf);
}

void wh_run_each_host(struct wh_run *run, void (*judge)(struct wh_run *run, const struct wh_judged_host *h))
{
	const struct wh_hosts *hosts = wh_run_hosts(run);
	for (size_t i = 0; i < hosts->n; i++)
		if (hosts->list[i].facts)
			judge(run, &hosts->list[i]);
		else
			wh_run_add_host(run, &hosts->list[i], WH_POSTURE_NO_EVIDENCE,
			                "nothing is known of it by itself: run `whittle estate facts` there as root, and "
			                "`whittle estate import` here");
}

void wh_run_each_ruleset(struct wh_run *run, void (*judge)(struct wh_run *run, const struct wh_judged_host *h))
{
	const struct wh_hosts *hosts = wh_run_hosts(run);
	for (size_t i = 0; i < hosts->n; i++)
		if (hosts->list[i].facts && hosts->list[i].facts->read)
			judge(run, &hosts->list[i]);
		else
			wh_run_add_host(
				run, &hosts->list[i], WH_POSTURE_NO_EVIDENCE,
				"its ruleset was not read: run `whittle estate facts` there as root, and `whittle estate import` here");
}

void wh_run_add_sound(struct wh_run *run, const struct wh_judged_host *h, const char *why)
{
	char at[WH_TIME_STRLEN];
	if (h->facts->unread)
		wh_run_add_host(run, h, WH_POSTURE_NO_EVIDENCE, "a part of its ruleset is not known: %s", h->facts->unread);
	else if (run->in->now_us - h->facts->at_us > FRESH_DAYS * WH_US_PER_DAY)
		wh_run_add_host(run, h, WH_POSTURE_NO_EVIDENCE, "its facts are of %.10s, more than %d days old",
		                wh_time_text(h->facts->at_us, at), FRESH_DAYS);
	else
		wh_run_add(run, h->id, h->type, WH_POSTURE_HEALTHY, why ? "%s" : NULL, why);
}

/* ---- ports that the Internet may use ---- */

static bool of_family(const struct wh_addr *a, int family)
{
	return family == AF_UNSPEC || (family == AF_INET) == wh_addr_is_v4(a);
}

bool wh_host_leads_outside(const struct wh_host_facts *f, const struct wh_addr *local)
{
	for (size_t i = 0; i < f->n_addresses; i++)
		if (wh_addr_eq(&f->addresses[i].addr, local))
			return outside(f, &f->addresses[i]);
	return true;
}

struct wh_ranges wh_host_open(struct wh_run *run, const struct wh_judged_host *h, const struct wh_host_openings *o,
                              const struct wh_host_way *way, const char **by)
{
	struct wh_ranges internet = wh_reach_outside_ranges(run->in->reach), all = {0};
	struct wh_reach_piece *pieces = wh_arena_array(run->mem, o->n + 1, sizeof *pieces);
	for (size_t i = 0, next; i < o->n; i = next) { /* rows of one address are adjacent */
		const struct wh_addr *local = &o->list[i].local;
		size_t n = 0;
		for (next = i; next < o->n && wh_addr_eq(&o->list[next].local, local); next++) {
			const struct wh_host_opening *row = &o->list[next];
			struct wh_ranges peers = row->proto == way->proto && row->certain == way->certain
			                                 ? wh_ranges_intersect(row->peers, internet, run->mem)
			                                 : (struct wh_ranges){0};
			if (!peers.n || !of_family(local, way->family) || !wh_host_leads_outside(h->facts, local))
				continue;
			pieces[n] = (struct wh_reach_piece){peers, wh_ports(&row->ports, 1, run->mem)};
			if (by && !*by && wh_reach_large_part(&pieces[n], 1, run->mem).n)
				*by = row->by;
			n++;
		}
		all = wh_ranges_union(all, wh_reach_large_part(pieces, n, run->mem), run->mem);
	}
	return all;
}
