/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * findings: anomalies in the rules of an estate, each with the rules' names, a packet that shows it, and a remedy.
 */
#pragma once
#include "whittle/filter.h"

enum wh_anomaly_kind { WH_SHADOWED, WH_REDUNDANT, WH_GENERALISED, WH_CORRELATED, WH_PERMISSIVE };
const char *wh_anomaly_text(enum wh_anomaly_kind k); /* "shadowed" … */
struct wh_anomaly {
	enum wh_anomaly_kind kind;
	const struct wh_filter_rule *rule;  /* the one that it is about */
	const struct wh_filter_rule *other; /* an earlier one that makes it so; NULL for WH_PERMISSIVE */
	struct wh_filter_packet packet;     /* shadowed, redundant, generalised, correlated: one that both match */
	const char *fix;                    /* a sentence */
};
/*
 * The anomalies of one list, in the order of its rules; rules that may match (rule->may) are neither judged nor counted as
 * covering others. The list is in `mem`.
 *
 * *skipped counts the rules that are not judged (except as permissive): their packets need too many pieces, or no steps are left.
 * A step is about one range that is looked at, and a finding costs WH_ANOMALY_FINDING of them. Each rule of the list adds those
 * of two findings to *steps, and what was needed is taken off. One number for all lists of a command, WH_ANOMALY_STEPS at first,
 * bounds time and output by the number of rules, however they overlap.
 *
 * Shadowed: earlier rules match all of its packets, and one of them decides otherwise. Redundant: the same, and all decide alike.
 * Generalised: it matches all packets of an earlier rule that decides otherwise. Correlated: it matches some packets of such a
 * rule, and each has others. Permissive: it allows any address, or the whole Internet, at every port or at a management port (22,
 * 23, 135, 445, 3389, 5985, 5986). Source: Al-Shaer and Hamed, "Firewall policy advisor for anomaly discovery and rule editing"
 * (2003), here with unions of rules in place of pairs.
 */
#define WH_ANOMALY_STEPS ((size_t)1 << 28)
#define WH_ANOMALY_FINDING 4096
size_t wh_anomalies(const struct wh_filter *f, size_t *steps, struct wh_arena *mem, struct wh_anomaly **out, size_t *skipped);

/* Ports that should not be open to the Internet. */
struct wh_risky_port {
	uint8_t proto;
	uint16_t port;
	const char *name;
	bool management;
	bool inner; /* for networks of one's own: nobody needs it from the Internet, not even for a time */
};
const struct wh_risky_port *wh_risky_port_at(size_t i); /* those of management come first; NULL at the end */
