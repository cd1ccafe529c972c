/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports that should not be open to the Internet: for management, and for protocols that send secrets in the clear or need none.
 */
#include "whittle/findings.h"

static const struct wh_risky_port ports[] = {
	{WH_PROTO_TCP, 22, "SSH", true},
	{WH_PROTO_TCP, 23, "Telnet", true},
	{WH_PROTO_TCP, 135, "RPC", true},
	{WH_PROTO_TCP, 445, "SMB", true},
	{WH_PROTO_TCP, 3389, "Remote Desktop", true},
	{WH_PROTO_TCP, 5985, "WinRM", true},
	{WH_PROTO_TCP, 5986, "WinRM", true},
	{WH_PROTO_TCP, 21, "FTP", false},
	{WH_PROTO_TCP, 512, "rexec", false},
	{WH_PROTO_TCP, 513, "rlogin", false},
	{WH_PROTO_TCP, 514, "rsh", false},
	{WH_PROTO_TCP, 139, "NetBIOS", false},
	{WH_PROTO_TCP, 389, "LDAP", false},
	{WH_PROTO_TCP, 2375, "Docker without TLS", false},
	{WH_PROTO_TCP, 5800, "VNC over HTTP", false},
	{WH_PROTO_TCP, 5900, "VNC", false},
	{WH_PROTO_TCP, 6379, "Redis", false},
	{WH_PROTO_TCP, 9200, "Elasticsearch", false},
	{WH_PROTO_TCP, 11211, "memcached", false},
	{WH_PROTO_TCP, 27017, "MongoDB", false},
	{WH_PROTO_UDP, 69, "TFTP", false},
	{WH_PROTO_UDP, 137, "NetBIOS", false},
	{WH_PROTO_UDP, 161, "SNMP", false},
	{WH_PROTO_UDP, 389, "LDAP", false},
	{WH_PROTO_UDP, 3389, "Remote Desktop", true},
	{WH_PROTO_UDP, 11211, "memcached", false},
};

const struct wh_risky_port *wh_risky_port_at(size_t i)
{
	return i < sizeof ports / sizeof *ports ? &ports[i] : NULL;
}
