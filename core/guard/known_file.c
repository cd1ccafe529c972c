/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See known_file.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include "base/array.h"
#include "base/bytes.h"
#include "base/replace_file.h"
#include "base/state_dir.h"
#include "guard/known_file.h"

#define NAME "enforced.known"
static const char magic[] = "whittle-known 1\n";
enum { MAGIC = sizeof magic - 1, DIGEST = 16, SET = WH_NFT_NAME + DIGEST, MAX_BYTES = 128 + SET * WH_NFT_KNOWN_MOST };

/* The directory, if only we can write there; negative where not. */
static int open_dir(const char *dir, bool create)
{
	struct wh_error ignored;
	return wh_state_dir_check(dir, create, &ignored) ? -1 : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static uint8_t *read_all(int fd, size_t *len)
{
	struct stat st;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size < MAGIC + 4 || st.st_size > MAX_BYTES)
		return NULL;
	uint8_t *bytes = malloc((size_t)st.st_size);
	*len = (size_t)st.st_size;
	if (bytes && read(fd, bytes, *len) != (ssize_t)*len) {
		free(bytes);
		return NULL;
	}
	return bytes;
}

static void take_set(struct wh_taking *t, struct wh_nft_known *k)
{
	struct wh_nft_known_set s = {.met = false};
	const uint8_t *name = wh_take(t, WH_NFT_NAME);
	for (int i = 0; i < 2; i++)
		s.digest[i] = wh_take_number(t, 8, 0, UINT64_MAX);
	if (!name || !memchr(name, 0, WH_NFT_NAME) || !wh_array_grow(&k->sets, k->n, &k->room, sizeof *k->sets)) {
		t->failed = true;
		return;
	}
	memcpy(s.name, name, WH_NFT_NAME);
	k->sets[k->n++] = s;
}

static void take_all(struct wh_taking *t, struct wh_nft_known *k)
{
	const uint8_t *boot = wh_take(t, WH_NFT_BOOT);
	if (boot)
		memcpy(k->boot, boot, WH_NFT_BOOT);
	k->space = wh_take_number(t, 8, 1, UINT64_MAX);
	k->generation = (uint32_t)wh_take_number(t, 4, 1, UINT32_MAX);
	for (int i = 0; i < 4; i++)
		k->key[i / 2].k[i % 2] = wh_take_number(t, 8, 0, UINT64_MAX);
	size_t n = wh_take_count(t, SET, WH_NFT_KNOWN_MOST);
	for (size_t i = 0; i < n && !t->failed; i++)
		take_set(t, k);
	if (t->failed || t->n)
		wh_nft_known_free(k);
}

void wh_known_load(const char *dir, struct wh_nft_known *out)
{
	size_t len = 0;
	*out = (struct wh_nft_known){.n = 0};
	int at = open_dir(dir, false);
	int fd = at < 0 ? -1 : openat(at, NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	uint8_t *bytes = fd < 0 ? NULL : read_all(fd, &len);
	if (bytes && !memcmp(bytes, magic, MAGIC)) {
		struct wh_taking t = {.p = bytes + MAGIC, .n = len - MAGIC};
		uint32_t crc = (uint32_t)wh_take_number(&t, 4, 0, UINT32_MAX);
		if (crc == crc32(crc32(0, NULL, 0), t.p, (uInt)t.n))
			take_all(&t, out);
	}
	free(bytes);
	if (fd >= 0)
		close(fd);
	if (at >= 0)
		close(at);
}

static void put_all(struct wh_bytes *b, const struct wh_nft_known *k)
{
	wh_put(b, k->boot, WH_NFT_BOOT);
	wh_put_number(b, k->space, 8);
	wh_put_number(b, k->generation, 4);
	for (int i = 0; i < 4; i++)
		wh_put_number(b, k->key[i / 2].k[i % 2], 8);
	wh_put_number(b, k->n, 4);
	for (size_t i = 0; i < k->n; i++) {
		char name[WH_NFT_NAME] = "";
		snprintf(name, sizeof name, "%s", k->sets[i].name);
		wh_put(b, name, sizeof name);
		for (int h = 0; h < 2; h++)
			wh_put_number(b, k->sets[i].digest[h], 8);
	}
}

void wh_known_save(const char *dir, const struct wh_nft_known *k)
{
	struct wh_bytes body = {0}, file = {0};
	char temporary[256];
	if (!k->generation || !k->n) {
		wh_known_forget(dir);
		return;
	}
	put_all(&body, k);
	wh_put(&file, magic, MAGIC);
	wh_put_number(&file, crc32(crc32(0, NULL, 0), body.p, (uInt)body.n), 4);
	wh_put(&file, body.p, body.n);
	int at = open_dir(dir, true), fd = at < 0 || body.failed || file.failed ? -1 : wh_temporary_in(at, NAME, temporary);
	if (fd >= 0) {
		unlinkat(at, NAME, 0); /* to rename over a file makes ext4 write the new one to the disk first */
		if (wh_write_all(fd, (const char *)file.p, file.n) || renameat(at, temporary, at, NAME))
			unlinkat(at, temporary, 0);
		close(fd);
	}
	if (at >= 0)
		close(at);
	free(body.p);
	free(file.p);
}

void wh_known_forget(const char *dir)
{
	int at = open_dir(dir, false);
	if (at >= 0) {
		unlinkat(at, NAME, 0);
		close(at);
	}
}
