/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "ledger/edge.h"
#include "tests/unit/support/scene.h"
#include "tests/unit/support/store_world.h"

bool world_has(const char *kind)
{
	return strcmp(kind, "fleet:") != 0 || getenv("WHITTLE_TEST_FLEET");
}

static const char *url_of(struct world *w, const char *kind)
{
	static int databases;
	const char *fleet = getenv("WHITTLE_TEST_FLEET"), *place = fleet ? strstr(fleet, "%s") : NULL;
	if (strcmp(kind, "fleet:") != 0)
		return strcmp(kind, "sqlite:") ? kind : w->path;
	assert_non_null(place);
	snprintf(w->url, sizeof w->url, "%.*stest_%d_%d%s&local=%s", (int)(place - fleet), fleet, (int)getpid(), databases++,
	         place + 2, w->path);
	return w->url;
}

void world_open(struct world *w, const char *kind)
{
	struct wh_prefix ours = scene_prefix("10.0.0.0/8");
	if (!world_has(kind))
		skip();
	memset(w, 0, sizeof *w);
	strcpy(w->dir, "/tmp/wh-contract-XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof w->path, "%s/l.db", w->dir);
	MUST(wh_state_open(w->path, WH_STATE_CREATE, &w->state, &err));
	MUST(wh_store_open(url_of(w, kind), w->state, &w->s, &err));
	assert_non_null(w->locals = wh_locals_new());
	wh_locals_add_prefix(w->locals, &ours);
	assert_non_null(w->t = wh_edge_table_new(w->locals, 64 << 20));
}

void world_close(struct world *w)
{
	char cmd[64];
	wh_edge_table_free(w->t);
	wh_locals_free(w->locals);
	wh_store_close(w->s);
	wh_state_close(w->state);
	snprintf(cmd, sizeof cmd, "rm -r %s", w->dir);
	assert_int_equal(system(cmd), 0);
}

struct wh_addr world_address(const char *text)
{
	struct wh_addr a;
	assert_int_equal(wh_addr_parse(text, strlen(text), &a), 0);
	return a;
}

void world_session(struct world *w, const char *from, const char *to, uint16_t port, int day)
{
	struct wh_record r = scene_record(from, port, day, 9, 64, 600);
	r.flow.dst = world_address(to);
	assert_int_equal(wh_edge_table_fold(w->t, &r), 0);
}

/* A query and its answer, of which the source may be forged. */
void world_query(struct world *w, uint32_t from, int day)
{
	struct wh_record r = scene_record("198.51.100.1", 53, day, 9, 1, 0);
	r.flow.src.b[12] = 100, r.flow.src.b[13] = (uint8_t)(from >> 16), r.flow.src.b[14] = (uint8_t)(from >> 8),
	r.flow.src.b[15] = (uint8_t)from;
	r.flow.proto = WH_PROTO_UDP;
	r.flow.has_tcp_flags = false;
	assert_int_equal(wh_edge_table_fold(w->t, &r), 0);
}

void world_refused(struct world *w, const char *from, uint16_t port, int day)
{
	struct wh_record r = scene_record(from, port, day, 9, 0, 0);
	r.flow.tcp_flags_toserver = WH_TCP_SYN;
	r.flow.tcp_flags_toclient = 0;
	r.flow.pkts_toserver = 1;
	r.flow.bytes_toserver = 60;
	r.flow.pkts_toclient = r.flow.bytes_toclient = 0;
	r.flow.state = WH_STATE_NEW;
	r.flow.app_proto_known = false;
	assert_int_equal(wh_edge_table_fold(w->t, &r), 0);
}

int world_commit(struct world *w, const struct wh_store_progress *p)
{
	struct wh_error why = {.text = ""};
	struct wh_read_stats d = {.records = 7, .flows = 5, .alerts = 1, .other = 1, .malformed = 2};
	int rc = wh_store_commit(w->s, w->t, p, &d, &why);
	if (!rc)
		wh_edge_table_clear(w->t);
	return rc;
}

/* ---- everything that a store holds of edges, as text ---- */

static int print_edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	uint8_t key[WH_EDGE_KEY_BYTES], value[WH_EDGE_VALUE_MAX];
	size_t n = wh_edge_encode(e, value);
	wh_edge_key_encode(k, key);
	fprintf(arg, "edge ");
	for (size_t i = 0; i < sizeof key; i++)
		fprintf(arg, "%02x", key[i]);
	fputc(' ', arg);
	for (size_t i = 0; i < n; i++)
		fprintf(arg, "%02x", value[i]);
	fputc('\n', arg);
	return 0;
}

static int print_sketch(void *arg, const struct wh_addr *local, uint8_t proto, uint16_t port, const struct wh_sketch *sk)
{
	uint8_t b[WH_SKETCH_BYTES];
	char text[WH_ADDR_STRLEN];
	wh_sketch_encode(sk, b);
	fprintf(arg, "sketch %s %u %u ", wh_addr_text(local, text), proto, port);
	for (size_t i = 0; i < sizeof b; i++)
		fprintf(arg, "%02x", b[i]);
	fputc('\n', arg);
	return 0;
}

static int print_local(void *arg, const struct wh_addr *local)
{
	char text[WH_ADDR_STRLEN];
	fprintf(arg, "local %s\n", wh_addr_text(local, text));
	return 0;
}

static int print_day(void *arg, int32_t day, uint64_t flows)
{
	fprintf(arg, "day %d %llu\n", day, (unsigned long long)flows);
	return 0;
}

char *world_text(struct wh_store *s)
{
	char *text;
	size_t len;
	struct wh_store_totals t;
	FILE *f = open_memstream(&text, &len);
	assert_non_null(f);
	MUST(wh_store_edges(s, NULL, print_edge, f, &err));
	MUST(wh_store_sketches(s, print_sketch, f, &err));
	MUST(wh_store_locals(s, print_local, f, &err));
	MUST(wh_store_days(s, print_day, f, &err));
	MUST(wh_store_totals(s, &t, &err));
	fprintf(f, "totals %llu %llu %llu %llu %llu %llu %lld %lld\n", (unsigned long long)t.edges, (unsigned long long)t.flows,
	        (unsigned long long)t.alerts, (unsigned long long)t.other, (unsigned long long)t.malformed,
	        (unsigned long long)t.records, (long long)t.first_us, (long long)t.last_us);
	fclose(f);
	return text;
}

int world_count(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct world_counted *c = arg;
	uint8_t a[WH_EDGE_KEY_BYTES], b[WH_EDGE_KEY_BYTES];
	wh_edge_key_encode(&c->last, a);
	wh_edge_key_encode(k, b);
	c->ordered = (!c->n || memcmp(a, b, sizeof a) < 0) && (!c->n || c->ordered);
	c->last = *k;
	c->flows += e->flows;
	c->n++;
	return 0;
}

struct world_counted world_edges(struct wh_store *s, const char *local)
{
	struct world_counted c = {.ordered = true};
	struct wh_addr a = local ? world_address(local) : (struct wh_addr){{0}};
	MUST(wh_store_edges(s, local ? &a : NULL, world_count, &c, &err));
	return c;
}
