/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status of each resource, and whether the rules confirmed on this machine are in force. */
#include <stdlib.h>
#include <string.h>
#include "app/status_parts.h"
#include "whittle/app_firewall.h"
#include "whittle/app_rules.h"
#include "whittle/firewall.h"

int wh_app_kept(const struct wh_app *a, const struct wh_estate *e, struct wh_arena *mem, struct wh_kept **out, size_t *n,
                struct wh_error *err)
{
	return wh_azure_kept(a->state_dir, e, mem, out, n, err);
}

bool wh_app_kept_over(const struct wh_kept *k)
{
	char today[WH_APP_DAY_STRLEN];
	return strcmp(k->until, wh_app_today(today)) < 0;
}

static const char *sentence(int rc, const char *difference, const char *what, const struct wh_error *err, struct wh_arena *mem)
{
	if (rc == 1)
		return wh_arena_printf(mem, "%s; `whittle restore` puts back the confirmed rules",
		                       difference ? difference : what);
	return rc < 0 ? wh_arena_printf(mem, "can't check whether %s: %s", what, err->text) : NULL;
}

static void ask_in_force(struct wh_app_status *out, struct wh_arena *mem)
{
	const char *gone = NULL;
	struct wh_nft_state st = {0};
	struct wh_error err;
	char *difference = NULL;
	int rc = wh_firewall_compare(WH_STORED_CONFIRMED, &st, &difference, &err);

	free(difference);
	difference = NULL;
	if (rc == 1 && st.present)
		rc = 0; /* `whittle drift` reports more */
	else if (rc == 1)
		gone = "the table inet whittle is not there: nothing is narrowed on this machine";
	out->rules = rc == -ENOENT ? NULL : sentence(rc, gone, "the confirmed rules are in force", &err, mem);
	rc = wh_firewall_jit_differs(&difference, &err);
	out->jit = sentence(rc, difference, "just-in-time access keeps its ports closed", &err, mem);
	free(difference);
}

static void look_at_firewall(struct wh_app_status *out, struct wh_arena *mem)
{
	ask_in_force(out, mem);
	if (!wh_firewall_counts(mem, &out->firewall, &out->firewall_unknown))
		out->firewall_unknown.code = 0;
	out->confirmed_us = wh_firewall_confirmed_us();
	out->watched = wh_firewall_watched();
}

static int look_around(const struct wh_app *a, const struct wh_app_ledger *l, struct wh_arena *mem, struct wh_app_status *out,
                       struct wh_error *err)
{
	const char *names[WH_APP_OWN];
	size_t own = wh_app_own_resources(l->estate, names, WH_APP_OWN);
	look_at_firewall(out, mem);
	if (!wh_app_kept(a, l->estate, mem, &out->kept, &out->n_kept, &out->kept_unknown))
		out->kept_unknown.code = 0;
	int rc = wh_app_sensor(a, l, out, err);
	rc = rc ? rc : wh_app_lists(a, l, out, mem, err);
	/* if other machines are protected, this one's addresses do not matter */
	if (!rc && (own || out->firewall.n || !out->recommendation->n_resources))
		rc = wh_app_unlearned(l, out, mem, err);
	if (rc)
		return rc;
	wh_app_standing(out, names, own, (int32_t)(wh_now_us() / WH_US_PER_DAY), mem);
	out->attention = wh_app_attention(out);
	return 0;
}

/* Up to so many edges, deriving takes no longer than the rest of the status. */
enum { DERIVED_AT_ONCE = 20000 };

static int derive(const struct wh_app *a, const struct wh_app_ledger *l, struct wh_app_status *out, struct wh_arena *mem,
                  struct wh_error *err)
{
	struct wh_harden_options opt;
	int rc = wh_harden_options_load(&a->config->harden, l->is.state, NULL, mem, &opt, err);
	return rc ? rc
	          : wh_recommend(&(struct wh_harden_ask){.store = l->is.store, .estate = l->estate, .opt = &opt}, mem,
	                         &out->recommendation, err);
}

/* Deriving needs the groups' rules. A saved recommendation that is current says the same. */
static int derive_or_load(const struct wh_app *a, struct wh_app_ledger *l, struct wh_app_status *out, struct wh_arena *mem,
                          struct wh_error *err)
{
	int rc = wh_app_saved(a, l, out, mem, err);
	if (rc || out->totals.edges > DERIVED_AT_ONCE || !out->stale) {
		out->saved = out->totals.edges > DERIVED_AT_ONCE;
		return rc;
	}
	out->saved = false;
	out->stale = NULL;
	out->derived = (struct wh_derived){0};
	wh_estate_free(l->estate);
	l->estate = NULL;
	rc = wh_estate_load(&l->is, mem, &l->estate, err);
	if (rc)
		return rc;
	wh_app_present(a, l, mem);
	return derive(a, l, out, mem, err);
}

int wh_app_status(const struct wh_app *a, struct wh_arena *mem, struct wh_app_status *out, struct wh_error *err)
{
	struct wh_app_ledger l;
	int rc = wh_app_open_without_rules(a, WH_STATE_READ, mem, &l, err);

	*out = (struct wh_app_status){0};
	if (!rc)
		wh_app_present(a, &l, mem);
	rc = rc ? rc : wh_store_totals(l.is.store, &out->totals, err);
	rc = rc ? rc : derive_or_load(a, &l, out, mem, err);
	rc = rc ? rc : look_around(a, &l, mem, out, err);
	wh_app_close(&l, rc ? NULL : &out->estate);
	return rc;
}
