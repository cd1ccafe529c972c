/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recommendation: the narrowed rules of resources, in the form that all later steps read: review, render, enforce, jit and the
 * commands. Their document, rules from a file, and the proof that they only narrow.
 */
#pragma once
#include <jansson.h>
#include "whittle/base.h"
#include "whittle/estate.h"
#include "whittle/reason.h"

enum wh_directions { WH_DIRECTIONS_INBOUND, WH_DIRECTIONS_OUTBOUND, WH_DIRECTIONS_BOTH };
extern const char *const wh_directions_words[]; /* by their values; NULL at the end */
int wh_directions_parse(const char *text, enum wh_directions *out); /* "inbound", "outbound" or "both"; -EINVAL */

enum wh_status { WH_UNSCANNED, WH_HEALTHY, WH_UNHEALTHY };
const char *wh_status_text(enum wh_status s); /* "unscanned", "healthy", "unhealthy" */

/* The flows (and peers) that a rule stopped, of the allowed ones, on some days. */
struct wh_breakage {
	uint64_t flows, of;      /* lost flows, of all */
	uint64_t peers, of_peers;
	unsigned days;           /* 0: not known */
	double upper;            /* of flows / of: 95 % upper bound, 0–1; 1 without data */
};

struct wh_recommended_rule {
	const char *name;
	enum wh_direction direction;
	uint16_t port;
	uint8_t proto;
	struct wh_prefix *prefixes; size_t n_prefixes; /* empty: deny all */
	struct wh_prefix *except; size_t n_except;     /* carve-outs */
	bool system_generated;                         /* a deny-all of ours */
	double confidence;                             /* 0–1: stability × (1 − leans), see confidence.c */
	double stability;                              /* 0–1: how stable the set of its peers was over the window */
	double leans;                                  /* 0–1: the share of it that is prediction, not observation */
	struct wh_breakage replayed;                   /* on the days of learning: none of its flows may be lost */
	struct wh_breakage expected;                   /* the rule of some days ago, on the days since */
	uint64_t sources, flows; unsigned days;        /* of the allowed peers */
	double unseen;                                 /* units allowed without having been seen */
	uint64_t denied_peers, denied_flows;           /* answered peers that the rule would now stop */
	const char *note;                              /* e.g. the existing rule's host bits; NULL */
	const char *review;                            /* NULL, or a person's change: "added", "edited" */
	/* the existing rule that it narrows ("web.json: allow-ssh"), or NULL: open by default */
	const char *narrows;
};

/* For qsort(): by direction, port, proto. */
int wh_rule_by_port(const void *a, const void *b);

struct wh_resource_result {
	const struct wh_resource *resource;
	enum wh_status status;
	/* why it, or a port of it, has no rule; room: only for wh_reason_add() */
	struct wh_reason *reasons; size_t n_reasons, room_reasons;
	const char *reason;                            /* wh_reasons_text() of them; NULL if there are none */
	int32_t first_day, last_day; unsigned days_with_data;
	struct wh_recommended_rule *rules; size_t n_rules; /* sorted by direction, port, proto */
};

/* The options behind the recommendation; 0 if one was not set. */
struct wh_asked { double permissiveness; unsigned max_lines, max_prefixes, min_days, window_days, stable_days; };

struct wh_port_list;
struct wh_recommendation {
	struct wh_asked asked;
	int64_t calculated_us;   /* the end of the window, not the wall clock: equal input gives equal output */
	int64_t from_us, to_us; unsigned days;
	/* days of the window without any flow at all: an outage */
	struct wh_silence { int32_t first, last; } *silent; size_t n_silent;
	enum wh_directions directions; /* the examined ones; inbound if it was loaded */
	/* the estate that it was made for, and the examined ports, inbound and outbound (NULL: all): see whittle/harden.h. */
	const struct wh_estate *estate;
	const struct wh_port_list *ports, *ports_outbound; /* All are borrowed, and NULL if it was loaded */
	int64_t serial;          /* the number of this saved calculation in the ledger: set by save and load, counts from 1 */
	struct wh_resource_result *resources; size_t n_resources; /* by name */
};

/* recommend --json, as whittle(1) describes it; free() it. `more` (its reference is taken; NULL: none) has keys that come last.
 * NULL when out of memory. */
char *wh_recommendation_json(const struct wh_recommendation *r, json_t *more);
json_t *wh_breakage_json(const struct wh_breakage *b); /* null if not known */
/* The rules saved by an earlier recommend, for export and enforce. */
int wh_recommendation_save(struct wh_state *s, struct wh_recommendation *r, struct wh_error *err);
int wh_recommendation_load(struct wh_state *s, const struct wh_estate *e, struct wh_arena *mem, struct wh_recommendation **out,
                           struct wh_error *err);

/* The rules of one resource as a number: the SHA-256 of directions, protocols, ports, addresses and carve-outs, in hex. Equal
 * digests mean equal rules, whatever else was learned. */
#define WH_DIGEST_STRLEN 65
const char *wh_rules_digest(const struct wh_resource_result *r, char out[static WH_DIGEST_STRLEN]);

/* Rules from a file (recommend --json, or written by hand), for prove and replay: resources, rules, directions, ports, protocols,
 * addresses and carve-outs; the rest stays empty. Errors name file, line and reason, and the nearest resource if one is
 * unknown. */
int wh_rules_parse(const char *name, const char *text, size_t len, const struct wh_estate *e, struct wh_arena *mem,
                   struct wh_recommendation **out, struct wh_error *err);

/* ---- proof ---- */
struct wh_counterexample { enum wh_direction direction; uint8_t proto; uint16_t port; struct wh_addr peer; };
/* proposed ⊆ present for one resource. Returns 0 if it holds, 1 with the smallest counter-example if it does not, <0 on
 * error. */
int wh_prove(const struct wh_estate *e, const struct wh_resource *r, const struct wh_recommended_rule *rules, size_t n,
             struct wh_arena *mem, struct wh_counterexample *ce, struct wh_error *err);
