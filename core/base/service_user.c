/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <cap-ng.h>
#include <pwd.h>
#include "base/service_user.h"

enum { FIRST_PERSON = 1000 }; /* on every distribution with systemd, uids of system users are lower */

bool wh_service_user(uid_t *uid, gid_t *gid)
{
	static struct { bool asked, there; uid_t uid; gid_t gid; } user;
	if (!user.asked) {
		const struct passwd *pw = getpwnam(WH_SERVICE_USER);
		user.asked = true;
		user.there = pw && pw->pw_uid && pw->pw_uid < FIRST_PERSON && pw->pw_gid;
		user.uid = pw ? pw->pw_uid : 0;
		user.gid = pw ? pw->pw_gid : 0;
	}
	if (user.there && uid)
		*uid = user.uid;
	if (user.there && gid)
		*gid = user.gid;
	return user.there;
}

bool wh_is_root_or_service(uid_t uid)
{
	uid_t service;
	return uid == 0 || (wh_service_user(&service, NULL) && uid == service);
}

bool wh_may_change_user(void)
{
	return capng_get_caps_process() == 0 && capng_have_capability(CAPNG_EFFECTIVE, CAP_SETUID) &&
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_SETGID);
}
