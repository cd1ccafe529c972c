#!/bin/sh
# Expected: `nfdump -o json` prints a JSON document, with the fields that the text has.
# Seen (nfdump 1.7.1): with -q, which leaves out the header and the statistics of the text, it leaves out the array's brackets, so that objects stand in a row
#   with commas between; without a matching flow it prints the sentence "No matching flows"; both are success. Flows aggregated by address
#   (-A srcip) are objects without any address, while the CSV has it.
# Matters to scripts that hand the output to a JSON reader: they work until a filter matches nothing, and count hosts that have no name.
. "${0%/*}/lib.sh"
need python3
debian bookworm softflowd=1.1.0-1+b1 nfdump=1.7.1-2+deb12u1
root=$tmp/bookworm
namespace a
PYTHONPATH="${0%/*}" PYTHONDONTWRITEBYTECODE=1 python3 - "$root/tmp/in.pcap" <<'P'
import sys, time
from pcap import Capture
c = Capture(sys.argv[1])
c.now = time.time() - 10
for port in 443, 80:
    c.tcp(port, b"hello", b"world")
c.close()
P
collect a bookworm flows
inside a chroot "$root" softflowd -d -r /tmp/in.pcap -n 127.0.0.1:2055 -v 9 >"$tmp/softflowd.log" 2>&1
collected
said() { in_debian bookworm nfdump -R /tmp/flows "$@" >"$tmp/out"; }
is_json() { python3 -m json.tool "$tmp/out" >/dev/null 2>&1; }
holds "with flows and without -q it is a JSON array of four" eval 'said -o json && is_json && [ "$(grep -c src4_addr "$tmp/out")" = 4 ]'
holds "with -q it is no JSON, with success" eval 'said -q -o json && ! is_json && [ "$(grep -c src4_addr "$tmp/out")" = 4 ]'
holds "without a matching flow it is a sentence, with success" eval 'said -o json "port 999" && ! is_json && grep -q "^No matching flows" "$tmp/out"'
holds "aggregated by address, the CSV names the addresses" eval 'said -A srcip -o csv && grep -q 192.0.2.10 "$tmp/out" && grep -q 198.51.100.20 "$tmp/out"'
holds "and the JSON has none" eval 'said -A srcip -o json && is_json && [ "$(grep -c "\"type\"" "$tmp/out")" = 2 ] && ! grep -E "192.0.2.10|198.51.100.20" "$tmp/out"'
