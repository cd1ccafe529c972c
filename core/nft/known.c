/* SPDX-License-Identifier: GPL-2.0-or-later */
/* See known.h. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include "base/array.h"
#include "nft/known.h"

/* ---- where and when it holds ---- */

static bool boot_of(uint8_t out[static WH_NFT_BOOT])
{
	char text[64] = "";
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	unsigned digits = 0;
	if (fd >= 0)
		close(fd);
	memset(out, 0, WH_NFT_BOOT);
	for (ssize_t i = 0; i < n && digits < 2 * WH_NFT_BOOT; i++) {
		const char *hex = "0123456789abcdef", *at = text[i] ? strchr(hex, text[i]) : NULL;
		if (!at)
			continue;
		out[digits / 2] = (uint8_t)(out[digits / 2] << 4 | (at - hex));
		digits++;
	}
	return digits == 2 * WH_NFT_BOOT;
}

void wh_nft_known_clear(struct wh_nft_known *k)
{
	if (k) {
		k->generation = 0;
		k->n = k->at = 0;
	}
}

void wh_nft_known_free(struct wh_nft_known *k)
{
	if (k) {
		free(k->sets);
		*k = (struct wh_nft_known){.n = 0};
	}
}

void wh_nft_known_begin(struct wh_nft_known *k, struct wh_nl *nl, uint32_t generation)
{
	uint8_t boot[WH_NFT_BOOT];
	if (!k)
		return;
	uint64_t space = wh_nl_namespace(nl);
	bool can = boot_of(boot) && space;
	if (!can || k->generation != generation || k->space != space || memcmp(k->boot, boot, sizeof boot) != 0)
		wh_nft_known_clear(k);
	struct wh_hash_key drawn[2];
	if (!k->key[0].k[0] && getrandom(drawn, sizeof drawn, 0) == sizeof drawn)
		memcpy(k->key, drawn, sizeof drawn);
	can = can && k->key[0].k[0];
	memcpy(k->boot, boot, sizeof boot);
	k->space = space;
	k->generation = can ? generation : 0;
	for (size_t i = 0; i < k->n; i++)
		k->sets[i].met = false;
	k->at = 0;
}

void wh_nft_known_end(struct wh_nft_known *k, struct wh_nl *nl)
{
	size_t n = 0;
	if (!k || !k->generation)
		return;
	if (wh_nl_generation(nl, NULL) != k->generation) {
		wh_nft_known_clear(k);
		return;
	}
	for (size_t i = 0; i < k->n; i++)
		if (k->sets[i].met)
			k->sets[n++] = k->sets[i];
	k->n = n;
}

void wh_nft_known_ours(struct wh_nft_known *k, bool idle)
{
	if (k && k->generation && !idle)
		k->generation = k->generation + 1 ? k->generation + 1 : 1; /* as the kernel counts; 0 is none */
}

/* ---- sets ---- */

static struct wh_nft_known_set *find(struct wh_nft_known *k, const char *set)
{
	for (size_t i = 0; i < k->n; i++) { /* they are asked for in the order in which they were put */
		struct wh_nft_known_set *s = &k->sets[(k->at + i) % k->n];
		if (strcmp(s->name, set) != 0)
			continue;
		k->at = (k->at + i + 1) % k->n;
		return s;
	}
	return NULL;
}

void wh_nft_known_drop(struct wh_nft_known *k, const char *set)
{
	struct wh_nft_known_set *s = k ? find(k, set) : NULL;
	if (!s)
		return;
	memmove(s, s + 1, (size_t)(k->sets + k->n - (s + 1)) * sizeof *s);
	k->n--;
	k->at = 0;
}

bool wh_nft_known_is(struct wh_nft_known *k, const char *set, const struct wh_nft_digest *d)
{
	struct wh_nft_known_set *s = k && k->generation ? find(k, set) : NULL;
	if (!s || s->digest[0] != d->d[0] || s->digest[1] != d->d[1])
		return false;
	s->met = true;
	k->spared++;
	return true;
}

void wh_nft_known_put(struct wh_nft_known *k, const char *set, const struct wh_nft_digest *d)
{
	if (!k || !k->generation)
		return;
	struct wh_nft_known_set *s = find(k, set);
	if (!s) {
		if (k->n == WH_NFT_KNOWN_MOST || !wh_array_grow(&k->sets, k->n, &k->room, sizeof *k->sets))
			return; /* it is read again */
		s = &k->sets[k->n++];
		snprintf(s->name, sizeof s->name, "%s", set);
	}
	s->digest[0] = d->d[0];
	s->digest[1] = d->d[1];
	s->met = true;
}

/* ---- digests ---- */

enum { WORDS = 256 }; /* hashed at once; each time the hash of what came before is the last word */

static void mix(const struct wh_nft_known *k, struct wh_nft_digest *d, const uint64_t *words, size_t n)
{
	for (int i = 0; i < 2; i++)
		d->d[i] = wh_siphash(k->key[i], words, n, d->d[i]);
}

struct wh_nft_digest wh_nft_known_digest(const struct wh_nft_known *k, struct wh_nft_cursor *c, const struct wh_addr *end)
{
	struct wh_nft_digest d = {{0, 0}};
	struct wh_span span;
	uint64_t words[WORDS];
	size_t n = 0;
	bool v4 = wh_addr_is_v4(end);
	while (wh_nft_next_span(c, end, &span)) {
		if (v4) { /* a set has addresses of one family */
			words[n++] = wh_addr_low(&span.first) << 32 | (uint32_t)wh_addr_low(&span.last);
		} else {
			memcpy(words + n, &span, sizeof span);
			n += sizeof span / sizeof *words;
		}
		if (n == WORDS) {
			mix(k, &d, words, n);
			n = 0;
		}
	}
	mix(k, &d, words, n);
	return d;
}
