/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports that should not be open to the Internet: for management, and for protocols that send secrets in the clear or need none.
 */
#include "whittle/findings.h"

static const struct wh_risky_port ports[] = {
	{WH_PROTO_TCP, 22, "SSH", true, false},
	{WH_PROTO_TCP, 23, "Telnet", true, false},
	{WH_PROTO_TCP, 135, "RPC", true, true},
	{WH_PROTO_TCP, 445, "SMB", true, true},
	{WH_PROTO_TCP, 3389, "Remote Desktop", true, false},
	{WH_PROTO_TCP, 5985, "WinRM", true, false},
	{WH_PROTO_TCP, 5986, "WinRM", true, false},
	{WH_PROTO_TCP, 21, "FTP", false, false},
	{WH_PROTO_TCP, 512, "rexec", false, false},
	{WH_PROTO_TCP, 513, "rlogin", false, false},
	{WH_PROTO_TCP, 514, "rsh", false, false},
	{WH_PROTO_TCP, 139, "NetBIOS", false, false},
	{WH_PROTO_TCP, 389, "LDAP", false, false},
	{WH_PROTO_TCP, 2375, "Docker without TLS", false, false},
	{WH_PROTO_TCP, 5800, "VNC over HTTP", false, false},
	{WH_PROTO_TCP, 5900, "VNC", false, false},
	{WH_PROTO_TCP, 6379, "Redis", false, false},
	{WH_PROTO_TCP, 9200, "Elasticsearch", false, false},
	{WH_PROTO_TCP, 11211, "memcached", false, false},
	{WH_PROTO_TCP, 27017, "MongoDB", false, false},
	{WH_PROTO_UDP, 69, "TFTP", false, false},
	{WH_PROTO_UDP, 137, "NetBIOS", false, false},
	{WH_PROTO_UDP, 161, "SNMP", false, false},
	{WH_PROTO_UDP, 389, "LDAP", false, false},
	{WH_PROTO_UDP, 3389, "Remote Desktop", true, false},
	{WH_PROTO_UDP, 11211, "memcached", false, false},
};

const struct wh_risky_port *wh_risky_port_at(size_t i)
{
	return i < sizeof ports / sizeof *ports ? &ports[i] : NULL;
}
