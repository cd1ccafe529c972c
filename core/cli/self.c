/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who runs this, and which resource this machine is. */
#include <ifaddrs.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/cli.h"

const char *cli_who(void)
{
	static char who[256];
	const char *sudo = getenv("SUDO_USER"); /* anybody can set it, but only root is believed */
	struct passwd *pw = *who ? NULL : getpwuid(getuid());
	if (!*who)
		snprintf(who, sizeof who, "%s", sudo && *sudo && geteuid() == 0 ? sudo : pw ? pw->pw_name : "unknown");
	return who;
}

void cli_platform(const struct cli *c, struct wh_estate *e)
{
	if (!e->platform)
		e->platform = c->config->estate.platform;
}

size_t cli_own_resources(const struct wh_estate *e, const char **names, size_t max)
{
	struct ifaddrs *list;
	size_t n = 0;
	if (getifaddrs(&list))
		return 0;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
		struct wh_addr a;
		if (!i->ifa_addr)
			continue;
		if (i->ifa_addr->sa_family == AF_INET)
			a = wh_addr_v4(ntohl(((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr.s_addr));
		else if (i->ifa_addr->sa_family == AF_INET6)
			memcpy(a.b, &((const struct sockaddr_in6 *)(const void *)i->ifa_addr)->sin6_addr, 16);
		else
			continue;
		const struct wh_resource *r = wh_estate_by_addr(e, &a);
		bool had = false;
		for (size_t k = 0; k < n; k++)
			had |= r && names[k] == r->name;
		if (r && !had && n < max)
			names[n++] = r->name;
	}
	freeifaddrs(list);
	return n;
}
