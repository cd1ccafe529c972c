/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state directory: files that whittle must find unchanged and that the ledger's owner must not be able to write: the
 * confirmed rules, and the state of Azure's groups before they were changed. It belongs to the user who runs whittle; for the
 * firewall to root, or to the user of the services (base/service_user.h).
 */
#pragma once
#include <limits.h>
#include "whittle/base.h"

#define WH_STATE_DIR "/var/lib/whittle-state"

/*
 * The state directory of a ledger. `configured` ($WHITTLE_STATE, whittle.yaml) is used as it is; NULL: one directory for each
 * directory of a ledger, "var-lib-whittle" for /var/lib/whittle, below /var/lib/whittle-state if root or a service runs whittle,
 * else below $XDG_STATE_HOME/whittle or ~/.local/state/whittle. Nothing is created or opened.
 */
int wh_state_dir(const char *configured, const char *store_url, char out[static PATH_MAX], struct wh_error *err);
/* The directory of the ledger itself, where earlier versions kept these files. */
int wh_state_dir_beside(const char *store_url, char out[static PATH_MAX], struct wh_error *err);
/*
 * Proves that only root, the services' user and this process's user can put anything into `dir` or replace it; `make`: creates
 * it, mode 0700, with its parent directories, each with the owner of its parent if that is root or the services' user. -ENOENT if
 * it does not exist, -EPERM with the name of the directory at fault.
 */
int wh_state_dir_check(const char *dir, bool make, struct wh_error *err);
/* Creates it as above, and locks it against other processes that change its files until the descriptor is closed. Returns that
 * descriptor, or a negative errno. */
int wh_state_dir_lock(const char *dir, struct wh_error *err);
/* Whether `dir`, or the existing part of its path, belongs to the services' user: a process that writes there runs as it, too. */
bool wh_state_dir_of_service(const char *dir);
/* A file of that directory as text, at most `max` bytes; *text is freed by the caller, and NULL if there is no such file. */
int wh_state_dir_read(const char *dir, const char *name, size_t max, char **text, size_t *len, struct wh_error *err);
