/* SPDX-License-Identifier: GPL-2.0-or-later */
/* read: helpers that read the messages of a dump. */
#pragma once
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include "whittle/base.h"

/* An attribute of a message, or of a nest (which may be NULL): NULL where there is none. */
static inline const struct nlattr *attr(const struct nlmsghdr *h, uint16_t type)
{
	const struct nlattr *a;
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == type)
			return a;
	return NULL;
}

static inline const struct nlattr *nested(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *a;
	if (nest)
		mnl_attr_for_each_nested(a, nest)
			if (mnl_attr_get_type(a) == type)
				return a;
	return NULL;
}

static inline const char *text_of(const struct nlmsghdr *h, uint16_t type) /* "" where there is none */
{
	const struct nlattr *a = attr(h, type);
	return a && mnl_attr_validate(a, MNL_TYPE_NUL_STRING) >= 0 ? mnl_attr_get_str(a) : "";
}

static inline uint32_t number(const struct nlattr *a) /* 0 where there is none */
{
	return a && mnl_attr_get_payload_len(a) == 4 ? ntohl(mnl_attr_get_u32(a)) : 0;
}

/* The time that an element has left; 0: it does not expire. */
static inline int64_t expires_ms(const struct nlattr *elem)
{
	const struct nlattr *a = nested(elem, NFTA_SET_ELEM_EXPIRATION);
	return a && mnl_attr_get_payload_len(a) == 8 ? (int64_t)be64toh(mnl_attr_get_u64(a)) : 0;
}

/* Each element of a message of NFT_MSG_GETSETELEM. */
static inline int each_element(const struct nlmsghdr *h, void (*one)(void *arg, const struct nlattr *elem), void *arg)
{
	const struct nlattr *a, *elem;
	mnl_attr_for_each(a, h, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(a) == NFTA_SET_ELEM_LIST_ELEMENTS)
			mnl_attr_for_each_nested(elem, a)
				one(arg, elem);
	return MNL_CB_OK;
}
