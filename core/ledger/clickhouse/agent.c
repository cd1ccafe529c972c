/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sends for a process that must never wait for a server: a thread that opens the ledger's file now and then, and sends the
 * waiting rows. Commits of the others stay on the disk (wh_fleet_apart).
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/store_url.h"
#include "ledger/clickhouse/fleet.h"
#include "ledger/fleet_start.h"

struct wh_fleet_agent {
	struct wh_fleet_agent_options o;
	char *url;
	pthread_t thread;
	pthread_mutex_t lock; /* of `stop` */
	pthread_cond_t wake;
	bool stop, troubled;
};

static void tell(struct wh_fleet_agent *a, bool trouble, const char *why)
{
	char text[700];
	if (trouble == a->troubled)
		return;
	a->troubled = trouble;
	if (trouble)
		snprintf(text, sizeof text, "the cluster takes nothing: %.400s; what is seen waits in %.200s", why,
		         wh_store_path(a->url));
	else
		snprintf(text, sizeof text, "the cluster takes rows again: what waited was sent");
	a->o.tell(a->o.arg, text);
}

static void send(struct wh_fleet_agent *a)
{
	struct wh_ledger l;
	struct wh_error why = {.text = ""};
	int rc = wh_ledger_open(a->url, WH_STATE_WRITE, &l, &why);
	if (rc == -ENOENT || rc == -ENODATA || rc == -EBUSY)
		return; /* nothing was seen yet, or another process has it just now */
	rc = rc ? rc : wh_store_waiting(l.store, &why);
	wh_ledger_close(&l);
	tell(a, rc != 0, why.text);
}

/* Whether it is to end. */
static bool pause_for(struct wh_fleet_agent *a, unsigned seconds)
{
	struct timespec until;
	int rc = 0;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&a->lock);
	while (!a->stop && !rc)
		rc = pthread_cond_timedwait(&a->wake, &a->lock, &until);
	bool stop = a->stop;
	pthread_mutex_unlock(&a->lock);
	return stop;
}

static void *run(void *arg)
{
	struct wh_fleet_agent *a = arg;
	while (!pause_for(a, a->o.seconds))
		send(a);
	send(a);
	return NULL;
}

static int begin(struct wh_fleet_agent *a, struct wh_error *err)
{
	pthread_condattr_t clock;
	sigset_t all, before;
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&a->wake, &clock);
	pthread_condattr_destroy(&clock);
	pthread_mutex_init(&a->lock, NULL);
	sigfillset(&all); /* signals are the program's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int code = pthread_create(&a->thread, NULL, run, a);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!code)
		pthread_setname_np(a->thread, "whittle-fleet");
	return code ? wh_fail(err, -code, "no thread: %s", strerror(code)) : 0;
}

int wh_fleet_agent_start(const char *url, const struct wh_fleet_agent_options *o, struct wh_fleet_agent **out,
                         struct wh_error *err)
{
	*out = NULL;
	if (!wh_store_is_fleet(url))
		return 0;
	struct wh_fleet_agent *a = calloc(1, sizeof *a);
	if (!a || !(a->url = strdup(url))) {
		free(a);
		return wh_fail(err, -ENOMEM, "out of memory");
	}
	a->o = *o;
	int rc = begin(a, err);
	if (rc) {
		free(a->url);
		free(a);
	} else {
		*out = a;
	}
	return rc;
}

void wh_fleet_agent_stop(struct wh_fleet_agent *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	pthread_cond_destroy(&a->wake);
	pthread_mutex_destroy(&a->lock);
	free(a->url);
	free(a);
}
