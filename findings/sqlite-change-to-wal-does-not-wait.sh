#!/bin/sh
# Expected: with a busy timeout every statement waits for a lock that another connection holds, up to that time.
# Seen (SQLite 3.40.1): "PRAGMA journal_mode=WAL" answers "database is locked" at once while another connection has a transaction that has
#   begun to write; an INSERT at the same moment waits.
# Matters to programs of which several start together on a new database, each of which sets that mode first: one of them fails now
#   and then, whatever its timeout. The change has to be repeated by the program, or made once where the file is created.
. "${0%/*}/lib.sh"
debian bookworm python3.11=3.11.2-6+deb12u8 libsqlite3-0=3.40.1-2+deb12u2
cat >"$tmp/bookworm/run.py" <<'P'
import sqlite3, time
a = sqlite3.connect("/w.db", isolation_level=None)
a.execute("CREATE TABLE t(a)")
b = sqlite3.connect("/w.db", isolation_level=None, timeout=2)
a.execute("BEGIN IMMEDIATE")
for statement in "INSERT INTO t VALUES (1)", "PRAGMA journal_mode=WAL":
    began = time.monotonic()
    try:
        b.execute(statement).fetchall()
        said = "done"
    except sqlite3.OperationalError as e:
        said = str(e)
    print(statement.split()[0], said, "after two seconds" if time.monotonic() - began > 1.5 else "at once")
a.execute("ROLLBACK")
print("later", b.execute("PRAGMA journal_mode=WAL").fetchone()[0])
P
in_debian bookworm python3.11 /run.py >"$tmp/seen"
holds "an INSERT waits for as long as the timeout says" grep -x 'INSERT database is locked after two seconds' "$tmp/seen"
holds "the change to WAL does not wait at all" grep -x 'PRAGMA database is locked at once' "$tmp/seen"
holds "the same change is made when the other has ended" grep -x 'later wal' "$tmp/seen"
