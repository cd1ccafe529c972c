#!/bin/sh
# Expected: `nfdump -o csv`, the form for other programs, says when a flow was, and has a row a flow.
# Seen (nfdump 1.7.1): ts and te are the local time of whoever runs nfdump, without a zone: one file gives different texts, and of the
#   hour that comes twice when summer time ends nobody can say which it is. ICMP's destination port is type * 256 + code. A file without flows has the row "No matching flows", and the
#   rows after "Summary" are of another table.
# Matters to everything that reads this CSV: convert with TZ=UTC, and stop at the first row that is no flow.
. "${0%/*}/lib.sh"
need python3
debian bookworm nfdump=1.7.1-2+deb12u1
namespace a
collect a bookworm flows
cat >"$tmp/send.py" <<'P'
import socket, struct
UPTIME, NOW = 100000, 1767225600 # 2026-01-01 00:00:00 UTC
def flow(proto, sport, dport):
    return struct.pack("!4s4s4sHHIIIIHHBBBBHHBBH", socket.inet_aton("192.0.2.10"), socket.inet_aton("198.51.100.20"), bytes(4), 0, 0, 1, 84,
                       UPTIME, UPTIME, sport, dport, 0, 0, proto, 0, 0, 0, 0, 0, 0)
head = struct.pack("!HHIIIIBBH", 5, 2, UPTIME, NOW, 0, 0, 0, 0, 0)
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(head + flow(17, 40000, 53) + flow(1, 0, 0x0303), ("127.0.0.1", 2055))
P
inside a python3 "$tmp/send.py"
collected
csv() { # ZONE [FILTER]
	TZ=$1 in_debian bookworm nfdump -R /tmp/flows -o csv ${2:+"$2"}
}
holds "read in UTC, the flow is of 2026-01-01 00:00:00" eval 'csv UTC | grep "^2026-01-01 00:00:00,.*,40000,53,UDP,"'
holds "read five hours west, it is of 2025-12-31 19:00:00" eval 'csv EST5 | grep "^2025-12-31 19:00:00,.*,40000,53,UDP,"'
holds "nothing else in the text says so" eval '[ "$(csv UTC | grep -c -i -e utc -e zone -e +00)" = 0 ] && [ "$(csv EST5 | grep -c -i -e est -e zone -e -05)" = 0 ]'
holds "ICMP port unreachable has the destination port 771" eval 'csv UTC | grep ",0,771,ICMP,"'
holds "without a flow there is a row that is no flow" eval 'csv UTC "proto gre" | grep -x "No matching flows"'
holds "another table follows" eval 'csv UTC | grep -x "flows,bytes,packets,avg_bps,avg_pps,avg_bpp"'
