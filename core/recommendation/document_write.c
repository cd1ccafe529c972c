/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The recommendation, written into the ledger. */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "recommendation/document.h"

int wh_recommendation_serial(struct wh_state *s, int64_t *out, struct wh_error *err)
{
	char *text = NULL;
	int rc = wh_state_get(s, COLLECTION, SERIAL, &text, err);
	*out = !rc && text ? strtoll(text, NULL, 10) : 0;
	free(text);
	return rc;
}

static int put_head(struct wh_state *s, const struct wh_recommendation *r, int64_t serial, struct wh_error *err)
{
	char number[32];
	json_t *names = json_array();
	for (size_t i = 0; i < r->n_resources; i++)
		json_array_append_new(names, json_string(r->resources[i].resource->name));
	int rc = wh_state_put_json(s, COLLECTION, KEY, wh_recommendation_document(r, "names", names), err);
	snprintf(number, sizeof number, "%lld", (long long)serial);
	return rc ? rc : wh_state_put(s, COLLECTION, SERIAL, number, err);
}

static int put_resource(struct wh_state *s, const struct wh_resource_result *res, int64_t serial, struct wh_error *err)
{
	struct wh_written_rules written = {calloc(res->n_rules + 1, sizeof *written.rules), 0};
	json_t *doc = written.rules ? wh_recommendation_resource_json(res, &written) : NULL;
	char *text = NULL;
	if (doc && !json_object_set_new(doc, "serial", json_integer(serial)) &&
	    (!res->n_reasons || !json_object_set_new(doc, "reasons", wh_reasons_json(res->reasons, res->n_reasons))))
		text = wh_prefix_lists_dump(doc, written.rules, written.n, true); /* nobody reads it: without white space */
	int rc = text ? wh_state_put(s, RESOURCES, res->resource->name, text, err) : wh_fail(err, -ENOMEM, "out of memory");
	json_decref(doc);
	free(written.rules);
	free(text);
	return rc;
}

static bool is_kept(const struct wh_recommendation *r, const char *name)
{
	for (size_t i = 0; i < r->n_resources; i++)
		if (!strcmp(r->resources[i].resource->name, name))
			return true;
	return false;
}

/* Documents of the calculation before, of resources that this one does not have. */
static int delete_others(struct wh_state *s, const struct wh_recommendation *r, const json_t *names, struct wh_error *err)
{
	int rc = 0;
	for (size_t i = 0; i < json_array_size(names) && !rc; i++) {
		const char *name = json_string_value(json_array_get(names, i));
		if (name && (i >= r->n_resources || strcmp(name, r->resources[i].resource->name)) && !is_kept(r, name))
			rc = wh_state_delete(s, RESOURCES, name, err);
	}
	return rc;
}

static int put_all(struct wh_state *s, const struct wh_recommendation *r, int64_t serial, struct wh_error *err)
{
	char *text = NULL;
	int rc = wh_state_get(s, COLLECTION, KEY, &text, err);
	json_t *before = !rc && text ? wh_json_own(text) : NULL;
	free(text);
	rc = rc ? rc : delete_others(s, r, json_object_get(before, "names"), err);
	json_decref(before);
	for (size_t i = 0; i < r->n_resources && !rc; i++)
		rc = put_resource(s, &r->resources[i], serial, err);
	rc = rc ? rc : wh_state_delete(s, COLLECTION, REASONS, err);
	return rc ? rc : put_head(s, r, serial, err);
}

int wh_recommendation_save(struct wh_state *s, struct wh_recommendation *r, struct wh_error *err)
{
	int64_t serial;
	int rc = wh_state_begin(s, err);
	if (rc)
		return rc;
	rc = wh_recommendation_serial(s, &serial, err);
	rc = rc ? rc : put_all(s, r, serial + 1, err);
	if (rc)
		wh_state_end(s, false, NULL);
	else
		rc = wh_state_end(s, true, err);
	if (!rc)
		r->serial = serial + 1;
	return rc;
}
