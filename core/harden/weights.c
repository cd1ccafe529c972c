/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rules/evidence.yaml: weights, rhythms, shapes and prices. A key that is missing, unknown or out of bounds is named with its
 * line. */
#include <stdlib.h>
#include <string.h>
#include "base/yaml.h"
#include "harden/evidence.h"

const char *const wh_feature_names[WH_N_FEATURES + 1] = {"days",        "presence", "both-halves", "shape",      "guessing",
                                                         "burst",       "fan-out",  "alerts",      "neighbours", "infected",
                                                         "other-ports", "private",  "policy",      NULL};

static int number(const char *file, const struct wh_yaml *map, const char *key, double lo, double hi, double *out,
                  struct wh_error *err)
{
	const struct wh_yaml *n = wh_yaml_get(map, key);
	int rc;
	if (!n)
		return wh_fail_input(err, -EINVAL, "%s:%d: '%s' is missing", file, map->line, key);
	if ((rc = wh_yaml_double(file, n, out, err)))
		return rc;
	if (*out < lo || *out > hi)
		return wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be from %g to %g", file, n->line, key, lo, hi);
	return 0;
}

static int whole(const char *file, const struct wh_yaml *map, const char *key, unsigned *out, struct wh_error *err)
{
	double d = 0;
	int rc = number(file, map, key, 0, 1e6, &d, err);
	*out = (unsigned)d;
	return rc;
}

static int load_features(const char *file, const struct wh_yaml *features, struct wh_weights *w, struct wh_error *err)
{
	static const char *const known[] = {"weight", NULL};
	int rc = wh_yaml_check_keys(file, features, wh_feature_names, err);
	for (unsigned i = 0; i < WH_N_FEATURES && !rc; i++) {
		const struct wh_yaml *f = wh_yaml_get(features, wh_feature_names[i]);
		if (!f)
			continue; /* left out: it has no weight */
		if (!(rc = wh_yaml_check_keys(file, f, known, err)))
			rc = number(file, f, "weight", -100, 100, &w->weight[i], err);
	}
	return rc;
}

static int load_shares(const char *file, const struct wh_yaml *shapes, const char *key, double out[static WH_EDGE_BUCKETS],
                       struct wh_error *err)
{
	const struct wh_yaml *list = wh_yaml_get(shapes, key);
	double sum = 0;
	unsigned n = 0;
	int rc = 0;

	for (const struct wh_yaml *k = list && list->kind == WH_YAML_LIST ? list->child : NULL; k && !rc; k = k->next, n++) {
		double d;
		if (!(rc = wh_yaml_double(file, k, &d, err)) && (d <= 0 || n >= WH_EDGE_BUCKETS))
			break;
		if (!rc)
			sum += out[n] = d;
	}
	if (rc)
		return rc;
	if (n != WH_EDGE_BUCKETS || sum <= 0)
		return wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be a list of %d shares above 0", file,
		                     list ? list->line : shapes->line, key, WH_EDGE_BUCKETS);
	for (n = 0; n < WH_EDGE_BUCKETS; n++)
		out[n] /= sum;
	return 0;
}

static int load_shapes(const char *file, const struct wh_yaml *m, struct wh_weights *w, struct wh_error *err)
{
	static const char *const known[] = {"votes", "floor", "hostile-size", "hostile-length", "work-size", "work-length", NULL};
	int rc = wh_yaml_check_keys(file, m, known, err);
	if (!rc)
		rc = number(file, m, "votes", 0.1, 1e6, &w->votes, err);
	if (!rc)
		rc = number(file, m, "floor", 1e-6, 1, &w->floor, err);
	if (!rc)
		rc = load_shares(file, m, "hostile-size", w->hostile.size, err);
	if (!rc)
		rc = load_shares(file, m, "hostile-length", w->hostile.time, err);
	if (!rc)
		rc = load_shares(file, m, "work-size", w->work.size, err);
	return rc ? rc : load_shares(file, m, "work-length", w->work.time, err);
}

static int load_prices(const char *file, const struct wh_yaml *m, struct wh_select_costs *p, struct wh_error *err)
{
	static const char *const known[] = {"line",     "unseen",           "unseen-private", "carve-out",
	                                    "newcomer", "newcomer-private", "horizon-days",   NULL};
	int rc = wh_yaml_check_keys(file, m, known, err);
	if (!rc)
		rc = number(file, m, "line", 0, 1e6, &p->line, err);
	if (!rc)
		rc = number(file, m, "unseen", 0, 1e6, &p->unseen, err);
	if (!rc)
		rc = number(file, m, "unseen-private", 0, 1e6, &p->unseen_private, err);
	if (!rc)
		rc = number(file, m, "carve-out", 0, 1e6, &p->carve, err);
	if (!rc)
		rc = number(file, m, "newcomer", 0, 1e6, &p->newcomer, err);
	if (!rc)
		rc = number(file, m, "newcomer-private", 0, 1e6, &p->newcomer_private, err);
	return rc ? rc : number(file, m, "horizon-days", 1, 365, &p->horizon_days, err);
}

/* A list of two numbers above 0. */
static int pair(const char *file, const struct wh_yaml *m, const char *key, double out[static 2], struct wh_error *err)
{
	const struct wh_yaml *list = wh_yaml_get(m, key);
	unsigned n = 0;
	int rc = 0;

	for (const struct wh_yaml *k = list && list->kind == WH_YAML_LIST ? list->child : NULL; k && !rc; k = k->next, n++) {
		double d = 0;
		rc = wh_yaml_double(file, k, &d, err);
		if (!rc && n < 2 && d > 0 && d <= 1e6)
			out[n] = d;
		else if (!rc)
			n = 2; /* too many, or not above 0 */
	}
	return rc || n == 2 ? rc
	                    : wh_fail_input(err, -EINVAL, "%s:%d: '%s' must be a list of two numbers above 0", file,
	                                    list ? list->line : m->line, key);
}

static int load_one_off(const char *file, const struct wh_yaml *m, struct wh_weights *w, struct wh_error *err)
{
	static const char *const known[] = {"days", "flows", "expected", "quiet-days", "visits", "life", NULL};
	int rc = wh_yaml_check_keys(file, m, known, err);
	if (!rc)
		rc = whole(file, m, "days", &w->one_off_days, err);
	if (!rc)
		rc = whole(file, m, "flows", &w->one_off_flows, err);
	if (!rc)
		rc = number(file, m, "expected", 0, 1e6, &w->one_off_expected, err);
	if (!rc)
		rc = pair(file, m, "visits", w->rhythm.visits, err);
	if (!rc)
		rc = pair(file, m, "life", w->rhythm.life, err);
	return rc ? rc : whole(file, m, "quiet-days", &w->one_off_quiet, err);
}

static int load_gone(const char *file, const struct wh_yaml *m, struct wh_weights *w, struct wh_error *err)
{
	static const char *const known[] = {"days", "quiet-days", "gaps", "carve-out-days", NULL};
	int rc = wh_yaml_check_keys(file, m, known, err);
	if (!rc)
		rc = whole(file, m, "days", &w->gone_days, err);
	if (!rc)
		rc = whole(file, m, "quiet-days", &w->gone_quiet, err);
	if (!rc)
		rc = whole(file, m, "carve-out-days", &w->lapse_quiet, err);
	return rc ? rc : whole(file, m, "gaps", &w->gone_gaps, err);
}

int wh_weights_load(const char *path, struct wh_weights *out, struct wh_error *err)
{
	static const char *const known[] = {"prior", "features", "one-off", "gone", "shapes", "prices", NULL};
	struct wh_arena *mem = wh_arena_new();
	struct wh_yaml *root = NULL;
	int rc = wh_yaml_parse_file(path, mem, &root, err);

	*out = (struct wh_weights){0};
	if (!rc && !root)
		rc = wh_fail_input(err, -EINVAL, "%s: empty", path);
	if (!rc)
		rc = wh_yaml_check_keys(path, root, known, err);
	for (size_t i = 1; known[i] && !rc; i++)
		if (!wh_yaml_get(root, known[i]))
			rc = wh_fail_input(err, -EINVAL, "%s: '%s' is missing: copy it from the installed evidence.yaml", path,
			                   known[i]);
	if (!rc)
		rc = number(path, root, "prior", -100, 100, &out->prior, err);
	if (!rc)
		rc = load_features(path, wh_yaml_get(root, "features"), out, err);
	if (!rc)
		rc = load_one_off(path, wh_yaml_get(root, "one-off"), out, err);
	if (!rc)
		rc = load_gone(path, wh_yaml_get(root, "gone"), out, err);
	if (!rc)
		rc = load_shapes(path, wh_yaml_get(root, "shapes"), out, err);
	if (!rc)
		rc = load_prices(path, wh_yaml_get(root, "prices"), &out->prices, err);
	wh_arena_free(mem);
	return rc;
}
