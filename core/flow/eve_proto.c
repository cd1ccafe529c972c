/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Protocol names as Suricata writes them: IANA's registry; numbers as "%03u" where it has no name. */
#include <strings.h>
#include "flow/eve.h"

static const char *const names[] = {
	"HOPOPT",
	"ICMP",
	"IGMP",
	"GGP",
	"IPv4",
	"ST",
	"TCP",
	"CBT",
	"EGP",
	"IGP",
	"BBN-RCC-MON",
	"NVP-II",
	"PUP",
	"ARGUS",
	"EMCON",
	"XNET",
	"CHAOS",
	"UDP",
	"MUX",
	"DCN-MEAS",
	"HMP",
	"PRM",
	"XNS-IDP",
	"TRUNK-1",
	"TRUNK-2",
	"LEAF-1",
	"LEAF-2",
	"RDP",
	"IRTP",
	"ISO-TP4",
	"NETBLT",
	"MFE-NSP",
	"MERIT-INP",
	"DCCP",
	"3PC",
	"IDPR",
	"XTP",
	"DDP",
	"IDPR-CMTP",
	"TP++",
	"IL",
	"IPv6",
	"SDRP",
	"IPv6-Route",
	"IPv6-Frag",
	"IDRP",
	"RSVP",
	"GRE",
	"DSR",
	"BNA",
	"ESP",
	"AH",
	"I-NLSP",
	"SWIPE",
	"NARP",
	"MOBILE",
	"TLSP",
	"SKIP",
	"IPv6-ICMP",
	"IPv6-NoNxt",
	"IPv6-Opts",
	NULL,
	"CFTP",
	NULL,
	"SAT-EXPAK",
	"KRYPTOLAN",
	"RVD",
	"IPPC",
	NULL,
	"SAT-MON",
	"VISA",
	"IPCV",
	"CPNX",
	"CPHB",
	"WSN",
	"PVP",
	"BR-SAT-MON",
	"SUN-ND",
	"WB-MON",
	"WB-EXPAK",
	"ISO-IP",
	"VMTP",
	"SECURE-VMTP",
	"VINES",
	"TTP",
	"NSFNET-IGP",
	"DGP",
	"TCF",
	"EIGRP",
	"OSPFIGP",
	"Sprite-RPC",
	"LARP",
	"MTP",
	"AX.25",
	"IPIP",
	"MICP",
	"SCC-SP",
	"ETHERIP",
	"ENCAP",
	NULL,
	"GMTP",
	"IFMP",
	"PNNI",
	"PIM",
	"ARIS",
	"SCPS",
	"QNX",
	"A/N",
	"IPComp",
	"SNP",
	"Compaq-Peer",
	"IPX-in-IP",
	"VRRP",
	"PGM",
	NULL,
	"L2TP",
	"DDX",
	"IATP",
	"STP",
	"SRP",
	"UTI",
	"SMP",
	"SM",
	"PTP",
	"ISIS-over-IPv4",
	"FIRE",
	"CRTP",
	"CRUDP",
	"SSCOPMCE",
	"IPLT",
	"SPS",
	"PIPE",
	"SCTP",
	"FC",
	"RSVP-E2E-IGNORE",
	"Mobility-Header",
	"UDPLite",
	"MPLS-in-IP",
	"manet",
	"Shim6",
	"WESP",
	"ROHC",
	"Ethernet",
};

static const struct { const char *name; uint8_t number; } aliases[] = {
	{"ICMPv6", 58}, {"OSPF", 89}, {"TTP-IPTM", 84}, {"IPTM", 84}, {"IP-ENCAP", 4}, {"Any-host-internal-protocol", 61},
	{"Any-Local-Network", 63}, {"Any-distributed-FS", 68}, {"any-private-encr-scheme", 99}, {"Any-0-hop-protocol", 114},
	{"SAT-EXPAC", 64}, {"Mobility", 135}, {"pnni-over-IP", 102},
};

bool wh_eve_proto(const char *text, size_t len, uint8_t *proto)
{
	char name[32];
	if (len == 0 || len >= sizeof name)
		return false;
	memcpy(name, text, len);
	name[len] = 0;
	if (strlen(name) != len)
		return false;
	if (name[0] >= '0' && name[0] <= '9' && len <= 3) {
		unsigned n = 0;
		size_t i;
		for (i = 0; i < len && name[i] >= '0' && name[i] <= '9'; i++)
			n = n * 10 + (unsigned)(name[i] - '0');
		if (i == len) {
			*proto = (uint8_t)n;
			return n <= 255;
		}
	}
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i] && !strcasecmp(name, names[i])) {
			*proto = (uint8_t)i;
			return true;
		}
	for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
		if (!strcasecmp(name, aliases[i].name)) {
			*proto = aliases[i].number;
			return true;
		}
	return false;
}
