#!/bin/sh
# Expected: a UDP flow record with pkts_toclient above 0 was answered by the server.
# Seen (Suricata 7.0.10): the ICMP error "port unreachable" belongs to the flow that it is about and counts as a packet to the client; only
#   `state` tells: it stays "new", and an answered flow is "established". (Linux' conntrack does not count that error at all.)
# Matters to a program that learns which services exist: every refused probe of a closed UDP port looks like a served one.
. "${0%/*}/lib.sh"
need python3
debian bookworm-backports suricata=1:7.0.10-1~bpo12+1
PYTHONPATH="${0%/*}" PYTHONDONTWRITEBYTECODE=1 python3 - "$tmp/bookworm-backports/tmp/in.pcap" <<'P'
import sys
from pcap import Capture, CLIENT, SERVER
c = Capture(sys.argv[1])
c.port_unreachable(SERVER, CLIENT, c.udp(CLIENT, 5001, SERVER, 7001, b"hello"))
c.udp(CLIENT, 5002, SERVER, 7002, b"hello")
c.udp(SERVER, 7002, CLIENT, 5002, b"hello yourself")
c.close()
P
in_debian bookworm-backports suricata -c /etc/suricata/suricata.yaml -r /tmp/in.pcap -S /dev/null -l /tmp >"$tmp/log" 2>&1 || changed "$(tail -1 "$tmp/log")"
grep '"event_type":"flow"' "$tmp/bookworm-backports/tmp/eve.json" >"$tmp/flows"
flow() { grep -F "\"dest_port\":$1," "$tmp/flows" | grep -E "$2" | grep -E "$3"; }
holds "the refused flow has one packet to the client" flow 7001 '"proto":"UDP"' '"pkts_toclient":1'
holds "its state is new" flow 7001 '"proto":"UDP"' '"state":"new"'
holds "the answered flow has one packet to the client too" flow 7002 '"proto":"UDP"' '"pkts_toclient":1'
holds "its state is established" flow 7002 '"proto":"UDP"' '"state":"established"'
