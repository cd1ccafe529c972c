/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * open: the connections that are open on this machine now, from the kernel's table of tracked connections and from the
 * machine's own sockets, and those that could not be made again under a ruleset. Whittle's table never cuts established
 * connections; the point is that the ledger lacks a connection whose end the sensor has not seen, and that its peer could not
 * reconnect.
 *
 * A tracked connection is trusted if it is TCP that is ASSURED and established, or UDP that is ASSURED. If the kernel picked it
 * up in mid-stream, its opener is not known, so the side with a listening socket is taken for the server; if neither is known,
 * the first packet's direction counts and `unsure` is set. Sockets are always trusted. Age and bytes are the kernel's: for
 * tracked connections only if nf_conntrack_timestamp and nf_conntrack_acct were on when they began; a socket knows its bytes, and
 * its idle time, which is its minimum age.
 */
#pragma once
#include "whittle/base.h"
#include "whittle/render.h"

struct wh_open {
	enum wh_direction direction;
	uint8_t proto;
	uint16_t port;                /* the server's, as the client sent it (before a translation) */
	uint16_t client_port;
	struct wh_addr local, peer;   /* local: as the client sent it */
	bool translated, forwarded;   /* by this machine; to another one */
	uint16_t translated_port;
	bool unsure;                  /* the server side is a guess */
	int64_t start_us;             /* microseconds since 1970; 0: not known */
	int64_t idle_us;              /* -1: not known; its minimum age */
	bool has_bytes;
	uint64_t bytes_in, bytes_out; /* from the peer, to the peer */
};
struct wh_open_list {
	struct wh_open *c; size_t n;  /* in mem; at most WH_OPEN_MAX */
	bool more;                    /* there were more */
	char unread[256];             /* the source that could not be read, and why; "" if both were read */
};
enum { WH_OPEN_MAX = 1 << 16 };
void wh_open_read(struct wh_arena *mem, struct wh_open_list *out);

/*
 * Open connections are evidence: each counts as present on each day since it began, see wh_store_seen_open(). Only those of
 * addresses that the estate, or `discover`, calls ours. If the kernel has no start time for it, its idle time is its minimum age.
 * The ledger is waited for at most WH_OPEN_PATIENCE_MS.
 */
#define WH_OPEN_PATIENCE_MS 2000
int wh_open_note(const char *store_url, const char *discover, const struct wh_open_list *l, int64_t now_us, struct wh_error *err);

/* Refused without force: a connection that is older than the ledger's knowledge, or that has moved at least WH_OPEN_LARGE
 * bytes. */
enum wh_open_why { WH_OPEN_OTHER, WH_OPEN_OLD, WH_OPEN_IS_LARGE };
#define WH_OPEN_LARGE (UINT64_C(16) << 20)
struct wh_open_cut { const struct wh_open *c; enum wh_open_why why; };
/* Those that could not be made again under rs, the refused ones first, then by bytes. memory_us: the begin of what the ledger can
 * know; *n of them,
 * *refused of which have another reason than OTHER. In mem. */
struct wh_open_cut *wh_open_cuts(const struct wh_nft_ruleset *rs, const struct wh_open_list *l, int64_t memory_us, int64_t now_us,
                                 struct wh_arena *mem, size_t *n, size_t *refused);
/* "203.0.113.7 on port 22/TCP, open for 3 d, 120 MiB". */
char *wh_open_text(const struct wh_open *c, int64_t now_us, char buf[static 200]);
