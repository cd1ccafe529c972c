/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process of root, or a service that may change its user, takes on the ledger's owner: user, group and supplementary groups,
 * irrevocably, before it opens anything of the ledger. A link, a trigger or a crafted row in the ledger then reaches nothing that
 * its owner could not reach without whittle.
 */
#pragma once
#include <sys/types.h>
#include "whittle/base.h"

struct wh_owner {
	bool other;     /* not this process's user: the process must change to it */
	uid_t uid;
	gid_t gid;
	char name[64];  /* "suricata", or "uid 997" */
};

/*
 * The owner of the ledger `store_url` ("PATH" or "sqlite:PATH"): the owner of its directory; the owner of the file if that
 * is not root; "nobody" if there is no such directory. Fails (-EPERM) if the directory belongs to root or the service user,
 * and others could replace it. If the process is not root's and may not change its user, `other` is false and nothing is
 * checked.
 */
int wh_owner_of(const char *store_url, struct wh_owner *out, struct wh_error *err);

/*
 * Becomes the owner, irrevocably: setgroups, setresgid, setresuid, all capabilities dropped, none can be gained by executing a
 * program, no core dumps; then verifies that there is no way back. -EPERM with the reason if any step fails: the caller must
 * stop. Call it before threads are started; it forks nothing and opens no file of the ledger. Does nothing if `other` is
 * false.
 */
int wh_owner_become(const struct wh_owner *o, struct wh_error *err);
/* Drops only the bounding set: no executed program regains a capability. Returns 0 also if this process may not do that. */
int wh_drop_bounding(struct wh_error *err);
/* The same without a change of user: drops all capabilities, irrevocably, and forbids core dumps. */
int wh_give_up_privileges(struct wh_error *err);
/* Keeps the process's user, so that no other user can stop or kill it, and one right, if it has it: to kill its helpers of other
 * users (CAP_KILL). No core dumps. */
int wh_keep_user(struct wh_error *err);

/* For a process that only parses or talks to a service: changes to the user nobody, if it may, and drops all privileges. */
int wh_become_nobody(struct wh_error *err);
/* The same as a user that has no account, so that no other process has this user and could send signals. */
int wh_become_unknown(struct wh_error *err);

/* After a refusal (-EACCES, -EPERM): " (as suricata, the ledger's owner)"; else, and if no owner was taken on, "". */
const char *wh_as_owner(int code);
/* Forbids core files and tracing by the same user: for a process that holds privileges or secrets. */
void wh_no_core_dumps(void);
