/* SPDX-License-Identifier: GPL-2.0-or-later */
/* graph: queries to Azure's Resource Graph, through the client of whittle/azure.h. */
#pragma once
#include "whittle/azure.h"

struct wh_graph_query {
	const char *query;  /* in the service's language, ordered by id: otherwise pages would overlap */
	const char *const *subscriptions; size_t n_subscriptions; /* ids; none: all that the token may read */
	size_t most_bytes;  /* of all its pages together */
};
/* One page as the service wrote it, {"data":[…], …}, with a resource at least. A negative return ends the query with that
 * code. */
typedef int (*wh_graph_page)(void *arg, unsigned number, const char *text, size_t len, struct wh_error *err);
/* All pages. Waits if the service throttles, within the client's time limit. An answer that lacks rows is an error. */
int wh_arm_graph(struct wh_arm *arm, const struct wh_graph_query *q, wh_graph_page each, void *arg, struct wh_error *err);
