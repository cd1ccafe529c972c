/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/in.h>
#include <netpacket/packet.h>
#include <string.h>
#include "base/socket_addr.h"

bool wh_addr_of_socket(const struct sockaddr *s, struct wh_addr *out)
{
	if (s && s->sa_family == AF_INET)
		*out = wh_addr_v4(ntohl(((const struct sockaddr_in *)(const void *)s)->sin_addr.s_addr));
	else if (s && s->sa_family == AF_INET6)
		memcpy(out->b, &((const struct sockaddr_in6 *)(const void *)s)->sin6_addr, 16);
	else
		return false;
	return true;
}

uint32_t wh_interface_index(const struct ifaddrs *list, const char *name)
{
	for (const struct ifaddrs *i = list; i; i = i->ifa_next)
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_PACKET && !strcmp(i->ifa_name, name))
			return (uint32_t)((const struct sockaddr_ll *)(const void *)i->ifa_addr)->sll_ifindex;
	return 0;
}
