/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The change set for AWS's security groups: rules to authorize, then rules to revoke.
 *
 * Problem: a group only allows, by ranges of ports, and several instances may have it. For one port of one protocol let R be what
 * is recommended for the instances that have the group, together; E the ranges of addresses that its rules open on that port.
 * Afterwards E ∩ R passes on that port, and on every other port what passed before. A rule that opens a narrowed port to more
 * than R is revoked; for its other ports it is authorized anew, and for the narrowed one what remains of it:
 *
 *   tcp 20-25 from 10.0.0.0/8, port 22 narrowed to 10.1.0.0/24:
 *     authorize tcp 20-21, tcp 23-25 from 10.0.0.0/8, tcp 22 from 10.1.0.0/24;  revoke tcp 20-25 from 10.0.0.0/8
 *
 * Nothing is authorized that was not allowed, so each moment between the calls lets through no more than before and no less than
 * afterwards. Rules whose source is a group or a prefix list stay. A rule for all protocols stays, too: AWS has no rule for all
 * but one. A port is left alone, with the reason, where something has the group for which nothing was recommended on that port,
 * or where it isn't known what has it.
 */
#pragma once
#include "whittle/render.h"

/* One rule with one range of addresses. */
struct wh_aws_entry {
	uint8_t proto;               /* WH_PROTO_ANY: all; else TCP or UDP */
	uint16_t from, to;
	struct wh_prefix prefix;
	const char *description;     /* or NULL */
	bool revoked;
};
struct wh_aws_entries { struct wh_aws_entry *e; size_t n, room; };

/* A port of a group that is to be narrowed. */
struct wh_aws_port {
	uint8_t proto;
	uint16_t port;
	struct wh_ranges keep;       /* R */
	const char *left;            /* why it is left alone; NULL: it is narrowed */
	const char *note;            /* what opens it besides, though it is narrowed; or NULL */
};

/* One direction of one group. */
struct wh_aws_change {
	const char *id, *name, *region; /* region: NULL where no document says it */
	enum wh_direction direction;
	struct wh_aws_entries had, add; /* had: those of ranges of addresses */
	size_t others[2];               /* rules of other sources, which count for IPv6 [0] and IPv4 [1] alike */
	struct wh_aws_port *ports; size_t n_ports;
	struct wh_arena *mem;
};

/* The rules that AWS takes in a group, in each direction and for each family, unless its quota was raised. */
#define WH_AWS_RULES 60

/* Every group of AWS's that the recommendation would change or leaves alone, by id and direction. */
size_t wh_aws_plans(const struct wh_recommendation *r, const struct wh_estate *e, const struct wh_render_options *opt,
                    struct wh_arena *mem, struct wh_aws_change **out);
/* Fills `add` and marks what is revoked, for the ports that are not left alone; those that don't fit into `limit` rules are left
 * alone then. */
void wh_aws_narrow(struct wh_aws_change *c, size_t limit);
/* Whether a rule opens the port to more than is kept: by ranges of addresses of its protocol, or of all protocols. */
bool wh_aws_is_wider(const struct wh_aws_change *c, const struct wh_aws_port *p, bool all_protocols);
