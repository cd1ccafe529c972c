/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Results derived from the ledger, kept while its files do not change: answers, compressed as they are sent (the list of all
 * connections takes a second in a large estate, and consoles ask for it again and again), and the ledger itself with its estate.
 * A change is seen by the times and sizes of the files, which are looked at before anything is made: a change during that makes
 * it old at once. A sensor writes each second, but rarely documents: if the files changed and the number of the documents'
 * revision did not, what was made of documents alone stays, and so does the opened ledger. Answers are found by a hash of their
 * target, and the one that was used longest ago makes room.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/sha256.h"
#include "base/store_url.h"
#include "serve/cache.h"
#include "whittle/ledger.h"
#include "whittle/state_revision.h"

enum { BUCKETS = 1024, MOST = 14 << 20 /* bytes, of each worker's */, OVERHEAD = 256 };
struct stamp { struct timespec file, log; off_t file_size, log_size; ino_t inode; };
struct entry {
	struct entry *next;           /* of its bucket */
	struct entry *newer, *older;  /* by last use */
	uint32_t bucket;
	enum wh_cached_until until;
	struct wh_cached is;
	char etag[40], target[];
};
static struct {
	struct entry *buckets[BUCKETS], *newest, *oldest;
	size_t bytes;
	struct stamp stamp;
	bool valid;
	struct wh_state *state; /* for the revision */
	int64_t revision;       /* -1: not known */
	struct wh_app_opened *opened;
} cache; /* a worker is one process and answers one request at a time */

/* ---- the ledger's files ---- */

/* False: there is no file to look at. */
static bool look(const char *store_url, struct stamp *out)
{
	const char *path = wh_store_path(store_url);
	char log[4096];
	struct stat st;
	memset(out, 0, sizeof *out);
	if (!wh_store_is_file(store_url) || stat(path, &st))
		return false;
	out->file = st.st_mtim;
	out->file_size = st.st_size;
	out->inode = st.st_ino;
	snprintf(log, sizeof log, "%s-wal", path);
	if (!stat(log, &st)) {
		out->log = st.st_mtim;
		out->log_size = st.st_size;
	}
	return true;
}

/* ---- answers ---- */

static void unlink_use(struct entry *e)
{
	*(e->newer ? &e->newer->older : &cache.newest) = e->older;
	*(e->older ? &e->older->newer : &cache.oldest) = e->newer;
}

static void link_newest(struct entry *e)
{
	e->newer = NULL;
	e->older = cache.newest;
	*(cache.newest ? &cache.newest->newer : &cache.oldest) = e;
	cache.newest = e;
}

static size_t size_of(const struct entry *e)
{
	return e->is.body.n + strlen(e->target) + OVERHEAD;
}

static void drop(struct entry *e)
{
	struct entry **at = &cache.buckets[e->bucket];
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	unlink_use(e);
	cache.bytes -= size_of(e);
	free(e->is.body.bytes);
	free(e);
}

/* Those that are valid no longer than until this. */
static void drop_until(enum wh_cached_until until)
{
	for (struct entry *e = cache.oldest, *next; e; e = next) {
		next = e->newer;
		if (e->until <= until)
			drop(e);
	}
}

/* FNV-1a. Whoever can choose targets has a token. */
static uint32_t bucket_of(const char *target)
{
	uint32_t h = 2166136261u;
	for (; *target; target++)
		h = (h ^ (unsigned char)*target) * 16777619u;
	return h % BUCKETS;
}

/* -1: not known, and equal to nothing; so it is for a ledger whose documents earlier versions wrote, without a number. */
static int64_t revision_now(const char *store_url)
{
	struct wh_error ignored;
	int64_t n = -1;
	if (!cache.state && wh_ledger_state(store_url, WH_STATE_READ, &cache.state, &ignored))
		cache.state = NULL;
	return cache.state && !wh_state_revision(cache.state, &n, &ignored) && n ? n : -1;
}

static void refresh(const char *store_url)
{
	struct stamp now;
	const bool there = look(store_url, &now), same_file = there && cache.valid && now.inode == cache.stamp.inode;
	if (same_file && !memcmp(&now, &cache.stamp, sizeof now))
		return;
	const int64_t revision = same_file ? revision_now(store_url) : -1;
	if (revision >= 0 && revision == cache.revision) {
		drop_until(WH_UNTIL_LEDGER);
	} else {
		drop_until(WH_UNTIL_DOCUMENTS);
		wh_cache_close();
		/* read after the files were looked at: a later change is seen then */
		cache.revision = there ? revision_now(store_url) : -1;
	}
	cache.stamp = now;
	cache.valid = wh_store_is_file(store_url);
}

const struct wh_cached *wh_cache_get(const char *store_url, const char *target)
{
	refresh(store_url);
	for (struct entry *e = cache.buckets[bucket_of(target)]; e; e = e->next)
		if (!strcmp(e->target, target)) {
			unlink_use(e);
			link_newest(e);
			return &e->is;
		}
	return NULL;
}

const struct wh_cached *wh_cache_put(const char *target, const struct wh_packed *body, enum wh_cached_until until)
{
	uint8_t hash[32];
	size_t n = strlen(target) + 1;
	struct entry *e = calloc(1, sizeof *e + n);
	if (!e || !cache.valid || body->n + n + OVERHEAD > MOST) {
		free(e);
		return NULL;
	}
	memcpy(e->target, target, n);
	e->is = (struct wh_cached){*body, e->etag};
	wh_sha256(body->bytes, body->n, hash);
	/* weak: the same document goes out compressed and as text */
	snprintf(e->etag, sizeof e->etag, "%s\"%02x%02x%02x%02x%02x%02x%02x%02x\"", body->n_plain ? "W/" : "", hash[0], hash[1],
	         hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]);
	while (cache.oldest && cache.bytes + size_of(e) > MOST)
		drop(cache.oldest);
	e->until = until;
	e->bucket = bucket_of(target);
	e->next = cache.buckets[e->bucket];
	cache.buckets[e->bucket] = e;
	link_newest(e);
	cache.bytes += size_of(e);
	return &e->is;
}

void wh_cache_made_of(enum wh_cached_until until, char out[static WH_MADE_OF_STRLEN])
{
	const struct stamp *s = &cache.stamp;
	out[0] = 0;
	if (!cache.valid || until == WH_NOT_CACHED)
		return;
	if (until == WH_UNTIL_DOCUMENTS && cache.revision >= 0)
		snprintf(out, WH_MADE_OF_STRLEN, "%llx r%llx", (unsigned long long)s->inode, (unsigned long long)cache.revision);
	else
		snprintf(out, WH_MADE_OF_STRLEN, "%llx %llx.%lx %llx %llx.%lx %llx", (unsigned long long)s->inode,
		         (unsigned long long)s->file.tv_sec, s->file.tv_nsec, (unsigned long long)s->file_size,
		         (unsigned long long)s->log.tv_sec, s->log.tv_nsec, (unsigned long long)s->log_size);
}

/* ---- the ledger ---- */

int wh_cache_open(const struct wh_app *a, struct wh_app_opened **out, struct wh_error *err)
{
	refresh(a->store_url);
	*out = cache.opened;
	if (*out)
		return 0;
	int rc = wh_app_keep_open(a, &cache.opened, err);
	*out = cache.opened;
	return rc;
}

void wh_cache_close(void)
{
	wh_app_close_opened(cache.opened);
	wh_state_close(cache.state);
	cache.opened = NULL;
	cache.state = NULL;
}
