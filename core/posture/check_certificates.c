/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Certificates that servers of ours showed. For each port only the certificate seen last counts: an earlier one was replaced. TLS
 * 1.3 hides certificates, so a server whose clients all use it has no evidence.
 */
#include <stdlib.h>
#include <string.h>
#include "posture/checks.h"

struct shown { char value[WH_FACT_VALUE]; int64_t last_us; uint16_t port; const struct wh_resource *of; };
struct walk {
	struct wh_run *run;
	const struct wh_sensor *sensor;
	struct shown *list; size_t n, room;
};

/* Rows of one address and port are adjacent. */
static int see(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	struct walk *w = arg;
	const struct wh_resource *res = wh_run_fact_of(w->run, w->sensor, k, r);
	if (!res)
		return 0;
	struct shown *s = w->n ? &w->list[w->n - 1] : NULL;
	if (!s || s->of != res || s->port != k->port) {
		w->list = wh_arena_grown(w->run->mem, w->list, w->n, &w->room, sizeof *w->list);
		s = &w->list[w->n++];
		*s = (struct shown){.port = k->port, .of = res};
	}
	if (r->last_us >= s->last_us) {
		s->last_us = r->last_us;
		snprintf(s->value, sizeof s->value, "%s", k->value);
	}
	return 0;
}

static bool is_self_signed(const struct shown *s)
{
	return strstr(s->value, ", self-signed") != NULL;
}

/* The fault in a certificate's dates; NULL: none. */
static const char *bad_dates(struct wh_run *run, const struct shown *s, int64_t days)
{
	int64_t until;
	char day[32];
	int n = snprintf(day, sizeof day, "%.10sT23:59:59Z", s->value + (strlen(s->value) >= 16 ? 6 : 0));
	if (strncmp(s->value, "until ", 6) || wh_time_parse(day, (size_t)n, &until))
		return NULL;
	int64_t left = until - run->in->now_us;
	if (left < 0)
		return wh_arena_printf(run->mem, "the certificate at port %u ended on %.10s", s->port, s->value + 6);
	return left < days * WH_US_PER_DAY ? wh_arena_printf(run->mem, "the certificate at port %u ends on %.10s, in %lld days",
	                                                     s->port, s->value + 6, (long long)(left / WH_US_PER_DAY))
	                                   : NULL;
}

static int by_resource(const void *a, const void *b)
{
	const struct shown *x = a, *y = b;
	return x->of != y->of ? (x->of > y->of) - (x->of < y->of) : (int)x->port - (int)y->port;
}

static void judge(struct walk *w, const struct wh_resource *r, bool dates, int64_t days)
{
	const char *bad = NULL, *id = wh_resource_label(r), *type = wh_resource_type(r);
	size_t n = 0;
	for (size_t i = 0; i < w->n; i++) {
		const struct shown *s = &w->list[i];
		if (s->of != r)
			continue;
		const char *why = dates ? bad_dates(w->run, s, days)
		                  : is_self_signed(s)
		                          ? wh_arena_printf(w->run->mem, "the server at port %u signs for itself", s->port)
		                          : NULL;
		bad = bad ? bad : why;
		n++;
	}
	if (bad)
		wh_run_add(w->run, id, type, WH_POSTURE_UNHEALTHY, "%s", bad);
	else if (!n)
		wh_run_add(w->run, id, type, WH_POSTURE_NO_EVIDENCE, "no certificate of it was seen (TLS 1.3 hides them)");
	else if (w->sensor->unfit)
		wh_run_add(w->run, id, type, WH_POSTURE_NO_EVIDENCE, "%s", w->sensor->unfit);
	else
		wh_run_add(w->run, id, type, WH_POSTURE_HEALTHY, "%zu seen", n);
}

/* Settings: `what` is wrong, dates or self-signed; `days` before its end that are too few. */
int wh_check_certificates(struct wh_run *run, struct wh_error *err)
{
	const char **what;
	bool dates = !wh_run_texts(run, "what", &what) || !strcmp(what[0], "dates");
	struct walk w = {.run = run};
	int rc = wh_run_sensor(run, &w.sensor, err);
	if (rc || !wh_run_has_traffic(run, w.sensor))
		return rc;
	rc = wh_store_facts(run->in->ledger->store, WH_FACT_CERTIFICATE, see, &w, err);
	if (w.n)
		qsort(w.list, w.n, sizeof *w.list, by_resource);
	for (size_t i = 0; !rc && i < run->in->estate->n_resources; i++)
		judge(&w, &run->in->estate->resources[i], dates, wh_run_number(run, "days", 30));
	return rc;
}
