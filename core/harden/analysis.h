/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * analysis: the shared input of recommend and explain. First the whole ledger is read once for facts about the whole
 * (on how many resources a peer is answered, usual session shapes, days with a working sensor); then one resource at a
 * time.
 */
#pragma once
#include "harden/evidence.h"
#include "harden/fan_out.h"
#include "harden/ports.h"

struct wh_refused { /* a sketch, as far as it matters here */
	struct wh_addr local;
	uint16_t port;
	uint8_t proto;
	int32_t first_day, last_day;
	uint64_t days; /* in the window */
	uint64_t flows;
	size_t attempt0, n_attempts; /* of the analysis' attempts */
	uint64_t unproven;       /* answered flows of sources that have no edge */
	uint64_t one_sided;      /* flows of which one side alone was seen */
	uint64_t one_sided_days, heard; /* days in the window of these, and of packets in both directions */
};
enum { WH_REFUSED_ATTEMPTS = 3 };
/* that a sketch remembers, with about how many flows that were not answered */
struct wh_refused_attempt { struct wh_addr from; uint64_t count; };

struct wh_analysis {
	struct wh_store *store;
	const struct wh_estate *estate;
	const struct wh_harden_options *opt;
	struct wh_weights weights;
	struct wh_window window;
	struct wh_shapes shapes, datagrams; /* of TCP, and of all else: no login takes only a datagram or two */
	struct wh_thread_pool *pool;
	struct wh_fan_out *fan_out;
	struct wh_refused *refused; size_t n_refused, room_refused; /* by local, proto, port */
	struct wh_refused_attempt *attempts; size_t n_attempts, room_attempts;
	struct wh_addr *estate_addrs; size_t n_estate_addrs; /* sorted */
	/* addresses that lost edges because the ledger was full, sorted */
	struct wh_full { struct wh_addr local; int32_t day; } *full; size_t n_full, room_full;
	bool all_full; int32_t all_full_day; /* any address may have */
	size_t *n_edges; /* of each of these addresses */
};
int wh_analysis_open(struct wh_analysis *a, struct wh_store *s, const struct wh_estate *e, const struct wh_harden_options *opt,
                     struct wh_error *err);
void wh_analysis_close(struct wh_analysis *a);
/* how many the resource had when the whole was read */
size_t wh_analysis_edges(const struct wh_analysis *a, const struct wh_resource *r);

/* The newest day of the ledger's data, without stray ones of a clock that ran ahead; INT32_MIN where there is none. */
int wh_last_day(struct wh_store *s, int32_t *last, struct wh_error *err);

/* The traffic to one port of a resource. */
struct wh_port_traffic {
	enum wh_direction direction;
	uint8_t proto;
	uint16_t port;
	struct wh_evidence_peer *peers; size_t n; /* by address; evidence not yet weighed */
	uint64_t refused;                         /* unanswered flows */
	uint64_t unproven;                        /* answered flows of sources that have no edge */
	uint64_t one_sided, one_sided_days;       /* flows of which one side alone was seen, and on which days of the window */
	/* days of the window without coverage of the resource: its peers' silence does not count */
	uint64_t unheard;
};
struct wh_resource_traffic {
	struct wh_port_traffic *ports; size_t n;  /* by direction, port, proto */
	/* on which anything was seen of the resource, in the window where it was seen in it; first > last: never */
	int32_t first_day, last_day;
	uint64_t days;                            /* of the window, on which anything was seen */
	/* an address of which the ledger did not take all, in the window; NULL: it did of all */
	const struct wh_addr *full; int32_t full_day;
	/* an address for which the sensor lacks a direction in some week; NULL: none */
	const struct wh_addr *deaf;
	int32_t deaf_first, deaf_last;            /* the latest such week */
	bool never_heard;                         /* nor in any other week */
};
int wh_analysis_traffic(struct wh_analysis *a, const struct wh_resource *r, struct wh_arena *mem, struct wh_resource_traffic *out,
                        struct wh_error *err);
/* hearing.c: fills full */
void wh_mark_full(const struct wh_analysis *a, const struct wh_resource *r, struct wh_resource_traffic *t);
void wh_mark_forged(struct wh_port_traffic *t); /* fills unproven of its peers: see forged.c */
/* hearing.c: fills deaf of a resource of which the rest is known. `heard[i]`: days of the window on which its i-th address had
 * answered flows; gets those on which both its directions were seen. */
size_t wh_refused_of(const struct wh_analysis *a, const struct wh_addr *local); /* the place of its first in a->refused */
void wh_mark_deaf(const struct wh_analysis *a, const struct wh_resource *r, uint64_t *heard, struct wh_resource_traffic *t);
/* Why missing traffic on this port is no evidence; false if it is. `closing`: the rule allows no peer. */
bool wh_why_unheard(const struct wh_resource_traffic *all, const struct wh_port_traffic *t, bool closing, struct wh_reason *out);
/* Fills elsewhere_here of all peers; -ENOMEM. */
int wh_mark_other_ports(const struct wh_analysis *a, struct wh_resource_traffic *t);
/* NULL when nothing reached it. */
const struct wh_port_traffic *wh_traffic_find(const struct wh_resource_traffic *t, enum wh_direction d, uint8_t proto,
                                              uint16_t port);

/* The rules in force for one port of one resource. */
struct wh_present {
	bool explicit_allow;      /* some rule that a person wrote opens it; true where no NSG guards the resource */
	const char *unknown;      /* a rule of unknown reach is involved: the reason; NULL */
	bool differs;             /* two addresses of the resource are treated differently */
	struct wh_ranges allowed; /* of the families that the resource has addresses of */
	struct wh_ranges opened;  /* of these, what a person's rule allows at some address, not only default rules */
	struct wh_ranges carved;  /* excluded from `prefixes` by carve-outs of an earlier export */
	struct wh_prefix *prefixes; size_t n_prefixes; /* allowed and carved */
	struct wh_prefix *named; size_t n_named;       /* allowed by people's rules or, if none are left, by ours */
	const char *narrows, *note; /* the rule that opens it, "FILE: NAME"; a note that it was read with */
};
int wh_present(const struct wh_estate *e, const struct wh_resource *r, enum wh_direction d, uint8_t proto, uint16_t port,
               struct wh_arena *mem, struct wh_present *out, struct wh_error *err);
/* window.c */
int wh_window_find(struct wh_analysis *a, struct wh_error *err); /* fills a->window */
/* Days of the window without coverage of a resource. `heard`: days with packets of both its directions; `seen`: days with
 * any. */
uint64_t wh_unheard_days(const struct wh_window *w, uint64_t heard, uint64_t seen);
/* The window without these days: no silence counts on them. */
struct wh_window wh_window_without(const struct wh_window *w, uint64_t days);
/* Marks peers as outside, trusted, listed or named, and weighs them. */
void wh_analysis_weigh(const struct wh_analysis *a, const struct wh_present *present, struct wh_port_traffic *t);
/* The limits of one rule. */
struct wh_limits {
	double line_price;  /* multiplies the price of a line: more than 1 where others need the room */
	unsigned max_lines; /* 0: the options' value */
	bool no_carving;
};
#define WH_NO_LIMITS ((struct wh_limits){.line_price = 1})
/* The input of selection: allowed peers, trusted prefixes, excluded addresses, and the prices. */
void wh_select_input(const struct wh_analysis *a, const struct wh_port_traffic *t, const struct wh_present *present,
                     struct wh_limits limits, struct wh_arena *mem, struct wh_select_input *out);
/* The prefixes and carve-outs of a rule from weighed peers. */
int wh_derive_prefixes(const struct wh_analysis *a, const struct wh_port_traffic *t, const struct wh_present *present,
                       struct wh_limits limits, struct wh_arena *mem, struct wh_selection *out, struct wh_error *err);
/* The addresses that prefixes allow, without carve-outs. */
struct wh_ranges wh_let_in(const struct wh_prefix *prefixes, size_t n, const struct wh_prefix *except, size_t n_except,
                           struct wh_arena *mem);
/* A port of a resource, with its data. */
struct wh_judged_port {
	const struct wh_resource *resource;
	const struct wh_resource_traffic *all;  /* the resource's */
	const struct wh_port_traffic *traffic;  /* the port's, weighed */
	const struct wh_present *present;
};
/* Derives one rule from weighed peers, with the evidence for it.
 * Returns 1 when the rules in force are as narrow already, 0 with *out filled, or a negative errno. */
int wh_derive_rule(const struct wh_analysis *a, const struct wh_judged_port *port, struct wh_limits limits, struct wh_arena *mem,
                   struct wh_recommended_rule *out, struct wh_error *err);
