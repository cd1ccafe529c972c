/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shortcuts: joints and unvarying scalars made one piece. See eve.h. */
#include "flow/eve.h"

#define FORGET_AFTER 4096 /* shortcuts that found no room: the records have changed */

void wh_eve_forget_shortcuts(struct eve_cache *c)
{
	for (unsigned i = 0; i < c->used; i++)
		c->nodes[i].shortcuts = NULL;
	c->used_shortcuts = c->lost_shortcuts = 0;
}

/* The text before `over`'s scalar, and its effects so far. */
static void begin(struct eve_shortcut *f, const struct eve_shortcut *shortcut, const struct eve_node *over)
{
	if (shortcut) {
		*f = *shortcut;
		return;
	}
	memset(f, 0, sizeof *f);
	memcpy(f->literal, over->literal, over->len);
	f->len = (uint16_t)over->len;
	f->clear = over->clear;
	f->set = over->set;
	f->wrong = over->wrong;
}

/* Later effects upon earlier ones. Nothing that was set within the shortcut may be cleared within it: its value would stay. */
static bool effects(struct eve_shortcut *f, uint64_t clear, uint64_t set, uint64_t wrong)
{
	if (f->set & clear & ~set)
		return false;
	f->clear |= clear;
	f->set = (f->set & ~clear) | set;
	f->wrong = (f->wrong & ~clear) | wrong;
	return true;
}

static void overlay(uint64_t *mask, uint64_t *data, const void *a, const void *b)
{
	uint64_t x, y;
	memcpy(&x, a, 8);
	memcpy(&y, b, 8);
	for (unsigned i = 0; i < 64; i += 8)
		if ((x >> i & 0xff) == (y >> i & 0xff)) {
			*mask |= UINT64_C(0xff) << i;
			*data = (*data & ~(UINT64_C(0xff) << i)) | (x & UINT64_C(0xff) << i);
		}
}

/*
 * The scalar's effect on the values: it is read twice, over zeros and over ones, and bytes that are then equal were written.
 * `text` holds the scalar and what follows it.
 */
static bool scalar_effect(struct eve_shortcut *f, const struct eve_node *over, const char *text, size_t len)
{
	static const struct eve_node none;
	struct eve_walker w[2];
	for (int i = 0; i < 2; i++) {
		memset(&w[i].v, i ? 0xff : 0, sizeof w[i].v);
		w[i].seen = w[i].wrong = w[i].bad = 0;
		w[i].lines = false;
		w[i].ours = w[i].redone = false;
		w[i].scratch = none;
		if (!wh_eve_scalar(&w[i], over, text, text + len))
			return false;
	}
	if (over->field == EVE_NONE)
		return true;
	if (w[0].seen != EVE_BIT(over->field) || w[0].wrong | w[0].bad)
		return false;
	const char *zeros = (const char *)&w[0].v.rec.flow.src_port, *ones = (const char *)&w[1].v.rec.flow.src_port;
	for (unsigned i = 0; i < 4; i++)
		overlay(&f->flow_mask[i], &f->flow_data[i], zeros + 8 * i, ones + 8 * i);
	overlay(&f->word_mask, &f->word_data, &w[0].v.words, &w[1].v.words);
	if (over->field == EVE_EVENT_TYPE) {
		f->typed = true;
		f->kind = w[0].v.rec.kind;
		memcpy(f->event_type, w[0].v.rec.event_type, sizeof f->event_type);
	}
	return effects(f, EVE_BIT(over->field), EVE_BIT(over->field), 0);
}

static void set_masks(struct eve_shortcut *f)
{
	memset(f->literal + f->len, 0, EVE_SHORTCUT - f->len);
	f->blocks = (uint16_t)((f->len + 31) / 32);
	for (unsigned b = 0; b < EVE_SHORTCUT / 32; b++)
		f->mask[b] = f->len >= 32 * (b + 1) ? UINT32_MAX : f->len > 32 * b ? (UINT32_C(1) << (f->len - 32 * b)) - 1 : 0;
}

/* Puts f among the shortcuts after `from`: in the place of the one that it extends, or in a new one; longest first. */
static void insert(struct eve_cache *c, struct eve_node *from, struct eve_shortcut *extends, struct eve_shortcut *f)
{
	struct eve_shortcut **link, *place = extends;
	unsigned branches = 0;
	for (link = &from->shortcuts; *link; link = &(*link)->alt, branches++)
		if ((*link)->len == f->len && (*link)->to == f->to && !memcmp((*link)->literal, f->literal, f->len))
			return;
	if (extends) {
		for (link = &from->shortcuts; *link && *link != extends; link = &(*link)->alt)
			;
		if (!*link)
			return;
		*link = extends->alt;
	} else if (branches < EVE_SHORTCUT_BRANCHES && c->used_shortcuts < EVE_SHORTCUTS) {
		place = &c->shortcuts[c->used_shortcuts++];
	} else {
		if (++c->lost_shortcuts >= FORGET_AFTER)
			wh_eve_forget_shortcuts(c);
		return;
	}
	for (link = &from->shortcuts; *link && (*link)->len >= f->len; link = &(*link)->alt)
		;
	f->alt = *link;
	*place = *f;
	*link = place;
}

/* The joint of `to`, or the whole of `next`, after what is in f. */
static bool append(struct eve_shortcut *f, const struct eve_shortcut *next, const struct eve_node *to)
{
	const uint8_t *literal = next ? next->literal : to->literal;
	size_t len = next ? next->len : to->len;
	memcpy(f->literal + f->len, literal, len);
	f->len = (uint16_t)(f->len + len);
	if (!next)
		return effects(f, to->clear, to->set, to->wrong);
	for (unsigned i = 0; i < 4; i++) {
		f->flow_mask[i] |= next->flow_mask[i];
		f->flow_data[i] = (f->flow_data[i] & ~next->flow_mask[i]) | next->flow_data[i];
	}
	f->word_mask |= next->word_mask;
	f->word_data = (f->word_data & ~next->word_mask) | next->word_data;
	if (next->typed) {
		f->typed = true;
		f->kind = next->kind;
		memcpy(f->event_type, next->event_type, sizeof f->event_type);
	}
	return effects(f, next->clear, next->set, next->wrong);
}

void wh_eve_shorten(struct eve_cache *c, struct eve_node *from, struct eve_shortcut *shortcut, struct eve_node *over,
                    struct eve_shortcut *next, struct eve_node *to)
{
	struct eve_shortcut f;
	size_t scalar = over->last_len, tail = next ? next->len : to->len;
	over->ripe = false; /* whatever the result, not again at once */
	over->same = 0;
	begin(&f, shortcut, over);
	if (f.len + scalar + tail > EVE_SHORTCUT)
		return;
	const char *text = (const char *)f.literal + f.len;
	memcpy(f.literal + f.len, over->last, scalar);
	f.literal[f.len + scalar] = next ? next->literal[0] : to->literal[0]; /* which ends the scalar */
	if (!scalar_effect(&f, over, text, scalar + 1))
		return;
	f.len = (uint16_t)(f.len + scalar);
	f.to = to;
	f.first = to->first;
	f.span = to->span;
	if (!append(&f, next, to))
		return;
	set_masks(&f);
	insert(c, from, shortcut, &f);
}
