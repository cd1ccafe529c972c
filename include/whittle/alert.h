/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alert: findings in the ledger that a person should look at, as incidents with a state.
 *
 *   ledger, recommendation, lists ── detections ──→ findings ── merged by correlation key ──→ alerts (documents of the state)
 *
 * A finding is a result of one look at the ledger. A finding about the same thing as a kept alert (type, resource, port and, if
 * the type says so, peer) updates that alert's end, sources and counts, and creates no second one. An alert in progress stays
 * so; a resolved one becomes active again if something new came since; a dismissed one stays dismissed. Types, titles,
 * severities, tactics and texts are data: rules/alerts.yaml. An alert's document has the fields of Microsoft.Security/alerts
 * 2022-01-01.
 *
 * Alerts have the ledger's limits: it holds edges, not single connections, so rates are per day, and unanswered connections are
 * counted by port with only their heaviest sources.
 */
#pragma once
#include <jansson.h>
#include "whittle/base.h"
#include "whittle/estate.h"
#include "whittle/intel.h"
#include "whittle/key.h"
#include "whittle/ledger.h"
#include "whittle/recommendation.h"

enum wh_severity { WH_INFORMATIONAL, WH_LOW, WH_MEDIUM, WH_HIGH };
extern const char *const wh_severity_words[]; /* "Informational" … "High", by their values; NULL at the end */
enum wh_alert_status { WH_ALERT_ACTIVE, WH_ALERT_IN_PROGRESS, WH_ALERT_RESOLVED, WH_ALERT_DISMISSED };
extern const char *const wh_alert_status_words[]; /* "Active", "InProgress", "Resolved", "Dismissed"; NULL at the end */

/* Settings of this room. 0: the default in the table of keys. */
struct wh_alert_config {
	int64_t window;          /* seconds before the ledger's last flow that a look covers */
	int64_t sessions_a_day;  /* short sessions of one peer a day that count as guessing */
	int64_t sources_a_day;   /* peers that guess at one port a day */
	int64_t targets_a_day;   /* new targets of one of our resources on one port a day */
	int64_t silence;         /* seconds without any flow after which the sensor counts as blind */
	uint64_t tunnel_bytes;   /* a day, in names below one domain, or in its answers */
	int64_t failed_domains;  /* non-existing ones that a resource looks up on one day */
	int64_t loss;            /* per mille of a day's packets that the sensor's capture lost */
	int64_t scanned_ports;   /* of one resource that one source tries without success */
	int64_t ports_a_day;     /* TCP ports that one of our resources tries in vain */
	int64_t flood;           /* connections a day to one target that bring hardly anything back */
	uint64_t upload;         /* bytes a day to a new peer that raise an alert */
	int64_t beacons;         /* connections a day to one new peer at regular times */
	int64_t dormant;         /* seconds of silence after which a returning peer is reported */
	int least;               /* severity + 1 that starts a response; 0: Medium */
	const char **command; size_t n_command; /* the response: a program's path and its arguments; none */
	const char *webhook, *secret_file, *ca_file; /* the response: a URL, its signing key, its CA file; NULL: none */
};
extern const struct wh_key wh_alert_keys[];

/* One type of alert: a row of rules/alerts.yaml. */
struct wh_alert_type {
	const char *id, *title, *intent, *description; /* intent: the tactic, by its name in Microsoft.Security */
	const char **steps; size_t n_steps;            /* what to do, in order */
	enum wh_severity severity;
	const char **techniques; size_t n_techniques;  /* of MITRE ATT&CK, "T1110" */
};
struct wh_alert_types { struct wh_alert_type *types; size_t n; }; /* by id */
/* path: the file. Errors name file and line. */
int wh_alert_types_load(const char *path, struct wh_arena *mem, struct wh_alert_types *out, struct wh_error *err);
const struct wh_alert_type *wh_alert_type_of(const struct wh_alert_types *t, const char *id); /* NULL when there is none */

/* ---- watched domains: rules/domains.yaml ---- */
enum wh_domain_category {
	WH_DOMAIN_LISTED,
	WH_DOMAIN_SINKHOLE,
	WH_DOMAIN_PHISHING,
	WH_DOMAIN_DARKWEB,
	WH_DOMAIN_DARKWEB_PROXY,
	WH_DOMAIN_MINING,
	WH_DOMAIN_CLOUD
};
struct wh_alert_domain { const char *name; enum wh_domain_category category; };
struct wh_alert_domains { struct wh_alert_domain *at; size_t n; }; /* by name */
int wh_alert_domains_load(const char *path, struct wh_arena *mem, struct wh_alert_domains *out, struct wh_error *err);
/* The nearest domain that equals or contains a name; NULL. d NULL: there are none. */
const struct wh_alert_domain *wh_alert_domain_of(const struct wh_alert_domains *d, const char *name);

/* ---- detections ---- */
struct wh_finding_source {
	struct wh_addr addr;
	uint64_t answered;          /* answered connections, of all looks together */
	uint64_t unanswered;        /* unanswered ones, since the last look */
	bool so_far;                /* here the count of all looks together */
	bool at_least;              /* the number of new ones is not known: one is counted for each day on which it came */
	int64_t first_us, last_us;
	const char *list;           /* the threat list that holds it; NULL */
};
struct wh_finding {
	const char *type;
	const struct wh_resource *resource;   /* NULL: of the sensor */
	enum wh_direction direction; uint8_t proto; uint16_t port; /* port 0: of the resource as a whole */
	bool of_peer;                         /* one alert for each source: there is exactly one */
	const char *subject;                  /* what else an alert is about, such as a domain: one alert for each; NULL */
	enum wh_severity severity;
	int64_t first_us, last_us;
	const char *rule;                     /* the recommended rule that it is about; NULL */
	const char *stopped;                  /* whether that rule would have stopped it, a sentence; NULL */
	const char *note;                     /* further information, a sentence; NULL */
	struct wh_finding_source *sources; size_t n_sources, room;
	uint64_t more_sources;                /* sources beyond those */
};
/* Today's judgement of a peer on a port that has a recommended rule. */
struct wh_alert_judged {
	const struct wh_resource *resource;
	enum wh_direction direction;
	uint8_t proto;
	uint16_t port;
	struct wh_addr peer;
	bool stays;   /* the rules would allow it, if they were calculated now */
	bool suspect; /* its behaviour, a list or an alert speaks against it */
};
struct wh_alert_judgement { struct wh_alert_judged *at; size_t n, room; };
/* Keeps what a look needs: peers outside the rule's ranges, and those inside that would not stay. */
void wh_alert_judge(struct wh_alert_judgement *j, const struct wh_recommendation *rec, const struct wh_alert_judged *p,
                    struct wh_arena *mem);
void wh_alert_judgement_end(struct wh_alert_judgement *j); /* call it after the last one: sorts them */
/* The input of a look. Everything is borrowed. */
struct wh_alert_look {
	const struct wh_ledger *ledger;
	const struct wh_estate *estate;
	const struct wh_recommendation *rec;                 /* the rules as saved last; NULL: none */
	const struct wh_alert_judgement *judgement;          /* NULL: not known; then every peer outside its rule is suspect */
	const struct wh_intel_list *lists; size_t n_lists;
	const struct wh_prefix *trusted; size_t n_trusted;   /* sorted, merged */
	const struct wh_alert_config *config;
	const struct wh_alert_types *types;
	const struct wh_alert_domains *domains;              /* NULL: none */
	/* the wall clock: for the sensor's silence, and when an alert was made */
	int64_t now_us;
};
struct wh_alert_found {
	struct wh_finding *findings; size_t n; /* by type, resource, direction, protocol, port and source */
	uint64_t beyond;                       /* findings without room */
	json_t *seen;                          /* the counts of unanswered connections, for the next look: a new reference */
};
/* All findings. In `mem`. Changes nothing. */
int wh_alert_detect(const struct wh_alert_look *look, struct wh_arena *mem, struct wh_alert_found *out, struct wh_error *err);

/* Events of the firewall that `whittle watch` noticed (watch.h's kinds), for the next look. One document for each kind, peer and
 * port, a thousand at most. */
struct wh_alert_noticed {
	const char *kind, *text;
	int64_t time_us;
	const struct wh_addr *peer, *local; /* NULL: none */
	enum wh_direction direction; uint8_t proto; uint16_t port;
	uint64_t drops;
};
int wh_alert_noticed(struct wh_state *s, const struct wh_alert_noticed *n, struct wh_error *err);

/* ---- alerts ---- */
struct wh_alert_counts { size_t made, followed, reopened, suppressed; uint64_t beyond; /* without room */ };
/* Detects, and merges the findings into the kept alerts, in one transaction. */
int wh_alerts_update(const struct wh_alert_look *look, struct wh_alert_counts *out, struct wh_error *err);
/* Kept alerts, the newest start first: an array of documents {"id", "name", "type", "properties"}; a new reference. */
/* The insecure part of a fact; NULL: none. */
const char *wh_alert_insecure(const struct wh_fact_key *k);
int wh_alerts_list(struct wh_state *s, json_t **out, struct wh_error *err);
/* A text of its "properties"; "" where there is none. */
const char *wh_alert_property(const json_t *alert, const char *key);
enum wh_severity wh_alert_severity(const json_t *alert);
/* The alert of that name, or the only one whose name begins or ends with it. -ENOENT, -EEXIST (several). A new reference. */
int wh_alert_find(struct wh_state *s, const char *name, json_t **out, struct wh_error *err);
/* Changes an alert's status, and records it in the journal. -EINVAL: Resolved and Dismissed can only become
 * Active. */
int wh_alert_set(struct wh_state *s, const char *name, enum wh_alert_status status, const char *who, const char *reason,
                 struct wh_error *err);

/* One alert as one line for another program, without its end; free() it, NULL when out of memory. `format`: index into
 * wh_alert_line_formats. */
extern const char *const wh_alert_line_formats[]; /* "eve", "syslog"; NULL at the end */
char *wh_alert_line(const json_t *alert, int format);

/* ---- suppression: rules that dismiss new alerts ---- */
struct wh_alert_rule {
	const char *name;        /* 2–50 of A–Z a–z 0–9 - _, the first a letter or digit */
	const char *type;        /* of alert, or "*" */
	const char *reason;      /* why; never empty */
	const char *resource;    /* NULL: any */
	const struct wh_prefix *sources; /* all sources must be in it; NULL: any */
	uint16_t port;           /* 0: any */
	int64_t expires_us;      /* 0: never */
};
int wh_alert_rule_put(struct wh_state *s, const struct wh_alert_rule *r, const struct wh_alert_types *types, const char *who,
                      struct wh_error *err);
/* -ENOENT; alerts that it dismissed stay dismissed */
int wh_alert_rule_delete(struct wh_state *s, const char *name, const char *who, struct wh_error *err);
/* The kept rules by name, as documents {"name", "alertType", "reason", "state": "Enabled"|"Expired", …}; a new reference. */
int wh_alert_rules_list(struct wh_state *s, int64_t now_us, json_t **out, struct wh_error *err);
/* How many of the kept alerts it would have dismissed. Refuses the same rules as wh_alert_rule_put(). */
int wh_alert_rule_simulate(struct wh_state *s, const struct wh_alert_rule *r, const struct wh_alert_types *types, size_t *would,
                           size_t *of, struct wh_error *err);
