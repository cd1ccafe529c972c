/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * open: the connections that are open on this machine now, from the kernel's table of tracked connections and from the machine's
 * own sockets, and which of them could not be made again under a ruleset. Established connections are never cut by whittle's
 * table; what counts is that a connection which the sensor has not seen end is not in the ledger, and that its peer could not
 * come back.
 *
 * Trusted of a tracked connection: TCP that is ASSURED and established, UDP that is ASSURED. Who opened it is not known where the
 * kernel picked it up in mid-stream, so the side with a listening socket is taken for the server; where neither is known, the
 * first packet's direction counts and `unsure` is set. Of sockets all is trusted. Age and bytes are the kernel's: of tracked
 * connections only where nf_conntrack_timestamp and nf_conntrack_acct were on when they began; a socket knows its bytes, and that
 * it is at least as old as it is idle.
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
	bool unsure;                  /* which side is the server is a guess */
	int64_t start_us;             /* microseconds since 1970; 0: not known */
	int64_t idle_us;              /* -1: not known; it is at least so old */
	bool has_bytes;
	uint64_t bytes_in, bytes_out; /* from the peer, to the peer */
};
struct wh_open_list {
	struct wh_open *c; size_t n;  /* in mem; at most WH_OPEN_MAX */
	bool more;                    /* there were more than that */
	char unread[256];             /* which source could not be read, and why; "" where both were */
};
enum { WH_OPEN_MAX = 1 << 16 };
void wh_open_read(struct wh_arena *mem, struct wh_open_list *out);

/*
 * Open connections are evidence: each counts as present on each day since it began, as wh_store_seen_open() says. Of those of
 * addresses that the estate, or `discover`, calls ours. Where the kernel has no time of its begin it is at least as old as it is
 * idle. The ledger is asked for no longer than WH_OPEN_PATIENCE_MS.
 */
#define WH_OPEN_PATIENCE_MS 2000
int wh_open_note(const char *store_url, const char *discover, const struct wh_open_list *l, int64_t now_us, struct wh_error *err);

/* Refused without force: a connection that is older than what the ledger can know, or that has moved at least WH_OPEN_LARGE
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
