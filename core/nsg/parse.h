/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between parse.c, which reads groups, parse_rule.c, which reads one rule, and parse_ends.c, which reads its two ends. */
#pragma once
#include "base/json.h"
#include "whittle/nsg.h"

struct parse {
	const char *file, *text;
	size_t len;
	struct wh_arena *mem;
	struct wh_error *err;
	char path[512]; /* of the rule at hand, for its line */
	const char **rule_paths; /* of the current group, if its rules are elsewhere; else NULL */
	bool terraform;
};

/* -EBADMSG, with the file and line of `key` in the rule at hand; NULL: of the rule itself. */
__attribute__((format(printf, 3, 4)))
int wh_nsg_bad(struct parse *p, const char *key, const char *fmt, ...);
const char *wh_nsg_text(const json_t *o, const char *key); /* NULL where it is empty, too */
const char *wh_nsg_text_or_number(struct parse *p, const json_t *v); /* templates have 22 for "22"; NULL: neither */
int wh_nsg_parse_rule(struct parse *p, const json_t *rule, struct wh_rule *r);
/* The rules that Azure puts into every group; of a group of AWS's the two that deny. True: r is the i-th. */
enum { WH_NSG_DEFAULTS = 6 };
bool wh_nsg_default_rule(struct parse *p, size_t i, bool aws, struct wh_rule *r);
/* The ports of one end. `unknown`: a template's expression, whose value is not known here; then the list has every port. */
struct wh_nsg_ports { struct wh_port_range *list; size_t n, room; const char *unknown; };
int wh_nsg_parse_ports(struct parse *p, const json_t *o, const char *single, const char *plural, struct wh_nsg_ports *out);
/* The addresses of one end; an expression is a tag that nothing resolves. The rule gets notes. */
struct wh_nsg_side {
	struct wh_prefix *p; size_t n, room;
	const char **tags; size_t n_tags, room_tags;
	const char **asgs; size_t n_asgs;
};
int wh_nsg_parse_addresses(struct parse *p, const json_t *o, const char *single, const char *plural, const char *asg,
                           struct wh_nsg_side *out, struct wh_rule *r);
int wh_nsg_parse_address(struct parse *p, const char *key, const char *s, struct wh_nsg_side *out, struct wh_rule *r);
