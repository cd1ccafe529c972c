#!/bin/sh
# Expected: a program that never uses ATTACH loses nothing when it forbids it, as SQLite's advice for untrusted databases has it: by
#   SQLITE_LIMIT_ATTACHED 0, or by an authorizer that denies SQLITE_ATTACH.
# Seen (SQLite 3.40.1): VACUUM and VACUUM INTO attach a database of their own. With the limit they fail with "too many attached databases - max 0",
#   although the program attached none, and with the authorizer with "authorization denied". DELETE, PRAGMA incremental_vacuum and the online
#   backup (sqlite3_backup_init) work.
# Matters to programs that harden a connection and later wish to shrink, copy or overwrite the file: the maintenance job fails, or works only in
#   a test that does not harden. Copy by the online backup, or raise the limit for the one statement.
. "${0%/*}/lib.sh"
need python3
debian bookworm libsqlite3-0=3.40.1-2+deb12u2
library=$(find "$tmp/bookworm" -name libsqlite3.so.0 | head -n 1)
cat >"$tmp/run.py" <<'P'
import ctypes, os, sys
lib = ctypes.CDLL(sys.argv[1])
lib.sqlite3_errmsg.restype = ctypes.c_char_p
lib.sqlite3_backup_init.restype = ctypes.c_void_p
OK, DENY, LIMIT_ATTACHED, ATTACH = 0, 1, 7, 24
def database(path):
    db = ctypes.c_void_p()
    lib.sqlite3_open(path.encode(), ctypes.byref(db))
    return db
def run(db, sql):
    code = lib.sqlite3_exec(db, sql.encode(), None, None, None)
    return "ok" if code == OK else lib.sqlite3_errmsg(db).decode()
where, hardened, what = sys.argv[2:5]
db = database(where + "/a.db")
run(db, "CREATE TABLE IF NOT EXISTS t(a); INSERT INTO t VALUES(zeroblob(100000)); DELETE FROM t")
AUTHORIZER = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, *[ctypes.c_char_p] * 4)
judge = AUTHORIZER(lambda _, action, *names: DENY if action == ATTACH else OK)
if hardened == "limit":
    lib.sqlite3_limit(db, LIMIT_ATTACHED, 0)
elif hardened == "authorizer":
    lib.sqlite3_set_authorizer(db, judge, None)
if what == "backup":
    copy = database(where + "/copy.db")
    b = lib.sqlite3_backup_init(copy, b"main", db, b"main")
    lib.sqlite3_backup_step(ctypes.c_void_p(b), -1)
    print("ok" if lib.sqlite3_backup_finish(ctypes.c_void_p(b)) == OK else lib.sqlite3_errmsg(copy).decode())
else:
    print(run(db, what.replace("FILE", where + "/%d.db" % os.getpid())))
P
try() { python3 "$tmp/run.py" "$library" "$tmp" "$@"; }
holds "VACUUM works on a connection as it is opened" eval 'try plain VACUUM | grep -x ok'
holds "with SQLITE_LIMIT_ATTACHED 0 it fails: too many attached databases - max 0" eval 'try limit VACUUM | grep -x "too many attached databases - max 0"'
holds "so does VACUUM INTO" eval 'try limit "VACUUM INTO '"'FILE'"'" | grep -x "too many attached databases - max 0"'
holds "an authorizer that denies SQLITE_ATTACH denies VACUUM" eval 'try authorizer VACUUM | grep -x "authorization denied"'
holds "incremental_vacuum works with both" eval 'try limit "PRAGMA incremental_vacuum" | grep -x ok && try authorizer "PRAGMA incremental_vacuum" | grep -x ok'
holds "the online backup works with both" eval 'try limit backup | grep -x ok && try authorizer backup | grep -x ok'
