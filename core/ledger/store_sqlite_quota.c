/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Edges that prove nothing are kept within bounds.
 *
 * Anybody can forge the source of a datagram, and nearly so what looks like a handshake without data. A server that answers 60,000 forged
 * queries an hour would make as many edges. So of the unproven inbound edges (wh_edge_unproven) of one local address, protocol and port
 * the ledger keeps A_DAY of each day, and MOST of all days: those with the most flows, of equal ones those with the least hash, whatever
 * the order in which they came. The rest is counted in the port's sketch. A peer that comes again, WH_APART_US later or on another day,
 * while the ledger or the table still has it, is proven and counts no longer.
 *
 *   in the table   a port's surplus is merged into edges that the ledger has, and makes none
 *   in the ledger  a port is swept when at least SWEEP of its edges came in one commit, and else by chance, once in SWEEP: a port that
 *                  is flooded slowly is found by the latter, and costs no walk at every commit
 */
#include "base/siphash.h"
#include "ledger/store_sqlite.h"

enum { A_DAY = 256, MOST = 4096, SWEEP = 64, PORT_KEY = 20 };

static const struct wh_hash_key the_same_always = {{0}}; /* what stays is written, and must not depend on the process */

struct unproven {
	struct wh_edge_key key;
	const struct wh_edge *edge; /* the table's; NULL: the ledger's row */
	int64_t time_us;
	uint64_t flows, hash;
	int32_t day;
};
struct quota {
	struct wh_store *s;
	struct wh_error *err;
	struct unproven *u; size_t n, cap; /* of one port */
	struct wh_sketch sketch;           /* what it gives up */
	uint64_t chance;
};

static int add(struct quota *q, const struct wh_edge_key *k, const struct wh_edge *e, const struct wh_edge *in_table)
{
	if (q->n == q->cap) {
		size_t cap = q->cap ? q->cap * 2 : 256;
		struct unproven *more = reallocarray(q->u, cap, sizeof *more);
		if (!more)
			return wh_fail(q->err, -ENOMEM, "out of memory");
		q->u = more;
		q->cap = cap;
	}
	q->u[q->n++] = (struct unproven){*k, in_table, e->first_us, e->flows, wh_siphash(the_same_always, k->peer.b, 2, 0), e->day0};
	return 0;
}

/* The latest day first, and of a day those that stay. */
static int by_worth(const void *x, const void *y)
{
	const struct unproven *a = x, *b = y;
	if (a->day != b->day)
		return a->day < b->day ? 1 : -1;
	if (a->flows != b->flows)
		return a->flows < b->flows ? 1 : -1;
	return a->hash < b->hash ? -1 : a->hash > b->hash;
}

/* The place of the next that is surplus, from `at` on; q->n when there is none. *of_day and *kept count on. */
static size_t next_surplus(const struct quota *q, size_t at, size_t *of_day, size_t *kept)
{
	for (; at < q->n; at++) {
		*of_day = at && q->u[at - 1].day == q->u[at].day ? *of_day + 1 : 0;
		if (*of_day >= A_DAY || *kept >= MOST)
			return at;
		++*kept;
	}
	return at;
}

static int put(struct quota *q, enum statement which, const struct wh_edge_key *k, const struct wh_edge *e)
{
	uint8_t key[WH_EDGE_KEY_BYTES], value[WH_EDGE_VALUE_MAX];
	sqlite3_stmt *st = wh_sql_use(q->s, which, "written", q->err);
	if (!st)
		return -EIO;
	wh_edge_key_encode(k, key);
	sqlite3_bind_blob(st, 1, key, sizeof key, SQLITE_STATIC);
	if (e)
		sqlite3_bind_blob(st, 2, value, (int)wh_edge_encode(e, value), SQLITE_STATIC);
	return wh_sql_run(q->s, st, "written", q->err);
}

static int row(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	return wh_edge_unproven(k, e) ? add(arg, k, e, NULL) : 0;
}

/* What the ledger has of the port beyond what may stay goes into the sketch. */
static int sweep(struct quota *q, const struct wh_edge_key *port)
{
	uint8_t from[WH_EDGE_KEY_BYTES], to[PORT_KEY];
	size_t of_day = 0, kept = 0;
	bool carry = true;

	wh_edge_key_encode(port, from);
	memcpy(to, from, sizeof to);
	for (int i = PORT_KEY - 1; i >= 0 && carry; i--)
		carry = !++to[i];
	q->n = 0;
	int rc = wh_sql_scan(q->s, from, PORT_KEY, to, PORT_KEY, row, q, q->err);
	if (!rc && q->n)
		qsort(q->u, q->n, sizeof *q->u, by_worth);
	for (size_t i = 0; !rc && (i = next_surplus(q, i, &of_day, &kept)) < q->n; i++) {
		rc = put(q, ST_EDGE_DROP, &q->u[i].key, NULL);
		wh_sketch_add_unproven(&q->sketch, &q->u[i].key.peer, q->u[i].time_us, q->u[i].flows);
	}
	return rc;
}

/* One port's unproven edges of the table. */
static int finish_port(struct quota *q)
{
	size_t n = q->n, of_day = 0, kept = 0, surplus = q->n;
	bool due = n >= SWEEP;
	int rc = 0;

	if (!n)
		return 0;
	struct wh_edge_key port = q->u[0].key;
	memset(&q->sketch, 0, sizeof q->sketch);
	if (n > A_DAY)
		qsort(q->u, n, sizeof *q->u, by_worth);
	surplus = next_surplus(q, 0, &of_day, &kept);
	for (size_t i = 0; i < n && !rc; i++) {
		q->chance = wh_siphash(wh_hash_key(), &q->chance, 1, q->u[i].hash);
		due = due || !(q->chance % SWEEP);
		rc = put(q, i == surplus ? ST_EDGE_MORE : ST_EDGE, &q->u[i].key, q->u[i].edge);
		if (i != surplus)
			continue;
		if (!rc && !sqlite3_changes(q->s->db))
			wh_sketch_add_unproven(&q->sketch, &q->u[i].key.peer, q->u[i].time_us, q->u[i].flows);
		surplus = next_surplus(q, i + 1, &of_day, &kept);
	}
	if (!rc && due)
		rc = sweep(q, &port);
	q->n = 0;
	return rc || !q->sketch.unproven ? rc : wh_sql_put_sketch(q->s, &(struct wh_sketch_key){port.local, port.port, port.proto}, &q->sketch, q->err);
}

static bool same_port(const struct wh_edge_key *a, const struct wh_edge_key *b)
{
	return a->port == b->port && a->proto == b->proto && a->direction == b->direction && wh_addr_eq(&a->local, &b->local);
}

static int table_edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct quota *q = arg;
	int rc = q->n && !same_port(&q->u[0].key, k) ? finish_port(q) : 0;
	if (rc)
		return rc;
	return wh_edge_unproven(k, e) ? add(q, k, e, e) : put(q, ST_EDGE, k, e);
}

int wh_sql_put_edges(struct wh_store *s, const struct wh_edge_table *t, struct wh_error *err)
{
	struct quota q = {.s = s, .err = err, .chance = (uint64_t)wh_now_us()};
	int rc = wh_edge_table_each(t, table_edge, &q);
	if (rc == -ENOMEM && !q.n)
		wh_fail(err, rc, "out of memory");
	if (!rc)
		rc = finish_port(&q);
	free(q.u);
	return rc;
}
