#!/bin/sh
# Expected: "suricata -T" reads the configuration and the rules, says whether they are right, and leaves everything as it was.
# Seen (Suricata 7.0.10): it opens the outputs as a run does. Log files that are not there are made, by whoever runs the test, and to
#   an EVE output over a Unix stream socket it connects, although no record ever comes.
# Matters where an administrator tests as root what a service runs as another user: the service finds log files that it may not write; and to
#   readers of such a socket, for whom the test is a sensor that came and went.
. "${0%/*}/lib.sh"
need python3
debian bookworm-backports suricata=1:7.0.10-1~bpo12+1
root=$tmp/bookworm-backports
cat >"$root/tmp/suricata.yaml" <<'Y'
%YAML 1.1
---
outputs:
  - fast: { enabled: yes, filename: fast.log }
  - eve-log: { enabled: yes, filetype: regular, filename: eve.json, types: [flow] }
  - eve-log: { enabled: yes, filetype: unix_stream, filename: /tmp/reader, types: [flow] }
Y
cat >"$tmp/reader.py" <<'P'
import os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen()
open(sys.argv[2], "w").close()
s.settimeout(60)
c, _ = s.accept()
said = b""
while part := c.recv(4096):
    said += part
print("a sensor came and said", len(said), "bytes")
P
python3 "$tmp/reader.py" "$root/tmp/reader" "$tmp/listens" >"$tmp/heard" &
reader=$!
children="$children $reader"
for _ in 1 2 3 4 5 6 7 8 9 10; do [ -e "$tmp/listens" ] || sleep 1; done
mkdir "$root/tmp/log"
echo 'alert tcp any any -> any 1 (sid:1;)' >"$root/tmp/one.rules"
holds "the test of the configuration succeeds" in_debian bookworm-backports suricata -T -c /tmp/suricata.yaml -S /tmp/one.rules -l /tmp/log
holds "it has made the log file" [ -f "$root/tmp/log/fast.log" ]
holds "and the file of EVE records" [ -f "$root/tmp/log/eve.json" ]
wait "$reader" || changed "nothing connected to the socket"
holds "and has connected to the socket" grep -x 'a sensor came and said 0 bytes' "$tmp/heard"
