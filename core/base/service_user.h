/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system user `whittle`, as which the services run (packaging/sysusers.d). It is trusted as root is, and alone: what survives
 * a reboot may belong to it. No parser ever runs as it.
 */
#pragma once
#include <sys/types.h>
#include "whittle/base.h"

#define WH_SERVICE_USER "whittle"

/* Its user and group; false where there is no such user, or a person logs in as it (a uid of 1000 or more). Asked once of the
 * system's users. */
bool wh_service_user(uid_t *uid, gid_t *gid);
/* Whether `uid` is root's or the service user's. */
bool wh_is_root_or_service(uid_t uid);
/* Whether this process may become any other user. */
bool wh_may_change_user(void);
