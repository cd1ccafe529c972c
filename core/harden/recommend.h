/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recommend: the inside of it. candidates.c finds the ports to look at, resource.c derives the rules of one resource, allotment.c
 * divides a small budget among ports, budget.c makes rules fit into the group that several resources share, recommend.c does it
 * for all, on several threads. again.c takes a saved recommendation in the place of the same derivation.
 */
#pragma once
#include <pthread.h>
#include "harden/advice.h"

#define WH_DEAREST 0x1p60    /* price of a line, at which every port has the fewest that it can have */
#define WH_NSG_PREFIXES 4000 /* that Azure takes in one group */

/* A thread's working memory. Peers by the million do not outlive their resource, nor tries, which may be a hundred times their
 * rule. */
struct wh_scratch {
	struct wh_arena *results;  /* its resources' results */
	struct wh_arena *resource; /* emptied before each resource */
	struct wh_arena *port;     /* emptied before each port */
};

struct wh_candidate { enum wh_direction direction; uint8_t proto; uint16_t port; };
/* A range of ports that are drawn anew, for each connection or when a server starts: left alone as a whole. */
struct wh_drawn {
	enum wh_direction direction;
	uint8_t proto;
	uint16_t from, to;
	size_t n_ports, n_peers; /* that were used, and the number of their peers */
	double rate;             /* flows of one port in the window */
};
struct wh_candidates {
	struct wh_candidate *p; /* by direction, port, proto */
	size_t n, cap;
	const struct wh_drawn *drawn; size_t n_drawn;
};
/* drawn.c: finds such ranges in the traffic to the ports of one direction and protocol; open: opened by the rules in force. */
void wh_drawn_ports(const struct wh_analysis *a, const struct wh_resource_traffic *t, enum wh_direction d, uint8_t proto,
                    const struct wh_port_range *open, size_t n_open, struct wh_arena *mem, struct wh_candidates *out);
/* The range in which the port is left alone, or NULL: a service in the midst of one, and a port that will hardly be drawn, are
 * judged as ever. */
const struct wh_drawn *wh_drawn_has(const struct wh_candidates *c, const struct wh_resource_traffic *t, enum wh_direction d,
                                    uint8_t proto, uint16_t port);
/* candidates.c: the ports of a resource to examine, in the requested directions. */
void wh_candidate_ports(const struct wh_analysis *a, const struct wh_resource *r, const struct wh_resource_traffic *t,
                        struct wh_arena *mem, struct wh_candidates *out);

/* A port, and the lines that it gets of a budget. */
#define WH_ALLOTMENT_MOST 64 /* lines of a rule: larger budgets are met by a price, where one does */
struct wh_allotment {
	struct wh_candidate port;
	size_t resource;                   /* its place in the recommendation; the ports of one are next to each other */
	size_t names;                      /* addresses that each of its rules names, where these weigh; 0: they do not */
	size_t probes;                     /* prefixes of the allow for the load balancer's probes */
	/* [carved out of][k]: the best rule of just k lines; INFINITY: there is none, or it is not offered */
	double cost[2][WH_ALLOTMENT_MOST + 1];
	double left_open;                  /* addresses and /64s that the rules in force allow: the cost of leaving it alone */
	/* this port's deny of all is one rule with that one's, and gets what that gets; NULL */
	struct wh_allotment *with;
	bool in, carved;                   /* the allotment; not in: left alone */
	unsigned lines;
};
struct wh_room { size_t lines, weight; }; /* lines of each resource, prefixes of all; SIZE_MAX: no limit */
/* Sets the allotments: the cheapest that there is room for. -E2BIG: the table would be too large. */
int wh_allot(struct wh_allotment *s, size_t n, struct wh_room room, struct wh_arena *mem);
/* Fills cost, up to `most` lines, and left_open. */
int wh_allotment_price(const struct wh_analysis *a, const struct wh_judged_port *port, struct wh_limits limits, size_t most,
                       struct wh_arena *mem, struct wh_allotment *out, struct wh_error *err);
/* Whether ports are closed by one rule of a group, not by two; and makes it so. */
bool wh_one_deny(const struct wh_recommended_rule *a, const struct wh_recommended_rule *b);
void wh_allot_with(struct wh_allotment *s, struct wh_allotment *first);
/* The prefixes that such a rule adds to a group: its own, the resource's addresses in an allow, a deny and a deny of carve-outs,
 * and the allow for probes. */
size_t wh_allotment_weight(const struct wh_allotment *s, unsigned lines, bool carved);

/* resource.c: fills *res, whose resource is set. `price` is the minimum cost of a line: more than 1 if its group has no
 * room. */
int wh_recommend_resource(struct wh_analysis *a, struct wh_resource_result *res, double price, struct wh_scratch *scratch,
                          struct wh_error *err);
/* An allotment for each of res->rules, priced; out has room for them. Their names are set, and kept. */
int wh_price_rules(struct wh_analysis *a, struct wh_resource_result *res, double price, size_t most, struct wh_scratch *scratch,
                   struct wh_allotment *out, struct wh_error *err);
/* Derives the rules again, each within its allotment. Those that cannot be offered like that lose that choice and are counted:
 * allot again. */
int wh_derive_allotted(struct wh_analysis *a, struct wh_resource_result *res, struct wh_allotment *s, size_t n, double price,
                       struct wh_scratch *scratch, size_t *refused, struct wh_error *err);

/* What is about no resource, where the window is known. */
void wh_recommendation_head(const struct wh_analysis *a, struct wh_arena *mem, struct wh_recommendation *rec);

struct wh_recommending {
	const struct wh_analysis *a;
	struct wh_recommendation *rec;
	struct wh_scratch scratch[WH_MOST_THREADS];  /* of each thread */
	pthread_mutex_t lock;                  /* of `done` and of the caller's progress */
	size_t done;
	double *price;                         /* of a line, for each resource */
	const size_t *which;                   /* the resources to derive */
	bool again;                            /* within another budget: the caller already has the reports */
	bool *fitted;                          /* each resource: into a group before */
};
int wh_recommend_job(void *arg, struct wh_store *s, unsigned thread, size_t i, struct wh_error *err); /* of a wh_recommending */
struct wh_scratch *wh_scratch_of(struct wh_recommending *r, unsigned thread);
/* Makes the rules of a group's resources fit into it together, where it has room for few (small), or for many. The many come
 * first: a resource that is fitted into a small group afterwards takes no more of another than it had. */
int wh_fit_group(struct wh_recommending *r, const struct wh_nsg *nsg, bool small, struct wh_arena *mem, struct wh_error *err);
