/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walker over a record, by joints and shortcuts (see eve.h); compiled once an instruction set, as eve_take.h tells. */
#include "flow/eve_take.h"

ALWAYS_INLINE void apply_effects(struct eve_walker *w, uint64_t clear, uint64_t set, uint64_t wrong)
{
	w->redone |= (w->seen & clear) != 0;
	w->seen = (w->seen & ~clear) | set;
	if (unlikely(w->faulty || wrong)) {
		w->wrong = (w->wrong & ~clear) | wrong;
		w->bad &= ~clear;
		w->faulty = true;
	}
}

/* Records whether the scalar of n, from p to q, is the same as last time. An unneeded number must have been the same for longer
 * than a text: counters and measurements would waste shortcuts. */
static inline const char *note(struct eve_node *n, const char *p, const char *q)
{
	if (unlikely(!q))
		return NULL;
	size_t len = (size_t)(q - p);
	if (len < 16 && len == n->last_len && !(~equal32(n->last, p) & LOW(len))) {
		n->same += n->same < UINT8_MAX;
		n->ripe = n->same >= (n->op == EVE_OP_NUMBER ? 16 : 3);
	} else if (len < 16) {
		n->ripe = false;
		n->same = 0;
		n->last_len = (uint8_t)len;
		memcpy(n->last, p, 32);
	} else {
		n->ripe = false;
		n->last_len = UINT8_MAX;
	}
	return q;
}

ALWAYS_INLINE const char *take(struct eve_walker *w, struct eve_node *n, const char *p, const char *end, bool learning)
{
	const char *q;
	unsigned len;
	switch ((enum eve_op)n->op) {
	case EVE_OP_STRING:
		q = string_end(w, p, end);
		break;
	case EVE_OP_NUMBER:
		len = plain_integer(p);
		q = likely(len) ? p + len : wh_eve_scalar(w, n, p, end);
		break;
	case EVE_OP_WORD: case EVE_OP_FLAG:
		q = take_word(w, n, p, end);
		break;
	case EVE_OP_TEXT:
		q = take_text(w, n, p, end);
		break;
	case EVE_OP_TIME:
		return take_time(w, n, p, end);
	case EVE_OP_ADDR:
		return take_address(w, n, p, end);
	case EVE_OP_PORT:
		return take_port(w, n, p, end);
	case EVE_OP_COUNT:
		return take_count(w, n, p, end);
	case EVE_OP_SMALL:
		return wh_eve_scalar(w, n, p, end);
	default: /* EVE_OP_END */
		return p;
	}
	return learning ? note(n, p, q) : q;
}

/* ---- joints and shortcuts: at least EVE_MARGIN bytes may be read ---- */

ALWAYS_INLINE bool joint_matches(const struct eve_node *n, const char *p)
{
	if (~equal32(n->literal, p) & n->mask[0])
		return false;
	if (unlikely(n->len > 32) && (~equal32(n->literal + 32, p + 32) & n->mask[1]))
		return false;
	return (uint8_t)((uint8_t)p[n->len] - n->first) <= n->span;
}

ALWAYS_INLINE bool shortcut_matches(const struct eve_shortcut *f, const char *p)
{
	if (~equal32(f->literal, p) & f->mask[0])
		return false;
	for (unsigned b = 1; b < f->blocks; b++)
		if (~equal32(f->literal + 32 * b, p + 32 * b) & f->mask[b])
			return false;
	return (uint8_t)((uint8_t)p[f->len] - f->first) <= f->span;
}

/* The bytes of shortcuts are collected separately from the values, and copied over them once, by put_over(): a processor that
 * reads 32 bytes of which it has just written two must wait. */
ALWAYS_INLINE void apply_shortcut(struct eve_walker *w, const struct eve_shortcut *f)
{
	apply_effects(w, f->clear, f->set, f->wrong);
	w->brought |= f->set;
	overlay32(w->flow_mask, w->flow_data, f->flow_mask, f->flow_data);
	w->word_mask |= f->word_mask;
	w->word_data = (w->word_data & ~f->word_mask) | f->word_data;
	if (f->typed) {
		memcpy(w->v.rec.event_type, f->event_type, sizeof f->event_type);
		w->v.rec.kind = f->kind;
		w->ours = f->kind != WH_RECORD_OTHER;
	}
}

/* Copies the shortcuts' bytes over the values. */
static inline void put_over(struct eve_walker *w)
{
	uint64_t x[4], y;
	memcpy(x, &w->v.rec.flow.src_port, 32);
	for (unsigned i = 0; i < 4; i++)
		x[i] = (x[i] & ~w->flow_mask[i]) | w->flow_data[i];
	memcpy(&w->v.rec.flow.src_port, x, 32);
	memcpy(&y, &w->v.words, 8);
	y = (y & ~w->word_mask) | w->word_data;
	memcpy(&w->v.words, &y, 8);
}

/* A field that a shortcut set comes again (a duplicate key): later values override it. */
static void put_over_early(struct eve_walker *w)
{
	put_over(w);
	memset(w->flow_mask, 0, sizeof w->flow_mask);
	memset(w->flow_data, 0, sizeof w->flow_data);
	w->word_mask = w->word_data = w->brought = 0;
}

/* The walk's last step: by which shortcut (NULL: by a joint alone) from which node to the present one. */
struct trail {
	struct eve_node *from;
	struct eve_shortcut *shortcut;
};

/* The remembered node after cur, with its joint passed and its effects done; NULL if nothing matches. */
ALWAYS_INLINE struct eve_node *recall(struct eve_walker *w, struct eve_node *cur, const char **at, struct trail *trail,
                                      bool learning)
{
	const char *p = *at;
	for (struct eve_shortcut *f = cur->shortcuts; f; f = f->alt)
		if (shortcut_matches(f, p)) {
			struct eve_node *n = f->to;
			*at = p + f->len;
			apply_shortcut(w, f);
			if (learning && cur->ripe)
				wh_eve_shorten(w->cache, trail->from, trail->shortcut, cur, f, n);
			if (learning)
				*trail = (struct trail){cur, f};
			return n;
		}
	for (struct eve_node *n = cur->next; n; n = n->alt)
		if (likely(joint_matches(n, p))) {
			*at = p + n->len;
			if (learning && cur->ripe)
				wh_eve_shorten(w->cache, trail->from, trail->shortcut, cur, NULL, n);
			if (n->effects)
				apply_effects(w, n->clear, n->set, n->wrong);
			if (learning)
				*trail = (struct trail){cur, NULL};
			return n;
		}
	return NULL;
}

/* After the last bracket nothing but whitespace may follow. */
static int end_of_record(struct eve_walker *w, const char *p, const char *end, const char **stop)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || (*p == '\n' && !w->lines)))
		p++;
	*stop = p;
	if (likely(p == end || (w->lines && *p == '\n')))
		return 0;
	w->reason = wh_eve_not_json;
	return -EBADMSG;
}

/* The fast way over a number stops at its integer part. If the joint then isn't a known one, a fraction or an exponent may
 * follow: read the number again, from its start. */
static const char *resume_number(struct eve_walker *w, const struct eve_node *n, const char *start, const char *p,
                                 const char *end)
{
	bool number = n->op == EVE_OP_NUMBER || (n->op >= EVE_OP_PORT && n->op <= EVE_OP_SMALL);
	return number && p < end && (*p == '.' || (*p | 0x20) == 'e') ? wh_eve_scalar(w, n, start, end) : p;
}

/* Written once, compiled twice: most records teach nothing. */
ALWAYS_INLINE int walk_as(struct eve_walker *w, const char *p, const char *end, const char **stop, bool learning)
{
	struct eve_node *cur = w->cache->nodes;
	struct trail trail = {cur, NULL};
	const char *start = p; /* of cur's scalar */
	const uintptr_t fast_to = (uintptr_t)w->safe - EVE_MARGIN;
	for (;;) {
		bool fast = (uintptr_t)p <= fast_to;
		struct eve_node *n = likely(fast) ? recall(w, cur, &p, &trail, learning) : NULL;
		if (unlikely(!n)) {
			p = resume_number(w, cur, start, p, end);
			n = p ? wh_eve_step(w, cur, p, end, &p) : NULL;
			if (!n)
				return -EBADMSG;
			if (n->effects)
				apply_effects(w, n->clear, n->set, n->wrong);
			fast = w->safe - p >= 32;
			trail = (struct trail){cur, NULL};
		}
		if (n->op == EVE_OP_END) {
			put_over(w);
			return end_of_record(w, p, end, stop);
		}
		if (unlikely(w->brought & n->bit))
			put_over_early(w);
		start = p;
		p = likely(fast) ? take(w, n, p, end, learning) : wh_eve_scalar(w, n, p, end);
		if (unlikely(!p))
			return -EBADMSG;
		cur = n;
	}
}

static int walk(struct eve_walker *w, const char *p, const char *end, const char **stop)
{
	return w->learning ? walk_as(w, p, end, stop, true) : walk_as(w, p, end, stop, false);
}
