/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <pthread.h>
#include <stdatomic.h>
#include "harden/parallel.h"

struct crew {
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
struct worker {
	struct crew *crew;
	struct wh_store *s;
	unsigned number;
	pthread_t id;
};

/* Jobs below a failed one were all begun before it, so the lowest that fails is the same whoever is quick. */
static void *work(void *arg)
{
	struct worker *me = arg;
	struct crew *c = me->crew;
	struct wh_error err = {0};
	size_t i;

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

int wh_parallel(struct wh_store *s, unsigned threads, size_t n, wh_job job, void *arg, struct wh_error *err)
{
	struct crew c = {.n = n, .job = job, .arg = arg, .lock = PTHREAD_MUTEX_INITIALIZER, .err = err};
	struct worker w[WH_MOST_THREADS] = {{.crew = &c, .s = s}};
	unsigned begun = 1;

	for (; begun < threads && begun < WH_MOST_THREADS && begun < n; begun++) {
		struct wh_error ignored;
		w[begun] = (struct worker){.crew = &c, .number = begun};
		if (wh_store_again(s, &w[begun].s, &ignored))
			break;
		if (pthread_create(&w[begun].id, NULL, work, &w[begun])) {
			wh_store_close(w[begun].s);
			break;
		}
	}
	work(&w[0]);
	for (unsigned i = 1; i < begun; i++) {
		pthread_join(w[i].id, NULL);
		wh_store_close(w[i].s);
	}
	pthread_mutex_destroy(&c.lock);
	return c.rc;
}
