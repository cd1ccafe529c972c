/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The system user `whittle`, which the services run as (packaging/sysusers.d). Only it is trusted as root is: files that survive
 * a reboot may belong to it. No parser ever runs as this user.
 */
#pragma once
#include <sys/types.h>
#include "whittle/base.h"

#define WH_SERVICE_USER "whittle"

/* Its user and group; false if there is no such user, or if it is a person's login (a uid of 1000 or more). The user database is
 * asked once. */
bool wh_service_user(uid_t *uid, gid_t *gid);
/* Whether `uid` is root's or the service user's. */
bool wh_is_root_or_service(uid_t uid);
/* Whether this process may become any other user. */
bool wh_may_change_user(void);
