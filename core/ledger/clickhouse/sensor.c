/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A sensor's identity, which its ledger keeps, and its row in the table of sensors: its labels and what it counted, as JSON. */
#include <jansson.h>
#include <stdlib.h>
#include <sys/random.h>
#include "ledger/clickhouse/fleet.h"

static int document(struct fleet_store *f, const char *collection, const char *key, json_t **out, struct wh_error *err)
{
	char *text = NULL;
	json_error_t ignored;
	int rc = wh_state_get(f->state, collection, key, &text, err);
	*out = text ? json_loads(text, 0, &ignored) : NULL;
	free(text);
	return rc;
}

/* ---- its identity ---- */

static uint64_t hex(const json_t *doc, const char *name)
{
	const char *text = json_string_value(json_object_get(doc, name));
	return text ? strtoull(text, NULL, 16) : 0;
}

static int put_identity(struct fleet_store *f, const struct fleet_identity *id, struct wh_error *err)
{
	char text[4][20];
	const uint64_t values[] = {id->sensor, id->key.k[0], id->key.k[1], id->version};
	for (int i = 0; i < 4; i++)
		snprintf(text[i], sizeof text[i], "%016llx", (unsigned long long)values[i]);
	return wh_state_put_json(
		f->state, "fleet", "self",
		json_pack("{s:s, s:s, s:s, s:s}", "sensor", text[0], "k0", text[1], "k1", text[2], "version", text[3]), err);
}

/* A ledger that joins a fleet contributes its contents. */
static int join_fleet(struct fleet_store *f, struct fleet_identity *id, struct wh_error *err)
{
	int rc = 0;
	if (getrandom(&id->key, sizeof id->key, 0) != sizeof id->key ||
	    getrandom(&id->sensor, sizeof id->sensor, 0) != sizeof id->sensor)
		return wh_fail(err, -EIO, "the system has no random numbers");
	for (int kind = 0; kind < FLEET_KINDS && !rc; kind++)
		rc = fleet_mark_all(f, (enum fleet_kind)kind, err);
	return rc;
}

int fleet_identify(struct fleet_store *f, struct fleet_identity *id, struct wh_error *err)
{
	json_t *doc = NULL;
	uint64_t now = (uint64_t)wh_now_us();
	int rc = wh_state_begin(f->state, err);
	if (rc)
		return rc;
	rc = document(f, "fleet", "self", &doc, err);
	*id = (struct fleet_identity){
		.sensor = hex(doc, "sensor"), .version = hex(doc, "version"), .key = {{hex(doc, "k0"), hex(doc, "k1")}}};
	if (!rc && !id->sensor)
		rc = join_fleet(f, id, err);
	id->version = id->version >= now && id->version < UINT64_MAX ? id->version + 1 : now;
	rc = rc ? rc : put_identity(f, id, err);
	json_decref(doc);
	return wh_state_finish(f->state, rc, err);
}

/* ---- its row: written ---- */

static int add_capture(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	struct wh_capture *sum = arg, day = wh_fact_capture(r);
	(void)k;
	sum->packets = wh_saturating_add(sum->packets, day.packets);
	sum->drops = wh_saturating_add(sum->drops, day.drops);
	return 0;
}

/* The losses of Suricata's plugin, from its document. */
static int plugin_lost(struct fleet_store *f, json_int_t *lost, struct wh_error *err)
{
	json_t *doc;
	int rc = document(f, "sensor", "suricata", &doc, err);
	*lost = json_integer_value(json_object_get(doc, "lost"));
	json_decref(doc);
	return rc;
}

static json_t *self_of(const struct fleet_url *u, uint64_t id, struct wh_store_totals *t, json_int_t lost,
                       const struct wh_capture *c)
{
	char name[FLEET_NAME];
	if (u->named)
		snprintf(name, sizeof name, "%s", u->sensor);
	else
		snprintf(name, sizeof name, "%.*s-%04x", FLEET_NAME - 6, u->sensor, (unsigned)(id >> 48));
	json_t *doc = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "name", name, "tenant", u->tenant, "site",
	                        u->site, "release", WH_VERSION, "seen", (json_int_t)wh_now_us(), "lost", lost, "packets",
	                        (json_int_t)c->packets, "drops", (json_int_t)c->drops);
	for (size_t i = 0; i < WH_STORE_COUNTERS; i++)
		json_object_set_new(doc, wh_store_counter_names[i], json_integer((json_int_t)*wh_store_counter(t, i)));
	return doc;
}

int fleet_sensor_text(struct fleet_store *f, uint64_t id, struct wh_store *own, char **text, struct wh_error *err)
{
	struct wh_store_totals t;
	struct wh_capture capture = {0};
	json_int_t lost = 0;
	int rc = wh_store_totals(own, &t, err);
	rc = rc ? rc : wh_store_facts(own, WH_FACT_CAPTURE, add_capture, &capture, err);
	rc = rc ? rc : plugin_lost(f, &lost, err);
	json_t *doc = rc ? NULL : self_of(&f->client.url, id, &t, lost, &capture);
	*text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	json_decref(doc);
	return rc || *text ? rc : wh_fail(err, -ENOMEM, "out of memory");
}

/* ---- and read ---- */

static void take_text(const json_t *doc, const char *name, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(doc, name));
	snprintf(out, size, "%s", text ? text : "");
	for (char *c = out; *c; c++) /* for people: nothing that moves a cursor */
		*c = (unsigned char)*c < ' ' || (unsigned char)*c > '~' ? '?' : *c;
}

static uint64_t take_number(const json_t *doc, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(doc, name));
	return n > 0 ? (uint64_t)n : 0;
}

int fleet_sensor_read(const uint8_t *p, size_t len, uint64_t id, struct wh_fleet_sensor *out)
{
	json_error_t ignored;
	json_t *doc = json_loadb((const char *)p, len, JSON_REJECT_DUPLICATES, &ignored);
	*out = (struct wh_fleet_sensor){.id = id};
	take_text(doc, "name", out->name, sizeof out->name);
	take_text(doc, "tenant", out->tenant, sizeof out->tenant);
	take_text(doc, "site", out->site, sizeof out->site);
	take_text(doc, "release", out->release, sizeof out->release);
	out->seen_us = (int64_t)take_number(doc, "seen");
	for (size_t i = 0; i < WH_STORE_COUNTERS; i++)
		*wh_store_counter(&out->totals, i) = take_number(doc, wh_store_counter_names[i]);
	out->lost = take_number(doc, "lost");
	out->capture = (struct wh_capture){take_number(doc, "packets"), take_number(doc, "drops")};
	bool good = json_is_object(doc);
	json_decref(doc);
	return good && wh_edge_time_ok(out->seen_us) ? 0 : -EBADMSG;
}
