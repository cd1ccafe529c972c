/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plugin's settings: those of the eve-log section override those of whittle.yaml, which override the defaults.
 *
 *   - eve-log:
 *       filetype: whittle
 *       whittle: {config: /etc/whittle/whittle.yaml, store: /var/lib/whittle/ledger.db, flush-interval: 10, memory: 64MiB,
 *       discover: off, realm: vlan10}
 */
#pragma once
#include "whittle/base.h"
#include "whittle/ledger.h"

struct wh_settings {
	char *config;           /* NULL: the default file, which may be absent */
	char *store;            /* never NULL after wh_settings_complete() */
	char *password_file;    /* only in whittle.yaml: for a cluster's user; NULL */
	char *realm;            /* NULL, "one", or the only network that counts (plugin/networks.h) */
	char *discover;         /* NULL: the default of wh_estate_locals() */
	int64_t flush_interval; /* seconds */
	uint64_t memory;        /* bytes, all tables together */
	int64_t sensor_slack_us; /* only in whittle.yaml; 0: the default */
	struct wh_store_bounds bounds; /* only in whittle.yaml */
};
extern const char *const wh_setting_names[]; /* NULL-terminated */
#define WH_SINK_MIN_MEMORY (UINT64_C(4) << 20)

/* One setting of the eve-log section; value is NULL if it isn't a text. Errors name the right form. */
int wh_settings_set(struct wh_settings *s, const char *name, const char *value, struct wh_error *err);
/* Reads whittle.yaml, fills in missing settings, and checks all. Neither opens nor creates a ledger. */
int wh_settings_complete(struct wh_settings *s, struct wh_error *err);
void wh_settings_clear(struct wh_settings *s);
