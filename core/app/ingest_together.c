/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several files at once, by a thread each; whittle/ingest_turns.h has the order in which they are written. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include "app/app.h"
#include "app/ingest_together.h"
#include "base/directory.h"
#include "whittle/ingest_turns.h"

/* MOST: more would wait for those that write. Many small files are read by one thread, to which each leaves what it knows of the
 * ledger: two would read all of that anew for each file, because the other one has written. */
enum { MOST = 4, MANY = 64, SMALL = 256 << 10 };

struct together {
	const struct ingest_paths *paths;
	const struct wh_ingest_options *opt;
	struct wh_turns *turns;
	atomic_size_t next;
	ingest_read_cb read;
	void *arg;
	struct wh_contents **kept; /* NULL: there are several threads */
};
struct one { struct together *t; size_t i; };

unsigned ingest_threads(const struct ingest_paths *paths)
{
	struct stat st;
	for (size_t i = 0; i < paths->n; i++)
		if (wh_stat_input(paths->list[i].path, &st) || !S_ISREG(st.st_mode))
			return 1;
	return paths->n < 2 || (paths->n >= MANY && paths->bytes / paths->n < SMALL) ? 1 : wh_app_processors(MOST);
}

static int progress(void *arg, uint64_t bytes, uint64_t total, uint64_t records)
{
	const struct one *o = arg;
	const struct wh_ingest_options *opt = o->t->opt;
	return opt->progress && wh_turns_at(o->t->turns, o->i) ? opt->progress(opt->progress_arg, bytes, total, records) : 0;
}

/* A file read before its turn that can't be written as it is, is read again in its turn. False: there are no more turns. */
static bool read_one(struct together *t, size_t i)
{
	const struct ingest_path *p = &t->paths->list[i];
	struct one o = {t, i};
	struct wh_ingest_options opt = *t->opt;
	struct wh_ingest_result r = {.edges = 0};
	struct wh_error err = {.text = ""};
	struct wh_store *s = wh_turns_store(t->turns, i);
	opt.kept = t->kept;
	opt.progress = progress;
	opt.progress_arg = &o;
	int failed = s ? wh_ingest(s, p->path, &opt, &r, &err) : wh_fail(&err, -ENOMEM, "out of memory");
	bool mine = wh_turns_wait(t->turns, i);
	if (mine && failed && s && wh_store_reads_ahead(s)) {
		free(s);
		s = wh_turns_store(t->turns, i);
		failed = s ? wh_ingest(s, p->path, &opt, &r, &err) : wh_fail(&err, -ENOMEM, "out of memory");
	}
	free(s);
	if (!mine)
		return false;
	bool last = !t->read(t->arg, p, failed, &r, &err) || (opt.stop && *opt.stop);
	wh_turns_next(t->turns, last);
	return !last;
}

static void *work(void *arg)
{
	struct together *t = arg;
	size_t i;
	while ((i = atomic_fetch_add(&t->next, 1)) < t->paths->n && read_one(t, i))
		;
	return NULL;
}

int ingest_together(struct wh_store *s, const struct ingest_paths *paths, const struct wh_ingest_options *opt, unsigned threads,
                    ingest_read_cb read, void *arg)
{
	struct wh_contents *kept = NULL;
	struct together t = {.paths = paths, .opt = opt, .turns = wh_turns_new(s), .read = read, .arg = arg,
	                     .kept = threads == 1 ? &kept : NULL};
	pthread_t id[MOST];
	unsigned begun = 1;
	if (!t.turns)
		return -ENOMEM;
	for (; begun < threads && begun < MOST && !pthread_create(&id[begun], NULL, work, &t); begun++)
		;
	work(&t);
	for (unsigned i = 1; i < begun; i++)
		pthread_join(id[i], NULL);
	wh_turns_free(t.turns);
	wh_contents_free(kept);
	return 0;
}
