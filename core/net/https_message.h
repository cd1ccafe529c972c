/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the program and the process that connects to a service for it tell each other. Each side treats the other's messages as
 * untrusted. */
#pragma once
#include "base/bytes.h"
#include "net/https.h"

enum { WH_HTTPS_MESSAGE = 80 << 20 }; /* the most bytes of one */
void wh_https_put_text(struct wh_bytes *b, const char *text); /* NULL: none */
/* free() it; NULL: no text, or t->failed. */
char *wh_https_take_text(struct wh_taking *t, size_t max);
void wh_https_take_into(struct wh_taking *t, char *out, size_t size); /* "": no text */
/* ms: the limit, 0: none. fd: sent with it; -1: none. Frees the bytes, after wiping them: there may be a token. */
int wh_https_send_message(int to, struct wh_bytes *b, int fd, int ms);

/* The endpoints of one process. */
struct wh_https_spoken_to {
	char *at[WH_HTTPS_ENDPOINTS];
	size_t n;
};
bool wh_https_speaks_to(const struct wh_https_spoken_to *to, const char *url); /* the URL is below one of them */
/* The process: gives up everything but the network and the system's files, and answers requests until `from` is closed. */
void __attribute__((noreturn)) wh_https_serve(int from, const struct wh_https_spoken_to *to);
