/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Root, or a service that may change its user, takes on the ledger's owner: its user, group and supplementary groups, for good,
 * before anything of the ledger is opened. A link, a trigger or a crafted row in it then reaches nothing that its owner could not
 * reach without whittle.
 */
#pragma once
#include <sys/types.h>
#include "whittle/base.h"

struct wh_owner {
	bool other;     /* somebody else than this process: to be become */
	uid_t uid;
	gid_t gid;
	char name[64];  /* "suricata", or "uid 997" */
};

/*
 * The owner of the ledger `store_url` ("PATH" or "sqlite:PATH"): the owner of its directory; of the file where that is another's
 * than root's; "nobody" where there is no such directory. Fails (-EPERM) where the directory is root's or the service user's, and
 * others could put something else in its place. Where the process is not root's and may not change its user, `other` is false and
 * nothing is looked at.
 */
int wh_owner_of(const char *store_url, struct wh_owner *out, struct wh_error *err);

/*
 * Becomes the owner, for good: setgroups, setresgid, setresuid, all capabilities gone, none can be gained by executing a program,
 * no core dumps; then it is tried whether there is a way back. -EPERM with the reason where any of it fails: the caller must go
 * no further then. Call it before there are threads; it forks nothing and opens no file of the ledger. Nothing where nobody else
 * is to be become.
 */
int wh_owner_become(const struct wh_owner *o, struct wh_error *err);
/* Only the bounding set: no program that is executed brings a capability back. 0 also where this process may not do that. */
int wh_drop_bounding(struct wh_error *err);
/* The same without another user: all capabilities gone, for good, and no core dumps. */
int wh_give_up_privileges(struct wh_error *err);
/* The process stays whose it is, so that no other user can stop or end it, and keeps one right: to end its helpers of other
 * users (CAP_KILL), where it has that. No core dumps. */
int wh_keep_user(struct wh_error *err);

/* For a process that only parses or speaks to a service: the user nobody, where this one may become another, and no privilege. */
int wh_become_nobody(struct wh_error *err);
/* The same as a user that has no account, and therefore no other process which could send signals. */
int wh_become_unknown(struct wh_error *err);

/* After a refusal (-EACCES, -EPERM): " (as suricata, the ledger's owner)", else and where nobody was become "". */
const char *wh_as_owner(int code);
/* No core file and no tracer of the same user: for a process that holds privileges or secrets. */
void wh_no_core_dumps(void);
