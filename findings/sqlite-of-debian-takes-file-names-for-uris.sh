#!/bin/sh
# Expected: SQLite reads a file name as a URI only if the program asks for that: SQLITE_OPEN_URI, or uri=True in Python, whose default is False.
# Seen (Python 3.11.2 with SQLite 3.40.1 of Debian): Debian builds the library with SQLITE_USE_URI, which turns it on for every program. A relative
#   name that begins with "file:" loses what stands behind "?" or "#" and has %XX decoded: a database named "file:notes?mode=memory" lives in
#   memory, and what was committed is gone without an error when it is closed.
# Matters to programs that open names given by people or made from data: give SQLite an absolute path, or one that begins with "./".
. "${0%/*}/lib.sh"
debian bookworm python3.11=3.11.2-6+deb12u8 libsqlite3-0=3.40.1-2+deb12u2
root=$tmp/bookworm
mkdir "$root/w"
cat >"$root/write.py" <<'P'
import os, sqlite3, sys
os.chdir("/w")
db = sqlite3.connect(sys.argv[1], uri=False)
db.execute("CREATE TABLE t(a)")
db.commit()
db.close()
P
# The one file that there is after a database of that name was written.
written() { rm -rf "$root"/w/*; in_debian bookworm python3.11 /write.py "$1" && (cd "$root/w" && ls); }
holds "a name without a scheme is the file's name, whatever else it holds" eval '[ "$(written "50%25.db?x")" = "50%25.db?x" ]'
holds "'file:notes?mode=memory' leaves no file, although uri=False" eval '[ -z "$(written "file:notes?mode=memory")" ]'
holds "'file:a#b.db' makes a file 'a'" eval '[ "$(written "file:a#b.db")" = a ]'
holds "'./file:notes?mode=memory' is a file of that name" eval '[ "$(written "./file:notes?mode=memory")" = "file:notes?mode=memory" ]'
