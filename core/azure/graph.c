/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One query of Resource Graph, page by page. The order by id keeps pages from overlapping; a page names the next one by
 * $skipToken, and the last one has none. An answer that lacks rows, for any reason, is an error: missing rows would count as not
 * existing. Source: Azure REST reference of Microsoft.ResourceGraph resources (2022-10-01), "Working with large Azure resource
 * data sets", "Guidance for throttled requests".
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "azure/arm_http.h"
#include "base/json.h"
#include "whittle/graph.h"

#define PATH "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
enum { PAGE_ROWS = 1000 /* the service's maximum */, MOST_PAGES = 20000 };

static char *body_of(const struct wh_graph_query *q, const char *token)
{
	json_t *doc = json_pack("{s:s, s:{s:s, s:i}}", "query", q->query, "options", "resultFormat", "objectArray", "$top",
	                        PAGE_ROWS),
	       *options = json_object_get(doc, "options"), *list = json_array();
	if (token)
		json_object_set_new(options, "$skipToken", json_string(token));
	for (size_t i = 0; i < q->n_subscriptions; i++)
		json_array_append_new(list, json_string(q->subscriptions[i]));
	if (q->n_subscriptions)
		json_object_set(doc, "subscriptions", list);
	json_decref(list);
	char *text = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	return text;
}

/* One page: its rows, and its position in the whole answer. */
struct page { size_t rows; json_int_t total; bool truncated; const char *token; };

static int read_page(const struct wh_arm *arm, const struct wh_https_reply *r, json_t **doc, struct page *out,
                     struct wh_error *err)
{
	char reason[256];
	if (r->status != 200)
		return wh_fail(err, -EIO, "Resource Graph refuses: %s", wh_arm_reason(arm, r, reason));
	*doc = r->body ? wh_json_load(r->body, r->len, 0, NULL, NULL) : NULL;
	const json_t *data = json_object_get(*doc, "data"), *total = json_object_get(*doc, "totalRecords");
	const char *truncated = json_string_value(json_object_get(*doc, "resultTruncated"));
	if (!json_is_array(data) || !json_is_integer(total))
		return wh_fail(err, -EPROTO, "Resource Graph's answer is not a page of resources");
	*out = (struct page){.rows = json_array_size(data),
	                     .total = json_integer_value(total),
	                     .truncated = truncated && !strcasecmp(truncated, "true"),
	                     .token = json_string_value(json_object_get(*doc, "$skipToken"))};
	if (out->token && !*out->token)
		out->token = NULL;
	return 0;
}

int wh_arm_graph(struct wh_arm *arm, const struct wh_graph_query *q, wh_graph_page each, void *arg, struct wh_error *err)
{
	struct wh_https_reply r = {.body = NULL};
	json_int_t rows = 0;
	size_t bytes = 0;
	char *token = NULL;
	int rc = 0;
	for (unsigned n = 0; !rc; n++) {
		json_t *doc = NULL;
		struct page page = {0};
		char *body = n < MOST_PAGES ? body_of(q, token) : NULL;
		rc = body ? wh_arm_request(arm, "POST", PATH, NULL, body, &r, err)
		          : wh_fail(err, -EPROTO, "Resource Graph's pages do not end");
		free(body);
		rc = rc ? rc : read_page(arm, &r, &doc, &page, err);
		if (!rc && page.token && token && !strcmp(page.token, token))
			rc = wh_fail(err, -EPROTO, "Resource Graph gives the same page again");
		rows += (json_int_t)page.rows;
		bytes += r.len;
		if (!rc && rows > page.total)
			rc = wh_fail(err, -EPROTO, "Resource Graph gives more than the %lld rows that it counts",
			             (long long)page.total);
		if (!rc && bytes > q->most_bytes)
			rc = wh_fail(err, -EMSGSIZE,
			             "Resource Graph's answers have more than %zu MiB: ask for some subscriptions only",
			             q->most_bytes >> 20);
		if (!rc && !page.token && (page.truncated || rows != page.total))
			rc = wh_fail(err, -EPROTO, "Resource Graph gave %lld of %lld rows, and no next page", (long long)rows,
			             (long long)page.total);
		rc = rc || !page.rows ? rc : each(arg, n + 1, r.body, r.len, err);
		free(token);
		token = !rc && page.token ? strdup(page.token) : NULL;
		json_decref(doc);
		if (!token)
			break;
		if (r.retry_after_ms > 0) /* the quota is used up */
			rc = wh_arm_wait(arm, r.retry_after_ms, err);
	}
	free(token);
	wh_https_reply_free(&r);
	return rc;
}
