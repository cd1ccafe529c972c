/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks of what signatures can see, and of whether people can still see their alerts. */
#include <stdlib.h>
#include "base/intern.h"
#include "posture/checks.h"

static const char sensor_name[] = "the sensor";

struct fired {
	uint32_t sid;
	uint64_t n;
};
struct walk {
	struct wh_run *run;
	const struct wh_sensor *sensor;
	struct wh_ranges ports[2]; /* TCP, UDP */
	uint64_t bytes, encrypted;
	struct intern sids;
	struct fired *fired;
	size_t room; /* by the place of their sid */
};

/* 1: there is nothing to examine, which is reported. */
static int begin(struct wh_run *run, struct walk *w, struct wh_error *err)
{
	*w = (struct walk){.run = run, .sids.mem = run->mem};
	int rc = wh_run_sensor(run, &w->sensor, err);
	return rc ? rc : !wh_run_has_traffic(run, w->sensor);
}

/* Healthy, where the sensor lost nothing to speak of. */
static void add_sound(const struct walk *w, const char *cause)
{
	wh_run_add(w->run, sensor_name, "sensor", w->sensor->unfit ? WH_POSTURE_NO_EVIDENCE : WH_POSTURE_HEALTHY, "%s",
	           w->sensor->unfit ? w->sensor->unfit : cause);
}

/* ---- signatures that drown the others ---- */

static int see_alerts(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct walk *w = arg;
	size_t before = w->sids.n;
	(void)k;
	if (e->last_us < w->sensor->from_us || !e->alert_sid || !(e->alerts[0] | e->alerts[1]))
		return 0;
	uint32_t at = intern_add(&w->sids, &e->alert_sid, sizeof e->alert_sid);
	if (at == before) {
		w->fired = wh_arena_grown(w->run->mem, w->fired, at, &w->room, sizeof *w->fired);
		w->fired[at] = (struct fired){.sid = e->alert_sid};
	}
	w->fired[at].n += (uint64_t)e->alerts[0] + e->alerts[1];
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct fired *x = a, *y = b;
	return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : (x->sid > y->sid) - (x->sid < y->sid);
}

/* Settings: the `share` in per cent that so many `signatures` may have of all alerts of severity 1 and 2; of fewer than `alerts`
 * nothing is said. Alerts of one peer at one port count for the latest signature among them. */
int wh_check_noise(struct wh_run *run, struct wh_error *err)
{
	struct walk w;
	uint64_t all = 0, loud = 0;
	const char *which = "";
	int64_t few = wh_run_number(run, "signatures", 3), share = wh_run_number(run, "share", 80);
	int rc = begin(run, &w, err);
	rc = rc ? rc : wh_store_edges(run->in->ledger->store, NULL, see_alerts, &w, err);
	if (rc)
		return rc < 0 ? rc : 0;
	if (w.sids.n)
		qsort(w.fired, w.sids.n, sizeof *w.fired, by_number);
	for (size_t i = 0; i < w.sids.n; i++) {
		all += w.fired[i].n;
		loud += (int64_t)i < few ? w.fired[i].n : 0;
		which = (int64_t)i < few ? wh_arena_printf(run->mem, "%s%s%u", which, i ? ", " : "", w.fired[i].sid) : which;
	}
	if (all < (uint64_t)wh_run_number(run, "alerts", 100))
		wh_run_add(run, sensor_name, "sensor", WH_POSTURE_NO_EVIDENCE,
		           "%llu alerts of severity 1 or 2 are too few to tell", (unsigned long long)all);
	else if ((int64_t)w.sids.n > few && loud <= all * (uint64_t)share / 100)
		add_sound(&w, wh_arena_printf(run->mem, "the loudest signatures have %.0f %% of %llu alerts",
		                              100.0 * (double)loud / (double)all, (unsigned long long)all));
	else
		wh_run_add(run, sensor_name, "sensor", WH_POSTURE_UNHEALTHY, "%.0f %% of %llu alerts are of the signatures %s",
		           100.0 * (double)loud / (double)all, (unsigned long long)all, which);
	return 0;
}

/* ---- traffic that no signature reads ---- */

static int see_bytes(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct walk *w = arg;
	uint64_t n = e->bytes_in + e->bytes_out;
	if (e->last_us < w->sensor->from_us)
		return 0;
	w->bytes += n;
	w->encrypted += wh_run_has_port(w->ports, k->proto, k->port) ? n : 0;
	return 0;
}

/* Settings: the `ports` of encrypted protocols; the `share` of bytes in per cent above which signatures see too little. */
int wh_check_encrypted(struct wh_run *run, struct wh_error *err)
{
	struct walk w;
	int64_t most = wh_run_number(run, "share", 95);
	int rc = begin(run, &w, err);
	wh_run_ports(run, w.ports);
	rc = rc ? rc : wh_store_edges(run->in->ledger->store, NULL, see_bytes, &w, err);
	if (rc)
		return rc < 0 ? rc : 0;
	double share = w.bytes ? 100.0 * (double)w.encrypted / (double)w.bytes : 0;
	const char *text = wh_arena_printf(run->mem, "%.0f %% of the bytes were at ports of encrypted protocols", share);
	if (!w.bytes)
		wh_run_add(run, sensor_name, "sensor", WH_POSTURE_NO_EVIDENCE, "no connection of the window had data");
	else if (share > (double)most)
		wh_run_add(run, sensor_name, "sensor", WH_POSTURE_UNHEALTHY, "%s", text);
	else
		add_sound(&w, text);
	return 0;
}
