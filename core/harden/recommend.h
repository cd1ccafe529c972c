/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recommend: the inside of it. candidates.c finds the ports to look at, resource.c derives the rules of one resource, budget.c makes them fit into the group that several
 * resources share, recommend.c does it for all, on several threads.
 */
#pragma once
#include <pthread.h>
#include "harden/advice.h"

#define WH_NSG_PREFIXES 4000 /* that Azure takes in one group */

/* What a thread works in. Peers by the million do not outlive their resource, nor tries, which may be a hundred times their rule. */
struct wh_desk {
	struct wh_arena *kept;     /* what its resources leave behind */
	struct wh_arena *resource; /* emptied before each resource */
	struct wh_arena *port;     /* emptied before each port */
};

struct wh_candidate { enum wh_direction direction; uint8_t proto; uint16_t port; };
struct wh_candidates {
	struct wh_candidate *p; /* by direction, port, proto */
	size_t n, cap;
};
/* candidates.c: which ports of a resource are looked at, in the directions that were asked for. */
int wh_candidate_ports(const struct wh_analysis *a, const struct wh_resource *r, const struct wh_resource_traffic *t, struct wh_arena *mem,
                       struct wh_candidates *out, struct wh_error *err);

/* Fills *res, whose resource is set. `price` is what a line costs at the least: more than 1 where its group has no room. */
int wh_recommend_resource(struct wh_analysis *a, struct wh_resource_result *res, double price, struct wh_desk *desk, struct wh_error *err);
void wh_join_reason(struct wh_resource_result *res, struct wh_arena *mem, const char *text);

struct wh_recommending {
	const struct wh_analysis *a;
	struct wh_recommendation *rec;
	struct wh_desk desk[WH_MOST_THREADS];  /* of each thread */
	pthread_mutex_t lock;                  /* of `done` and of the caller's progress */
	size_t done;
	double *price;                         /* of a line, for each resource */
	const size_t *which;                   /* the resources to derive */
	bool again;                            /* at another price: the caller has been told of them */
};
int wh_recommend_job(void *arg, struct wh_store *s, unsigned thread, size_t i, struct wh_error *err); /* of a wh_recommending */
/* All resources of the group have rules; makes them fit into it together. */
int wh_fit_group(struct wh_recommending *r, const struct wh_nsg *nsg, struct wh_arena *mem, struct wh_error *err);
