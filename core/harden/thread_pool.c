/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "harden/thread_pool.h"

struct worker {
	struct pool_run *run;
	struct wh_store *s;
	unsigned number;
	pthread_t id;
};
struct wh_thread_pool {
	unsigned n;
	struct worker w[];
};

struct pool_run {
	const struct wh_store *of; /* the ledger's store */
	size_t n;
	wh_job job;
	void *arg;
	atomic_size_t next;
	atomic_bool failed;
	pthread_mutex_t lock; /* of the three below */
	size_t failed_at;
	int rc;
	struct wh_error *err;
};

struct wh_thread_pool *wh_thread_pool_new(struct wh_store *s, unsigned threads)
{
	unsigned n = threads < 1 ? 1 : threads < WH_MOST_THREADS ? threads : WH_MOST_THREADS;
	struct wh_thread_pool *c = calloc(1, sizeof *c + n * sizeof c->w[0]);
	if (!c)
		return NULL;
	c->n = n;
	for (unsigned i = 0; i < n; i++)
		c->w[i].number = i;
	c->w[0].s = s;
	return c;
}

void wh_thread_pool_free(struct wh_thread_pool *c)
{
	for (unsigned i = 1; c && i < c->n; i++)
		wh_store_close(c->w[i].s);
	free(c);
}

unsigned wh_thread_pool_threads(const struct wh_thread_pool *c)
{
	return c->n;
}

/* All jobs below a failed one began before it, so the lowest failing job is the same whatever the threads' timing. */
static void *work(void *arg)
{
	struct worker *me = arg;
	struct pool_run *c = me->run;
	struct wh_error err = {0};
	size_t i;

	if (!me->s && c->of && wh_store_again(c->of, &me->s, &err))
		return NULL; /* the others do it */
	while (!atomic_load(&c->failed) && (i = atomic_fetch_add(&c->next, 1)) < c->n) {
		int rc = c->job(c->arg, me->s, me->number, i, &err);
		if (!rc)
			continue;
		pthread_mutex_lock(&c->lock);
		if (!c->rc || i < c->failed_at) {
			c->rc = rc;
			c->failed_at = i;
			if (c->err)
				*c->err = err;
		}
		pthread_mutex_unlock(&c->lock);
		atomic_store(&c->failed, true);
	}
	return NULL;
}

int wh_thread_pool_run(struct wh_thread_pool *pool, size_t n, wh_job job, void *arg, struct wh_error *err)
{
	struct pool_run c = {.of = pool->w[0].s, .n = n, .job = job, .arg = arg, .lock = PTHREAD_MUTEX_INITIALIZER, .err = err};
	unsigned begun = 1;

	pool->w[0].run = &c;
	for (; begun < pool->n && begun < n; begun++) {
		pool->w[begun].run = &c;
		if (pthread_create(&pool->w[begun].id, NULL, work, &pool->w[begun]))
			break;
	}
	work(&pool->w[0]);
	for (unsigned i = 1; i < begun; i++)
		pthread_join(pool->w[i].id, NULL);
	pthread_mutex_destroy(&c.lock);
	return c.rc;
}
