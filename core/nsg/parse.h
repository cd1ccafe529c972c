/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between parse.c, which reads groups, and parse_rule.c, which reads one rule. */
#pragma once
#include "base/json.h"
#include "whittle/nsg.h"

struct parse {
	const char *file, *text;
	size_t len;
	struct wh_arena *mem;
	struct wh_error *err;
	char path[512]; /* of the rule at hand, for its line */
	const char **rule_paths; /* of the group at hand, where its rules do not stand in it; else NULL */
	bool terraform;
};

/* -EBADMSG, with the file and line of `key` in the rule at hand; NULL: of the rule itself. */
__attribute__((format(printf, 3, 4)))
int wh_nsg_bad(struct parse *p, const char *key, const char *fmt, ...);
const char *wh_nsg_text(const json_t *o, const char *key); /* NULL where it is empty, too */
int wh_nsg_parse_rule(struct parse *p, const json_t *rule, struct wh_rule *r);
/* The rules that Azure puts into every group. */
enum { WH_NSG_DEFAULTS = 6 };
void wh_nsg_default_rule(struct parse *p, size_t i, struct wh_rule *r);
