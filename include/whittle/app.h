/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * app: what a person can ask for, one function a use case. Each takes its options in a struct and returns a document, or a result that has one
 * (wh_app_…_json). The commands parse words and print; the server answers with the same documents. Nothing here prints, and nothing outside this
 * room decides.
 */
#pragma once
#include <jansson.h>
#include "whittle/alert.h"
#include "whittle/base.h"
#include "whittle/config.h"
#include "whittle/firewall.h"
#include "whittle/harden.h"
#include "whittle/review.h"

/* On whose behalf, with which ledger and configuration. Nothing of it is changed. */
struct wh_app {
	const char *store_url;
	const struct wh_config *config;
	const char *who;                                      /* the person's name, for the journal */
	const char *state_dir;                                /* base/state_dir.h; "" where it is not known */
	const char *beside;                                   /* the ledger's directory, where earlier versions kept state; "" likewise */
	const struct wh_session *sessions; size_t n_sessions; /* the person's own connections to this machine */
	void (*note)(void *arg, const char *text);            /* a sentence next to the result, as it comes up; NULL: nobody wants them */
	int (*progress)(void *arg, size_t done, size_t total); /* of resources; a negative return ends the work; NULL: nobody wants it */
	void *arg;
};
void wh_app_note(const struct wh_app *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- recommend ---- */
/* Whole numbers in the place of what whittle.yaml says. */
struct wh_app_number { const char *name; long least, most; size_t field; /* of struct wh_harden_options */ };
enum { WH_APP_NUMBERS = 6 };
extern const struct wh_app_number wh_app_numbers[WH_APP_NUMBERS];
struct wh_app_recommend {
	const char *const *resources; size_t n_resources; /* names; none: all */
	bool given[WH_APP_NUMBERS]; unsigned number[WH_APP_NUMBERS]; /* by their place in wh_app_numbers */
	double permissiveness;                            /* 0: as configured */
	const char *ports;                                /* as in wh_port_list_load(); NULL: as configured */
	bool directed; enum wh_directions directions;     /* where directed; else as configured */
	bool dry;                                         /* keep nothing; nor is it kept where only some resources were asked for */
};
struct wh_app_recommended {
	struct wh_estate *estate;        /* of the result: wh_estate_free() it when that was used */
	struct wh_recommendation *recommendation;
	struct wh_changes *changes;      /* since what was kept before; NULL: not known */
	struct wh_changes since;
};
/* Derives, proves and replays the rules, and keeps them for those that go on from there. Notes name threat lists that are stale or held. */
int wh_app_recommend(const struct wh_app *a, const struct wh_app_recommend *ask, struct wh_arena *mem, struct wh_app_recommended *out, struct wh_error *err);
char *wh_app_recommended_json(const struct wh_app_recommended *r); /* free() it; NULL when out of memory */
/* What lines and address space trade; nothing is kept. */
int wh_app_curve(const struct wh_app *a, const struct wh_app_recommend *ask, struct wh_arena *mem, struct wh_curve **out, struct wh_error *err);

/* ---- status ---- */
struct wh_app_status {
	struct wh_estate *estate;           /* wh_estate_free() it */
	struct wh_recommendation *recommendation; /* as it would be now; nothing is kept */
	struct wh_store_totals totals;
	const char *rules, *jit;            /* what was confirmed on this machine and is not in force: a sentence; NULL */
	struct wh_kept *kept; size_t n_kept; /* original rules that are kept below narrowed ones */
	struct wh_error kept_unknown;       /* code 0, or why these could not be read */
};
int wh_app_status(const struct wh_app *a, struct wh_arena *mem, struct wh_app_status *out, struct wh_error *err);
json_t *wh_app_status_json(const struct wh_app_status *s);
/* Original rules that Azure's groups keep for a time; in mem. */
int wh_app_kept(const struct wh_app *a, const struct wh_estate *e, struct wh_arena *mem, struct wh_kept **out, size_t *n, struct wh_error *err);
bool wh_app_kept_over(const struct wh_kept *k); /* its last day is over */
/* Today's day in UTC, "2026-11-24". */
#define WH_APP_DAY_STRLEN 32
const char *wh_app_today(char buf[static WH_APP_DAY_STRLEN]);

/* ---- explain, replay, export ---- */
/* As wh_explain(). */
int wh_app_explain(const struct wh_app *a, const char *resource, const char *rule, bool json, char **out, struct wh_error *err);

struct wh_app_replay {
	const char *const *resources; size_t n_resources; /* names; none: all */
	const char *rules;                                /* a file of rules; NULL: the recommendation, as it was reviewed */
	const char *const *logs; size_t n_logs;           /* logs whose flows are replayed; none: the ledger's own */
	void (*reading)(void *arg, const char *log);      /* called with the app's arg before each log; NULL: nobody wants it */
	unsigned holdout_days;                            /* > 0: rules derived without these last days, replayed on them; then neither rules nor logs */
};
struct wh_app_replayed { struct wh_estate *estate; /* wh_estate_free() it */ struct wh_replay *replay; };
int wh_app_replay_check(const struct wh_app_replay *ask, struct wh_error *err); /* whether the words go together; wh_app_replay() asks it */
int wh_app_replay(const struct wh_app *a, const struct wh_app_replay *ask, struct wh_arena *mem, struct wh_app_replayed *out, struct wh_error *err);

struct wh_app_export {
	const char *format;
	const char *const *resources; size_t n_resources; /* names, ids or addresses; none: all */
	const char *nsg, *keep_until;                     /* as in wh_render_options; NULL: none */
	enum wh_nsg_scope nsg_scope;
};
/* Whether the words go together, before anything is opened; wh_app_export() asks it. */
int wh_app_export_check(const struct wh_app_export *ask, struct wh_error *err);
/* The reviewed recommendation in a firewall's format. *notes (NULL where there are none): lines for a person. free() both. */
int wh_app_export(const struct wh_app *a, const struct wh_app_export *ask, char **text, char **notes, struct wh_error *err);

/* ---- this machine's firewall ---- */
enum { WH_APP_OWN = 64 };
/* The rules that belong on this machine, proved to lie within the rules in force, and what they do and do not judge. In `mem`. */
struct wh_app_own {
	const char *names[WH_APP_OWN]; size_t n; /* the resources that this machine is */
	struct wh_nft_ruleset *rs;
	struct wh_covered *covered; size_t n_covered;
	int64_t memory_us;                       /* the begin of what the ledger can know */
};
/* names (none: the resources that have this machine's addresses). -EPERM where they would let in what the present policy does not. */
int wh_app_own_rules(const struct wh_app *a, const char *const *names, size_t n, bool all_addresses, struct wh_arena *mem, struct wh_app_own *out,
                     struct wh_error *err);
bool wh_app_own_is_met(const struct wh_app_own *own); /* some address that they judge is this machine's */
size_t wh_app_own_resources(const struct wh_estate *e, const char **names, size_t max); /* those that have this machine's addresses */
json_t *wh_app_coverage_json(const struct wh_covered *c, size_t n);

struct wh_app_enforced {
	struct wh_app_own own;
	bool applied, audit;             /* not applied: a dry run */
	int64_t confirm_within_s, expires_us;
	struct wh_enforce_result result; /* where applied */
	json_t *open;                    /* connections that are open now and could not come back; borrowed */
};
struct wh_app_enforce {
	const char *const *resources; size_t n_resources; /* names; none: those that have this machine's addresses */
	bool all_addresses, audit, dry;
	bool force;                                       /* apply even what would shut out the person, or an open connection that is old or large */
	int64_t confirm_within_s;
	/* Called once it is applied (or would be) and before the journal is written, which may wait for the ledger; *e ends with it. */
	void (*done)(void *arg, const struct wh_app_enforced *e);
	void *arg;
};
/* Proves the reviewed rules once more and applies them until they are confirmed. */
int wh_app_enforce(const struct wh_app *a, const struct wh_app_enforce *ask, struct wh_error *err);
/* confirm_command: what a person types to confirm. A new reference. */
json_t *wh_app_enforced_json(const struct wh_app_enforced *e, const char *confirm_command);
/* Puts back what is kept; *was (free() it) says what was changed, NULL: nothing. */
int wh_app_repair(const struct wh_app *a, void (*done)(void *arg, const char *was), void *arg, struct wh_error *err);

struct wh_app_confirmed {
	struct wh_confirmed is;
	struct wh_error unkept;    /* where !is.kept, or is.too_late: why */
	bool survives_reboot;
	const char *survives_not;  /* why not; NULL where it does */
	struct wh_nft_state state;
};
/* Keeps what enforce applied. Too late is no error: see is.too_late. `done` as above. */
int wh_app_confirm(const struct wh_app *a, void (*done)(void *arg, const struct wh_app_confirmed *c), void *arg, struct wh_error *err);
json_t *wh_app_confirmed_json(const struct wh_app_confirmed *c);

struct wh_app_rolled_back { struct wh_rolled_back is; bool all; struct wh_error unkept; /* where !is.kept: why */ };
int wh_app_rollback(const struct wh_app *a, bool all, void (*done)(void *arg, const struct wh_app_rolled_back *r), void *arg, struct wh_error *err);
json_t *wh_app_rolled_back_json(const struct wh_app_rolled_back *r);

struct wh_app_drift {
	char **lines; size_t n;       /* what is not as it was applied; in mem */
	struct wh_nft_state state;
	struct wh_error jit_unknown;  /* code 0, or why the ports that just-in-time access keeps closed could not be compared */
};
int wh_app_drift(const struct wh_app *a, struct wh_arena *mem, struct wh_app_drift *out, struct wh_error *err);
json_t *wh_app_drift_json(const struct wh_app_drift *d);

/* Keeps what an earlier version kept beside the ledger, where the kernel holds exactly that. */
int wh_app_adopt_earlier(const struct wh_app *a, struct wh_error *err);
/* Writes a line into the ledger's journal, once what it reports was done and printed: no firewall waits for a ledger (journal.c). Drops the
 * reference. Nothing where there is no ledger; a note where the line cannot be written within 3 s. */
void wh_app_journal(const struct wh_app *a, const char *what, json_t *doc);

/* ---- alerts ---- */
/* Looks at the ledger and keeps what it finds. A note says what could not be looked at for want of rules. */
int wh_app_alerts_update(const struct wh_app *a, int64_t now_us, struct wh_alert_counts *out, struct wh_error *err);
struct wh_app_alerts {
	bool all;                          /* resolved and dismissed ones too */
	const char *status, *resource, *title, *tactic; /* those alone, whatever the case (title: a part of it); NULL: any */
	enum wh_severity least;
	int64_t since_us;                  /* that went on at this time or later; 0: any */
	unsigned order;                    /* place in wh_app_alert_orders */
};
extern const char *const wh_app_alert_orders[]; /* "severity" …; NULL at the end */
int wh_app_alerts(const struct wh_app *a, const struct wh_app_alerts *ask, json_t **out, struct wh_error *err); /* as wh_alerts_list() */
int wh_app_alert(const struct wh_app *a, const char *name, json_t **out, struct wh_error *err);
int wh_app_alert_set(const struct wh_app *a, const char *name, enum wh_alert_status status, const char *reason, struct wh_error *err);
int wh_app_alert_types(const struct wh_app *a, struct wh_arena *mem, struct wh_alert_types *out, struct wh_error *err);
/* *would of *of kept alerts are such as the rule dismisses. simulate: the rule is not kept. */
int wh_app_alert_suppress(const struct wh_app *a, const struct wh_alert_rule *r, bool simulate, size_t *would, size_t *of, struct wh_error *err);
int wh_app_alert_unsuppress(const struct wh_app *a, const char *name, struct wh_error *err);
int wh_app_alert_rules(const struct wh_app *a, json_t **out, struct wh_error *err);

/* ---- assess ---- */
struct wh_app_assess {
	const char *const *policies; size_t n_policies;   /* definitions: files, or directories of .json files */
	const char *const *resources; size_t n_resources; /* inventories: the same */
	const char *parameters;                           /* a file with {name: value, …} over the definitions' defaults; NULL: none */
};
/*
 * Every definition on every resource that it is about. *out, a new reference:
 *   {"version":1, "assessments":[{"name", "policyDefinitionId", "displayName", "controls":[], "severity":null, "resourceId", "status", "cause"}…],
 *    "counts":{"Healthy", "Unhealthy", "NotApplicable"}, "resources":N, "definitions":N, "notes":["…"]}
 * by definition, then by resource's id. A definition that is about none of the resources is named in notes, as is each one that data keeps
 * from a verdict. An unreadable file or an unknown keyword is an error: nothing is assessed by half.
 */
int wh_app_assess(const struct wh_app_assess *ask, json_t **out, struct wh_error *err);

/* ---- the network: reach, connections, map, findings ---- */
struct wh_state;
struct wh_app_network;
/* The estate's network: of the ledger, or of documents where there are paths. */
int wh_app_network_open(struct wh_state *s /* or NULL */, const char *const *paths, size_t n, struct wh_app_network **out, struct wh_error *err);
/* The same, of which only what passes between these ends will be asked; see wh_inventory_load_near(). */
int wh_app_network_open_near(struct wh_state *s, const char *const *ends, size_t n_ends, const char *const *paths, size_t n, struct wh_app_network **out, struct wh_error *err);
void wh_app_network_close(struct wh_app_network *net); /* NULL is fine */

struct wh_app_diff {
	const char *before;              /* a file or directory; NULL: the ledger's estate */
	const char *after;               /* likewise; its resources take the place of those of the ledger's estate where `before` is NULL, or neither has machines */
	bool proposed;                   /* in the place of `after`: the reviewed recommendation */
};
/* {"opened":[{"from":["id"…], "to":["id"…], "addresses":["prefix"…], "tcpPorts", "udpPorts", "icmp", "otherProtocols"}…], "closed":[…], "undecided":[…, with "missing"]}: an end "Internet"
 * is `addresses`, or all of it where there are none. Undecided: after the change, and not before. */
int wh_app_diff(const struct wh_app *a, const struct wh_app_diff *ask, json_t **out, struct wh_error *err);

/* The network as a tree with states and a picture; see map.h. Of the ledger with its open alerts, recommendations and, where asked for, traffic. */
struct wh_app_map;
int wh_app_map(const struct wh_app *a, const char *const *paths, size_t n, bool traffic, struct wh_app_map **out, struct wh_error *err);
void wh_app_map_free(struct wh_app_map *m); /* NULL is fine */
json_t *wh_app_map_json(const struct wh_app_map *m);
char *wh_app_map_picture(const struct wh_app_map *m, bool page); /* SVG, or a page of HTML; free() it, NULL: out of memory */

struct wh_app_reach {
	const char *from, *to;           /* a resource's name or id, an address, a prefix, "Internet". One may be NULL: every resource and the Internet */
	bool has_port; uint16_t port;
	uint8_t proto;                   /* read with a port, or by itself; WH_PROTO_ANY: TCP with a port, else all */
};
/*
 * Both ends: {"verdict":"allowed|partly|denied|unknown", "from", "to", "tcpPorts":"[…]", "udpPorts":"[…]", "icmp":bool, "tcpUnknown", "udpUnknown", "decidedBy":[{"where",
 * "direction", "nsg", "rule", "priority", "access", "verdict", "why"}…], "packet":{…}, "missing":["…"]}. Partly: for some of the addresses of an end. Without a port
 * "allowed" means at some port. decidedBy tells of the packet, in the order in which it passes.
 * One end: {"of", "peers":[{"id", "name", "verdict", "tcpPorts", …}…]}, those with a verdict other than denied.
 */
int wh_app_reach(struct wh_app_network *net, const struct wh_app_reach *ask, json_t **out, struct wh_error *err);

/* {"name":"Internal", "connectableResources":[{"id", "inboundConnectedResources":[{"connectedResourceId", "tcpPorts", "udpPorts"}…], "outboundConnectedResources"}…]}, as
 * Microsoft.Security's allowedConnections have it. -E2BIG where the pairs are too many for that: ask for the compact form. */
int wh_app_connections(struct wh_app_network *net, bool external, json_t **out, struct wh_error *err);
/* {"classes":[{"class":0, "resources":[{"id", "address"}…]}…], "ports":[{"tcpPorts", "udpPorts", …}…], "connections":[{"to":0, "from":"0-3,7", "ports":1}…]}: classes of addresses
 * that no rule tells apart, and what their members may send to (other) members; `from` are classes, `ports` is a place in that list. */
int wh_app_connections_compact(struct wh_app_network *net, json_t **out, struct wh_error *err);
/* {"anomalies":[{"kind":"shadowed|redundant|generalised|correlated|permissive", "nsg", "direction", "rule", "priority", "access", "other", "otherPriority", "packet", "fix"}…],
 * "groups":N, "skippedRules":N}: see whittle/findings.h. Of the groups that guard something. */
int wh_app_anomalies(struct wh_app_network *net, json_t **out, struct wh_error *err);
