/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Of all that root may do, changing the firewall needs one thing. Files are another matter: the ledger, and what is kept beside it, belong
 * to whoever learns (Suricata's user, where the plugin runs as one), and root without its privileges may not touch what is another's. So
 * root takes on the owner of the ledger's directory for files, and for files only, before it gives up the right to.
 */
#include <cap-ng.h>
#include <limits.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "whittle/enforce.h"
#include "whittle/persist.h"

static void files_as_their_owner(const char *store_url)
{
	struct wh_error ignored;
	struct stat st;
	char dir[PATH_MAX];
	if (geteuid() != 0 || wh_persist_dir(store_url, dir, sizeof dir, &ignored) || stat(dir, &st))
		return;
	setfsuid(st.st_uid); /* where it may not, the files say so themselves */
}

int wh_enforce_privileges(const char *store_url, struct wh_error *err)
{
	bool bounding = capng_get_caps_process() == 0 && capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN))
		return wh_fail(err, -EPERM, "changing the firewall needs CAP_NET_ADMIN, which this process does not have: run as root");
	files_as_their_owner(store_url);
	capng_clear(CAPNG_SELECT_BOTH);
	capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN);
	if (capng_apply(bounding ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return wh_fail(err, -EPERM, "the privileges that are not needed cannot be given up");
	return 0;
}
