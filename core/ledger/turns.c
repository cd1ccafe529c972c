/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <pthread.h>
#include <stdlib.h>
#include "ledger/store.h"
#include "whittle/ingest_turns.h"

struct wh_turns {
	struct wh_store *of;
	pthread_mutex_t lock; /* of all that follows, and of the use of the store */
	pthread_cond_t moved;
	size_t now;           /* whose turn it is */
	size_t realms;        /* commits that brought realms */
	bool over;
};
struct turn_store {
	struct wh_store base;
	struct wh_turns *turns;
	size_t number, realms; /* realms: how many of these commits it knows */
	bool ahead;            /* see wh_store_reads_ahead() */
};

static struct turn_store *turn_of(struct wh_store *s)
{
	return (struct turn_store *)s;
}

/* ---- calls allowed before one's turn ---- */

static struct wh_store *take(struct wh_store *s)
{
	pthread_mutex_lock(&turn_of(s)->turns->lock);
	return turn_of(s)->turns->of;
}

static int give(struct wh_store *s, int rc)
{
	pthread_mutex_unlock(&turn_of(s)->turns->lock);
	return rc;
}

static int progress(struct wh_store *s, const char *identity, uint64_t *offset, uint64_t *line, struct wh_error *err)
{
	struct wh_store *of = take(s);
	return give(s, of->ops->progress(of, identity, offset, line, err));
}

static int content_key(struct wh_store *s, uint8_t key[WH_LINE_KEY_BYTES], int64_t *generation, struct wh_error *err)
{
	struct wh_store *of = take(s);
	return give(s, of->ops->content_key(of, key, generation, err));
}

static int contents(struct wh_store *s, wh_content_cb each, void *arg, struct wh_error *err)
{
	struct wh_store *of = take(s);
	return give(s, of->ops->contents(of, each, arg, err));
}

static int content(struct wh_store *s, int64_t id, struct wh_content_row *row, struct wh_error *err)
{
	struct wh_store *of = take(s);
	return give(s, of->ops->content(of, id, row, err));
}

static int realms(struct wh_store *s, wh_realm_cb each, void *arg, struct wh_error *err)
{
	struct wh_store *of = take(s);
	turn_of(s)->realms = turn_of(s)->turns->realms;
	return give(s, of->ops->realms(of, each, arg, err));
}

/* ---- calls that wait for it ---- */

static bool wait_for(struct wh_turns *t, size_t i)
{
	while (t->now != i && !t->over)
		pthread_cond_wait(&t->moved, &t->lock);
	return !t->over;
}

/* NULL, with the reason, where there are no more turns. */
static struct wh_store *take_turn(struct wh_store *s, struct wh_error *err)
{
	struct wh_store *of = take(s);
	if (wait_for(turn_of(s)->turns, turn_of(s)->number))
		return of;
	wh_fail(err, give(s, -ECANCELED), "stopped");
	return NULL;
}

static int conversations(struct wh_store *s, int32_t day, wh_conversation_cb each, void *arg, struct wh_error *err)
{
	struct wh_store *of = take_turn(s, err);
	return of ? give(s, of->ops->conversations(of, day, each, arg, err)) : -ECANCELED;
}

static int open_flows(struct wh_store *s, wh_page_cb each, void *arg, int64_t *generation, struct wh_error *err)
{
	struct wh_store *of = take_turn(s, err);
	return of ? give(s, of->ops->open_flows(of, each, arg, generation, err)) : -ECANCELED;
}

/* An address that two inputs met may be in two realms, where neither knew of the other. */
static int commit(struct wh_store *s, const struct wh_store_batch *b, struct wh_error *err)
{
	struct turn_store *me = turn_of(s);
	size_t met = b->progress && b->progress->seen ? b->progress->seen->n_realms : 0;
	struct wh_store *of = take_turn(s, err);
	if (!of)
		return -ECANCELED;
	if (met && me->realms != me->turns->realms)
		return give(s, wh_fail(err, -ESTALE, "realms came from another input"));
	int rc = of->ops->commit(of, b, err);
	me->ahead &= rc == -EAGAIN || rc == -ESTALE;
	if (!rc) {
		me->turns->realms += met > 0;
		me->realms = me->turns->realms;
	}
	return give(s, rc);
}

/* A reading calls nothing else. */
static const struct wh_store_ops operations = {.commit = commit,
                                               .progress = progress,
                                               .content_key = content_key,
                                               .contents = contents,
                                               .content = content,
                                               .conversations = conversations,
                                               .realms = realms,
                                               .open_flows = open_flows};

/* ---- turns ---- */

struct wh_turns *wh_turns_new(struct wh_store *of)
{
	struct wh_turns *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->of = of;
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->moved, NULL);
	return t;
}

void wh_turns_free(struct wh_turns *t)
{
	if (!t)
		return;
	pthread_cond_destroy(&t->moved);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

struct wh_store *wh_turns_store(struct wh_turns *t, size_t i)
{
	struct turn_store *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	*s = (struct turn_store){.base.ops = &operations, .turns = t, .number = i, .ahead = !wh_turns_at(t, i)};
	return &s->base;
}

bool wh_turns_wait(struct wh_turns *t, size_t i)
{
	pthread_mutex_lock(&t->lock);
	bool mine = wait_for(t, i);
	pthread_mutex_unlock(&t->lock);
	return mine;
}

bool wh_turns_at(struct wh_turns *t, size_t i)
{
	pthread_mutex_lock(&t->lock);
	bool mine = t->now == i && !t->over;
	pthread_mutex_unlock(&t->lock);
	return mine;
}

void wh_turns_next(struct wh_turns *t, bool last)
{
	pthread_mutex_lock(&t->lock);
	t->now++;
	t->over |= last;
	pthread_cond_broadcast(&t->moved);
	pthread_mutex_unlock(&t->lock);
}

bool wh_store_reads_ahead(const struct wh_store *s)
{
	return s->ops == &operations && ((const struct turn_store *)s)->ahead;
}
