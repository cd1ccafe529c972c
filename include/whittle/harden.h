/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * harden: from edges and the present policy to narrowed rules, with their evidence and their proof.
 */
#pragma once
#include <jansson.h>
#include "whittle/base.h"
#include "whittle/estate.h"
#include "whittle/key.h"
#include "whittle/ledger.h"
#include "whittle/recommendation.h"
#include "whittle/select.h"

/* Settings of this room. */
struct wh_harden_config {
	const char *ports;         /* "all", a list "22,443/tcp", or NULL: rules/ports.yaml */
	const char *rules_dir;     /* where ports.yaml and evidence.yaml are; NULL: see wh_rules_path() */
	int64_t min_days;          /* 0: 30 */
	int64_t max_prefixes;      /* a rule; 0: no budget */
	int64_t max_prefixes_nsg;  /* for a network security group, including its own rules; 0: 4,000, Azure's limit */
	int64_t stable_days;       /* a rule is offered once it was stable for so many days; 0: at once */
	int64_t window_days;       /* older traffic is forgotten; 0: all that the ledger's bitmaps hold, 64 */
	enum wh_directions directions; /* which rules are recommended */
	struct wh_prefix *trusted; size_t n_trusted; /* always kept */
};
extern const struct wh_key wh_harden_keys[];

/* The examined ports: rules/ports.yaml, a list, or all. Opaque; lives in the arena it was made in. */
struct wh_port_list;
/* spec NULL: read `ports_yaml`; "all", with those of `ports_yaml` (may be NULL) examined even without traffic; or
 * "22,443/tcp,53/udp". */
int wh_port_list_load(const char *spec, const char *ports_yaml, struct wh_arena *mem, struct wh_port_list **out,
                      struct wh_error *err);
bool wh_port_list_has(const struct wh_port_list *l, uint8_t proto, uint16_t port);
/* Whether wh_recommend() examined a port for `r`. */
struct wh_recommendation;
bool wh_looked_at(const struct wh_recommendation *r, enum wh_direction d, uint8_t proto, uint16_t port);

struct wh_harden_options {
	const struct wh_port_list *ports;
	const struct wh_port_list *ports_outbound; /* NULL: every port that the resource's own traffic reached */
	enum wh_directions directions;
	const char *evidence_yaml;         /* path of the weights */
	const struct wh_prefix *trusted; size_t n_trusted;
	const struct wh_prefix *hostile; size_t n_hostile;   /* sorted, merged threat intelligence */
	const int64_t *lost_hours; size_t n_lost_hours;      /* hours in which sources lost messages: wh_lost_hours() */
	unsigned min_days;                 /* 30: between first and last day seen of the resource */
	unsigned max_prefixes;             /* a rule; 0: no budget */
	unsigned max_prefixes_nsg;         /* an NSG; 0: 4,000 */
	unsigned max_lines;                /* all rules of a resource; 0: no budget */
	double permissiveness;             /* 0: the default objective; else multiplies the cost of unseen addresses by 1/x */
	int32_t today;                     /* day number of the end of the window; 0: the ledger's last day */
	unsigned window_days;              /* rolling window; 0: 30 … 64 all that the bitmap holds */
	unsigned threads;                  /* 0: one; at most 64. The result does not depend on the number */
	unsigned holdout_days;             /* expected breakage is the loss since then of a rule that is so many days old; 0: 7 */
	bool no_holdout;                   /* skip it */
	unsigned stable_days;              /* a rule is offered once it was stable for so many days; 0: at once */
	/* Of resources; 0 done while the whole ledger is read. Called from any thread, but from one at a time. */
	int (*progress)(void *arg, size_t done, size_t total);
	void *progress_arg;
};

/* The options from whittle.yaml, the files of rules/ and the ledger's threat lists; `ports` (NULL: whittle.yaml's) as in
 * wh_port_list_load(). Everything lives in `mem` or belongs to `c`. */
int wh_harden_options_load(const struct wh_harden_config *c, struct wh_state *s, const char *ports, struct wh_arena *mem,
                           struct wh_harden_options *out, struct wh_error *err);

/* Why a peer is in or out; the sum of weighted features in log-odds. */
enum wh_verdict { WH_PEER_IN, WH_PEER_OUT, WH_PEER_TRUSTED, WH_PEER_HOSTILE_INTEL, WH_PEER_HOSTILE_ALERT, WH_PEER_OUTSIDE_POLICY,
                  WH_PEER_HELD /* allowed, but raised an alert: stays allowed until a person decides */ };
/* Whether a peer of this verdict stays allowed. */
static inline bool wh_stays(enum wh_verdict v)
{
	return v == WH_PEER_IN || v == WH_PEER_TRUSTED || v == WH_PEER_HELD;
}
struct wh_feature { const char *name; double value, weight; };
struct wh_peer {
	struct wh_addr addr;
	struct wh_edge edge;
	enum wh_verdict verdict;
	double score;
};

/* The input of an analysis: the traffic in a store, compared with the rules of an estate, for the named resources (n_names 0:
 * all). */
struct wh_harden_ask {
	struct wh_store *store;
	const struct wh_estate *estate;
	const char *const *names;
	size_t n_names;
	const struct wh_harden_options *opt;
};

/* Derives rules. Proves proposed ⊆ present before it returns: a failure is an error. */
int wh_recommend(const struct wh_harden_ask *ask, struct wh_arena *mem, struct wh_recommendation **out, struct wh_error *err);
/* The same from the recommendation that was saved last, without reading traffic: for a caller who knows that the ledger, the
 * estate, the options and the program are those that it was derived with. Its rules are proved again. *out shares its rules.
 * Returns 1, with *out NULL, where it must be derived after all: the window is another by now, a rule can't have been derived,
 * or resources are named. */
int wh_recommend_again(const struct wh_harden_ask *ask, const struct wh_recommendation *saved, struct wh_arena *mem,
                       struct wh_recommendation **out, struct wh_error *err);
/* A peer of one port of a resource, in the whole ledger's present state. */
struct wh_judged_peer {
	const struct wh_resource *resource;
	enum wh_direction direction;
	uint8_t proto;
	uint16_t port;
	struct wh_addr addr;
	enum wh_verdict verdict;
	/* log-odds of its evidence: 0 without evidence, below 0 if more is against it */
	double evidence;
};
/* Peers of one resource come one after another. A negative return of the callback ends it with that code. */
typedef int (*wh_judged_cb)(void *arg, const struct wh_judged_peer *p);
int wh_judge_peers(const struct wh_harden_ask *ask, wh_judged_cb each, void *arg, struct wh_error *err);
/* The allowed peers (let in or trusted by recommend's own judgment) of the resources with any of these addresses (locals NULL: of
 * all). A negative return of the callback ends it with that code. */
typedef int (*wh_belonging_cb)(void *arg, enum wh_direction d, uint8_t proto, uint16_t port, const struct wh_addr *peer);
int wh_belonging(struct wh_store *s, const struct wh_estate *e, const struct wh_addr *locals, size_t n_locals,
                 const struct wh_harden_options *opt, wh_belonging_cb each, void *arg, struct wh_error *err);

/* Explains one rule of one resource, in words (text) or as JSON; free() it. rule is a rule's name, or "22", "22/tcp", "443/tcp
 * out". Uses the options of the last recommendation, and explains its rule if that was limited to fewer lines. */
int wh_explain(const struct wh_ledger *l, const struct wh_estate *estate, const char *resource, const char *rule,
               const struct wh_harden_options *opt, bool json, char **out, struct wh_error *err);

/* ---- replay ---- */

/* Flows of answered peers on the ports that have rules. Flows of allowed peers are kept or lost, others stopped or admitted (as
 * they are today); unanswered flows reached no service and are not counted. */
struct wh_replay_counts { uint64_t kept, lost, stopped, admitted; };
struct wh_replay_peer { struct wh_addr addr; uint64_t flows; int64_t last_us; };
#define WH_REPLAY_WORST 5
struct wh_replay_rule { /* all rules of one port and protocol of a resource together */
	const struct wh_resource *resource;
	const struct wh_recommended_rule *rule;        /* the first of them */
	struct wh_replay_counts flows, peers;
	struct wh_replay_peer worst[WH_REPLAY_WORST]; unsigned n_worst; /* lost ones, most flows first */
};
struct wh_replay {
	int32_t first_day; unsigned n_days;
	struct wh_replay_counts *days;                 /* flows, [n_days] from first_day on */
	struct wh_replay_rule *rules; size_t n_rules;
	struct wh_replay_counts flows, peers;          /* a peer counts once a port */
	double upper;                                  /* of lost / (kept + lost) flows: 95 % upper bound, 0–1 */
	bool is_log;                                   /* the flows are not the ledger's */
	/* > 0: the rules were derived without these last days, and only those days are replayed */
	unsigned holdout_days;
};
/* The effect that `rec` would have had on the last `last_days` days of the window (0: all). For a rule derived from the same days
 * this says little about the days to come: see wh_replay_holdout(). See replay.c for its approximations. Lives in `mem`. */
int wh_replay(const struct wh_harden_ask *ask, const struct wh_recommendation *rec, unsigned last_days, struct wh_arena *mem,
              struct wh_replay **out, struct wh_error *err);
/* The same on all days of `log`, a ledger of other flows (read from a log file): ask->store decides whether a peer is allowed, if
 * it knows the peer. */
int wh_replay_log(const struct wh_harden_ask *ask, struct wh_store *log, const struct wh_recommendation *rec,
                  struct wh_arena *mem, struct wh_replay **out, struct wh_error *err);
/* Derives rules as of `days` days before the ledger's last (with as many fewer required), and replays those
 * days. */
int wh_replay_holdout(const struct wh_harden_ask *ask, unsigned days, struct wh_arena *mem, struct wh_replay **out,
                      struct wh_error *err);
char *wh_replay_json(const struct wh_replay *r); /* free() it */
/* The exact (Clopper–Pearson) one-sided 95 % upper bound of a share of which `k` of `n` were observed; 1 if n is 0. */
double wh_upper_bound(uint64_t k, uint64_t n);
/* A share from 0 to 1 in percent, with two digits, never in powers of ten: "8.2", "100", "0.0073". */
#define WH_PERCENT_STRLEN 32
const char *wh_percent(double share, char buf[static WH_PERCENT_STRLEN]);

/* ---- the curve of lines against address space ---- */
struct wh_curve_point {
	double permissiveness;         /* recommend --permissiveness gives these rules */
	bool is_default;
	uint64_t lines;                /* prefixes and carve-outs of all rules */
	double addresses, nets6;       /* allowed: IPv4 addresses, IPv6 /64s */
	double unseen;                 /* of those, units that no peer was seen from */
	struct wh_breakage expected;
};
struct wh_curve {
	struct wh_curve_point *points; size_t n;      /* by permissiveness, narrowest first */
	double today_addresses, today_nets6;          /* allowed by the present rules on the same ports */
	size_t n_rules, n_resources;                  /* the curve's scope */
};
int wh_curve(const struct wh_harden_ask *ask, struct wh_arena *mem, struct wh_curve **out, struct wh_error *err);
char *wh_curve_json(const struct wh_curve *c); /* free() it */
char *wh_curve_svg(const struct wh_curve *c);  /* a self-contained drawing; free() it */

/* ---- does the sensor see this machine's traffic? ---- */
#define WH_SELFTEST_FLOWS 3
struct wh_selftest {
	struct wh_addr from;                  /* this machine's end */
	uint16_t port, ports[WH_SELFTEST_FLOWS]; /* sent to, and from */
	unsigned sent, arrived;
	bool answered;                        /* something listened on the port */
	uint64_t others;                      /* other records that came meanwhile */
	double seconds;                       /* until all had arrived, or the time-out */
};
struct wh_selftest_options {
	struct wh_addr to, from; bool has_from;
	uint16_t port;                        /* 0: one on which hardly anything listens */
	bool udp;
	const char *eve;                      /* the log to follow; NULL: the ledger */
	unsigned timeout_s;
	int (*progress)(void *arg, const struct wh_selftest *now);
	void *progress_arg;
};
/* Sends flows to an address whose traffic passes the sensor, and waits until they are recorded. Returns 0 also if they were not:
 * see arrived. */
int wh_selftest(struct wh_store *s, const struct wh_selftest_options *o, struct wh_selftest *t, struct wh_error *err);

/* ---- the changes since the last calculation ---- */
struct wh_change {
	const struct wh_resource *resource;
	const struct wh_recommended_rule *rule; /* the new one, or the old one if it is gone */
	bool is_new, is_gone;
	bool is_kept;                           /* this run did not examine the port: the saved rule stays */
	struct wh_prefix *gained; size_t n_gained;
	struct wh_prefix *lost; size_t n_lost;
	/* unanswered attempts from `gained`: of peers that a rule in force may be blocking */
	uint64_t refused;
	const char *why;
};
struct wh_changes { struct wh_change *list; size_t n; int64_t since_us; };
/* The resources of `now` only. Lives in `mem`, and refers to both recommendations. */
int wh_changes(const struct wh_ledger *l, const struct wh_recommendation *before, const struct wh_recommendation *now,
               struct wh_arena *mem, struct wh_changes *out, struct wh_error *err);
json_t *wh_changes_json(const struct wh_changes *c);
