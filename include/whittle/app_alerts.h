/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Alerts, their responses and metrics, and the watcher that raises some. */
#pragma once
#include "whittle/alert.h"
#include "whittle/app.h"
#include "whittle/watch.h"

/* Looks at the ledger and keeps what it finds. A note lists what could not be checked for want of rules. */
int wh_app_alerts_update(const struct wh_app *a, int64_t now_us, struct wh_alert_counts *out, struct wh_error *err);
/* Today's judgement of the peers of `rec`'s ports, for a look; in `mem`. */
int wh_app_alert_judgement(const struct wh_harden_ask *ask, const struct wh_recommendation *rec, struct wh_arena *mem,
                           struct wh_alert_judgement *out, struct wh_error *err);
struct wh_app_alerts {
	bool all;                          /* resolved and dismissed ones too */
	const char *status, *resource, *title, *tactic; /* only these, ignoring case (title: a part of it); NULL: any */
	enum wh_severity least;
	int64_t since_us;                  /* still going on at this time or later; 0: any */
	unsigned order;                    /* index into wh_app_alert_orders */
};
extern const char *const wh_app_alert_orders[]; /* "severity" …; NULL at the end */
/* as wh_alerts_list() */
int wh_app_alerts(const struct wh_app *a, const struct wh_app_alerts *ask, json_t **out, struct wh_error *err);
int wh_app_alert(const struct wh_app *a, const char *name, json_t **out, struct wh_error *err);
int wh_app_alert_set(const struct wh_app *a, const char *name, enum wh_alert_status status, const char *reason,
                     struct wh_error *err);
int wh_app_alert_types(const struct wh_app *a, struct wh_arena *mem, struct wh_alert_types *out, struct wh_error *err);
/* Hands alerts over, each once whenever it becomes active: looks, queues, sends what is due. It holds no lock meanwhile that
 * others wait for. */
typedef int (*wh_respond_fn)(void *arg, const char *body, size_t len, struct wh_error *err); /* 0: accepted */
struct wh_app_respond {
	wh_respond_fn command, webhook; /* NULL: there is none */
	void (*told)(void *arg, const char *alert, const char *why, bool given_up); /* one was not accepted; NULL */
	void *arg;
	enum wh_severity least;
	int64_t now_us;
};
struct wh_app_responded { size_t queued, delivered, waiting, failed; };
int wh_app_alerts_respond(const struct wh_app *a, const struct wh_app_respond *r, struct wh_app_responded *out,
                          struct wh_error *err);
/* What a watcher counts for its metrics. */
struct wh_app_noticed { const char *kind; uint64_t count; };
struct wh_app_watched {
	const struct wh_app_noticed *noticed; size_t n;
	const struct wh_watch_learned *learned; /* NULL: it does not learn */
};
/* The ledger's counters, alerts and responses, and a watcher's counts (NULL: none), in Prometheus' text format; free(*out), also
 * after a failure, when it holds what was available. */
int wh_app_metrics(const struct wh_app *a, const struct wh_app_watched *watched, char **out, size_t *len, struct wh_error *err);
/* The rule dismisses *would of *of kept alerts. simulate: the rule is not kept. */
int wh_app_alert_suppress(const struct wh_app *a, const struct wh_alert_rule *r, bool simulate, size_t *would, size_t *of,
                          struct wh_error *err);
int wh_app_alert_unsuppress(const struct wh_app *a, const char *name, struct wh_error *err);
int wh_app_alert_rules(const struct wh_app *a, json_t **out, struct wh_error *err);

/* ---- watch ---- */
struct wh_app_watch {
	const struct wh_watch_config *config;
	const volatile bool *stop;
	void (*ready)(void *arg, size_t peers);
	bool (*again)(void *arg); /* as wh_watch_options.again */
	void (*alert)(void *arg, const struct wh_watch_alert *a);
	void (*tick)(void *arg, const struct wh_watch_learned *learned); /* as of wh_watch_options */
	void *arg;
};
int wh_app_watch(const struct wh_app *a, const struct wh_app_watch *ask, struct wh_error *err);
json_t *wh_app_watch_json(const struct wh_watch_alert *a);
