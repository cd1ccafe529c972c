/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of this machine: proved again to lie within the rules in force, since the estate or a review may have
 * changed. */
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "base/socket_addr.h"
#include "whittle/app_firewall.h"
#include "whittle/review.h"

/* The machine's own rules apply as well as ours, which can only drop: a packet that they block stays blocked. */
static int prove_again(const struct wh_app *a, const struct wh_recommendation *r, const struct wh_estate *e, struct wh_arena *mem,
                       struct wh_error *err)
{
	for (size_t i = 0; i < r->n_resources; i++) {
		struct wh_counterexample ce;
		char addr[WH_ADDR_STRLEN], proto[8];
		int rc = wh_prove(e, r->resources[i].resource, r->resources[i].rules, r->resources[i].n_rules, mem, &ce, err);
		if (rc == 1 && r->resources[i].resource->host) {
			wh_app_note(
				a,
				"%s: the rule for port %u/%s has %s, which this machine's own rules drop, and still will; `whittle recommend` takes that into account",
				r->resources[i].resource->name, ce.port, wh_proto_text(ce.proto, proto),
				wh_addr_text(&ce.peer, addr));
			continue;
		}
		if (rc == 1)
			return wh_fail(
				err, -EPERM,
				"%s: refused: the rules would allow %s to port %u/%s, which the present policy does not; run `whittle recommend` again",
				r->resources[i].resource->name, wh_addr_text(&ce.peer, addr), ce.port,
				wh_proto_text(ce.proto, proto));
		if (rc)
			return rc;
	}
	return 0;
}

size_t wh_app_own_resources(const struct wh_estate *e, const char **names, size_t max)
{
	struct ifaddrs *list;
	size_t n = 0;
	if (getifaddrs(&list))
		return 0;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
		struct wh_addr a;
		if (!wh_addr_of_socket(i->ifa_addr, &a))
			continue;
		const struct wh_resource *r = wh_estate_by_addr(e, &a);
		bool had = false;
		for (size_t k = 0; k < n; k++)
			had |= r && names[k] == r->name;
		if (r && !had && n < max)
			names[n++] = r->name;
	}
	freeifaddrs(list);
	return n;
}

static int find_own(const struct wh_estate *e, const char *const *names, size_t n, struct wh_app_own *out, struct wh_error *err)
{
	if (n > WH_APP_OWN)
		return wh_fail_input(err, -E2BIG, "too many resources");
	for (size_t i = 0; i < n; i++) {
		const struct wh_resource *res = wh_estate_require(e, names[i], err);
		if (!res)
			return -ENXIO;
		out->names[out->n++] = res->name;
	}
	if (!n)
		out->n = wh_app_own_resources(e, out->names, WH_APP_OWN);
	return out->n ? 0
	              : wh_fail_input(err, -ENOENT,
	                              "no resource has an address of this machine: name this machine's resource with --resource");
}

/* The ledger knows of nothing before its first flow, nor before the window that its bitmaps hold. */
static int ledger_memory(const struct wh_app *a, struct wh_store *s, int64_t *memory_us, struct wh_error *err)
{
	struct wh_store_totals totals;
	int64_t window = a->config->harden.window_days ? a->config->harden.window_days : 64,
		from = wh_now_us() - window * WH_US_PER_DAY;
	int rc = wh_store_totals(s, &totals, err);
	if (!rc)
		*memory_us = totals.first_us > from ? totals.first_us : from;
	return rc;
}

static void take_digest(const struct wh_recommendation *r, struct wh_app_own *out)
{
	for (size_t i = 0; out->n == 1 && i < r->n_resources; i++)
		if (!strcmp(r->resources[i].resource->name, out->names[0]))
			wh_rules_digest(&r->resources[i], out->digest);
}

static void say_present(const struct wh_estate *e, struct wh_arena *mem, struct wh_app_own *out)
{
	for (size_t i = 0; i < e->n_resources && !out->present; i++) {
		const struct wh_resource *r = &e->resources[i];
		out->assumed = r->host_unread != NULL;
		out->present = r->host_unread ? wh_arena_printf(mem, "every port of %s is assumed to be open: %s", r->name,
		                                                r->host_unread)
		               : r->host      ? wh_arena_printf(mem, "%s is this machine: the rules of its own firewall", r->name)
		                              : NULL;
	}
}

int wh_app_own_rules(const struct wh_app *a, const char *const *names, size_t n, bool all_addresses, struct wh_arena *mem,
                     struct wh_app_own *out, struct wh_error *err)
{
	struct wh_nft_reject reject;
	struct wh_recommendation *r;
	struct wh_heard heard;
	struct wh_app_ledger l;
	int rc = wh_app_open(a, WH_STATE_READ, mem, &l, err);

	*out = (struct wh_app_own){.n = 0};
	if (!rc) {
		wh_app_present(a, &l, mem);
		say_present(l.estate, mem, out);
	}
	rc = rc ? rc : ledger_memory(a, l.is.store, &out->memory_us, err);
	rc = rc ? rc : find_own(l.estate, names, n, out, err);
	rc = rc ? rc : wh_review_load(l.is.state, l.estate, mem, &r, err);
	rc = rc ? rc : prove_again(a, r, l.estate, mem, err);
	rc = rc ? rc : wh_estate_heard(l.is.store, l.estate, mem, &heard, err);
	rc = rc ? rc : wh_reject_from(&a->config->enforce, mem, &reject, err);
	if (!rc) {
		struct wh_nft_options opt = {.resources = out->names,
		                             .n_resources = out->n,
		                             .heard = &heard,
		                             .all_addresses = all_addresses,
		                             .reject = &reject};
		wh_app_platform(a, l.estate);
		take_digest(r, out);
		rc = wh_nft_ruleset_from(r, l.estate, &opt, mem, &out->rs, err);
	}
	rc = rc ? rc : wh_nft_coverage(out->rs, l.estate, mem, &out->covered, &out->n_covered, err);
	if (!rc)
		wh_app_find_doors(l.estate, mem, out);
	wh_app_close(&l, NULL);
	return rc;
}

bool wh_app_own_is_met(const struct wh_app_own *own)
{
	for (size_t i = 0; i < own->n_covered; i++)
		if (own->covered[i].kind == WH_COVERED)
			return true;
	return false;
}

/* Interfaces without a judged address, such as a bridge of containers: a sensor that hears another one hears nothing there. */
static char *other_ways(const struct wh_covered *c, size_t n, struct wh_arena *mem)
{
	char *ways = NULL;
	for (size_t i = 0; i < n; i++) {
		bool had = c[i].kind != WH_UNCLAIMED;
		for (size_t k = 0; k < i && !had; k++)
			had = c[k].kind == WH_UNCLAIMED && !strcmp(c[k].interface, c[i].interface);
		if (!had)
			ways = wh_arena_printf(mem, "%s%s%s", ways ? ways : "", ways ? ", " : "", c[i].interface);
	}
	return ways;
}

char *wh_app_coverage_line(const struct wh_covered *c, size_t n, struct wh_arena *mem)
{
	char *judged = NULL, *not = wh_nft_not_covered(c, n, mem), *ways = other_ways(c, n, mem), addr[WH_ADDR_STRLEN];
	for (size_t i = 0; i < n; i++)
		if (c[i].kind == WH_COVERED)
			judged = wh_arena_printf(mem, "%s%s%s (%s)", judged ? judged : "", judged ? ", " : "",
			                         wh_addr_text(&c[i].addr, addr), c[i].interface);
	return wh_arena_printf(mem, "Judged: %s; %s%s%s%s%s", judged ? judged : "no address of this machine",
	                       not ? "not covered: " : "every address is covered", not ? not : "",
	                       judged && ways ? ". What comes by " : "", judged && ways ? ways : "",
	                       judged && ways ? " to a judged address is judged, too" : "");
}

json_t *wh_app_coverage_json(const struct wh_covered *c, size_t n)
{
	static const char *const kinds[] = {"covered", "unclaimed", "nothingLearned", "noRule", "linkLocal"};
	json_t *list = json_array();
	char addr[WH_ADDR_STRLEN];
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s,s:s,s:s,s:I,s:s?}", "address", wh_addr_text(&c[i].addr, addr),
		                                      "interface", c[i].interface, "coverage", kinds[c[i].kind], "rules",
		                                      (json_int_t)c[i].ports, "resource", c[i].resource));
	return list;
}
