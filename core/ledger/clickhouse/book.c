/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the ways to one store share: plans, pages, and while the store is held, the spool: a file without a name next to the
 * ledger's, to which a page goes that has no more room in memory. A recommendation reads all edges twice; the second time they
 * come from there. Without room for it, or the right to write there, pages are fetched twice.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "base/array.h"
#include "base/pages.h"
#include "base/replace_file.h"
#include "ledger/clickhouse/fleet.h"

enum { PAGE = 65536 }; /* of any machine's memory */
struct spooled {
	enum fleet_kind kind;
	struct fleet_bound from, to;
	uint64_t at;
	size_t n, n_rows;
};

struct fleet_book *fleet_book_new(const char *file)
{
	struct fleet_book *b = calloc(1, sizeof *b);
	const char *slash = strrchr(file, '/');
	if (!b)
		return NULL;
	b->folder = slash ? strndup(file, (size_t)(slash - file) + 1) : strdup(".");
	b->spool = -1;
	b->ways = 1;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->filled, NULL);
	return b;
}

struct fleet_book *fleet_book_again(struct fleet_book *b)
{
	pthread_mutex_lock(&b->lock);
	b->ways++;
	pthread_mutex_unlock(&b->lock);
	return b;
}

/* With the lock. Pages that somebody is reading stay until nobody does. */
static void empty(struct fleet_book *b)
{
	for (int kind = 0; kind < FLEET_KINDS; kind++) {
		struct fleet_page **at = &b->of[kind].pages, *p;
		while ((p = *at)) {
			if (p->readers) {
				p->us = INT64_MIN;
				at = &p->next;
			} else {
				*at = p->next;
				fleet_page_free(p);
			}
		}
	}
	for (; b->n_spare; b->n_spare--)
		wh_pages_free(b->spare[b->n_spare - 1].bytes, b->spare[b->n_spare - 1].room);
	if (b->spool >= 0)
		close(b->spool);
	b->spool = -1;
	b->spooled_n = 0;
	b->spool_end = 0;
}

void fleet_book_close(struct fleet_book *b)
{
	if (!b)
		return;
	pthread_mutex_lock(&b->lock);
	bool last = !--b->ways;
	pthread_mutex_unlock(&b->lock);
	if (!last)
		return;
	empty(b);
	for (int kind = 0; kind < FLEET_KINDS; kind++)
		fleet_plan_free(&b->of[kind].plan);
	free(b->spooled);
	free(b->folder);
	pthread_cond_destroy(&b->filled);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

void fleet_book_hold(struct fleet_book *b, bool on)
{
	pthread_mutex_lock(&b->lock);
	const bool last = !on && b->holds == 1;
	pthread_mutex_unlock(&b->lock);
	if (last)
		fleet_ahead_stop(b);
	pthread_mutex_lock(&b->lock);
	if (on ? !b->holds++ : !--b->holds) {
		empty(b);
		b->held_us = wh_monotonic_us();
		if (on && b->folder)
			b->spool = open(b->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	}
	pthread_mutex_unlock(&b->lock);
}

/* ---- memory ---- */

void fleet_page_reuse(struct fleet_book *b, struct fleet_page *p)
{
	pthread_mutex_lock(&b->lock);
	if (b->n_spare) {
		const struct fleet_spare *s = &b->spare[--b->n_spare];
		p->bytes = s->bytes;
		p->room = s->room;
	}
	pthread_mutex_unlock(&b->lock);
}

void fleet_page_leave(struct fleet_book *b, struct fleet_page *p)
{
	pthread_mutex_lock(&b->lock);
	if (p->room && b->holds && b->n_spare < sizeof b->spare / sizeof *b->spare) {
		b->spare[b->n_spare++] = (struct fleet_spare){p->bytes, p->room};
		p->bytes = NULL;
		p->room = 0;
	}
	pthread_mutex_unlock(&b->lock);
	fleet_page_free(p);
}

/* ---- the spool ---- */

static const struct spooled *find(const struct fleet_book *b, enum fleet_kind kind, const struct fleet_bound *key)
{
	for (size_t i = 0; i < b->spooled_n; i++) {
		const struct spooled *s = &b->spooled[i];
		if (s->kind == kind && fleet_within(key, &s->from, &s->to))
			return s;
	}
	return NULL;
}

bool fleet_spool_range(const struct fleet_book *b, enum fleet_kind kind, const struct fleet_bound *key, struct fleet_bound *from,
                       struct fleet_bound *to)
{
	const struct spooled *s = find(b, kind, key);
	if (s) {
		*from = s->from;
		*to = s->to;
	}
	return s;
}

/* A tenth of the disk stays free: sensors may write there, too. */
static bool has_room(int fd, uint64_t n)
{
	struct statvfs fs;
	return !fstatvfs(fd, &fs) && fs.f_bavail > fs.f_blocks / 10 + n / (fs.f_frsize ? fs.f_frsize : 1);
}

void fleet_spool_put(struct fleet_book *b, enum fleet_kind kind, const struct fleet_page *p)
{
	const size_t rows = p->n_rows * sizeof *p->rows;
	pthread_mutex_lock(&b->lock);
	const uint64_t at = b->spool_end;
	const int fd = b->spool;
	b->spool_end = (at + rows + p->n + PAGE - 1) / PAGE * PAGE; /* each can be mapped */
	pthread_mutex_unlock(&b->lock);
	if (fd < 0 || !has_room(fd, p->n + rows) || wh_write_all_at(fd, p->rows, rows, at) ||
	    wh_write_all_at(fd, p->bytes, p->n, at + rows))
		return;
	pthread_mutex_lock(&b->lock);
	if (wh_array_grow(&b->spooled, b->spooled_n, &b->spooled_room, sizeof *b->spooled))
		b->spooled[b->spooled_n++] = (struct spooled){
			.kind = kind, .from = p->from, .to = p->to, .at = at, .n = p->n, .n_rows = p->n_rows};
	pthread_mutex_unlock(&b->lock);
}

int fleet_spool_get(struct fleet_book *b, enum fleet_kind kind, struct fleet_page *p)
{
	struct spooled s = {.n = 0};
	pthread_mutex_lock(&b->lock);
	const struct spooled *found = find(b, kind, &p->from);
	if (found && !fleet_bound_cmp(&found->from, &p->from) && !fleet_bound_cmp(&found->to, &p->to))
		s = *found;
	else
		found = NULL;
	const int fd = b->spool;
	pthread_mutex_unlock(&b->lock);
	if (!found || fd < 0)
		return -ENOENT;
	const size_t rows = s.n_rows * sizeof *p->rows;
	if (s.n) {
		void *map = mmap(NULL, rows + s.n, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, (off_t)s.at);
		if (map == MAP_FAILED)
			return -errno;
		p->map = map;
		p->rows = map;
		p->bytes = (uint8_t *)map + rows;
	}
	p->n = s.n;
	p->n_rows = s.n_rows;
	return 0;
}
