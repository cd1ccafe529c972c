/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * app: what a person can ask for, one function a use case. Each takes its options in a struct and returns a document, or a result that has one
 * (wh_app_…_json). The commands parse words and print; the server answers with the same documents. Nothing here prints, and nothing outside this
 * room decides.
 */
#pragma once
#include <jansson.h>
#include "whittle/alert.h"
#include "whittle/azure_groups.h"
#include "whittle/base.h"
#include "whittle/config.h"
#include "whittle/firewall.h"
#include "whittle/harden.h"
#include "whittle/intel.h"
#include "whittle/jit.h"
#include "whittle/review.h"
#include "whittle/watch.h"

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
/* An error's code where the words that a person gave don't go together, or name what is not there. */
enum { WH_APP_USAGE = -EBADRQC };
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
	struct wh_counterexample ce; const char *denied_by; /* where !holds: what would be allowed, and "web: deny-bad", which denies it now, or NULL */
};
struct wh_app_proved { struct wh_estate *estate; /* wh_estate_free() it */ struct wh_app_proof *list; size_t n, refuted; };
/* Whether the rules allow nothing that the present ones deny, resource by resource. 0 also where one is refuted. */
int wh_app_prove(const struct wh_app *a, const struct wh_app_prove *ask, struct wh_arena *mem, struct wh_app_proved *out, struct wh_error *err);
json_t *wh_app_proved_json(const struct wh_app_proved *p);

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
/* "Judged: 10.0.0.4 (eth0); not covered: 172.17.0.1 (docker0), …" In `mem`. */
char *wh_app_coverage_line(const struct wh_covered *c, size_t n, struct wh_arena *mem);
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
	struct wh_error unstored;  /* where !is.stored, or is.too_late: why */
	bool survives_reboot;
	const char *survives_not;  /* why not; NULL where it does */
	struct wh_nft_state state;
};
/* Keeps what enforce applied. Too late is no error: see is.too_late. `done` as above. */
int wh_app_confirm(const struct wh_app *a, void (*done)(void *arg, const struct wh_app_confirmed *c), void *arg, struct wh_error *err);
json_t *wh_app_confirmed_json(const struct wh_app_confirmed *c);

struct wh_app_rolled_back { struct wh_rolled_back is; bool all; struct wh_error unstored; /* where !is.stored: why */ };
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

int wh_app_uninstall(const struct wh_app *a, bool verify, struct wh_uninstalled *out, struct wh_error *err);
json_t *wh_app_uninstalled_json(const struct wh_uninstalled *u);
/* Puts back what was confirmed; `done` as above, also where a part of it failed. */
int wh_app_restore(const struct wh_app *a, void (*done)(void *arg, const struct wh_restored *r), void *arg, struct wh_error *err);

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
/* Hands alerts over, each once each time that it becomes active: looks, queues, sends what is due. Nothing is held meanwhile that others wait for. */
typedef int (*wh_respond_fn)(void *arg, const char *body, size_t len, struct wh_error *err); /* 0: taken */
struct wh_app_respond {
	wh_respond_fn command, webhook; /* NULL: there is none */
	void (*told)(void *arg, const char *alert, const char *why, bool given_up); /* one was not taken; NULL */
	void *arg;
	enum wh_severity least;
	int64_t now_us;
};
struct wh_app_responded { size_t queued, delivered, waiting, failed; };
int wh_app_alerts_respond(const struct wh_app *a, const struct wh_app_respond *r, struct wh_app_responded *out, struct wh_error *err);
/* The ledger's counters, alerts and responses, and what a watcher noticed, in Prometheus' text format; free(*out), also after a failure, when it holds
 * what could be had. */
struct wh_app_noticed { const char *kind; uint64_t count; };
int wh_app_metrics(const struct wh_app *a, const struct wh_app_noticed *noticed, size_t n, char **out, size_t *len, struct wh_error *err);
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

/* ---- what the ledger is fed with ---- */
struct wh_app_ingest {
	const char *const *paths; size_t n_paths; /* files, directories, patterns; "-": standard input */
	struct wh_ingest_options options;         /* but for locals and progress */
	const char *listen; int listen_fd;        /* instead of paths: a socket (whittle/ingest_listen.h), and its path; NULL: none */
	const char *discover;                     /* as in struct wh_estate_config; NULL: as configured */
	void (*begins)(void *arg);                /* once there is something to read and the ledger is open; NULL: nobody wants it */
	void (*progress)(void *arg, double part, uint64_t records); /* part of all bytes, 0 where these are not known; may be NULL */
	void (*read)(void *arg, const char *path, const struct wh_ingest_result *r, const struct wh_error *err); /* after each file. r NULL: no log; err NULL: it went well */
	void *arg;
};
struct wh_app_ingested {
	struct wh_read_stats stats;
	uint64_t bytes, edges, twice, failed; /* of the files; edges added to or made; flows that another sensor had reported; files that failed */
	double seconds;
	bool nothing_new;
	struct wh_store_dropped dropped;
	uint64_t strange; char first_strange[PATH_MAX]; /* files of directories that are no logs, and the first of them */
};
int wh_app_ingest(const struct wh_app *a, const struct wh_app_ingest *ask, struct wh_app_ingested *out, struct wh_error *err);
json_t *wh_app_ingested_json(const struct wh_app_ingested *r);

/* Each edge, of one local address where it is not NULL. */
int wh_app_edges(const struct wh_app *a, const struct wh_addr *local, wh_edge_cb each, void *arg, struct wh_error *err);
bool wh_app_edge_timed(const struct wh_edge *e); /* an edge of alerts alone has no times */
#define WH_APP_EDGE_JSON 640
const char *wh_app_edge_json(const struct wh_edge_key *k, const struct wh_edge *e, char buf[static WH_APP_EDGE_JSON]); /* one line */

/* One file of a person's own, or documents of an inventory; free(out->note_texts). */
int wh_app_estate_import(const struct wh_app *a, const char *const *paths, size_t n, struct wh_estate_summary *out, struct wh_error *err);
json_t *wh_app_estate_imported_json(const struct wh_estate_summary *s);
int wh_app_estate(const struct wh_app *a, struct wh_arena *mem, struct wh_estate **out /* wh_estate_free() it */, struct wh_error *err);
json_t *wh_app_estate_json(const struct wh_estate *e);

/* ---- threat lists ---- */
struct wh_app_belonging { struct wh_addr peer; uint16_t port; uint8_t proto; enum wh_direction direction; };
struct wh_app_cut { struct wh_app_belonging of; struct wh_prefix by; };
struct wh_app_intel_updated {
	const char *name;
	const struct wh_intel_list *list;           /* NULL where it failed */
	struct wh_error failed;                     /* code 0, or why; what was there of it stays, and the other lists are still read */
	bool held;                                  /* it waits for its confirmation, since it */
	struct wh_app_cut *cuts; size_t n_cuts;     /* would keep out peers that belong, */
	struct wh_prefix *large; size_t n_large;    /* or has large blocks */
};
struct wh_app_intel_update {
	const char *const *names; size_t n_names; /* of whittle.yaml's lists; none: all */
	bool force, dry;
	void (*each)(void *arg, const struct wh_app_intel_updated *u);
	void *arg;
};
int wh_app_intel_update_check(const struct wh_app *a, const struct wh_app_intel_update *ask, struct wh_error *err); /* the words; wh_app_intel_update() asks it */
int wh_app_intel_update(const struct wh_app *a, const struct wh_app_intel_update *ask, struct wh_error *err);
int wh_app_intel_confirm(const struct wh_app *a, const char *name, struct wh_arena *mem, struct wh_intel_list **out, struct wh_error *err);
int wh_app_intel_forget(const struct wh_app *a, const char *name, struct wh_error *err);
struct wh_app_intel { struct wh_intel_list *lists, *held; size_t n, n_held; int64_t now_us; };
int wh_app_intel(const struct wh_app *a, struct wh_arena *mem, struct wh_app_intel *out, struct wh_error *err);
json_t *wh_app_intel_json(const struct wh_app *a, const struct wh_app_intel *x);
json_t *wh_app_intel_holding(const struct wh_app_intel *x, const struct wh_addr *addr); /* [{"list", "entry"}…] that hold the address */
bool wh_app_intel_configured(const struct wh_app *a, const char *name);                 /* whittle.yaml names it */

/* ---- review ---- */
struct wh_app_last_enforced { int64_t time_us, changed_us; bool taken_back; char who[64]; }; /* 0: never. changed_us: of what is saved */
struct wh_app_rules {
	struct wh_estate *estate; /* wh_estate_free() it */
	struct wh_recommendation *recommendation;
	struct wh_app_last_enforced *last;  /* of each of its resources */
	struct wh_kept *kept; size_t n_kept;
	struct wh_error last_unknown, kept_unknown; /* code 0, or why these could not be read */
};
/* The reviewed rules of these resources (none: of all). */
int wh_app_rules_list(const struct wh_app *a, const char *const *names, size_t n, struct wh_arena *mem, struct wh_app_rules *out, struct wh_error *err);
/* *said, in mem: a sentence about what was done. `resource` NULL: any, or all. */
int wh_app_rules_change(const struct wh_app *a, const struct wh_review_change *change, struct wh_arena *mem, const char **said, struct wh_error *err);
int wh_app_rules_undo(const struct wh_app *a, const char *resource, struct wh_arena *mem, const char **said, struct wh_error *err);
int wh_app_rules_reset(const struct wh_app *a, const char *resource, struct wh_arena *mem, const char **said, struct wh_error *err);
struct wh_app_step { int64_t time_us; const char *who, *what, *resource, *rule, *why, *prefixes; }; /* rule, why: NULL for none */
struct wh_app_steps { struct wh_app_step *list; size_t n; };
int wh_app_rules_history(const struct wh_app *a, const char *resource, struct wh_arena *mem, struct wh_app_steps *out, struct wh_error *err);
json_t *wh_app_history_json(const struct wh_app_steps *s);

/* ---- just-in-time access ---- */
enum { WH_APP_JIT_PORTS = 256 };
struct wh_app_ports { struct wh_jit_port *list; size_t n; };
/* Closes the policy's ports of this machine (*out). Refused, unless forced, where it would shut out the person at this terminal. */
int wh_app_jit_on(const struct wh_app *a, int64_t confirm_within_s, bool force, struct wh_arena *mem, struct wh_app_ports *out, struct wh_error *err);
struct wh_app_jit_confirmed {
	struct wh_app_ports closed, open;      /* open: the policy closes these, and their time was up */
	struct wh_error not_compared, unread;  /* code 0, or why the policy, or the kernel's table, could not be read */
};
/* Neither needs the ledger. `done` is called before the journal is written. */
int wh_app_jit_confirm(const struct wh_app *a, struct wh_arena *mem, void (*done)(void *arg, const struct wh_app_jit_confirmed *c), void *arg, struct wh_error *err);
struct wh_app_jit_off { bool was_there; struct wh_app_ports closed; };
int wh_app_jit_off(const struct wh_app *a, struct wh_arena *mem, void (*done)(void *arg, const struct wh_app_jit_off *o), void *arg, struct wh_error *err);
struct wh_app_jit_open {
	const char *resource, *to, *why; /* to: "nft", "nsg", or NULL: this machine's table where the resource is this machine */
	uint8_t proto;
	uint16_t port;
	struct wh_prefix from;
	int64_t length_s;
};
int wh_app_jit_open(const struct wh_app *a, const struct wh_app_jit_open *ask, struct wh_arena *mem, struct wh_jit_grant *out, struct wh_error *err);
int wh_app_jit_close(const struct wh_app *a, const char *id, const char *why, struct wh_error *err);
struct wh_app_jit_list { struct wh_jit_grant *list; size_t n; const char *not_closed; /* a sentence; NULL: all is closed that should be */ };
int wh_app_jit_list(const struct wh_app *a, struct wh_arena *mem, struct wh_app_jit_list *out, struct wh_error *err);
json_t *wh_app_jit_list_json(const struct wh_app_jit_list *x);
const char *wh_app_jit_port_text(uint8_t proto, uint16_t port, char buf[static 24]); /* "22/tcp" */
/* {"events":[{"time", "who", "what", "id", "resource", "port", "from", "until", "why", "nsg", "state"}…]}, oldest first. */
int wh_app_jit_log(const struct wh_app *a, json_t **out, struct wh_error *err);
/* The group as it should be now; *notes (free() it): lines for a person, NULL for none. */
int wh_app_jit_nsg(const struct wh_app *a, const char *name, json_t **out, char **notes, struct wh_error *err);
struct wh_app_jit_group { const struct wh_nsg *nsg; const struct wh_arm_result *result; const char *notes; int rc; const struct wh_error *err; };
struct wh_app_jit_azure {
	const char *nsg;                 /* NULL: all groups that guard a resource with a policy */
	bool until_closed;               /* stay, and end each opening at its time */
	void (*each)(void *arg, const struct wh_app_jit_group *g); /* after each group */
	void *arg;
};
/* *out: {"groups":[…]} of the last round, also after an error at Azure; NULL: it was not asked. *ends_later: an opening needs another call after its time. */
int wh_app_jit_azure(const struct wh_app *a, const struct wh_app_jit_azure *ask, struct wh_arm_options *arm, json_t **out, bool *ends_later, struct wh_error *err);

/* ---- groups at Azure ---- */
struct wh_app_azure {
	const struct wh_azure_group *groups; size_t n;
	bool dry, applied;          /* applied: it was tried, see rc */
	int rc; const struct wh_error *err; /* err NULL where rc is 0 */
	struct wh_arena *mem;
};
struct wh_app_azure_ask {
	struct wh_azure_options options; /* but for who, today and nsg_scope_default; names also as ids or addresses */
	struct wh_arm_options *arm;
	bool dry;
	void (*planned)(void *arg, const struct wh_app_azure *x); /* enforce: before anything is written */
	void (*done)(void *arg, const struct wh_app_azure *x);
	void *arg;
};
int wh_app_azure_enforce(const struct wh_app *a, const struct wh_app_azure_ask *ask, struct wh_error *err);
int wh_app_azure_rollback(const struct wh_app *a, const struct wh_app_azure_ask *ask, struct wh_error *err);
json_t *wh_app_azure_json(const struct wh_app_azure *x);

/* ---- health ---- */
enum wh_app_check_state { WH_APP_CHECK_OK, WH_APP_CHECK_WARN, WH_APP_CHECK_FAIL };
const char *wh_app_check_state_text(enum wh_app_check_state s); /* "ok", "warn", "fail" */
struct wh_app_check { const char *name; enum wh_app_check_state state; char found[640], remedy[256]; };
struct wh_app_doctor {
	struct wh_app_check checks[24]; size_t n;
	enum wh_app_check_state worst;
	struct wh_app_own own; /* which addresses of this machine would be judged */
};
struct wh_app_doctor_ask {
	const char *config_path, *plugin;          /* NULL: the default ones */
	struct wh_error bad_config, no_store;      /* code 0, or why whittle.yaml cannot be read, or the ledger must not be opened */
};
/* Only looks. a->config may be NULL. */
void wh_app_doctor(const struct wh_app *a, const struct wh_app_doctor_ask *ask, struct wh_arena *mem, struct wh_app_doctor *out);
json_t *wh_app_doctor_json(const struct wh_app_doctor *r);

/* Sends flows past the sensor. The ledger is asked where opt->eve is NULL; then the address must be a resource's. */
int wh_app_selftest(const struct wh_app *a, const struct wh_selftest_options *opt, struct wh_selftest *out, struct wh_error *err);
const char *wh_app_selftest_reason(const struct wh_selftest_options *o, const struct wh_selftest *t); /* why it is deaf; NULL: it hears */
json_t *wh_app_selftest_json(const struct wh_selftest_options *o, const struct wh_selftest *t);

struct wh_app_watch {
	const struct wh_watch_config *config;
	const volatile bool *stop;
	void (*ready)(void *arg, size_t peers);
	bool (*again)(void *arg); /* as wh_watch_options.again */
	void (*alert)(void *arg, const struct wh_watch_alert *a);
	void (*tick)(void *arg); /* about once a second; NULL */
	void *arg;
};
int wh_app_watch(const struct wh_app *a, const struct wh_app_watch *ask, struct wh_error *err);
json_t *wh_app_watch_json(const struct wh_watch_alert *a);
