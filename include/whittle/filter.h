/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter: the rules of any firewall in one form, and exact answers about them.
 *
 * A filter is an ordered list of rules over direction × local address × peer address × protocol × source port × destination port.
 * The first rule that matches a packet decides it. NSGs and nftables rulesets translate into filters, so that reachability, proof
 * and findings use one evaluation.
 *
 * Some firewall rules can't be expressed (the members of an unknown group, a packet mark, a rate limit). Such a rule is
 * translated as one that *may* match, with the reason. A packet then has every outcome that some choice of those rules gives it;
 * if the outcomes differ the verdict is WH_UNDECIDED, never a guess.
 */
#pragma once
#include "whittle/base.h"
#include "whittle/policy.h"

enum wh_answer { WH_DENIED, WH_ALLOWED, WH_UNDECIDED };

/* What a rule does with a packet that it matches. A RETURN in a list that was jumped to continues after the jump; in the
 * outermost list it means the list's default. A GOTO is a jump to a list that, if it decides nothing, is followed by the caller's
 * own return. */
enum wh_filter_action { WH_FILTER_DENY, WH_FILTER_ALLOW, WH_FILTER_RETURN, WH_FILTER_JUMP, WH_FILTER_GOTO };

struct wh_filter;
struct wh_filter_rule {
	const char *name;                /* for people; NULL: none */
	/* what it was translated from (a struct wh_rule, an index in a ruleset); never read here */
	const void *from;
	enum wh_filter_action action;
	/* of JUMP and GOTO. Lists refer to each other without a circle, at most WH_FILTER_DEPTH deep */
	const struct wh_filter *to;
	enum wh_direction direction;
	uint8_t proto;                   /* IANA number; WH_PROTO_ANY: every one */
	/* NULL: any. Ports are sets of the numbers 0–65535, see wh_ports(); they match packets of protocols without ports as if
	 * both were 0. */
	const struct wh_ranges *local, *peer, *sport, *dport;
	/* NULL: it matches exactly these packets; else it matches only some, and this is the reason */
	const char *may;
};
#define WH_FILTER_DEPTH 16 /* nf_tables' own limit of jumps */

struct wh_filter {
	const char *name;                /* "web", "inet filter input" */
	const struct wh_filter_rule *rules; size_t n;
	enum wh_answer otherwise;       /* the outcome of a packet that no rule decides; read only in the outermost list */
	const char *why;                 /* of WH_UNDECIDED: the reason */
};

#define WH_EPHEMERAL_PORT 49152 /* a source port for outgoing connections (RFC 6335, 6) */
struct wh_filter_packet {
	enum wh_direction direction;
	uint8_t proto;
	struct wh_addr local, peer;
	uint16_t sport, dport;           /* host order; dport is the service in both directions */
};
struct wh_filter_decision {
	enum wh_answer verdict;
	const struct wh_filter_rule *rule;  /* the one that decides; NULL: none did: the list's default */
	/* UNDECIDED: the first rule that may match and would change the outcome; NULL: the default is undecided */
	const struct wh_filter_rule *doubt;
};
/* The verdict on one packet. Linear in the rules. */
struct wh_filter_decision wh_filter_decide(const struct wh_filter *f, const struct wh_filter_packet *p);
/* The verdict of several filters that must all allow (a subnet's group and an interface's): denied if one denies, else undecided
 * if one is, else allowed. With n 0: allowed. decisions[i] is that of filters[i]; may be NULL. */
enum wh_answer wh_filter_decide_all(const struct wh_filter *const *filters, size_t n, const struct wh_filter_packet *p,
                                    struct wh_filter_decision *decisions);

/* A set of port numbers in the form of wh_ranges, so that one algebra serves addresses and ports. */
struct wh_addr wh_port_addr(uint16_t port);
bool wh_ports_have(struct wh_ranges ports, uint16_t port);
size_t wh_ports_count(struct wh_ranges ports);
struct wh_ranges wh_ports(const struct wh_port_range *r, size_t n, struct wh_arena *mem);
/* The ranges of such a set. Returns how many; *out in `mem`. */
size_t wh_ports_list(struct wh_ranges ports, struct wh_arena *mem, struct wh_port_range **out);
/* "[22,80,8000-8003]", "[]" for none: the form of Azure's allowed connections. In `mem`. */
const char *wh_ports_text(struct wh_ranges ports, struct wh_arena *mem);

/* The outcomes along one free dimension: values that are certainly allowed, and undecided ones. The rest is
 * denied. */
struct wh_outcomes { struct wh_ranges allowed, undecided; };
enum wh_filter_free { WH_FREE_PEER, WH_FREE_LOCAL, WH_FREE_DPORT };
/*
 * Covers all packets that equal `p` in every dimension but the free one. With `any_sport`, p->sport is not read: values are
 * allowed if every source port allows them, undecided if only some source port may. Exact. Everything in `mem`.
 */
struct wh_outcomes wh_filter_outcomes(const struct wh_filter *const *filters, size_t n, const struct wh_filter_packet *p,
                                      enum wh_filter_free free, bool any_sport, struct wh_arena *mem);

/* The same for one filter from p->sport, and each rule that some of the values reach, in order, with those values (in `mem`). A
 * value reaches a rule if no earlier one certainly decides it. `each` may be NULL. */
typedef void (*wh_filter_each)(void *arg, const struct wh_filter_rule *r, struct wh_ranges met);
struct wh_outcomes wh_filter_walk(const struct wh_filter *f, const struct wh_filter_packet *p, enum wh_filter_free free,
                                  wh_filter_each each, void *arg, struct wh_arena *mem);

/* The source ports cut into classes: no rule of these filters, in this direction and protocol, distinguishes two ports of one
 * class. Sorted; they cover 0–65535; one class if no rule names source ports. Returns how many. */
size_t wh_filter_sport_classes(const struct wh_filter *const *filters, size_t n, enum wh_direction d, uint8_t proto,
                               struct wh_arena *mem, struct wh_port_range **out);
/* The destination ports cut into classes: no rule of these filters, in this direction and protocol, distinguishes two ports of
 * one class. Sorted; they cover 0–65535. Returns how many. */
size_t wh_filter_port_classes(const struct wh_filter *const *filters, size_t n, enum wh_direction d, uint8_t proto,
                              struct wh_arena *mem, struct wh_port_range **out);

/* Whether `b` certainly allows every packet that `a` may allow (allowed or undecided). 0 yes; 1 no, with the smallest
 * counterexample (by direction, protocol, destination port, source port, local address, peer). -E2BIG if the two distinguish more
 * than `limit` combinations. */
int wh_filter_contained(const struct wh_filter *a, const struct wh_filter *b, size_t limit, struct wh_arena *mem,
                        struct wh_filter_packet *ce, struct wh_error *err);

/* The filters without the rules for which `gone` is true. In `mem`, and refers to them. */
const struct wh_filter *const *wh_filters_without(const struct wh_filter *const *filters, size_t n,
                                                  bool (*gone)(const struct wh_filter_rule *r), struct wh_arena *mem);

/* Filters as bytes (base/bytes.h), without their rules' `from`. The reader trusts nothing: t->failed if the bytes are not
 * filters. Returns how many; *out in `mem`. */
struct wh_bytes;
struct wh_taking;
void wh_put_filters(struct wh_bytes *b, const struct wh_filter *const *filters, size_t n);
size_t wh_take_filters(struct wh_taking *t, struct wh_arena *mem, const struct wh_filter *const **out);
