/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netlink: the transport of nf_tables. Batches are sent as one transaction against a generation of the ruleset, dumps come back
 * message by message; every acknowledgement is read, so that an error names the message that it concerns. */
#pragma once
#include <libmnl/libmnl.h>
#include "whittle/base.h"

struct wh_nl;
int wh_nl_open(struct wh_nl **out, struct wh_error *err);
void wh_nl_close(struct wh_nl *nl);
uint32_t wh_nl_generation(struct wh_nl *nl, struct wh_error *err); /* 0 on failure */
/* The kernel's cookie of the network namespace, which it gives to no other one until the next boot; 0: it has none, as before
 * 5.14. */
uint64_t wh_nl_namespace(const struct wh_nl *nl);
size_t wh_nl_room(const struct wh_nl *nl);                         /* the maximum bytes of one transaction */
void wh_nl_sent(const struct wh_nl *nl, size_t *messages, size_t *bytes); /* in all transactions since the socket was opened */

/* A batch in the making. Messages are appended; wh_nl_commit sends them as one transaction against `generation`. */
struct wh_batch {
	char *buf;
	size_t len, room, last; /* `last`: where the last message begins */
	uint32_t seq, first_seq, n, flushes; /* `flushes`: how many of the n messages may have found nothing to delete */
	/* the subject of a message, for errors */
	struct wh_mark { uint32_t seq; char what[64]; } *marks; size_t n_marks, room_marks;
	bool failed; /* out of memory */
};
void wh_batch_begin(struct wh_batch *b, uint32_t generation);
/* Reserves room for one message of at most `max` bytes, with its header filled in; `what` is kept for errors. */
struct nlmsghdr *wh_batch_msg(struct wh_batch *b, uint16_t type, uint16_t flags, size_t max, const char *what);
void wh_batch_done(struct wh_batch *b, struct nlmsghdr *h); /* the message is complete */
void wh_batch_free(struct wh_batch *b);
/* 0; -ERESTART if another program changed the ruleset meanwhile; -EMSGSIZE if it is too large for the socket; else the kernel's
 * error. */
int wh_nl_commit(struct wh_nl *nl, struct wh_batch *b, struct wh_error *err);
/* The same without committing: the kernel checks the batch, answers, and discards it. */
int wh_nl_try(struct wh_nl *nl, struct wh_batch *b, struct wh_error *err);
/* A dump: calls `each` for each message of the answer. 0, or a negative errno (-ENOENT: no such table or set). */
int wh_nl_dump(struct wh_nl *nl, uint16_t type, uint16_t flags, const char *table, const char *set, mnl_cb_t each, void *arg);
/* The same for another family than inet (NFPROTO_…; AF_UNSPEC: all). -EAGAIN: the ruleset changed meanwhile; ask again. */
int wh_nl_dump_of(struct wh_nl *nl, uint8_t family, uint16_t type, uint16_t flags, const char *table, const char *set,
                  mnl_cb_t each, void *arg);
