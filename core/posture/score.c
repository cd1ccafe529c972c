/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The secure score.
 *
 * Problem: one number for many verdicts, that rises only when a resource is wholly put right.
 * Method: verdicts are sorted by subscription, control and resource; a resource is healthy in a control where all its verdicts
 * there are, unhealthy where one is not, and is left out where one has no evidence. Then max × healthy / (healthy + unhealthy)
 * for each control.
 *
 *   control of 6 points, 78 resources of which 4 are healthy in all of it: 6 × 4 / 78 = 0.31
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "posture/run.h"

double wh_score_of(double max, size_t healthy, size_t unhealthy)
{
	return healthy + unhealthy ? max * (double)healthy / (double)(healthy + unhealthy) : 0;
}

/* ---- the controls ---- */

static int control(const char *path, const struct wh_yaml *row, struct wh_score_control *c, struct wh_error *err)
{
	static const char *const known[] = {"id", "name", "max", NULL};
	const struct wh_yaml *id = wh_yaml_get(row, "id"), *name = wh_yaml_get(row, "name"), *max = wh_yaml_get(row, "max");
	int rc = wh_yaml_check_keys(path, row, known, err);
	if (!rc && (!id || !name || !max))
		return wh_fail_input(err, -EINVAL, "%s:%d: a control of the score needs id, name and max", path, row->line);
	rc = rc ? rc : wh_yaml_double(path, max, &c->max, err);
	c->id = rc ? NULL : id->scalar;
	c->name = rc ? NULL : name->scalar;
	return rc;
}

int wh_score_controls_load(const char *path, struct wh_arena *mem, struct wh_score_controls *out, struct wh_error *err)
{
	struct wh_yaml *root;
	const struct wh_yaml *list;
	size_t n;
	*out = (struct wh_score_controls){0};
	int rc = wh_yaml_parse_list_file(path, "controls", mem, &root, &list, &n, err);
	if (rc)
		return rc;
	out->list = wh_arena_array(mem, n + 1, sizeof *out->list);
	for (const struct wh_yaml *c = list->child; c && !rc; c = c->next)
		rc = c->kind == WH_YAML_MAP ? control(path, c, &out->list[out->n++], err)
		                            : wh_fail_input(err, -EINVAL, "%s:%d: a control is a map", path, c->line);
	return rc;
}

/* ---- the score ---- */

struct seen { const char *subscription; size_t len, control; const char *resource; enum wh_posture_status status; };

static const char *subscription_of(const char *id, size_t *len)
{
	static const char word[] = "/subscriptions/";
	bool has = !strncasecmp(id, word, sizeof word - 1);
	const char *at = has ? id + sizeof word - 1 : "";
	*len = strcspn(at, "/");
	return at;
}

static int by_place(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;
	int c = strncasecmp(x->subscription, y->subscription, x->len > y->len ? x->len : y->len);
	if (!c)
		c = (x->len > y->len) - (x->len < y->len);
	if (!c)
		c = (x->control > y->control) - (x->control < y->control);
	return c ? c : strcasecmp(x->resource, y->resource);
}

static size_t collect(const struct wh_posture *p, const struct wh_score_controls *c, struct wh_arena *mem, struct seen **out)
{
	size_t n = 0;
	*out = wh_arena_unset(mem, p->n + 1, sizeof **out);
	for (size_t i = 0; i < p->n; i++) {
		const struct wh_posture_verdict *v = &p->list[i];
		size_t k = 0;
		while (v->of->score && k < c->n && strcmp(c->list[k].id, v->of->score))
			k++;
		if (!v->of->score || v->of->preview || k == c->n || v->exempt || v->status == WH_POSTURE_NOT_APPLICABLE)
			continue;
		struct seen *s = &(*out)[n++];
		*s = (struct seen){.control = k, .resource = v->resource, .status = v->status};
		s->subscription = subscription_of(v->resource, &s->len);
	}
	if (n)
		qsort(*out, n, sizeof **out, by_place);
	return n;
}

static struct wh_score_subscription *subscription(struct wh_score *out, const struct wh_score_controls *c, const struct seen *s,
                                                  size_t *room, struct wh_arena *mem)
{
	struct wh_score_subscription *last = out->n ? &out->list[out->n - 1] : NULL;
	if (last && strlen(last->id) == s->len && !strncasecmp(last->id, s->subscription, s->len))
		return last;
	out->list = wh_arena_grown(mem, out->list, out->n, room, sizeof *out->list);
	last = &out->list[out->n++];
	*last = (struct wh_score_subscription){.id = wh_arena_printf(mem, "%.*s", (int)s->len, s->subscription),
	                                       .parts = wh_arena_array(mem, c->n + 1, sizeof *last->parts)};
	for (size_t k = 0; k < c->n; k++)
		last->parts[k].of = &c->list[k];
	return last;
}

void wh_score_run(const struct wh_posture *p, const struct wh_score_controls *c, struct wh_arena *mem, struct wh_score *out)
{
	struct seen *list;
	size_t n = collect(p, c, mem, &list), room = 0, next;
	double sum = 0, weight = 0;
	*out = (struct wh_score){.share = -1};
	for (size_t i = 0; i < n; i = next) {
		bool bad = false, unknown = false;
		for (next = i; next < n && !by_place(&list[i], &list[next]); next++) {
			bad |= list[next].status == WH_POSTURE_UNHEALTHY;
			unknown |= list[next].status == WH_POSTURE_NO_EVIDENCE;
		}
		struct wh_score_part *part = &subscription(out, c, &list[i], &room, mem)->parts[list[i].control];
		part->unhealthy += bad;
		part->healthy += !bad && !unknown;
	}
	for (size_t i = 0; i < out->n; i++) {
		struct wh_score_subscription *s = &out->list[i];
		for (size_t k = 0; k < c->n; k++) {
			struct wh_score_part *part = &s->parts[k];
			size_t of = part->healthy + part->unhealthy;
			part->current = wh_score_of(c->list[k].max, part->healthy, part->unhealthy);
			s->current += part->current;
			s->max += of ? c->list[k].max : 0;
			s->weight += of;
		}
		if (s->max > 0) {
			sum += (double)s->weight * s->current / s->max;
			weight += (double)s->weight;
		}
	}
	out->share = weight > 0 ? sum / weight : -1;
}
