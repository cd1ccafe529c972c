/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The documents of alerts (collection "alert", by correlation key) and of suppression rules (collection "alert-rule", by
 * name). */
#pragma once
#include "whittle/alert.h"

#define WH_ALERTS "alert"
#define WH_ALERT_RULES "alert-rule"
enum { WH_MAX_ALERTS = 20000 };

/* A kept document; NULL if it is not JSON: the ledger's owner may have written it. A new reference. */
json_t *wh_alert_read(const char *text);
/* The correlation key: type, resource, direction, protocol, port and, if the type is about one peer, its
 * address. */
const char *wh_alert_key(const struct wh_finding *f, struct wh_arena *mem);
/* A new alert. NULL when out of memory. */
json_t *wh_alert_new(const struct wh_finding *f, const struct wh_alert_type *t, const char *key, int64_t now_us);
/* Adds the finding to a kept alert. 1: its end, sources or counts changed; 0: nothing changed. */
int wh_alert_follow(json_t *alert, const struct wh_finding *f, const struct wh_alert_type *t);
enum wh_alert_status wh_alert_status_of(const json_t *alert);
/* Adds a line to its timeline. reason may be NULL. */
void wh_alert_change(json_t *alert, enum wh_alert_status status, int64_t now_us, const char *who, const char *reason);
/* Whether the alert's end is later than it was when it was resolved. */
bool wh_alert_came_back(const json_t *alert);
int wh_alert_store(struct wh_state *s, const char *key, const json_t *alert, struct wh_error *err);
/* Whether a rule's document matches an alert's. */
bool wh_alert_rule_matches(const json_t *rule, const json_t *alert, int64_t now_us);
