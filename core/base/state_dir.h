/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state directory: what whittle must find again as it left it, and what the ledger's owner must not be able to write: the
 * rules that were confirmed, and the groups at Azure as they were before they were changed. It belongs to the user who runs
 * whittle; for the firewall to root, or to the user of the services (base/service_user.h).
 */
#pragma once
#include <limits.h>
#include "whittle/base.h"

#define WH_STATE_DIR "/var/lib/whittle-state"

/*
 * The state directory of a ledger. `configured` ($WHITTLE_STATE, whittle.yaml) is taken as it is; NULL: a directory of its own
 * for each directory of a ledger, "var-lib-whittle" for /var/lib/whittle, below /var/lib/whittle-state where root or a service
 * runs whittle, else below $XDG_STATE_HOME/whittle or ~/.local/state/whittle. Nothing is made or opened.
 */
int wh_state_dir(const char *configured, const char *store_url, char out[static PATH_MAX], struct wh_error *err);
/* The directory of the ledger itself, where earlier versions kept these files. */
int wh_state_dir_beside(const char *store_url, char out[static PATH_MAX], struct wh_error *err);
/*
 * Proves that nobody but root, the user of the services and the user of this process can put anything into `dir` or in its place;
 * `make`: makes it, mode 0700, with the directories before it, each with the owner of the one before it where that is root or the
 * user of the services. -ENOENT where it is not there, -EPERM with the name of the directory at fault.
 */
int wh_state_dir_check(const char *dir, bool make, struct wh_error *err);
/* Makes it as above, and locks it against others who change what is in it, until the descriptor is closed; that, or a negative
 * errno. */
int wh_state_dir_lock(const char *dir, struct wh_error *err);
/* Whether `dir`, or what is there of the way to it, belongs to the user of the services: who writes there is that user, too. */
bool wh_state_dir_of_service(const char *dir);
