/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether whittle works on this machine. */
#pragma once
#include "whittle/app_firewall.h"
#include "whittle/harden.h"

enum wh_app_check_state { WH_APP_CHECK_OK, WH_APP_CHECK_WARN, WH_APP_CHECK_FAIL };
const char *wh_app_check_state_text(enum wh_app_check_state s); /* "ok", "warn", "fail" */
struct wh_app_check { const char *name; enum wh_app_check_state state; char found[640], remedy[512]; };
struct wh_app_doctor {
	struct wh_app_check checks[80]; size_t n;
	enum wh_app_check_state worst;
	struct wh_app_own own; /* its covered addresses: those of this machine that would be judged */
};
struct wh_app_doctor_ask {
	const char *config_path, *plugin;          /* NULL: the default ones */
	/* code 0, or why whittle.yaml cannot be read, or the ledger must not be opened */
	struct wh_error bad_config, no_store;
};
/* Only looks. a->config may be NULL. */
void wh_app_doctor(const struct wh_app *a, const struct wh_app_doctor_ask *ask, struct wh_arena *mem, struct wh_app_doctor *out);
json_t *wh_app_doctor_json(const struct wh_app_doctor *r);

/* Sends flows past the sensor. Asks the ledger if opt->eve is NULL; then the address must be a resource's. */
int wh_app_selftest(const struct wh_app *a, const struct wh_selftest_options *opt, struct wh_selftest *out, struct wh_error *err);
/* why it is deaf; NULL: it hears */
const char *wh_app_selftest_reason(const struct wh_selftest_options *o, const struct wh_selftest *t);
json_t *wh_app_selftest_json(const struct wh_selftest_options *o, const struct wh_selftest *t);

/* Writes a demonstration into the directory `dir`, which is created if needed: estate.json, eve.json, whittle.yaml. */
int wh_app_demo_data(const char *dir, struct wh_error *err);
