#!/bin/sh
# Expected: SQLITE_OPEN_NOFOLLOW is to a database what O_NOFOLLOW is to open(): the last part of the path may not be a symbolic link.
# Seen (SQLite 3.40.1): a link in any part refuses the path: DIR/a.db fails with SQLITE_CANTOPEN_SYMLINK where DIR is a link. open() with O_NOFOLLOW
#   opens the same file.
# Matters to programs that add the flag for safety: a database below /var/run, below a home that is a link, or below a state directory that systemd
#   made a link (DynamicUser=) can't be opened any more. Resolve the directory first, or open it and go by /proc/self/fd.
. "${0%/*}/lib.sh"
need python3
debian bookworm libsqlite3-0=3.40.1-2+deb12u2
library=$(find "$tmp/bookworm" -name libsqlite3.so.0 | head -n 1)
mkdir "$tmp/real" && ln -s real "$tmp/link"
cat >"$tmp/open.py" <<'P'
import ctypes, os, sys
lib = ctypes.CDLL(sys.argv[1])
os.chdir(sys.argv[2])
db = ctypes.c_void_p()
READWRITE, CREATE, NOFOLLOW = 2, 4, 0x01000000
lib.sqlite3_open_v2(sys.argv[3].encode(), ctypes.byref(db), READWRITE | CREATE | (NOFOLLOW if sys.argv[4] == "nofollow" else 0), None)
code = lib.sqlite3_extended_errcode(db)
print({0: "opened", 0x60E: "SQLITE_CANTOPEN_SYMLINK"}.get(code, code))
P
try() { python3 "$tmp/open.py" "$library" "$@"; }
holds "real/a.db opens with the flag" eval 'try "$tmp" real/a.db nofollow | grep -x opened'
holds "link/a.db opens without it" eval 'try "$tmp" link/a.db follow | grep -x opened'
holds "link/a.db is SQLITE_CANTOPEN_SYMLINK with it" eval 'try "$tmp" link/a.db nofollow | grep -x SQLITE_CANTOPEN_SYMLINK'
holds "so is its absolute path" eval 'try / "$tmp/link/a.db" nofollow | grep -x SQLITE_CANTOPEN_SYMLINK'
holds "open() with O_NOFOLLOW opens link/a.db" python3 -c 'import os, sys; os.open(sys.argv[1], os.O_RDWR | os.O_NOFOLLOW)' "$tmp/link/a.db"
