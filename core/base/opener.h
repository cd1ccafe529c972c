/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The opener: a small process that keeps the caller's rights over files when the program gives them up, and opens the files that
 * the person who runs the program named. It is forked before the change of user, knows its grants from then on, and accepts no
 * others: each request is an exact text of that list (or, for GRANT_BESIDE, a file directly in that directory, for GRANT_BELOW
 * anything below it). A symbolic link is followed only if root made it, so that no other user can choose the file that is opened.
 * It parses nothing, and ends with the program.
 *
 * Every function first tries with the program's own rights; without an opener it does only that.
 */
#pragma once
#include "whittle/base.h"

enum wh_grant_kind {
	WH_GRANT_READ,   /* this path, for reading */
	WH_GRANT_BESIDE, /* the files of this directory, for reading */
	WH_GRANT_BELOW,  /* this directory, which a person named, and everything below it, for reading */
	WH_GRANT_WRITE,  /* this path, replaced as a whole */
	WH_GRANT_APPEND, /* this path, for appending */
	WH_GRANT_NEW,    /* this path: written under a temporary name (mode 0600) and renamed once complete */
	WH_GRANT_RUN,    /* this shell command: its output */
};
struct wh_grant {
	enum wh_grant_kind kind;
	const char *text; /* borrowed until the fork */
};

/* Forks the opener. Call it once, before threads are started. */
int wh_opener_start(const struct wh_grant *grants, size_t n, struct wh_error *err);
/* For another helper of the program, which must not talk to the opener: from now on it has none. */
void wh_opener_forget(void);

/* Opens for reading: the descriptor (close on exec), or a negative errno. `flags` may add O_NONBLOCK. */
int wh_open_input(const char *path, int flags);
bool wh_readable(const char *path);
/* Opens for appending; a new file gets mode 0600; never through a symbolic link. It never
 * waits: a FIFO without a reader fails with -ENXIO, a full one with -EAGAIN at the
 * write. */
int wh_open_append(const char *path);
/* Replaces the file `path` whole: readers see the old or the new text, also after a crash. A new file gets mode 0644 less the
 * umask, an old one keeps its mode. Anything but a regular file (a terminal, a pipe) is written to directly. */
int wh_write_file(const char *path, const char *text, size_t len, struct wh_error *err);
/* Opens a temporary file of mode 0600 next to `path`, for reading and writing: its descriptor or a negative errno. wh_keep_new()
 * renames it to `path`, once; without that call it disappears with the program. One at a time. */
int wh_open_new(const char *path);
int wh_keep_new(const char *path); /* 0 or a negative errno */
/* Asks the opener to run a command, as wh_command_output(); -ENOENT when there is no opener, or it has no grant for it: run it
 * yourself. */
int wh_opener_run(const char *what, const char *command, size_t max, int timeout_s, char **out, size_t *len,
                  struct wh_error *err);
