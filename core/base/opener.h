/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The opener: a small process that keeps the caller's rights over files when the program gives them up, and opens for it what the
 * person who runs the program named. It is forked before the change of user, knows its grants from then, and obeys nothing else:
 * each request is an exact text of that list (or, for GRANT_BESIDE, a file directly in that directory, for GRANT_BELOW anything
 * below it). A symbolic link is followed only where root made it, so that no other user chooses which file is opened. It parses
 * nothing, and ends with the program.
 *
 * Every function tries with the program's own rights first; without an opener that is all they do.
 */
#pragma once
#include "whittle/base.h"

enum wh_grant_kind {
	WH_GRANT_READ,   /* this path, for reading */
	WH_GRANT_BESIDE, /* the files of this directory, for reading */
	WH_GRANT_BELOW,  /* this directory, which a person named, with all that is below it, for reading */
	WH_GRANT_WRITE,  /* this path, replaced as a whole */
	WH_GRANT_APPEND, /* this path, for appending */
	WH_GRANT_NEW,    /* this path, written beside (mode 0600) and renamed once it is whole */
	WH_GRANT_RUN,    /* this command of the shell: its output */
};
struct wh_grant {
	enum wh_grant_kind kind;
	const char *text; /* borrowed until the fork */
};

/* Forks the opener. Call it once, before there are threads. */
int wh_opener_start(const struct wh_grant *grants, size_t n, struct wh_error *err);
/* In another helper of the program, which must not speak to the opener: from now on there is none. */
void wh_opener_forget(void);

/* Opens for reading: the descriptor (close on exec), or a negative errno. `flags` may add O_NONBLOCK. */
int wh_open_input(const char *path, int flags);
bool wh_readable(const char *path);
/* Opens for appending, made with mode 0600 where it is not there; never through a symbolic link. It never waits: a FIFO that
 * nobody reads is
 * -ENXIO, and a full one -EAGAIN at the write. */
int wh_open_append(const char *path);
/* Replaces the file `path` whole: readers see the old or the new text, also after a crash. A new file gets mode 0644 less the
 * umask, an old one keeps its mode. What is no regular file (a terminal, a pipe) is written to. */
int wh_write_file(const char *path, const char *text, size_t len, struct wh_error *err);
/* Opens a fresh file of mode 0600 beside `path`, for reading and writing: its descriptor or a negative errno. It takes the place
 * of `path` by wh_keep_new(), once; where that is not called it is gone with the program. One at a time. */
int wh_open_new(const char *path);
int wh_keep_new(const char *path); /* 0 or a negative errno */
/* Asks the opener to run a command, as wh_command_output(); -ENOENT when there is no opener, or it has no grant for it: run it
 * yourself. */
int wh_opener_run(const char *what, const char *command, size_t max, int timeout_s, char **out, size_t *len,
                  struct wh_error *err);
