/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exact way over a joint: punctuation, keys, and their meaning for the fields. See eve.h for the whole. */
#include "flow/eve.h"

const char wh_eve_not_object[] = "not a JSON object";
const char wh_eve_empty[] = "empty";

void wh_eve_cache_init(struct eve_cache *c)
{
	memset(&c->nodes[0], 0, sizeof c->nodes[0]);
	c->nodes[0].field = EVE_NONE;
	c->used = 1;
	c->lost = c->records = 0;
	c->used_shortcuts = c->lost_shortcuts = 0;
}

static bool in_object(const struct eve_walker *w)
{
	unsigned d = w->depth - 1;
	return w->stack[d / 64] >> (d % 64) & 1;
}

/* The joint's effect on fields; a later effect of the same joint overrides an earlier one. */
static void effect(struct eve_node *n, uint64_t clear, uint64_t set, uint64_t wrong)
{
	n->clear |= clear;
	n->set = (n->set & ~clear) | set;
	n->wrong = (n->wrong & ~clear) | wrong;
}

static void open_container(struct eve_walker *w, bool object, const struct eve_key *key)
{
	unsigned d = w->depth++;
	if (d % 64 == 0)
		w->stack[d / 64] = 0;
	w->stack[d / 64] = (w->stack[d / 64] & ~(UINT64_C(1) << (d % 64))) | (uint64_t)object << (d % 64);
	if (d == 1)
		w->group = EVE_G_OTHER;
	if (!key)
		return;
	if (key->field == EVE_TAG) {
		effect(&w->scratch, 0, EVE_BIT(EVE_TAG), 0);
		return;
	}
	static const struct { uint8_t group; uint64_t fields; } known[] = {
		[EVE_FLOW] = {EVE_G_FLOW, EVE_IN_FLOW},
		[EVE_TCP] = {EVE_G_TCP, EVE_IN_TCP},
		[EVE_ALERT] = {EVE_G_ALERT, EVE_IN_ALERT},
	};
	if (key->field >= EVE_FLOW && key->field <= EVE_ALERT) {
		effect(&w->scratch, EVE_BIT(key->field) | known[key->field].fields, object ? EVE_BIT(key->field) : 0,
		       object ? 0 : EVE_BIT(key->field));
		if (object)
			w->group = known[key->field].group;
	} else {
		effect(&w->scratch, EVE_BIT(key->field), 0, EVE_BIT(key->field));
	}
}

/* The handling of the scalar that begins at p. */
static void read_scalar_kind(struct eve_node *n, const struct eve_key *key, char first)
{
	unsigned op = first == '"' ? EVE_OP_STRING : first == '-' || (first >= '0' && first <= '9') ? EVE_OP_NUMBER : EVE_OP_WORD;
	/* "-0123456789" lie between '-' and '9', "fnt" between 'f' and 't'; other bytes there begin nothing valid */
	n->first = op == EVE_OP_NUMBER ? '-' : op == EVE_OP_WORD ? 'f' : 0;
	n->span = op == EVE_OP_NUMBER ? '9' - '-' : op == EVE_OP_WORD ? 't' - 'f' : UINT8_MAX;
	n->op = (uint8_t)op;
	n->field = EVE_NONE;
	n->at = 0;
	if (!key)
		return;
	if (key->field == EVE_TAG) {
		effect(n, 0, EVE_BIT(EVE_TAG), 0);
		return;
	}
	unsigned kind = eve_op_is_string(key->op) ? EVE_OP_STRING : key->op == EVE_OP_FLAG ? EVE_OP_WORD :
	                key->op == EVE_OP_END ? EVE_OP_END : EVE_OP_NUMBER;
	if (kind == op) {
		n->op = key->op;
		n->field = key->field;
		n->at = key->at;
	} else {
		uint64_t inside = key->field == EVE_FLOW ? EVE_IN_FLOW : key->field == EVE_TCP ? EVE_IN_TCP :
		                  key->field == EVE_ALERT ? EVE_IN_ALERT : 0;
		if (op == EVE_OP_WORD) /* null is as if the key were not there; true and false are the wrong type */
			n->first = (uint8_t)first, n->span = 0;
		effect(n, EVE_BIT(key->field) | inside, 0, first == 'n' ? 0 : EVE_BIT(key->field));
	}
}

static const char *skip_space(const struct eve_walker *w, const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || (*p == '\n' && !w->lines)))
		p++;
	return p;
}

static const char *refuse(struct eve_walker *w, const char *p, const char *end, const char *reason)
{
	w->reason = p >= end || (w->lines && *p == '\n') ? wh_eve_cut_short : reason;
	return NULL;
}

/* A key from its opening quote to after its colon. *key is NULL when it isn't wanted. */
static const char *read_key(struct eve_walker *w, const char *p, const char *end, const struct eve_key **key)
{
	char name[32];
	size_t len;
	p = wh_eve_string(w, p + 1, end, name, sizeof name, &len);
	if (!p)
		return NULL;
	unsigned group = w->depth == 1 ? EVE_TOP : w->depth == 2 ? w->group : EVE_G_OTHER;
	*key = group != EVE_G_OTHER && len <= sizeof name ? wh_eve_key(group, name, len) : NULL;
	p = skip_space(w, p + 1, end);
	if (p == end || *p != ':')
		return refuse(w, p, end, wh_eve_not_json);
	return skip_space(w, p + 1, end);
}

enum expect { AFTER_SCALAR, KEY, KEY_OR_CLOSE, VALUE, VALUE_OR_CLOSE };

/* The record's opening brace. NULL: it begins with something else. */
static const char *opening(struct eve_walker *w, const char *p, const char *end)
{
	p = skip_space(w, p, end);
	if (p == end || (w->lines && *p == '\n')) {
		w->reason = wh_eve_empty;
		return NULL;
	}
	return *p == '{' ? p : refuse(w, p, end, *p == '[' ? wh_eve_not_object : wh_eve_not_json);
}

/* Up to the next scalar, or to after the record's last bracket. Fills w->scratch and returns the place, or NULL. */
static const char *joint(struct eve_walker *w, const char *p, const char *end)
{
	enum expect expect = w->depth ? AFTER_SCALAR : VALUE;
	const struct eve_key *key = NULL;
	if (!w->depth && !(p = opening(w, p, end)))
		return NULL;
	for (;;) {
		p = skip_space(w, p, end);
		if (p == end)
			return refuse(w, p, end, NULL);
		char c = *p;
		if (expect == AFTER_SCALAR && c == ',') {
			expect = in_object(w) ? KEY : VALUE;
			key = NULL;
			p++;
		} else if ((expect == AFTER_SCALAR || expect == KEY_OR_CLOSE || expect == VALUE_OR_CLOSE) &&
		           c == (in_object(w) ? '}' : ']')) {
			p++;
			if (!--w->depth) {
				w->scratch.op = EVE_OP_END;
				w->scratch.span = UINT8_MAX;
				return p;
			}
			expect = AFTER_SCALAR;
		} else if ((expect == KEY || expect == KEY_OR_CLOSE) && c == '"') {
			p = read_key(w, p, end, &key);
			if (!p)
				return NULL;
			expect = VALUE;
		} else if (expect != VALUE && expect != VALUE_OR_CLOSE) {
			return refuse(w, p, end, wh_eve_not_json);
		} else if (w->depth == EVE_MAX_DEPTH) {
			w->reason = wh_eve_deep;
			return NULL;
		} else if (c == '{' || c == '[') {
			open_container(w, c == '{', key);
			key = NULL;
			expect = c == '{' ? KEY_OR_CLOSE : VALUE_OR_CLOSE;
			p++;
		} else if (c == '"' || c == '-' || (c >= '0' && c <= '9') || c == 't' || c == 'f' || c == 'n') {
			read_scalar_kind(&w->scratch, key, c);
			return p + (c == '"');
		} else {
			return refuse(w, p, end, (unsigned char)c >= 0x80 ? wh_eve_not_utf8 : wh_eve_not_json);
		}
	}
}

/* Keeps the joint in the trie, after `cur`, if there is room. */
static struct eve_node *remember(struct eve_walker *w, struct eve_node *cur, const char *p, size_t len)
{
	struct eve_cache *c = w->cache;
	struct eve_node *n = &w->scratch, **link = &cur->next;
	unsigned branches = 0;
	if (cur == n || len > EVE_LITERAL || w->depth > 64)
		return n;
	for (; *link; link = &(*link)->alt)
		branches++;
	if (branches >= EVE_BRANCHES || c->used >= (w->ours ? EVE_NODES : EVE_NODES_OTHER)) {
		c->lost += w->ours;
		return n;
	}
	memcpy(n->literal, p, len);
	memset(n->literal + len, 0, EVE_LITERAL - len);
	n->mask[0] = len >= 32 ? UINT32_MAX : (UINT32_C(1) << len) - 1;
	n->mask[1] = len >= 64 ? UINT32_MAX : len > 32 ? (UINT32_C(1) << (len - 32)) - 1 : 0;
	n->stack = w->stack[0];
	*link = &c->nodes[c->used++];
	**link = *n;
	return *link;
}

struct eve_node *wh_eve_step(struct eve_walker *w, struct eve_node *cur, const char *p, const char *end, const char **after)
{
	struct eve_node *n = &w->scratch;
	const char *from = p;
	if (cur != n) {
		w->depth = cur->depth;
		w->group = cur->group;
		w->stack[0] = cur->stack;
	}
	if (eve_op_is_string(cur->op))
		p++; /* its closing quote */
	memset(n, 0, sizeof *n);
	p = joint(w, p, end);
	if (!p)
		return NULL;
	n->len = (uint32_t)(p - from);
	n->depth = (uint16_t)w->depth;
	n->group = (uint8_t)w->group;
	n->bit = EVE_BIT(n->field);
	n->effects = n->clear | n->set | n->wrong;
	*after = p;
	return remember(w, cur, from, n->len);
}
