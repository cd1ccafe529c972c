/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Metrics as Prometheus reads them (text format 0.0.4): each counter of the ledger, of the sensor, of alerts and of their
 * responses. Labels are words of this program's own, never a name from outside.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "app/app.h"
#include "base/json.h"
#include "whittle/app_alerts.h"

static void head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP whittle_%s %s\n# TYPE whittle_%s %s\n", name, help, name, type);
}

static void one(FILE *out, const char *name, const char *type, const char *help, uint64_t value)
{
	head(out, name, type, help);
	fprintf(out, "whittle_%s %" PRIu64 "\n", name, value);
}

static int print_ledger(FILE *out, const struct wh_ledger *l, struct wh_error *err)
{
	struct wh_store_totals t;
	int rc = wh_store_totals(l->store, &t, err);
	if (rc)
		return rc;
	one(out, "records_total", "counter", "Records that were read.", t.records);
	one(out, "flows_total", "counter", "Flows among them.", t.flows);
	one(out, "sensor_alerts_total", "counter", "Alerts of the sensor among them.", t.alerts);
	one(out, "other_records_total", "counter", "Records of other kinds.", t.other);
	one(out, "malformed_records_total", "counter", "Records that could not be read.", t.malformed);
	one(out, "edges", "gauge", "Edges in the ledger.", t.edges);
	one(out, "crowded_edges_total", "counter", "Edges that went since their port had too many.", t.crowded);
	one(out, "aged_edges_total", "counter", "Edges that went since they were last seen too long ago.", t.aged);
	one(out, "not_taken_full_total", "counter",
	    "Edges and unanswered ports that were not taken, since the ledger was full (ledger-size).", t.full);
	one(out, "last_flow_day_timestamp_seconds", "gauge", "The end of the last day with flows.",
	    t.last_us > 0 ? (uint64_t)t.last_us / 1000000 : 0);
	return 0;
}

static int by_hour(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static int print_lost_hours(FILE *out, struct wh_state *s, struct wh_error *err)
{
	struct wh_arena *mem = wh_arena_new();
	int64_t *hours;
	size_t n = 0;
	uint64_t distinct = 0;
	int rc = mem ? wh_lost_hours(s, mem, &hours, &n, err) : wh_fail(err, -ENOMEM, "out of memory");
	if (!rc && n)
		qsort(hours, n, sizeof *hours, by_hour);
	for (size_t i = 0; i < n && !rc; i++)
		distinct += !i || hours[i] != hours[i - 1];
	if (!rc) {
		one(out, "lost_hours", "gauge", "Hours of the last 64 days in which a source lost something.", distinct);
		one(out, "last_lost_hour_timestamp_seconds", "gauge", "The begin of the last of them; 0: there is none.",
		    n && hours[n - 1] > 0 ? (uint64_t)hours[n - 1] * 3600 : 0);
	}
	wh_arena_free(mem);
	return rc;
}

static int print_sensor(FILE *out, struct wh_state *s, struct wh_error *err)
{
	static const char *const keys[] = {"records", "lost", "malformed"};
	bool inexact;
	char *text = NULL;
	int rc = wh_state_get(s, "sensor", "suricata", &text, err);
	json_t *doc = !rc && text ? wh_json_load(text, strlen(text), 0, &inexact, NULL) : NULL;
	for (size_t i = 0; i < 3 && !rc; i++) {
		char name[48];
		json_int_t n = json_integer_value(json_object_get(doc, keys[i]));
		snprintf(name, sizeof name, "plugin_%s_records", keys[i]);
		one(out, i ? name : "plugin_records", "gauge", "Of the plugin, since Suricata's start.", n > 0 ? (uint64_t)n : 0);
	}
	json_decref(doc);
	free(text);
	return rc;
}

struct facts { uint64_t rows[WH_FACT_KINDS], more[WH_FACT_KINDS], packets, drops; };

static int count_fact(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	struct facts *f = arg;
	f->rows[k->kind]++;
	f->more[k->kind] += strcmp(k->value, WH_FACT_MORE) ? 0 : r->count;
	if (k->kind == WH_FACT_CAPTURE) {
		struct wh_capture c = wh_fact_capture(r);
		f->packets += c.packets;
		f->drops += c.drops;
	}
	return 0;
}

static int print_facts(FILE *out, struct wh_store *s, struct wh_error *err)
{
	struct facts f = {.packets = 0};
	int rc = wh_store_facts(s, WH_FACT_KINDS, count_fact, &f, err);
	head(out, "evidence_rows", "gauge", "Rows of protocol evidence.");
	for (int k = 0; k < WH_FACT_KINDS; k++)
		fprintf(out, "whittle_evidence_rows{kind=\"%s\"} %" PRIu64 "\n", wh_fact_words[k], f.rows[k]);
	head(out, "evidence_beyond", "gauge", "Protocol evidence that had no row of its own.");
	for (int k = 0; k < WH_FACT_KINDS; k++)
		fprintf(out, "whittle_evidence_beyond{kind=\"%s\"} %" PRIu64 "\n", wh_fact_words[k], f.more[k]);
	one(out, "capture_packets", "gauge", "Packets of the sensor's capture, on the last 64 days.", f.packets);
	one(out, "capture_drops", "gauge", "Packets that it lost, on the last 64 days.", f.drops);
	return rc;
}

enum { SEVERITIES = 4, STATES = 4, RESPONSES = 3 };
static const char *const responses[] = {"queued", "done", "failed"};

static int count_response(void *arg, const char *key, const char *json)
{
	uint64_t *n = arg;
	bool inexact;
	json_t *doc = wh_json_load(json, strlen(json), 0, &inexact, NULL);
	const char *state = json_string_value(json_object_get(doc, "state"));
	(void)key;
	for (int i = 0; i < RESPONSES && state; i++)
		n[i] += !strcmp(state, responses[i]);
	json_decref(doc);
	return 0;
}

static int print_alerts(FILE *out, struct wh_state *s, struct wh_error *err)
{
	uint64_t n[SEVERITIES][STATES] = {{0}}, r[RESPONSES] = {0};
	json_t *list, *a;
	size_t i;
	int rc = wh_alerts_list(s, &list, err);
	json_array_foreach(list, i, a) {
		int status = wh_key_choice(wh_alert_status_words, wh_alert_property(a, "status"));
		if (status >= 0)
			n[wh_alert_severity(a)][status]++;
	}
	json_decref(list);
	rc = rc ? rc : wh_state_each(s, "alert-response", count_response, r, err);
	head(out, "alerts", "gauge", "Kept alerts.");
	for (int v = 0; v < SEVERITIES; v++)
		for (int t = 0; t < STATES; t++)
			fprintf(out, "whittle_alerts{severity=\"%s\",status=\"%s\"} %" PRIu64 "\n", wh_severity_words[v],
			        wh_alert_status_words[t], n[v][t]);
	head(out, "alert_responses", "gauge", "Responses to alerts.");
	for (int k = 0; k < RESPONSES; k++)
		fprintf(out, "whittle_alert_responses{state=\"%s\"} %" PRIu64 "\n", responses[k], r[k]);
	return rc;
}

static void print_watched(FILE *out, const struct wh_app_watched *w)
{
	const struct wh_watch_learned *l = w->learned;
	head(out, "watch_noticed_total", "counter", "What the watcher noticed, since its start.");
	for (size_t i = 0; i < w->n; i++)
		fprintf(out, "whittle_watch_noticed_total{kind=\"%s\"} %" PRIu64 "\n", w->noticed[i].kind, w->noticed[i].count);
	if (!l)
		return;
	one(out, "learn_messages_total", "counter", "Messages of the kernel's about connections, since the watcher's start.",
	    l->messages);
	one(out, "learn_flows_total", "counter", "Flows that they became.", l->flows);
	one(out, "learn_lost_messages_total", "counter", "Messages that the kernel had no room for (watch: learn-buffer).",
	    l->lost);
	one(out, "learn_unstored_flows_total", "counter", "Flows that were lost since the ledger took them too slowly.",
	    l->unstored);
	one(out, "learn_untracked_connections_total", "counter", "Connections that the table of open ones had no room for.",
	    l->no_room);
	one(out, "learn_open_connections", "gauge", "Connections that are open.", l->open);
}

int wh_app_metrics(const struct wh_app *a, const struct wh_app_watched *watched, char **out, size_t *len, struct wh_error *err)
{
	struct wh_ledger l;
	FILE *f = open_memstream(out, len);
	int rc = f ? wh_ledger_open(a->store_url, WH_STATE_READ, &l, err) : wh_fail(err, -ENOMEM, "out of memory");
	if (!rc) {
		rc = print_ledger(f, &l, err);
		rc = rc ? rc : print_lost_hours(f, l.state, err);
		rc = rc ? rc : print_sensor(f, l.state, err);
		rc = rc ? rc : print_facts(f, l.store, err);
		rc = rc ? rc : print_alerts(f, l.state, err);
		wh_ledger_close(&l);
	}
	if (f && watched)
		print_watched(f, watched);
	if (f)
		one(f, "up", "gauge", "Whether the ledger could be read.", !rc);
	if (f && fclose(f) && !rc)
		rc = wh_fail(err, -ENOMEM, "out of memory");
	return rc;
}
