#!/bin/sh
# Expected: jansson, which Suricata itself is linked with, reads every record of EVE.
# Seen (Suricata 7.0.10, jansson 2.14): SMB session ids are 64 bits without a sign and written as integers; Windows sets the top bits, and
#   jansson refuses the whole record ("too big integer") unless JSON_DECODE_INT_AS_REAL is given, which rounds every integer of it.
# Matters to every reader of EVE: one such number loses the record, not the field; a reader with doubles changes the number silently.
. "${0%/*}/lib.sh"
need python3
debian bookworm-backports suricata=1:7.0.10-1~bpo12+1 libjansson4=2.14-2
PYTHONPATH="${0%/*}" PYTHONDONTWRITEBYTECODE=1 python3 - "$tmp/bookworm-backports/tmp/in.pcap" <<'P'
import struct, sys
from pcap import Capture
SESSION = 0xFFFFFFFFFFFFFFE1

def smb2(command, message, session, reply, body):
    head = b"\xfeSMB" + struct.pack("<HHIHHIIQIIQ16s", 64, 1, 0, command, 1, reply, 0, message, 0, 0, session, b"\0" * 16)
    return struct.pack("!I", len(head) + len(body)) + head + body

share = r"\\server\data".encode("utf-16le")
c = Capture(sys.argv[1])
c.tcp(445,
    smb2(0, 0, 0, 0, struct.pack("<HHHHI16sQH", 36, 1, 1, 0, 0, b"\x22" * 16, 0, 0x0210)),
    smb2(0, 0, 0, 1, struct.pack("<HHHH16sIIIIQQHHI", 65, 1, 0x0210, 0, b"\x33" * 16, 0, 65536, 65536, 65536, 0, 0, 128, 0, 0)),
    smb2(1, 1, 0, 0, struct.pack("<HBBIIHHQ", 25, 0, 1, 0, 0, 88, 0, 0)),
    smb2(1, 1, SESSION, 1, struct.pack("<HHHH", 9, 0, 72, 0)),
    smb2(3, 2, SESSION, 0, struct.pack("<HHHH", 9, 0, 72, len(share)) + share),
    smb2(3, 2, SESSION, 1, struct.pack("<HBBIII", 16, 1, 0, 0, 0, 0x1F01FF)))
c.close()
P
in_debian bookworm-backports suricata -c /etc/suricata/suricata.yaml -r /tmp/in.pcap -S /dev/null -l /tmp >"$tmp/log" 2>&1 || changed "$(tail -1 "$tmp/log")"
grep '"event_type":"smb"' "$tmp/bookworm-backports/tmp/eve.json" | grep TREE_CONNECT >"$tmp/record"
library=$(find "$tmp/bookworm-backports/usr/lib" -name 'libjansson.so.4' | head -n 1)
cat >"$tmp/read.py" <<'P'
import ctypes, sys
class Error(ctypes.Structure):
    _fields_ = [("line", ctypes.c_int), ("column", ctypes.c_int), ("position", ctypes.c_int), ("source", ctypes.c_char * 80), ("text", ctypes.c_char * 160)]
jansson = ctypes.CDLL(sys.argv[1])
jansson.json_loads.restype = ctypes.c_void_p
error = Error()
value = jansson.json_loads(open(sys.argv[2], "rb").read(), ctypes.c_size_t(int(sys.argv[3])), ctypes.byref(error))
print("read" if value else error.text.decode())
P
in_debian bookworm-backports suricata --build-info >"$tmp/info"
holds "Suricata is built with jansson" grep -E 'libjansson support: +yes' "$tmp/info"
holds "the session id is written as the integer 18446744073709551585" grep '"session_id":18446744073709551585' "$tmp/record"
holds "jansson refuses the record: too big integer" eval 'python3 "$tmp/read.py" "$library" "$tmp/record" 0 | grep "too big integer"'
holds "with JSON_DECODE_INT_AS_REAL it reads it" eval 'python3 "$tmp/read.py" "$library" "$tmp/record" 8 | grep "^read"'
