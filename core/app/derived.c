/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a derivation reads, as texts: if they are equal, so is its outcome. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "app/derived.h"
#include "base/build_id.h"
#include "base/bytes.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/store_url.h"
#include "whittle/config.h"
#include "whittle/filter.h"

enum { MOST_FILE = 1 << 20 };

static const char *hex(struct wh_sha256_parts *h, struct wh_arena *mem)
{
	uint8_t out[WH_SHA256_BYTES];
	char *text = wh_arena_alloc(mem, 2 * sizeof out + 1);
	wh_sha256_end(h, out);
	for (size_t i = 0; i < sizeof out; i++)
		snprintf(text + 2 * i, 3, "%02x", out[i]);
	return text;
}

static void add_text(struct wh_sha256_parts *h, const char *s)
{
	wh_sha256_add(h, s ? s : "\1", s ? strlen(s) + 1 : 2);
}

static int add_document(void *arg, const char *key, const char *json)
{
	add_text(arg, key);
	add_text(arg, json);
	return 0;
}

static int add_documents(struct wh_sha256_parts *h, struct wh_state *s, const char *const *collections, struct wh_error *err)
{
	int rc = 0;
	for (; *collections && !rc; collections++) {
		add_text(h, *collections);
		rc = wh_state_each(s, *collections, add_document, h, err);
	}
	return rc;
}

static const char *traffic(const struct wh_store_totals *t, struct wh_arena *mem)
{
	const uint64_t n[] = {t->records, t->flows, t->alerts, t->other,  t->malformed,
	                      t->crowded, t->aged,  t->full,   t->writes, (uint64_t)t->last_us};
	struct wh_sha256_parts h;
	wh_sha256_begin(&h);
	for (size_t i = 0; i < sizeof n / sizeof *n; i++) {
		char number[24];
		snprintf(number, sizeof number, "%llu", (unsigned long long)n[i]);
		add_text(&h, number);
	}
	return hex(&h, mem);
}

/* ---- the rules in force ---- */

static void add_host(struct wh_sha256_parts *h, const struct wh_resource *r)
{
	struct wh_bytes b = {0};
	for (size_t i = 0; r->host && i < r->host->n; i++) {
		const struct wh_host_end *end = &r->host->at[i];
		wh_put(&b, &end->addr, sizeof end->addr);
		for (int d = 0; d < 2; d++)
			wh_put_filters(&b, end->filters[d], end->n[d]);
	}
	for (size_t i = 0; r->host && i < r->host->n_published; i++) {
		const struct wh_host_published *p = &r->host->published[i];
		const uint16_t numbers[] = {p->proto, p->ports.from, p->ports.to};
		wh_put(&b, numbers, sizeof numbers);
		wh_put(&b, &p->addrs, sizeof p->addrs);
	}
	wh_sha256_add(h, b.p ? (const void *)b.p : "", b.n);
	free(b.p);
}

static const char *host(const struct wh_app_ledger *l, struct wh_arena *mem)
{
	struct wh_sha256_parts h;
	bool any = false, unread = false;
	wh_sha256_begin(&h);
	for (size_t i = 0; i < l->estate->n_resources; i++) {
		const struct wh_resource *r = &l->estate->resources[i];
		unread |= r->host_unread != NULL;
		any |= r->host != NULL;
		if (r->host)
			add_text(&h, r->name);
		add_host(&h, r);
	}
	return any && !unread ? hex(&h, mem) : "";
}

static int rules(const struct wh_app *a, const struct wh_app_ledger *l, struct wh_arena *mem, const char **out,
                 struct wh_error *err)
{
	static const char *const collections[] = {"estate", "nsg", "full", NULL};
	struct wh_sha256_parts h;
	wh_sha256_begin(&h);
	int rc = add_documents(&h, l->is.state, collections, err);
	for (size_t i = 0; i < l->estate->n_resources; i++) {
		const struct wh_resource *r = &l->estate->resources[i];
		add_text(&h, r->name);
		wh_sha256_add(&h, r->addrs, r->n_addrs * sizeof *r->addrs);
	}
	const int platforms[] = {a->config->estate.platform, (int)l->estate->found};
	wh_sha256_add(&h, platforms, sizeof platforms);
	*out = hex(&h, mem);
	return rc;
}

/* ---- the settings ---- */

static int add_file(struct wh_sha256_parts *h, const char *dir, const char *name, struct wh_error *err)
{
	char path[PATH_MAX], *text;
	size_t len;
	int rc = wh_rules_path(dir, name, path, sizeof path, err);
	rc = rc ? rc : wh_read_file(path, MOST_FILE, &text, &len, err);
	if (rc)
		return rc;
	wh_sha256_add(h, text, len);
	free(text);
	return 0;
}

static int settings(const struct wh_app *a, const struct wh_app_ledger *l, struct wh_arena *mem, const char **out,
                    struct wh_error *err)
{
	static const char *const collections[] = {"intel", "lost-hours", NULL};
	const struct wh_harden_config *c = &a->config->harden;
	const int64_t numbers[] = {c->min_days,    c->max_prefixes, c->max_prefixes_nsg,
	                           c->stable_days, c->window_days,  (int64_t)c->directions};
	struct wh_sha256_parts h;
	wh_sha256_begin(&h);
	add_text(&h, c->ports);
	wh_sha256_add(&h, numbers, sizeof numbers);
	for (size_t i = 0; i < c->n_trusted; i++) {
		char prefix[WH_PREFIX_STRLEN];
		add_text(&h, wh_prefix_text(&c->trusted[i], prefix));
	}
	int rc = add_documents(&h, l->is.state, collections, err);
	rc = rc ? rc : add_file(&h, c->rules_dir, "evidence.yaml", err);
	rc = rc ? rc : add_file(&h, c->rules_dir, "ports.yaml", err);
	*out = hex(&h, mem);
	return rc;
}

int wh_app_derived(const struct wh_app *a, const struct wh_app_ledger *l, const struct wh_store_totals *totals,
                   struct wh_arena *mem, struct wh_derived *out, struct wh_error *err)
{
	char program[WH_BUILD_ID_STRLEN];
	*out = (struct wh_derived){.at_us = wh_now_us(),
	                           .traffic = traffic(totals, mem),
	                           .host = host(l, mem),
	                           .program = wh_arena_strdup(mem, wh_build_id(program))};
	int rc = rules(a, l, mem, &out->rules, err);
	return rc ? rc : settings(a, l, mem, &out->settings, err);
}

bool wh_app_derives_the_same(const struct wh_app *a, const struct wh_estate *e, const struct wh_derived *before,
                             const struct wh_derived *now)
{
	for (size_t i = 0; i < e->n_resources; i++)
		if (e->resources[i].host_unread) /* its own rules are not known to be the same */
			return false;
	if (!before->at_us || wh_day(before->at_us) != wh_day(now->at_us) || !*now->program || wh_store_is_fleet(a->store_url))
		return false;
	return !strcmp(before->program, now->program) && !strcmp(before->traffic, now->traffic) &&
	       !strcmp(before->rules, now->rules) && !strcmp(before->host, now->host) && !strcmp(before->settings, now->settings);
}
