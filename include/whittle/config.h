/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config: whittle.yaml, joined from the rooms' tables of keys (see key.h). An unknown key is refused with its line and the
 * nearest right one.
 */
#pragma once
#include <jansson.h>
#include "whittle/alert.h"
#include "whittle/azure.h"
#include "whittle/enforce.h"
#include "whittle/estate.h"
#include "whittle/harden.h"
#include "whittle/intel.h"
#include "whittle/jit.h"
#include "whittle/key.h"
#include "whittle/ledger.h"
#include "whittle/watch.h"

struct wh_config {
	struct wh_arena *mem;
	struct wh_ledger_config ledger;
	struct wh_estate_config estate;
	struct wh_intel_config intel;
	struct wh_harden_config harden;
	struct wh_enforce_config enforce;
	struct wh_jit_config jit;
	struct wh_watch_config watch;
	struct wh_azure_config azure;
	struct wh_alert_config alerts;
};

#define WH_DEFAULT_CONFIG "/etc/whittle/whittle.yaml"
/* path NULL: the default file, which may be absent. *out is never NULL on success; free with wh_config_free(). */
int wh_config_load(const char *path, struct wh_config **out, struct wh_error *err);
/*
 * The same, but if this process has privileges, it forks one without any that reads the file: as nobody if possible, confined to
 * reading one descriptor and writing another. The result comes back as values of a fixed layout, each of which is checked. Call
 * it before threads are started.
 */
int wh_config_load_apart(const char *path, struct wh_config **out, struct wh_error *err);
void wh_config_free(struct wh_config *c);
/* Every key: a whittle.yaml with all keys commented out, each below its help; free() it, NULL when out of memory. */
char *wh_config_sample(void);
/* The same as JSON: [{"key", "type", "default", "help"}], maps' keys as "watch.alerts"; a new reference. */
json_t *wh_config_keys_json(void);
