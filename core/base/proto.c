/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <strings.h>
#include "whittle/base.h"

static const struct { const char *name; uint8_t number;
} protos[] = {
	{"TCP", WH_PROTO_TCP},
	{"UDP", WH_PROTO_UDP},
	{"ICMP", WH_PROTO_ICMP},
	{"ICMPV6", WH_PROTO_ICMPV6},
	{"IPV6-ICMP", WH_PROTO_ICMPV6},
	{"ESP", 50},
	{"AH", 51},
	{"SCTP", 132},
	{"GRE", 47},
};

const char *wh_proto_text(uint8_t proto, char buf[static 8])
{
	if (proto == WH_PROTO_ANY)
		return "*";
	for (size_t i = 0; i < sizeof protos / sizeof *protos; i++)
		if (protos[i].number == proto)
			return protos[i].name;
	snprintf(buf, 8, "%u", proto);
	return buf;
}

int wh_proto_parse(const char *text, uint8_t *out)
{
	for (size_t i = 0; i < sizeof protos / sizeof *protos; i++)
		if (!strcasecmp(text, protos[i].name)) {
			*out = protos[i].number;
			return 0;
		}
	if (text[0] == '*' && !text[1]) {
		*out = WH_PROTO_ANY;
		return 0;
	}
	char *end;
	unsigned long n = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || n > 255)
		return -EINVAL;
	*out = (uint8_t)n;
	return 0;
}

const char *wh_direction_text(enum wh_direction d)
{
	return d == WH_OUTBOUND ? "Outbound" : "Inbound";
}
