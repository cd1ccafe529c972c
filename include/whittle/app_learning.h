/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The input of learning: logs, the estate and threat lists. */
#pragma once
#include <limits.h>
#include "whittle/app.h"
#include "whittle/estate.h"
#include "whittle/intel.h"

/* ---- the ledger's input ---- */
struct wh_app_ingest {
	const char *const *paths; size_t n_paths; /* files, directories, patterns; "-": standard input */
	struct wh_ingest_options options;         /* except locals and progress */
	/* instead of paths: a socket (whittle/ingest_listen.h), and its path; NULL: none */
	const char *listen; int listen_fd;
	const char *discover;                     /* as in struct wh_estate_config; NULL: as configured */
	/* called when there is something to read and the ledger is open; NULL: not wanted */
	void (*begins)(void *arg);
	/* part of all bytes, 0 if their number is not known; may be NULL */
	void (*progress)(void *arg, double part, uint64_t records);
	/* after each file. r NULL: not a log; err NULL: it went well */
	void (*read)(void *arg, const char *path, const struct wh_ingest_result *r, const struct wh_error *err);
	void *arg;
};
struct wh_app_ingested {
	struct wh_read_stats stats;
	/* of the files; edges added to or created; files that failed */
	uint64_t bytes, edges, failed;
	struct wh_passed passed;
	double seconds;
	bool nothing_new;
	bool nothing_protected; /* flows were read, but none of an address that is protected, now or before */
	struct wh_store_dropped dropped;
	uint64_t strange; char first_strange[PATH_MAX]; /* files in directories that are not logs, and the first of them */
};
int wh_app_ingest(const struct wh_app *a, const struct wh_app_ingest *ask, struct wh_app_ingested *out, struct wh_error *err);
json_t *wh_app_ingested_json(const struct wh_app_ingested *r);

/* Each edge, or only those of one local address if that is not NULL. */
int wh_app_edges(const struct wh_app *a, const struct wh_addr *local, wh_edge_cb each, void *arg, struct wh_error *err);
bool wh_app_edge_timed(const struct wh_edge *e); /* an edge with only alerts has no times */
#define WH_APP_EDGE_JSON 640
/* one line */
const char *wh_app_edge_json(const struct wh_edge_key *k, const struct wh_edge *e, char buf[static WH_APP_EDGE_JSON]);

/* ---- protocol evidence ---- */
/* {"kind", "value", "first", "last", "local", "count", "direction", "peer", "port", "protocol", …}, the output of `evidence
 * --json`. */
json_t *wh_app_fact_json(const struct wh_fact_key *k, const struct wh_fact_row *r);
struct wh_app_evidence {
	enum wh_fact_kind kind;      /* WH_FACT_KINDS: all except looked-up names, which are many */
	const struct wh_addr *only;  /* of this address of ours; NULL: of all */
};
/* {"evidence":[…], "more":N}: 10,000 rows at most, and how many are left out. */
int wh_app_evidence(const struct wh_app *a, const struct wh_app_evidence *ask, json_t **out, struct wh_error *err);

/* A person's own file, or documents of an inventory; free(out->note_texts). */
int wh_app_estate_import(const struct wh_app *a, const char *const *paths, size_t n, struct wh_estate_summary *out,
                         struct wh_error *err);
/* The same from Azure's Resource Graph. A failed one leaves nothing. */
struct wh_arm_options;
struct wh_app_sync {
	const struct wh_arm_options *arm;
	const char *const *subscriptions; size_t n_subscriptions; /* ids; none: all that the token may read */
};
int wh_app_estate_sync(const struct wh_app *a, const struct wh_app_sync *ask, struct wh_estate_summary *out,
                       struct wh_error *err);
json_t *wh_app_estate_imported_json(const struct wh_estate_summary *s);
/* The facts of this machine (whittle/host_facts.h), by that name or its own. Needs CAP_NET_ADMIN. */
int wh_app_host_facts(const char *name, json_t **out, struct wh_error *err);
/* Whether a file is such a document; the other one reads them into the ledger, one for each host, all or none. */
bool wh_app_is_host_facts(const char *path);
int wh_app_host_facts_import(const struct wh_app *a, const char *const *paths, size_t n, struct wh_error *err);
int wh_app_estate(const struct wh_app *a, struct wh_arena *mem, struct wh_estate **out /* wh_estate_free() it */,
                  struct wh_error *err);
json_t *wh_app_estate_json(const struct wh_estate *e);

/* ---- threat lists ---- */
struct wh_app_belonging { struct wh_addr peer; uint16_t port; uint8_t proto; enum wh_direction direction; };
struct wh_app_cut { struct wh_app_belonging of; struct wh_prefix by; };
struct wh_app_intel_updated {
	const char *name;
	const struct wh_intel_list *list;           /* NULL if it failed */
	/* code 0, or why; its old version stays, and the other lists are still read */
	struct wh_error failed;
	bool held;                                  /* it waits for its confirmation, since it */
	struct wh_app_cut *cuts; size_t n_cuts;     /* would cut off allowed peers, */
	struct wh_prefix *large; size_t n_large;    /* or has large blocks */
};
struct wh_app_intel_update {
	const char *const *names; size_t n_names; /* of whittle.yaml's lists; none: all */
	bool force, dry;
	void (*each)(void *arg, const struct wh_app_intel_updated *u);
	void *arg;
};
/* checks the words; wh_app_intel_update() calls it */
int wh_app_intel_update_check(const struct wh_app *a, const struct wh_app_intel_update *ask, struct wh_error *err);
int wh_app_intel_update(const struct wh_app *a, const struct wh_app_intel_update *ask, struct wh_error *err);
int wh_app_intel_confirm(const struct wh_app *a, const char *name, struct wh_arena *mem, struct wh_intel_list **out,
                         struct wh_error *err);
int wh_app_intel_forget(const struct wh_app *a, const char *name, struct wh_error *err);
struct wh_app_intel { struct wh_intel_list *lists, *held; size_t n, n_held; int64_t now_us; };
int wh_app_intel(const struct wh_app *a, struct wh_arena *mem, struct wh_app_intel *out, struct wh_error *err);
json_t *wh_app_intel_json(const struct wh_app *a, const struct wh_app_intel *x);
/* [{"list", "entry"}…] that contain the address */
json_t *wh_app_intel_holding(const struct wh_app_intel *x, const struct wh_addr *addr);
bool wh_app_intel_configured(const struct wh_app *a, const char *name);                 /* whittle.yaml names it */
