/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends the waiting rows to the cluster: part by part of the ledger, the rows that differ from the acknowledged ones, in inserts
 * of some megabytes. An insert's rows are recorded as acknowledged when the server has confirmed that all shards have them. A
 * kill in between sends it once more, with a higher version and the same values. While one insert is under way, in a thread, the
 * next one is made:
 *
 *   this thread   make 1 | make 2      | record 1, make 3      | record 2 …
 *   the other            | insert 1          | insert 2           …
 *
 * One process sends at a time (a lock next to the ledger's file): otherwise an older value could get the higher version.
 */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include "base/array.h"
#include "ledger/clickhouse/fleet.h"
#include "state/sqlite.h"

enum { INSERT_BYTES = 16 << 20, MOST_ADDRESSES = 4096 };

/* ---- marking ---- */

int fleet_mark_all(struct fleet_store *f, enum fleet_kind kind, struct wh_error *err)
{
	f->has_waiting = true;
	return wh_sent_mark(f->marks, kind, NULL, 0, err);
}

struct marking { struct fleet_store *f; struct wh_addr last; size_t n; struct wh_error *err; };

/* Edges of a table come by address, but for some. */
static int mark_edge(void *arg, const struct wh_edge_key *k, const struct wh_edge *e)
{
	struct marking *m = arg;
	(void)e;
	if (m->n && wh_addr_eq(&m->last, &k->local))
		return 0;
	m->last = k->local;
	return ++m->n > MOST_ADDRESSES ? 1 : wh_sent_mark(m->f->marks, FLEET_EDGE, k->local.b, sizeof k->local.b, m->err);
}

int fleet_mark_tables(struct fleet_store *f, const struct wh_store_batch *b, struct wh_error *err)
{
	struct marking m = {.f = f, .err = err};
	const struct wh_store_seen *seen = b->progress ? b->progress->seen : NULL;
	int rc = 0;
	for (size_t i = 0; i < b->n_tables && rc >= 0; i++)
		rc = wh_edge_table_each(b->tables[i], mark_edge, &m);
	if (rc > 0) /* so many that reading all is as good */
		rc = fleet_mark_all(f, FLEET_EDGE, err);
	rc = rc ? rc : fleet_mark_all(f, FLEET_SKETCH, err);
	rc = rc ? rc : fleet_mark_all(f, FLEET_DAY, err);
	rc = rc ? rc : fleet_mark_all(f, FLEET_FULL, err);
	rc = rc ? rc : fleet_mark_all(f, FLEET_SENSOR, err);
	return rc || !seen || !seen->n_facts ? rc : fleet_mark_all(f, FLEET_FACT, err);
}

/* ---- sending ---- */

struct acknowledged { size_t at, len; uint64_t hash; bool gone; }; /* `at` in keys */
/* The rows of an insert, of one kind. */
struct load { struct wh_bytes body, keys; struct acknowledged *rows; size_t n, room; };
struct sending {
	struct fleet_store *f;
	struct fleet_identity id;
	enum fleet_kind kind;
	struct load next, going; /* `going` is under way, of `kind`, if `sends` */
	bool sends, apart;       /* `apart`: in that thread */
	pthread_t thread;
	int rc;                  /* of `going` */
	struct wh_error why, *err;
};

static const char *columns_of(enum fleet_kind kind)
{
	return kind == FLEET_EDGE ? "key, sensor, version, gone, value, flows, bytes_in, bytes_out, first_us, last_us, day, days"
	                          : "key, sensor, version, gone, value";
}

static int note_acknowledged(const struct sending *s)
{
	struct fleet_store *f = s->f;
	const struct load *l = &s->going;
	int rc = wh_state_begin(f->state, s->err);
	if (rc)
		return rc;
	for (size_t i = 0; i < l->n && !rc; i++) {
		const struct acknowledged *a = &l->rows[i];
		rc = a->gone ? wh_sent_drop(f->marks, s->kind, l->keys.p + a->at, a->len, s->err)
		             : wh_sent_put(f->marks, s->kind, l->keys.p + a->at, a->len, a->hash, s->err);
	}
	return wh_state_finish(f->state, rc, s->err);
}

static void *insert(void *arg)
{
	struct sending *s = arg;
	char sql[256];
	snprintf(sql, sizeof sql, "INSERT INTO %s.%s (%s) FORMAT RowBinary", s->f->client.url.database, fleet_tables[s->kind],
	         columns_of(s->kind));
	s->rc = fleet_query(&s->f->client, -1, sql, &s->going.body, NULL, &s->why);
	return NULL;
}

/* Waits for the insert that is under way, if there is one, and records its rows. */
static int settle(struct sending *s)
{
	if (!s->sends)
		return 0;
	if (s->apart)
		pthread_join(s->thread, NULL);
	s->sends = s->apart = false;
	return s->rc ? wh_fail(s->err, s->rc, "%s", s->why.text) : note_acknowledged(s);
}

/* Begins to insert the next rows. */
static int go(struct sending *s)
{
	sigset_t all, before;
	if (!s->next.body.n)
		return 0;
	if (s->next.body.failed || s->next.keys.failed)
		return wh_fail(s->err, -ENOMEM, "out of memory");
	int rc = settle(s);
	if (rc)
		return rc;
	const struct load free_again = s->going;
	s->going = s->next;
	s->next = free_again;
	s->next.body.n = s->next.keys.n = s->next.n = 0;
	sigfillset(&all); /* signals are the program's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	s->apart = !pthread_create(&s->thread, NULL, insert, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	s->sends = true;
	if (!s->apart)
		insert(s);
	return 0;
}

/* All rows so far are inserted and recorded. */
static int flush(struct sending *s)
{
	int rc = go(s);
	return rc ? rc : settle(s);
}

static int add(void *arg, const uint8_t *key, size_t key_len, const uint8_t *value, size_t len, uint64_t hash)
{
	struct sending *s = arg;
	struct load *l = &s->next;
	const struct fleet_row row = {.key = key, .key_len = key_len, .sensor = s->id.sensor, .version = s->id.version,
	                              .value = value, .len = len};
	if (!wh_array_grow(&l->rows, l->n, &l->room, sizeof *l->rows))
		return wh_fail(s->err, -ENOMEM, "out of memory");
	l->rows[l->n++] = (struct acknowledged){l->keys.n, key_len, hash, !value};
	wh_put(&l->keys, key, key_len);
	fleet_put_row(&l->body, s->kind, &row);
	return l->body.n >= INSERT_BYTES ? go(s) : 0;
}

/* The row of the table of sensors comes last: a reader of it knows that the rest was sent. */
static int send_self(struct sending *s, struct wh_store *own)
{
	char *text;
	uint8_t key[8];
	int rc = fleet_sensor_text(s->f, s->id.sensor, own, &text, s->err);
	if (rc)
		return rc;
	for (int i = 0; i < 8; i++)
		key[i] = (uint8_t)(s->id.sensor >> 8 * i);
	s->kind = FLEET_SENSOR;
	rc = add(s, key, sizeof key, (const uint8_t *)text, strlen(text), 0);
	free(text);
	return rc ? rc : flush(s);
}

/* ---- waiting rows ---- */

struct part { unsigned kind; uint8_t bytes[16]; size_t len; int64_t stamp; };
struct parts { struct part *at; size_t n, room; };

static int collect(void *arg, unsigned kind, const uint8_t *part, size_t len, int64_t stamp)
{
	struct parts *l = arg;
	if (kind >= FLEET_KINDS || (len && len != sizeof l->at->bytes))
		return 0;
	if (!wh_array_grow(&l->at, l->n, &l->room, sizeof *l->at))
		return -ENOMEM;
	struct part *p = &l->at[l->n++];
	*p = (struct part){.kind = kind, .len = len, .stamp = stamp};
	if (len)
		memcpy(p->bytes, part, len);
	return 0;
}

static int send_part(struct sending *s, const struct fleet_changes *changes, const struct part *p)
{
	s->kind = (enum fleet_kind)p->kind;
	int rc = p->kind == FLEET_SENSOR ? 0 : fleet_changes(changes, s->kind, p->bytes, p->len, s->err);
	rc = rc ? rc : flush(s);
	return rc ? rc : wh_sent_unmark(s->f->marks, p->kind, p->bytes, p->len, p->stamp, s->err);
}

/* Everything that was marked when it began. The ledger is read by a connection of its own, which sees each part as it is now. */
static int send_all(struct sending *s)
{
	struct fleet_store *f = s->f;
	struct fleet_changes changes = {.key = s->id.key, .each = add, .arg = s};
	struct wh_state *state = NULL;
	struct parts l = {0};
	int rc = wh_sent_marks(f->marks, collect, &l, s->err);
	if (rc == -ENOMEM)
		wh_fail(s->err, rc, "out of memory");
	rc = rc ? rc : l.n ? wh_state_again(f->state, &state, s->err) : 0;
	rc = rc || !l.n ? rc : wh_store_sqlite.open(NULL, state, &changes.own, s->err);
	rc = rc || !l.n ? rc : wh_sent_open(state, &changes.sent, s->err);
	for (size_t i = 0; i < l.n && !rc; i++)
		rc = send_part(s, &changes, &l.at[i]);
	if (!rc && l.n)
		rc = send_self(s, changes.own);
	wh_sent_close(changes.sent);
	wh_store_close(changes.own);
	wh_state_close(state);
	free(l.at);
	return rc;
}

static int lock(const struct fleet_store *f, int *fd, struct wh_error *err)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof path, "%s-fleet", f->state->file) >= (int)sizeof path)
		return wh_fail_input(err, -ENAMETOOLONG, "%.80s…: the path is too long", f->state->file);
	*fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*fd < 0)
		return wh_fail(err, -errno, "%s: %s", path, strerror(errno));
	if (!flock(*fd, LOCK_EX | LOCK_NB))
		return 0;
	int rc = errno == EWOULDBLOCK ? wh_fail(err, -EBUSY, "%s: another process is sending what waits", path)
	                              : wh_fail(err, -errno, "%s: %s", path, strerror(errno));
	close(*fd);
	return rc;
}

static void free_load(struct load *l)
{
	free(l->body.p);
	free(l->keys.p);
	free(l->rows);
}

int fleet_deliver(struct fleet_store *f, struct wh_error *err)
{
	struct sending s = {.f = f, .err = err};
	int fd = -1, rc = lock(f, &fd, err);
	if (rc)
		return rc;
	f->has_waiting = false;
	rc = fleet_identify(f, &s.id, err);
	rc = rc ? rc : fleet_tables_ready(&f->client, err);
	int64_t began = wh_monotonic_us();
	rc = rc ? rc : send_all(&s);
	if (s.sends) { /* after an error of another thing; what was inserted is recorded all the same */
		struct wh_error ignored;
		s.err = &ignored;
		settle(&s);
	}
	f->has_waiting |= rc != 0;
	f->sent_us = wh_monotonic_us();
	f->took_us = f->sent_us - began;
	close(fd);
	free_load(&s.next);
	free_load(&s.going);
	return rc;
}
