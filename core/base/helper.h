/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Helpers: small processes that the program forks for itself before it gives up privileges, each at the other end of a socket
 * pair. A helper has no terminal, ignores the signals that end the program in the middle of its work, dumps no core, and ends
 * when the program does.
 */
#pragma once
#include <sys/types.h>
#include "whittle/base.h"

/* Forks; `name` is what ps shows, 15 characters at most. In the program: 0, and *end is its end of the pair. In the helper: 1,
 * and *end is the helper's end, the only one of any pair that it holds. Call it before there are threads. When the program exits
 * it closes its ends, and waits for its helpers. */
int wh_helper_fork(const char *name, int *end, struct wh_error *err);
/* The same where the helper is a service of its own, which listens at `path`: it must have been made by root or by the services'
 * user. */
int wh_helper_connect(const char *path, int *end, struct wh_error *err);
/* Whether root or the services' user is at the other side of a socket. -EPERM, or why it can't be told. */
int wh_helper_trusted(int end, struct wh_error *err);
/* Ends the helper at the other side of `end`, whatever it does, and waits for that. */
void wh_helper_end(int end);
/* In a process that was forked otherwise and has closed their ends: they are not its own, and the numbers of the ends may come
 * again. */
void wh_helper_forget(void);
/* When the program exits it ends this helper instead of waiting for it: another user may have stopped it. */
void wh_helper_kill_at_exit(int end);
/* All `len` bytes, with the descriptor `fd` where it is not -1. 0 or a negative errno. */
int wh_helper_send(int to, const void *data, size_t len, int fd);
/* Exactly `len` bytes; *fd is the descriptor that came with them (close on exec), or -1. -EPIPE where the other side has
 * ended. */
int wh_helper_receive(int from, void *data, size_t len, int *fd);
/* A message: its length in 4 bytes, then its bytes. `fd` as above. */
int wh_helper_send_message(int to, const void *data, size_t len, int fd);
/* A message of `most` bytes at most, else -EMSGSIZE. *bytes: free() it; a byte 0 follows what it holds. *fd (NULL: none is
 * expected, and one that comes is closed) as above. After a failure *bytes is NULL, *len 0 and *fd -1. */
int wh_helper_receive_message(int from, size_t most, uint8_t **bytes, size_t *len, int *fd);
/* Sends a message (NULL: none is asked for) and receives the answer, all within `ms` milliseconds, whatever the helper does:
 * another user may be able to stop it. -ETIMEDOUT, -EPIPE where it has ended, else as above. No descriptor is taken. */
int wh_helper_ask(int end, const void *data, size_t n, int ms, size_t most, uint8_t **bytes, size_t *len);
