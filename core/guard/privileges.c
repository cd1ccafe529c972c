/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Of root's rights, changing the firewall needs only one. (Another process has become the ledger's owner, see base/owner.h.) If
 * the files that survive a reboot belong to the services' user, the process becomes that user: then they always have the same
 * owner.
 */
#include <cap-ng.h>
#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "base/owner.h"
#include "base/service_user.h"
#include "base/state_dir.h"
#include "whittle/enforce.h"

/* Keeps the capabilities, of which the caller keeps one. */
static int become_service(void)
{
	uid_t uid;
	gid_t gid;
	if (!wh_service_user(&uid, &gid) || prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || setgroups(0, NULL) ||
	    setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		return -EPERM;
	return prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0);
}

int wh_enforce_privileges(const char *state_dir, struct wh_error *err)
{
	if (capng_get_caps_process() || !capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN))
		return wh_fail(err, -EPERM,
		               "access to the firewall needs CAP_NET_ADMIN, which this process does not have: run as root");
	if (wh_drop_bounding(err))
		return -ENOTRECOVERABLE;
	if (geteuid() == 0 && state_dir && wh_state_dir_of_service(state_dir) && become_service())
		return wh_fail(err, -ENOTRECOVERABLE,
		               "%s belongs to the user " WH_SERVICE_USER ", and this process cannot become it", state_dir);
	capng_clear(CAPNG_SELECT_CAPS);
	capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN);
	if (capng_apply(CAPNG_SELECT_CAPS) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return wh_fail(err, -ENOTRECOVERABLE, "the privileges that are not needed cannot be given up");
	wh_no_core_dumps();
	return 0;
}
