/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The recommendation: derived, explained, proved, replayed, reviewed and exported. */
#pragma once
#include "whittle/app.h"
#include "whittle/azure_groups.h"
#include "whittle/enforce.h"
#include "whittle/harden.h"
#include "whittle/review.h"
#include "whittle/app_status.h"

/* ---- recommend ---- */
/* Whole numbers that override whittle.yaml's. */
struct wh_app_number { const char *name; long least, most; size_t field; /* of struct wh_harden_options */ };
enum { WH_APP_NUMBERS = 6 };
extern const struct wh_app_number wh_app_numbers[WH_APP_NUMBERS];
struct wh_app_recommend {
	const char *const *resources; size_t n_resources; /* names; none: all */
	bool given[WH_APP_NUMBERS]; unsigned number[WH_APP_NUMBERS]; /* indexed like wh_app_numbers */
	double permissiveness;                            /* 0: as configured */
	const char *ports;                                /* as in wh_port_list_load(); NULL: as configured */
	bool directed; enum wh_directions directions;     /* if directed; else as configured */
	/* keep nothing; results for only some resources are not kept either */
	bool dry;
};
/* Rules that a person edited, as enforce applies them; the rules are in the given arena. */
struct wh_app_edit { const char *resource; const struct wh_recommended_rule *rule; };
struct wh_app_edits { struct wh_app_edit *list; size_t n; };
/* A heading, and a line for each. */
void wh_app_edits_print(const struct wh_app_edits *e, FILE *to);
struct wh_app_recommended {
	struct wh_estate *estate;        /* of the result: wh_estate_free() it after use */
	struct wh_recommendation *recommendation;
	bool derived;                    /* else nothing had changed since the last calculation, and this is its outcome */
	struct wh_changes *changes;      /* since the rules kept before; NULL: not known */
	struct wh_changes since;
	struct wh_app_edits edits;
};
/* Derives, proves and replays the rules, and keeps them for later commands. If nothing that it reads has changed since the last
 * calculation, it proves that one's rules and keeps them as a new calculation: the outcome is the same. Notes name threat lists
 * that are stale or held. */
int wh_app_recommend(const struct wh_app *a, const struct wh_app_recommend *ask, struct wh_arena *mem,
                     struct wh_app_recommended *out, struct wh_error *err);
char *wh_app_recommended_json(const struct wh_app_recommended *r); /* free() it; NULL when out of memory */
/* The trade-off between lines and address space; nothing is kept. */
int wh_app_curve(const struct wh_app *a, const struct wh_app_recommend *ask, struct wh_arena *mem, struct wh_curve **out,
                 struct wh_error *err);

/* ---- kept rules ---- */
/* Original rules that Azure's groups keep for a time; in mem. */
int wh_app_kept(const struct wh_app *a, const struct wh_estate *e, struct wh_arena *mem, struct wh_kept **out, size_t *n,
                struct wh_error *err);
bool wh_app_kept_over(const struct wh_kept *k); /* its last day has passed */
/* Today's day in UTC, "2026-11-24". */
#define WH_APP_DAY_STRLEN 32
const char *wh_app_today(char buf[static WH_APP_DAY_STRLEN]);

/* ---- explain, prove, replay, export ---- */
/* As wh_explain(). */
int wh_app_explain(const struct wh_app *a, const char *resource, const char *rule, bool json, char **out, struct wh_error *err);

struct wh_app_prove {
	const char *const *resources; size_t n_resources; /* names, ids or addresses; none: all that have a rule */
	const char *rules;                                /* a file of rules; NULL: the recommendation, as it was reviewed */
};
struct wh_app_proof {
	const struct wh_resource_result *of;
	bool holds;
	/* if !holds: what would be allowed, and "web: deny-bad", which denies it now, or NULL */
	struct wh_counterexample ce; const char *denied_by;
};
struct wh_app_proved { struct wh_estate *estate; /* wh_estate_free() it */ struct wh_app_proof *list; size_t n, refuted; };
/* Whether the rules allow nothing that the present ones deny, resource by resource. 0 also if one is refuted. */
int wh_app_prove(const struct wh_app *a, const struct wh_app_prove *ask, struct wh_arena *mem, struct wh_app_proved *out,
                 struct wh_error *err);
json_t *wh_app_proved_json(const struct wh_app_proved *p);

struct wh_app_replay {
	const char *const *resources; size_t n_resources; /* names; none: all */
	const char *rules;                                /* a file of rules; NULL: the recommendation, as it was reviewed */
	const char *const *logs; size_t n_logs;           /* logs whose flows are replayed; none: the ledger's own */
	void (*reading)(void *arg, const char *log);      /* called with the app's arg before each log; NULL: not wanted */
	/* > 0: rules derived without these last days, replayed on them; then neither rules nor logs */
	unsigned holdout_days;
};
struct wh_app_replayed { struct wh_estate *estate; /* wh_estate_free() it */ struct wh_replay *replay; };
/* whether the words go together; wh_app_replay() calls it */
int wh_app_replay_check(const struct wh_app_replay *ask, struct wh_error *err);
int wh_app_replay(const struct wh_app *a, const struct wh_app_replay *ask, struct wh_arena *mem, struct wh_app_replayed *out,
                  struct wh_error *err);

struct wh_app_export {
	const char *format;
	const char *const *resources; size_t n_resources; /* names, ids or addresses; none: all */
	const char *nsg, *keep_until;                     /* as in wh_render_options; NULL: none */
	enum wh_nsg_scope nsg_scope;
	size_t aws_rules;                                 /* likewise; 0: AWS's own quota */
};
/* Whether the words go together, before anything is opened; wh_app_export() calls it. */
int wh_app_export_check(const struct wh_app_export *ask, struct wh_error *err);
/* The reviewed recommendation in a firewall's format. *notes (NULL if there are none): lines for a person. free() both. */
int wh_app_export(const struct wh_app *a, const struct wh_app_export *ask, char **text, char **notes, struct wh_error *err);

/* ---- review ---- */
/* 0: never. changed_us: of the saved rules. applied_us: rules were applied to this machine and neither confirmed nor taken back;
 * the kernel takes, or took, them back at until_us */
struct wh_app_last_enforced { int64_t time_us, changed_us, applied_us, until_us; bool taken_back; char who[64], applied_by[64]; };
struct wh_app_rules {
	struct wh_estate *estate; /* wh_estate_free() it */
	struct wh_recommendation *recommendation;
	struct wh_app_last_enforced *last;  /* of each of its resources */
	struct wh_kept *kept; size_t n_kept;
	struct wh_nft_reject reject;        /* the refused peers that get an answer, by whittle.yaml */
	struct wh_error last_unknown, kept_unknown; /* code 0, or why they could not be read */
};
/* The reviewed rules of these resources (none: of all). */
int wh_app_rules_list(const struct wh_app *a, const char *const *names, size_t n, struct wh_arena *mem, struct wh_app_rules *out,
                      struct wh_error *err);
/* *said, in mem: a sentence about what was done. `resource` NULL: any, or all. */
int wh_app_rules_change(const struct wh_app *a, const struct wh_review_change *change, struct wh_arena *mem, const char **said,
                        struct wh_error *err);
int wh_app_rules_undo(const struct wh_app *a, const char *resource, struct wh_arena *mem, const char **said,
                      struct wh_error *err);
int wh_app_rules_reset(const struct wh_app *a, const char *resource, struct wh_arena *mem, const char **said,
                       struct wh_error *err);
struct wh_app_step { int64_t time_us; const char *who, *what, *resource, *rule, *why, *prefixes; }; /* rule, why: NULL for none */
struct wh_app_steps { struct wh_app_step *list; size_t n; };
int wh_app_rules_history(const struct wh_app *a, const char *resource, struct wh_arena *mem, struct wh_app_steps *out,
                         struct wh_error *err);
json_t *wh_app_history_json(const struct wh_app_steps *s);
