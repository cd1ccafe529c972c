/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "serve/pack.h"

enum { PLAIN_MOST = 4096 /* a packet or three: not worth it */, PIECE = 64 << 10, GZIP = 16 + MAX_WBITS };

struct wh_pack {
	z_stream z;
	struct wh_bytes out;         /* text, until there is more of it than PLAIN_MOST; then compressed */
	char piece[PIECE]; size_t n; /* text that was not compressed yet */
	size_t n_plain;
	bool compressing, failed;
};

struct wh_pack *wh_pack_begin(void)
{
	return calloc(1, sizeof(struct wh_pack));
}

/* Compresses the piece. */
static void press(struct wh_pack *p, int flush)
{
	uint8_t room[PIECE];
	if (!p->compressing) {
		p->failed |= deflateInit2(&p->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK;
		p->compressing = !p->failed;
	}
	p->z.next_in = (Bytef *)p->piece;
	p->z.avail_in = (uInt)p->n;
	p->n = 0;
	do {
		p->z.next_out = room;
		p->z.avail_out = sizeof room;
		if (p->failed || deflate(&p->z, flush) == Z_STREAM_ERROR) {
			p->failed = true;
			return;
		}
		wh_put(&p->out, room, sizeof room - p->z.avail_out);
	} while (!p->z.avail_out);
}

int wh_pack_put(const char *text, size_t n, void *pack)
{
	struct wh_pack *p = pack;
	p->n_plain += n;
	while (n && !p->failed) {
		size_t some = sizeof p->piece - p->n < n ? sizeof p->piece - p->n : n;
		memcpy(p->piece + p->n, text, some);
		p->n += some;
		text += some;
		n -= some;
		if (p->n == sizeof p->piece)
			press(p, Z_NO_FLUSH);
	}
	return p->failed || p->out.failed ? -1 : 0;
}

bool wh_pack_end(struct wh_pack *p, struct wh_packed *out)
{
	bool plain = !p->compressing && p->n <= PLAIN_MOST;
	if (plain)
		wh_put(&p->out, p->piece, p->n);
	else
		press(p, Z_FINISH);
	if (p->compressing)
		deflateEnd(&p->z);
	bool good = !p->failed && !p->out.failed;
	*out = good ? (struct wh_packed){(char *)p->out.p, p->out.n, plain ? 0 : p->n_plain} : (struct wh_packed){0};
	if (!good)
		free(p->out.p);
	free(p);
	return good;
}
