#!/bin/sh
# Expected: src_ip means the same in all records of EVE: the packet's source, or the client of the flow.
# Seen (Suricata 7.0.10): a DNS answer has the client as src_ip; Kerberos over UDP has the packet's source, so the KDC in its reply; over TCP
#   it is the other way round: the request AS_REQ comes "from port 88" of the KDC, and the KDC's error "from" the client.
# Matters to a program that infers who serves from src_ip and dest_ip of protocol records: by Kerberos over TCP every client becomes a KDC.
#   The flow record (by flow_id) is right for all of them.
. "${0%/*}/lib.sh"
need python3
debian bookworm-backports suricata=1:7.0.10-1~bpo12+1
PYTHONPATH="${0%/*}" PYTHONDONTWRITEBYTECODE=1 python3 - "$tmp/bookworm-backports/tmp/in.pcap" <<'P'
import struct, sys
from pcap import Capture, CLIENT, SERVER

def der(tag, body): return bytes([tag]) + (bytes([len(body)]) if len(body) < 128 else bytes([0x81, len(body)])) + body
def field(n, body): return der(0xA0 + n, body)
def integer(n): return der(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))
def text(s): return der(0x1B, s)
def time(s): return der(0x18, s)
def sequence(*parts): return der(0x30, b"".join(parts))
def name(kind, *parts): return sequence(field(0, integer(kind)), field(1, sequence(*map(text, parts))))

request = der(0x6A, sequence(field(1, integer(5)), field(2, integer(10)), field(4, sequence(
    field(0, der(3, b"\0\x50\x80\0\0")), field(1, name(1, b"alice")), field(2, text(b"EXAMPLE.COM")),
    field(3, name(2, b"krbtgt", b"EXAMPLE.COM")), field(5, time(b"20370913024805Z")), field(7, integer(12345)),
    field(8, sequence(integer(18), integer(17)))))))
error = der(0x7E, sequence(field(0, integer(5)), field(1, integer(30)), field(4, time(b"20260101000000Z")), field(5, integer(1)),
    field(6, integer(25)), field(9, text(b"EXAMPLE.COM")), field(10, name(2, b"krbtgt", b"EXAMPLE.COM"))))
question = b"\7example\3com\0" + struct.pack("!HH", 1, 1)
query = struct.pack("!HHHHHH", 0x1234, 0x0100, 1, 0, 0, 0) + question
answer = struct.pack("!HHHHHH", 0x1234, 0x8180, 1, 1, 0, 0) + question + b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + bytes([203, 0, 113, 5])
c = Capture(sys.argv[1])
c.udp(CLIENT, 5300, SERVER, 53, query)
c.udp(SERVER, 53, CLIENT, 5300, answer)
c.udp(CLIENT, 5388, SERVER, 88, request)
c.udp(SERVER, 88, CLIENT, 5388, error)
c.tcp(88, struct.pack("!I", len(request)) + request, struct.pack("!I", len(error)) + error)
c.close()
P
in_debian bookworm-backports suricata -c /etc/suricata/suricata.yaml -r /tmp/in.pcap -S /dev/null -l /tmp >"$tmp/log" 2>&1 || changed "$(tail -1 "$tmp/log")"
client='"src_ip":"192.0.2.10"'
server='"src_ip":"198.51.100.20"'
record() { # SRC… WORD…: some line of EVE holds all of them
	cp "$tmp/bookworm-backports/tmp/eve.json" "$tmp/lines"
	for w; do grep -F -e "$w" "$tmp/lines" >"$tmp/fewer" || return 1; mv "$tmp/fewer" "$tmp/lines"; done
}
holds "the answer to a DNS query has the client as src_ip" record '"type":"answer"' "$client"
holds "a Kerberos request over UDP has the client as src_ip" record KRB_AS_REQ '"proto":"UDP"' '"dest_port":88' "$client"
holds "the KDC's answer over UDP has the KDC as src_ip" record KRB_ERROR '"proto":"UDP"' '"src_port":88' "$server"
holds "the same request over TCP has the KDC as src_ip, from port 88" record '"msg_type":"KRB_AS_REQ"' '"proto":"TCP"' '"src_port":88' "$server"
holds "the KDC's answer over TCP has the client as src_ip, to port 88" record '"msg_type":"KRB_ERROR"' '"proto":"TCP"' '"dest_port":88' "$client"
holds "the flow record of that connection has the client as src_ip" record '"event_type":"flow"' '"proto":"TCP"' '"dest_port":88' "$client"
