/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The status of everything: each resource, the rules in force on this machine with their counters, the sensor, the watcher, the
 * threat lists. */
#pragma once
#include "whittle/app.h"
#include "whittle/azure_groups.h"
#include "whittle/enforce.h"
#include "whittle/intel.h"
#include "whittle/ledger.h"
#include "whittle/nft.h"
#include "whittle/recommended.h"

/* Whether a resource's rules are in force. For resources that are not this machine only their network security groups are
 * known. */
enum wh_app_force { WH_APP_ELSEWHERE, WH_APP_NO_FORCE, WH_APP_IN_PART, WH_APP_AUDITED, WH_APP_PENDING, WH_APP_CONFIRMED };
const char *wh_app_force_text(enum wh_app_force f); /* "elsewhere", "none", "part", "audit", "pending", "confirmed" */

struct wh_app_standing { /* of one resource */
	enum wh_app_force force;
	size_t in_force;       /* the number of its recommended rules that are confirmed, pending or audited here */
	bool defended;         /* healthy, or every recommended rule is confirmed on this machine and drops */
	unsigned days_missing; /* further days with data that it needs; 0: none, or not known */
	int32_t ready_day;     /* the day on which it has them, if it is seen every day from now on; with days_missing */
};
struct wh_app_sensor {
	int64_t last_us;                /* the last flow that reached the ledger; 0: none */
	bool silent;                    /* for longer than `alerts: {silence: …}` */
	uint64_t records, lost;         /* of the plugin, since Suricata's start */
	uint64_t packets, packets_lost; /* of the sensor's capture, on the last 64 days */
};
struct wh_app_list {
	const char *name;
	int64_t updated_us;             /* 0: it was never read */
	bool stale, held;
};

/* Conditions that need a person, for --fail-on. */
enum wh_app_attention {
	WH_APP_UNDEFENDED = 1,  /* a resource can be narrowed, but its rules are not confirmed */
	WH_APP_WAITING = 2,     /* rules wait for their confirmation */
	WH_APP_NOT_AS_CONFIRMED = 4,
	WH_APP_SENSOR_FAULT = 8, /* silent, or it lost records, or one packet in a hundred */
	WH_APP_UNWATCHED = 16,  /* rules are confirmed, and nothing watches them */
	WH_APP_LIST_FAULT = 32, /* a threat list is stale, held, or was never read */
	WH_APP_UNLEARNED = 64,  /* an address of this machine without learned traffic */
	WH_APP_STALE = 128,     /* the recommendation lacks a day of traffic, or is of another estate or other settings */
	WH_APP_ANYTHING = 255,
};
extern const char *const wh_app_attention_words[]; /* by bit, lowest first: "undefended" …; NULL at the end */

struct wh_app_status {
	struct wh_estate *estate;           /* wh_estate_free() it */
	/* a small ledger's is calculated now, and not saved; a large one's is the last that was saved, with the ports of its
	 * rules alone (wh_standing_load) */
	struct wh_recommendation *recommendation;
	bool saved;                         /* it is the last saved one */
	struct wh_derived derived;          /* its origin; at_us 0: none was saved, and nothing is known of any resource */
	const char *stale;                  /* what has changed since: a sentence; NULL: nothing, or it was calculated now */
	struct wh_app_standing *standing;   /* of each of its resources */
	struct wh_store_totals totals;
	struct wh_nft_counts firewall;      /* this machine's */
	struct wh_error firewall_unknown;   /* code 0, or why it could not be read */
	int64_t confirmed_us;               /* 0: not known, or nothing is confirmed */
	bool watched;                       /* a program listens to changes of the rules */
	const char *rules, *jit;            /* rules confirmed on this machine that are not in force: a sentence; NULL */
	struct wh_app_sensor sensor;
	struct wh_app_list *lists; size_t n_lists;
	struct wh_covered *unlearned; size_t n_unlearned; /* addresses of this machine without learned traffic */
	struct wh_kept *kept; size_t n_kept; /* original rules that are kept below narrowed ones */
	struct wh_error kept_unknown;       /* code 0, or why these could not be read */
	unsigned attention;                 /* of enum wh_app_attention */
};
/* The sensors of a cluster, by name; none if the ledger is a file. In mem. */
int wh_app_sensors(const struct wh_app *a, struct wh_arena *mem, struct wh_fleet_sensor **out, size_t *n, struct wh_error *err);
json_t *wh_app_sensors_json(const struct wh_fleet_sensor *list, size_t n);
int wh_app_status(const struct wh_app *a, struct wh_arena *mem, struct wh_app_status *out, struct wh_error *err);
json_t *wh_app_status_json(const struct wh_app_status *s);
