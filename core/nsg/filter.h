/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network security group in the common form of all firewalls' rules. */
#pragma once
#include "whittle/filter.h"
#include "whittle/nsg.h"

/*
 * The group as a filter in `mem`, which refers to the group: rule->from is the struct wh_rule. With a question, it contains only
 * rules that can match such packets, and of their sets only those of peers and source ports, which makes a question about a large
 * group cheap. Without one (NULL) it is the whole group.
 */
void wh_nsg_filter(const struct wh_nsg *nsg, const struct wh_tag_context *tags, const struct wh_nsg_question *q,
                   struct wh_arena *mem, struct wh_filter *out);
/*
 * Whether the group `a` lets through no packet that `b` does not. 0 yes; 1 no, with a counterexample; -EPERM with the name of a
 * rule of unknown reach that only one of them has; -E2BIG if a rule that differs covers too many addresses and ports to
 * compare.
 */
int wh_nsg_contained(const struct wh_nsg *a, const struct wh_nsg *b, const struct wh_tag_context *tags, struct wh_arena *mem,
                     struct wh_filter_packet *ce, struct wh_error *err);
