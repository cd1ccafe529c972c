/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config: whittle.yaml. Every key is known here; an unknown one is refused with its line and the nearest right one.
 * Keys are the field names with hyphens for underscores.
 */
#pragma once
#include "whittle/base.h"

struct wh_config {
	struct wh_arena *mem;
	const char *store;         /* NULL: --store, $WHITTLE_STORE or the default */
	const char *discover;      /* "off" or CIDR,…; NULL: the default */
	const char *ports;         /* "all", a list "22,443/tcp", or NULL: rules/ports.yaml */
	const char *rules_dir;     /* where ports.yaml and evidence.yaml are; NULL: the installed place */
	uint64_t memory_limit;     /* bytes of the edge table; 0: 64 MiB */
	int64_t flush_interval;    /* seconds between the plugin's flushes; 0: 10 */
	int64_t min_days;          /* 0: 30 */
	int64_t max_prefixes;      /* a rule; 0: no budget */
	struct wh_prefix *trusted; size_t n_trusted; /* trusted configuration: always kept */
	const char **threat_intel; size_t n_threat_intel; /* files of addresses that are never allowed */
};

#define WH_DEFAULT_STORE "/var/lib/whittle/ledger.db"
#define WH_DEFAULT_CONFIG "/etc/whittle/whittle.yaml"
/* path NULL: the default file, which may be absent. *out is never NULL on success; free with wh_config_free(). */
int wh_config_load(const char *path, struct wh_config **out, struct wh_error *err);
void wh_config_free(struct wh_config *c);
/* The file `name` ("ports.yaml") of rules/: from c->rules_dir, $WHITTLE_RULES, the source tree beside the binary, or the installed place. */
int wh_config_rules_path(const struct wh_config *c, const char *name, char *buf, size_t size, struct wh_error *err);
