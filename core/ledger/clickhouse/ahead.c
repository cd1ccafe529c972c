/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * While the store is held, all edges are read in order (store.h). Pages of them are fetched before somebody asks: else all
 * threads would wait for the servers, and then the servers for them.
 */
#include <signal.h>
#include <stdlib.h>
#include "ledger/clickhouse/fleet.h"

static void *fetch_pages(void *arg)
{
	struct fleet_store *f = arg;
	struct fleet_book *b = f->book;
	pthread_mutex_lock(&b->lock);
	while (!b->ahead.stop)
		if (!b->ahead.on || !fleet_fetch_next(f))
			pthread_cond_wait(&b->filled, &b->lock);
	pthread_mutex_unlock(&b->lock);
	for (size_t i = 0; i < FLEET_HOSTS; i++)
		fleet_answer_free(&f->answers[i]);
	free(f);
	return NULL;
}

/* With the lock. Without a thread, pages come when they are asked for. */
static void start(const struct fleet_store *of)
{
	struct fleet_ahead *a = &of->book->ahead;
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (a->n < FLEET_AHEAD) {
		struct fleet_store *f = calloc(1, sizeof *f);
		if (!f)
			break;
		fleet_client_again(&of->client, &f->client);
		f->book = of->book;
		f->keeps = true;
		if (pthread_create(&a->threads[a->n], NULL, fetch_pages, f)) {
			free(f);
			break;
		}
		a->n++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void fleet_ahead(struct fleet_store *f, const struct fleet_wish *w)
{
	struct fleet_book *b = f->book;
	pthread_mutex_lock(&b->lock);
	struct fleet_ahead *a = &b->ahead;
	if (!a->on || fleet_bound_cmp(&a->wish.at, &w->at) < 0) {
		a->wish = *w;
		a->on = true;
		start(f);
		pthread_cond_broadcast(&b->filled);
	}
	pthread_mutex_unlock(&b->lock);
}

void fleet_ahead_stop(struct fleet_book *b)
{
	pthread_mutex_lock(&b->lock);
	b->ahead.stop = true;
	pthread_cond_broadcast(&b->filled);
	pthread_mutex_unlock(&b->lock);
	for (unsigned i = 0; i < b->ahead.n; i++)
		pthread_join(b->ahead.threads[i], NULL);
	b->ahead = (struct fleet_ahead){.n = 0};
}
