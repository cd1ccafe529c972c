/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Documents that were made once, kept while nothing of the ledger has changed: the list of all connections takes a second in a
 * large estate, and consoles ask for it again and again. What changed is seen by the times and sizes of the ledger's files, which
 * are looked at before the document is made: a change during that makes it old at once.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/sha256.h"
#include "base/store_url.h"
#include "serve/worker.h"

enum { ENTRIES = 64, MOST = 96 << 20 };
struct stamp { struct timespec file, log; off_t file_size, log_size; ino_t inode; };
struct entry { char *target, *text; size_t n; char etag[40]; uint64_t used; };
static struct { struct entry e[ENTRIES]; struct stamp stamp; size_t bytes; uint64_t turn; bool valid; } cache;

static void drop(struct entry *e)
{
	cache.bytes -= e->n;
	free(e->target);
	free(e->text);
	*e = (struct entry){.target = NULL};
}

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

const char *wh_cache_get(const char *store_url, const char *target, size_t *n, const char **etag)
{
	struct stamp now;
	cache.turn++;
	if (!look(store_url, &now) || !cache.valid || memcmp(&now, &cache.stamp, sizeof now)) {
		for (size_t i = 0; i < ENTRIES; i++)
			if (cache.e[i].target)
				drop(&cache.e[i]);
		cache.stamp = now;
		cache.valid = wh_store_is_file(store_url);
		return NULL;
	}
	for (size_t i = 0; i < ENTRIES; i++)
		if (cache.e[i].target && !strcmp(cache.e[i].target, target)) {
			cache.e[i].used = cache.turn;
			*n = cache.e[i].n;
			*etag = cache.e[i].etag;
			return cache.e[i].text;
		}
	return NULL;
}

static struct entry *oldest(void)
{
	struct entry *e = &cache.e[0];
	for (size_t i = 0; i < ENTRIES; i++) {
		if (!cache.e[i].target)
			return &cache.e[i];
		if (cache.e[i].used < e->used)
			e = &cache.e[i];
	}
	return e;
}

const char *wh_cache_put(const char *target, char *text, size_t n, const char **etag)
{
	uint8_t hash[32];
	struct entry *e = oldest();
	while (cache.bytes && cache.bytes + n > MOST) {
		struct entry *first = NULL;
		for (size_t i = 0; i < ENTRIES; i++)
			if (cache.e[i].target && (!first || cache.e[i].used < first->used))
				first = &cache.e[i];
		drop(first);
	}
	if (e->target)
		drop(e);
	*e = (struct entry){.target = strdup(target), .text = text, .n = n, .used = cache.turn};
	cache.bytes += n;
	wh_sha256(text, n, hash);
	snprintf(e->etag, sizeof e->etag, "\"%02x%02x%02x%02x%02x%02x%02x%02x\"", hash[0], hash[1], hash[2], hash[3], hash[4],
	         hash[5], hash[6], hash[7]);
	*etag = e->etag;
	return e->text;
}
