/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ledger's evidence and estate go into a new one under pseudonyms. */
#include <string.h>
#include "app/pseudonym.h"
#include "ledger/rename.h"

static void rename_address(void *arg, struct wh_addr *a)
{
	wh_pseudonym_addr(arg, a);
}

/* Names of domains; what others say are versions and kinds. */
static void rename_value(void *arg, enum wh_fact_kind kind, char value[static WH_FACT_VALUE])
{
	char name[WH_PSEUDONYM_STRLEN];
	if (kind == WH_FACT_DNS_NAME || kind == WH_FACT_DNS_DOMAIN || kind == WH_FACT_DNS_FAILED || kind == WH_FACT_DNS_DANGLING)
		snprintf(value, WH_FACT_VALUE, "%s", wh_pseudonym_name(arg, value, name));
}

struct renaming { const struct wh_pseudonyms *p; struct wh_state *to; const char *collection; struct wh_error *err; };

static int rename_document(void *arg, const char *key, const char *json)
{
	const struct renaming *r = arg;
	const bool estate = !strcmp(r->collection, "estate");
	char name[WH_PSEUDONYM_STRLEN];
	json_t *doc = json_loads(json, 0, NULL), *as = doc ? wh_pseudonym_json(r->p, doc) : NULL;
	int rc = doc ? wh_state_put_json(r->to, r->collection, estate ? key : wh_pseudonym_name(r->p, key, name), as, r->err) : 0;
	json_decref(doc);
	return rc;
}

int wh_ledger_under_pseudonyms(const char *url, const char *path, struct wh_error *err)
{
	static const char *const collections[] = {"estate", "nsg"};
	struct wh_pseudonyms p;
	struct wh_ledger from = {NULL, NULL}, to = {NULL, NULL};
	int rc = wh_pseudonyms_draw(&p, err);
	rc = rc ? rc : wh_ledger_open(url, WH_STATE_READ, &from, err);
	rc = rc ? rc : wh_ledger_open(path, WH_STATE_CREATE, &to, err);
	rc = rc ? rc : wh_store_renamed(from.store, to.store, &(struct wh_rename){&p, rename_address, rename_value}, err);
	for (size_t i = 0; !rc && i < sizeof collections / sizeof *collections; i++)
		rc = wh_state_each(from.state, collections[i], rename_document,
		                   &(struct renaming){&p, to.state, collections[i], err}, err);
	wh_ledger_close(&to);
	wh_ledger_close(&from);
	explicit_bzero(&p, sizeof p);
	return rc;
}
