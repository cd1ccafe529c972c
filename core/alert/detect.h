/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk over edges: detect.c drives it, detect_rule.c compares edges with the recommended rules, detect_peer.c detects single
 * peers and a resource's outbound traffic. */
#pragma once
#include "alert/finding.h"

enum { LEARNING_DAYS = 7, MAX_DAYS = 64, UNUSUAL = 5 /* times the most of the days before */ };

/* The edges of one local address, direction, protocol and port, which come one after another. */
struct group {
	struct wh_edge_key key; /* without the peer */
	const struct wh_resource *resource;
	const struct wh_recommended_rule *rule;
	int service; /* place in services[]; -1 */
	/* inbound those outside the ranges on each day, outbound those first seen on it; 0 is the ledger's last day */
	uint32_t peers[MAX_DAYS];
	int64_t first_us;         /* of any of them; 0: none yet */
	struct wh_finding_source outside[4]; unsigned n_outside; /* inbound: peers of public addresses */
	struct wh_findings strangers, first_alerts; /* from detect_rule.c, until the group's end: 0 or 1 finding; one per peer */
	bool suspect;             /* a peer outside the ranges is */
	bool alerted_before;      /* an allowed peer had a grave alert when the rule was calculated */
	uint64_t tried;           /* targets that did not answer, besides those held */
};
/* What one address of ours tried in vain on one day, on one port, or on all: detect_attempts.c. */
struct attempts {
	struct wh_addr local, target; /* one of the targets, drawn evenly from all attempts */
	uint64_t count;
	uint32_t distinct;            /* targets, or ports */
	int32_t back;                 /* days before the ledger's last one */
	uint16_t port;
	uint8_t proto;
	bool of_ports, has_target;
	bool counted;                 /* its port was a group */
	int64_t first_us, last_us;
};
struct attempts_list {
	struct attempts *at; size_t n, room; /* by address, protocol and port, the newest first */
	uint64_t days;                       /* on which attempts were counted; bit 0 is the ledger's last day */
};
/* Strangers are compared with others of their class: on login ports, on other ports, and our own targets. */
enum { STRANGER_LOGIN, STRANGER_SERVICE, STRANGER_TARGET, STRANGER_CLASSES };
struct strangers {
	struct wh_findings held[STRANGER_CLASSES];
	uint32_t seen[STRANGER_CLASSES][MAX_DAYS]; /* by windows, counted back from the ledger's last day */
};
/* A peer to which one resource sent much. */
struct upload { struct wh_edge_key key; struct wh_finding_source source; uint64_t a_day; };
struct walk {
	const struct wh_alert_look *l;
	struct wh_findings *all;
	int64_t from_us; /* of the window */
	int32_t first_day, last_day;
	struct group g;
	struct wh_finding_source *held; size_t n_held, room_held; /* of the group: peers that count for many sources or targets */
	bool any;
	struct upload uploads[8]; unsigned n_uploads; /* of the local address: new in the window */
	uint64_t most_before;                         /* the most bytes a day that any earlier peer received */
	struct strangers strangers;
	struct attempts_list attempts;
};
struct wh_finding wh_finding_like(const struct walk *w, const char *type);
struct wh_finding_source wh_finding_source_of(const struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e,
                                              int64_t since_us);

/* each edge of a group, its end, and the end of all */
void wh_alert_see_rule(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e);
void wh_alert_end_rule(struct walk *w);
void wh_alert_end_rules(struct walk *w);
/* edges within the window */
void wh_alert_see_peer(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e);
void wh_alert_see_service(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e);  /* each edge of a group */
void wh_alert_end_service(struct walk *w);
/* each edge of a local address */
void wh_alert_see_outbound(struct walk *w, const struct wh_edge_key *k, const struct wh_edge *e);
void wh_alert_end_outbound(struct walk *w);
/* A peer that counts for many sources or targets of the group. */
void wh_alert_hold(struct walk *w, const struct wh_finding_source *s);
/* A group without edges. */
void wh_alert_see_group(struct walk *w, const struct wh_edge_key *k);
/* Attempts: before the first group; before the end of a group, whose numbers of peers grow; and after the last group. */
int wh_alert_load_attempts(struct walk *w, struct wh_error *err);
void wh_alert_add_attempts(struct walk *w);
void wh_alert_end_attempts(struct walk *w);
