/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status of resources, the sensor, threat lists and addresses. */
#include <string.h>
#include "app/status_parts.h"
#include "base/json.h"

const char *const wh_app_attention_words[] = {"undefended", "pending",   "changed", "sensor", "watch",
                                              "lists",      "addresses", "stale",   NULL};

const char *wh_app_force_text(enum wh_app_force f)
{
	static const char *const texts[] = {"elsewhere", "none", "part", "audit", "pending", "confirmed"};
	return texts[f];
}

/* ---- resources ---- */

static bool judged(const struct wh_resource *r, const struct wh_nft_port_count *p)
{
	for (size_t i = 0; i < r->n_addrs; i++)
		if (wh_addr_eq(&r->addrs[i], &p->local))
			return true;
	return !p->n_locals;
}

static const struct wh_nft_port_count *in_force(const struct wh_nft_counts *c, const struct wh_resource *r,
                                                const struct wh_recommended_rule *rule)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct wh_nft_port_count *p = &c->ports[i];
		if (p->direction == rule->direction && p->port == rule->port && p->proto == rule->proto && !p->reopened &&
		    judged(r, p))
			return p;
	}
	return NULL;
}

static void force_of(const struct wh_nft_counts *c, const struct wh_resource_result *r, struct wh_app_standing *out)
{
	bool pending = false, audit = false;
	for (size_t i = 0; i < r->n_rules; i++) {
		const struct wh_nft_port_count *p = in_force(c, r->resource, &r->rules[i]);
		out->in_force += p != NULL;
		pending |= p && p->pending;
		audit |= p && p->audit;
	}
	out->force = !out->in_force               ? WH_APP_NO_FORCE
	             : pending                    ? WH_APP_PENDING
	             : audit                      ? WH_APP_AUDITED
	             : out->in_force < r->n_rules ? WH_APP_IN_PART
	                                          : WH_APP_CONFIRMED;
}

/* Days that are missing, by the reason why there is no rule yet. */
static unsigned missing(const struct wh_resource_result *r)
{
	for (size_t i = 0; i < r->n_reasons; i++) {
		const uint64_t *c = r->reasons[i].count;
		if (r->reasons[i].code == WH_REASON_FEW_DAYS && c[1] > c[0])
			return (unsigned)(c[1] - c[0]);
		if (r->reasons[i].code == WH_REASON_SEEN_RARELY && c[2] > c[0])
			return (unsigned)(c[2] - c[0]);
	}
	return 0;
}

void wh_app_standing(struct wh_app_status *s, const char *const *names, size_t n, int32_t today, struct wh_arena *mem)
{
	const struct wh_recommendation *rec = s->recommendation;
	s->standing = wh_arena_array(mem, rec->n_resources + 1, sizeof *s->standing);
	for (size_t i = 0; i < rec->n_resources; i++) {
		const struct wh_resource_result *r = &rec->resources[i];
		struct wh_app_standing *st = &s->standing[i];
		for (size_t k = 0; k < n; k++)
			if (!strcmp(names[k], r->resource->name))
				force_of(&s->firewall, r, st);
		st->defended = r->status == WH_HEALTHY || (r->status == WH_UNHEALTHY && st->force == WH_APP_CONFIRMED);
		st->days_missing = missing(r);
		st->ready_day = (r->last_day > today ? r->last_day : today) + (int32_t)st->days_missing;
	}
}

/* ---- the sensor ---- */

static int see_capture(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	struct wh_app_sensor *s = arg;
	const struct wh_capture c = wh_fact_capture(r);
	(void)k;
	s->packets += c.packets;
	s->packets_lost += c.drops;
	return 0;
}

int wh_app_sensor(const struct wh_app *a, const struct wh_app_ledger *l, struct wh_app_status *s, struct wh_error *err)
{
	struct wh_app_sensor *out = &s->sensor;
	int64_t silence = a->config->alerts.silence ? a->config->alerts.silence : 86400;
	char *text = NULL;
	int rc = wh_store_facts(l->is.store, WH_FACT_CAPTURE, see_capture, out, err);
	rc = rc ? rc : wh_state_get(l->is.state, "sensor", "suricata", &text, err);
	if (rc)
		return rc;
	json_t *doc = text ? json_loads(text, 0, NULL) : NULL;
	json_int_t records = json_integer_value(json_object_get(doc, "records")),
		   lost = json_integer_value(json_object_get(doc, "lost"));
	out->records = records > 0 ? (uint64_t)records : 0;
	out->lost = lost > 0 ? (uint64_t)lost : 0;
	out->last_us = s->totals.last_us;
	out->silent = out->last_us && wh_now_us() - out->last_us > silence * INT64_C(1000000);
	json_decref(doc);
	free(text);
	return 0;
}

/* ---- threat lists ---- */

static struct wh_app_list *list_named(struct wh_app_status *s, const char *name, struct wh_arena *mem)
{
	for (size_t i = 0; i < s->n_lists; i++)
		if (!strcmp(s->lists[i].name, name))
			return &s->lists[i];
	s->lists[s->n_lists] = (struct wh_app_list){.name = wh_arena_strdup(mem, name)};
	return &s->lists[s->n_lists++];
}

int wh_app_lists(const struct wh_app *a, const struct wh_app_ledger *l, struct wh_app_status *s, struct wh_arena *mem,
                 struct wh_error *err)
{
	const struct wh_intel_config *c = &a->config->intel;
	struct wh_intel_list *read, *held;
	size_t n, n_held;
	int rc = wh_intel_lists(l->is.state, mem, &read, &n, err);
	rc = rc ? rc : wh_intel_held(l->is.state, mem, &held, &n_held, err);
	if (rc)
		return rc;
	s->lists = wh_arena_array(mem, n + n_held + c->n_lists + 1, sizeof *s->lists);
	for (size_t i = 0; i < n; i++) {
		struct wh_app_list *x = list_named(s, read[i].name, mem);
		x->updated_us = read[i].updated_us;
		x->stale = wh_intel_stale(&read[i], wh_now_us());
	}
	for (size_t i = 0; i < n_held; i++)
		list_named(s, held[i].name, mem)->held = true;
	for (size_t i = 0; i < c->n_lists; i++)
		list_named(s, c->lists[i].name, mem);
	return 0;
}

/* ---- addresses ---- */

static bool heard(const struct wh_heard *h, const struct wh_addr *a)
{
	for (size_t i = 0; i < h->n; i++)
		if (wh_addr_eq(&h->addrs[i], a))
			return true;
	return false;
}

int wh_app_unlearned(const struct wh_app_ledger *l, struct wh_app_status *s, struct wh_arena *mem, struct wh_error *err)
{
	const struct wh_nft_ruleset none = {0};
	struct wh_covered *all;
	struct wh_heard h;
	size_t n;
	int rc = wh_nft_coverage(&none, l->estate, mem, &all, &n, err);
	rc = rc ? rc : wh_estate_heard(l->is.store, l->estate, mem, &h, err);
	if (rc)
		return rc;
	s->unlearned = wh_arena_array(mem, n + 1, sizeof *s->unlearned);
	for (size_t i = 0; i < n; i++) {
		const struct wh_resource *r = wh_estate_by_addr(l->estate, &all[i].addr);
		if (all[i].kind == WH_LINK_LOCAL || (r && (r->n_addrs == 1 || heard(&h, &all[i].addr))))
			continue;
		s->unlearned[s->n_unlearned] = all[i];
		s->unlearned[s->n_unlearned++].kind = r ? WH_NOTHING_LEARNED : WH_UNCLAIMED;
	}
	return 0;
}

/* ---- all of it ---- */

/* A sensor writes all the time: only whole days count, and whatever else has changed. */
static bool lacks_a_day(const struct wh_app_status *s)
{
	const int64_t today = wh_now_us() / WH_US_PER_DAY, last = s->totals.last_us / WH_US_PER_DAY - 1;
	return !s->derived.at_us || strcmp(s->stale, WH_APP_TRAFFIC_SINCE) != 0 ||
	       (last < today ? last : today) > s->derived.last_day;
}

unsigned wh_app_attention(const struct wh_app_status *s)
{
	unsigned attention = s->rules || s->jit ? WH_APP_NOT_AS_CONFIRMED : 0;
	bool lasting = false;
	for (size_t i = 0; i < s->recommendation->n_resources; i++)
		if (s->recommendation->resources[i].status == WH_UNHEALTHY && !s->standing[i].defended)
			attention |= WH_APP_UNDEFENDED;
	for (size_t i = 0; i < s->firewall.n; i++) {
		attention |= s->firewall.ports[i].pending ? WH_APP_WAITING : 0;
		lasting |= !s->firewall.ports[i].pending;
	}
	if (lasting && !s->watched)
		attention |= WH_APP_UNWATCHED;
	if (s->sensor.silent || s->sensor.lost || s->sensor.packets_lost * 100 > s->sensor.packets)
		attention |= WH_APP_SENSOR_FAULT;
	for (size_t i = 0; i < s->n_lists; i++)
		if (s->lists[i].stale || s->lists[i].held || !s->lists[i].updated_us)
			attention |= WH_APP_LIST_FAULT;
	if (s->stale && lacks_a_day(s))
		attention |= WH_APP_STALE;
	return attention | (s->n_unlearned ? WH_APP_UNLEARNED : 0);
}
