#!/bin/sh
# Expected: `softflowd -r FILE` exports the flows of a capture with the times of its packets.
# Seen (softflowd 1.1.0, collected by nfdump 1.7.1): times travel as milliseconds of 32 bits since the start of softflowd, and what is older than that runs
#   over, without a word. A capture of an hour ago arrives 2^32 ms later, 48 days in the future; one of 1 January 2026 gets one day in NetFlow 5 and
#   another in NetFlow 9, neither its own; in IPFIX its flows last 2^64 microseconds.
# Matters to whoever makes history or test data of captures: a month of flows lands on a few wrong days, or is refused as of the future.
. "${0%/*}/lib.sh"
need python3
debian bookworm softflowd=1.1.0-1+b1 nfdump=1.7.1-2+deb12u1
root=$tmp/bookworm
namespace a
PYTHONPATH="${0%/*}" PYTHONDONTWRITEBYTECODE=1 python3 - "$root/tmp" <<'P'
import sys, time
from pcap import Capture
old, new = Capture(sys.argv[1] + "/old.pcap"), Capture(sys.argv[1] + "/new.pcap")
new.now = time.time() - 3600
print(int(new.now), file=open(sys.argv[1] + "/begin", "w"))
for c in old, new:
    c.tcp(443, b"hello", b"world")
    c.close()
P
flows() { # CAPTURE VERSION: what the collector has heard, as CSV
	collect a bookworm flows
	inside a chroot "$root" softflowd -d -r "/tmp/$1.pcap" -n 127.0.0.1:2055 -v "$2" >"$tmp/softflowd.log" 2>&1
	collected
	in_debian bookworm nfdump -R /tmp/flows -q -o csv | grep '^2.*,192.0.2.10,198.51.100.20,' || changed "no flow arrived in NetFlow $2"
}
flows new 9 >"$tmp/new9"
flows old 5 >"$tmp/old5"
flows old 9 >"$tmp/old9"
flows old 10 >"$tmp/old10"
begin=$(cat "$root/tmp/begin")
ahead() { # whether the flow begins 2^32 ms after its capture's
	t=$(date -d "$(cut -d, -f1 "$1")" +%s)
	[ $((t - begin - 4294967)) -ge -1 ] && [ $((t - begin - 4294967)) -le 1 ]
}
holds "a capture of an hour ago arrives 2^32 ms later" ahead "$tmp/new9"
holds "a capture of 2026-01-01 has another day in NetFlow 5" eval '! grep "^2026-01-01" "$tmp/old5"'
holds "and in NetFlow 9" eval '! grep "^2026-01-01" "$tmp/old9"'
holds "the two are not the same" eval '[ "$(cut -c1-16 "$tmp/old5")" != "$(cut -c1-16 "$tmp/old9")" ]'
holds "in IPFIX it lasts 2^64 microseconds" grep -F ',18446744073709552.000,' "$tmp/old10"
cut -d, -f1-5 "$tmp/old5" "$tmp/old9" "$tmp/old10"
