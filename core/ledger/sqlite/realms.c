/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In which network which address of ours was met (realms.h): documents "realm" of the same file. */
#include <jansson.h>
#include <stdio.h>
#include "ledger/sqlite/sqlite_store.h"

static const char collection[] = "realm";

struct reading { wh_realm_cb each; void *arg; };

/* An unreadable one counts for nothing. */
static int read_one(void *arg, const char *key, const char *json)
{
	const struct reading *r = arg;
	struct wh_addr a;
	struct wh_realm realm = {0};
	json_error_t ignored;
	int tenant = 0, v[3] = {0}, rc = 0;
	json_t *doc = json_loads(json, 0, &ignored);
	if (doc && !wh_addr_parse(key, strlen(key), &a) &&
	    !json_unpack(doc, "{s:i, s:[i,i,i]}", "tenant", &tenant, "vlan", &v[0], &v[1], &v[2])) {
		realm.tenant = (uint32_t)tenant;
		for (int i = 0; i < 3; i++)
			realm.vlan[i] = (uint16_t)v[i];
		rc = r->each(r->arg, &a, &realm);
	}
	json_decref(doc);
	return rc;
}

int wh_sqlite_realms(struct wh_store *store, wh_realm_cb each, void *arg, struct wh_error *err)
{
	struct sqlite_store *s = wh_sqlite_of(store);
	struct reading r = {each, arg};
	return wh_state_each(s->state, collection, read_one, &r, err);
}

int wh_sql_realm_put(struct sqlite_store *s, const struct wh_addr *a, const struct wh_realm *m, struct wh_error *err)
{
	char key[WH_ADDR_STRLEN], json[96];
	snprintf(json, sizeof json, "{\"tenant\":%d,\"vlan\":[%u,%u,%u]}", (int)m->tenant, m->vlan[0], m->vlan[1], m->vlan[2]);
	return wh_state_put(s->state, collection, wh_addr_text(a, key), json, err);
}
