/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Helpers: small processes that the program forks for itself before it gives up privileges, each connected by a socket
 * pair. A helper has no terminal, ignores the signals that interrupt the program, dumps no core, and ends when the program
 * does.
 */
#pragma once
#include <sys/types.h>
#include "whittle/base.h"

/* Forks; `name` is what ps shows, 15 characters at most. In the program: 0, and *end is its end of the pair. In the helper: 1,
 * and *end is the helper's end, the only end of any pair that it holds. Call it before threads are started. When the program
 * exits it closes its ends, and waits for its helpers. */
int wh_helper_fork(const char *name, int *end, struct wh_error *err);
/* The same for a helper that is a service of its own and listens at `path`: root or the services' user must have made
 * it. */
int wh_helper_connect(const char *path, int *end, struct wh_error *err);
/* Whether root or the services' user is the peer of a socket. -EPERM, or the error that prevented the check. */
int wh_helper_trusted(int end, struct wh_error *err);
/* Ends the helper at the other side of `end`, whatever it is doing, and waits until it has ended. */
void wh_helper_end(int end);
/* For a process that was forked in another way and has closed the ends: the helpers are not its own, and the ends' numbers may be
 * reused. */
void wh_helper_forget(void);
/* Makes the program kill this helper at exit instead of waiting for it: another user may have stopped it. */
void wh_helper_kill_at_exit(int end);
/* All `len` bytes, with the descriptor `fd` unless that is -1. 0 or a negative errno. */
int wh_helper_send(int to, const void *data, size_t len, int fd);
/* Exactly `len` bytes; *fd is the descriptor that came with them (close on exec), or -1. -EPIPE where the other side has
 * ended. */
int wh_helper_receive(int from, void *data, size_t len, int *fd);
/* Sends a message: its length in 4 bytes, then its bytes. `fd` as above. */
int wh_helper_send_message(int to, const void *data, size_t len, int fd);
/* The same within `ms` milliseconds. */
int wh_helper_send_within(int to, const void *data, size_t len, int fd, int ms);
/* A message of `most` bytes at most, else -EMSGSIZE. *bytes: free() it; a zero byte follows the contents. *fd (NULL: none is
 * expected, and one that comes is closed) as above. After a failure *bytes is NULL, *len 0 and *fd -1. */
int wh_helper_receive_message(int from, size_t most, uint8_t **bytes, size_t *len, int *fd);
/* Sends a message (NULL: sends none) and receives the answer, all within `ms` milliseconds, whatever the helper does: another
 * user may be able to stop it. -ETIMEDOUT, -ECANCELED if a signal stopped it for 2 s, -EPIPE where it has ended, else as above.
 * No descriptor is accepted. */
int wh_helper_ask(int end, const void *data, size_t n, int ms, size_t most, uint8_t **bytes, size_t *len);
