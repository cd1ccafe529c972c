/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Of all that root may do, changing the firewall needs one thing. (Root has become the ledger's owner before, see base/owner.h.) */
#include <cap-ng.h>
#include <sys/prctl.h>
#include "base/owner.h"
#include "whittle/enforce.h"

int wh_enforce_privileges(struct wh_error *err)
{
	bool bounding = capng_get_caps_process() == 0 && capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN))
		return wh_fail(err, -EPERM, "changing the firewall needs CAP_NET_ADMIN, which this process does not have: run as root");
	capng_clear(CAPNG_SELECT_BOTH);
	capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN);
	if (capng_apply(bounding ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return wh_fail(err, -ENOTRECOVERABLE, "the privileges that are not needed cannot be given up");
	wh_no_core_dumps();
	return 0;
}
