/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For the tests of each kind of store: a store, addresses 10.0.0.0/8 of ours, and a table to be committed. Every function fails
 * the test on any error. */
#pragma once
#include "ledger/store.h"

/* Needs <cmocka.h>. */
#define MUST(call) do { struct wh_error err = {.text = ""}; if ((call) < 0) fail_msg("%s: %s", #call, err.text); } while (0)

struct world {
	char dir[40], path[64], url[300];
	struct wh_state *state;
	struct wh_store *s;
	struct wh_locals *locals;
	struct wh_edge_table *t;
};
/* "sqlite:", "memory:", or "fleet:": a database of its own in the cluster of the URL in $WHITTLE_TEST_FLEET, with "%s" in the
 * place of the database; without it the test is skipped. */
void world_open(struct world *w, const char *kind);
bool world_has(const char *kind);
void world_close(struct world *w);
struct wh_addr world_address(const char *text);
/* Folded into the table: an answered session; a query and its answer, of which the source may be forged; a SYN that got no
 * answer. */
void world_session(struct world *w, const char *from, const char *to, uint16_t port, int day);
void world_query(struct world *w, uint32_t from, int day);
void world_refused(struct world *w, const char *from, uint16_t port, int day);
/* the table, which is empty then, with some counters. As wh_store_commit() */
int world_commit(struct world *w, const struct wh_store_progress *p);
char *world_text(struct wh_store *s); /* everything that it holds of edges; the caller's */

/* How many edges there are, of one local address or NULL: of all; and world_count() as a callback for that. */
struct world_counted { size_t n; struct wh_edge_key last; bool ordered; uint64_t flows; };
int world_count(void *counted, const struct wh_edge_key *k, const struct wh_edge *e);
struct world_counted world_edges(struct wh_store *s, const char *local);

/* Rows of a table of tests. */
#define EACH_KIND(test) \
	{#test " (sqlite)", test, NULL, NULL, (void *)"sqlite:"}, {#test " (memory)", test, NULL, NULL, (void *)"memory:"}, \
		{#test " (fleet)", test, NULL, NULL, (void *)"fleet:"}
