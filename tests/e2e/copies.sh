#!/bin/bash
# A record is recognised by its content: when a log that was read is rotated, packed, copied, cut or joined, each record counts once.
# Logs with odd beginnings are read; a file that is no log is an error that leaves the ledger as it was.
set -u
. "$(dirname "$0")/lib/start.sh"
. "$here/../support/ingest.sh"
nothing_new() { expect 0 'Nothing new' ingest "$@"; }
gen() { "$BUILD/tools/gen_eve" --other 10 "$@"; }

gen --records 3000 --edges 900 --seed 3 >one.json && gen --records 2000 --edges 700 --seed 4 >two.json && gen --records 60 --edges 20 --seed 5 >few.json || exit 1
cat one.json two.json >both.json
for x in one two both few; do ingest --store $x.db $x.json >out || { cat out; exit 1; }; done

# ---- copies ----
copied() { fresh; ingest both.json && cp both.json c.json && nothing_new c.json && same both.db l.db; }
tell "a copy adds nothing" copied
packed() { fresh; ingest both.json && gzip -c both.json >c.gz && nothing_new c.gz && zstd -qc both.json >c.zst && nothing_new c.zst && same both.db l.db; }
tell "packed copies add nothing" packed
unpacked() { fresh; gzip -c both.json >c.gz && ingest c.gz && nothing_new both.json && zstd -qc both.json >c.zst && nothing_new c.zst && same both.db l.db; }
tell "a packed log adds nothing when it is unpacked, or packed otherwise" unpacked
restored() { fresh; cp both.json r.json && ingest r.json && rm r.json && cp both.json elsewhere && mv elsewhere r.json && nothing_new r.json && same both.db l.db; }
tell "a restored log adds nothing" restored
piped() { fresh; ingest both.json && expect 0 'Nothing new' sh -c "zstd -qc both.json | '$w' ingest --store l.db -" && same both.db l.db; }
tell "a copy through a pipe adds nothing" piped
old_then_grown() { fresh; cp one.json g.json; ingest g.json && gzip -c g.json >g.1.gz && cat two.json >>g.json && ingest g.json && nothing_new g.1.gz && same both.db l.db; }
tell "a copy of a log that has grown since adds nothing" old_then_grown
copy_grown() { fresh; ingest one.json && expect 0 '2,000 records' ingest both.json && same both.db l.db && nothing_new one.json two.json; }
tell "the new part of a copy that has grown counts" copy_grown
prefixes() {
	local lines bytes
	fresh
	ingest few.json
	for lines in 1 2 10 31 59; do head -n $lines few.json >p.json && nothing_new p.json || return; done
	for bytes in 700 5000 20000; do head -c $bytes few.json | gzip >p.gz; ingest p.gz >said 2>&1; dump l.db | grep -q 'records=60 ' || return; done
	same few.db l.db || grep -c malformed b.txt
}
tell "the begin of a small log adds nothing, however short" prefixes
tails() {
	local lines
	fresh
	ingest few.json && ingest both.json || return
	for lines in 1 2 17 58; do tail -n $lines few.json >t.json && nothing_new t.json || return; done
	for lines in 1 30 100 1500 4900; do tail -n $lines both.json >t.json && nothing_new t.json || return; done
	tail -n 1700 both.json | gzip >t.gz && nothing_new t.gz && tail -n 1700 both.json | zstd -q >t.zst && nothing_new t.zst
}
tell "the end of a log adds nothing, however short" tails
tail_grown() { fresh; ingest one.json && { tail -n 700 one.json; cat two.json; } >t.json && expect 0 '2,000 records' ingest t.json && same both.db l.db; }
tell "the new part after the end of a log counts" tail_grown
cut_in_line() {
	fresh
	ingest both.json && tail -c 300000 both.json >t.json && expect 0 '1 record' ingest t.json && dump l.db | grep -q 'records=5000 .*malformed=1$'
}
tell "the end of a log that begins in the middle of a record adds nothing but that one as unreadable" cut_in_line
joined() { fresh; ingest two.json && ingest one.json && nothing_new both.json && cat two.json one.json two.json >j.json && nothing_new j.json && same both.db l.db; }
tell "logs that were read add nothing when they are put together, in any order" joined
members() { fresh; gzip -c one.json >m.gz && ingest m.gz && gzip -c two.json >>m.gz && expect 0 '2,000 records' ingest m.gz && same both.db l.db; }
tell "a packed log to which another is appended counts from there" members
between() {
	fresh
	gen --records 500 --edges 100 --seed 9 >nine.json
	ingest --store both9.db both.json nine.json >out
	ingest both.json && { cat one.json nine.json two.json; } >b.json && expect 0 '500 records' ingest b.json && same both9.db l.db
}
tell "records inserted in between count, and those around them do not" between
crlf() { fresh; ingest both.json && sed 's/$/\r/' both.json >crlf.json && nothing_new crlf.json && same both.db l.db; }
tell "a copy with the line ends of another system adds nothing" crlf
no_end() { fresh; head -c -1 both.json >e.json; ingest e.json && nothing_new both.json && same both.db l.db; }
tell "a last newline makes no other log" no_end

# ---- records that look the same and are not ----
same_head() {
	fresh
	head -n 1 one.json >h1.json && cp h1.json h2.json && head -n 500 two.json >>h1.json && tail -n 500 two.json >>h2.json
	ingest h1.json && expect 0 '500 records' ingest h2.json && dump l.db | grep -q 'records=1001 '
}
tell "two logs with the same first line both count, and that line once" same_head
rewritten() { fresh; cp one.json r.json && ingest r.json && cat two.json >r.json && expect 0 '2,000 records' ingest r.json && same both.db l.db && nothing_new r.json; }
tell "a log that was cut and written anew counts from its first line" rewritten
rewritten_same_head() {
	fresh
	cp one.json r.json && ingest r.json && { head -n 1 one.json; cat two.json two.json | head -n 3500; } >r2.json && cat r2.json >r.json &&
		expect 0 '3,500 records' ingest r.json
}
tell "a log that was cut and written anew, larger, with the same first line, counts" rewritten_same_head
diverged() {
	fresh
	gen --records 900 --edges 300 --seed 8 >eight.json
	ingest --store d.db one.json eight.json two.json >out
	ingest both.json && cat one.json eight.json >d.json && expect 0 '900 records' ingest d.json && same d.db l.db
}
tell "a log that was set back and went on otherwise counts from there" diverged
changed() { fresh; ingest one.json && sed '1500s/"src_port":[0-9]*/"src_port":1/' one.json >c.json && expect 0 '^[0-9]{1,2} records? ' ingest c.json && nothing_new c.json; }
tell "one record that was changed counts, and hardly any of its neighbours" changed
twice_in_one() { fresh; cat one.json one.json >t.json && ingest t.json && dump l.db | grep -q 'records=6000 '; }
tell "records that are twice in one new log count twice" twice_in_one
several_runs() {
	fresh
	for i in 1 400 401 402 1000 2999; do head -n $i one.json >s.json; ingest s.json >out || return; done
	ingest both.json >out && same both.db l.db && nothing_new one.json both.json two.json s.json
}
tell "a log that is read as it grows, from many copies, counts once" several_runs
# Files that are named together are read at once, where there are processors for it: each is a copy of some of those before it.
together() {
	fresh
	rm -f alone.db*
	sed -n '500,2900p' one.json >middle.json && tail -n 1700 both.json >end.json && gzip -c both.json >whole.gz
	{ tail -n 900 one.json; cat few.json; } >mixed.json
	taskset -c 0 "$w" ingest --store alone.db middle.json one.json end.json whole.gz few.json mixed.json two.json >alone.txt || return
	for i in 1 2 3; do
		fresh
		"$w" ingest --store l.db middle.json one.json end.json whole.gz few.json mixed.json two.json >out && same alone.db l.db &&
			cmp <(sed 's/ in [0-9.]* s//' alone.txt) <(sed 's/ in [0-9.]* s//' out) || return
	done
	dump l.db | grep -q 'records=5060 '
}
tell "logs that hold parts of each other, read at once, count each record once" together
legacy() {
	fresh
	cp one.json old.json && ingest old.json >out || return
	# as a version that knew files by device and inode left it
	sqlite3 l.db "DROP TABLE content; UPDATE source SET identity = substr(identity, 3)" && gzip -c old.json >old.gz && cat two.json >>old.json &&
		expect 0 '2,000 records' ingest old.json && same both.db l.db && nothing_new old.gz both.json
}
if command -v sqlite3 >/dev/null; then tell "a ledger that knows files by their place goes on, and knows copies of them from then on" legacy; else
	legacy_python() { sqlite3() { python3 -c 'import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.executescript(sys.argv[2]); c.commit()' "$@"; }; legacy; }
	tell "a ledger that knows files by their place goes on, and knows copies of them from then on" legacy_python
fi
bounded() {
	fresh
	cp one.json g.json
	for i in $(seq 40); do gen --records 20 --edges 10 --seed $((100 + i)) >>g.json; ingest g.json >out || return; done
	python3 -c 'import sqlite3; c=sqlite3.connect("l.db"); r=c.execute("SELECT count(*), sum(length(marks)+length(tail)+length(checks)) FROM content WHERE id>0").fetchone(); print(r); assert r[0] == 1 and r[1] < 12000' 2>&1
}
tell "a log that is read forty times as it grows is one row of the ledger, of a few bytes a record" bounded

# ---- Debian's logrotate ----
rotate() { # rotate OPTIONS… : once more, by these rules
	{ echo "$dir/log/eve.json {"; printf '  %s\n' rotate\ 9 missingok "$@"; echo '}'; } >rules
	logrotate -f -s "$dir/state" rules
}
rotated() { # rotated OPTIONS… : read and rotated between writes, the logs named by a glob each time
	fresh
	rm -rf log state
	mkdir log
	local i
	for i in 1 2 3 4 5; do
		sed -n "$(((i - 1) * 1000 + 1)),$((i * 1000 - 300))p" both.json >>log/eve.json
		ingest log/eve.json* >out || { cat out; return 1; }
		sed -n "$((i * 1000 - 299)),$((i * 1000))p" both.json >>log/eve.json
		rotate "$@" || return
		ingest log/eve.json* >out || { cat out; return 1; }
	done
	ls log
	[ "$(find log -type f | wc -l)" -ge 5 ] && same both.db l.db && nothing_new log/eve.json*
}
if command -v logrotate >/dev/null && chown root "$dir" 2>/dev/null; then
	tell "logrotate: create, compress" rotated create compress
	tell "logrotate: create, compress, delaycompress" rotated create compress delaycompress
	tell "logrotate: copytruncate, compress" rotated copytruncate compress
	tell "logrotate: copytruncate, compress, delaycompress" rotated copytruncate compress delaycompress
	tell "logrotate: copytruncate, compress with zstd, dateext" rotated copytruncate "compresscmd /usr/bin/zstd" "compressext .zst" "compressoptions -q" compress
	holes() { # a writer that does not append goes on at its old place: zeros come before
		fresh
		rm -rf log state
		mkdir log
		exec 7>log/eve.json
		cat one.json >&7
		ingest log/eve.json* >out && rotate copytruncate compress && cat two.json >&7
		exec 7>&-
		[ "$(head -c 1 log/eve.json | od -An -tu1 | tr -d ' ')" = 0 ] || { echo "no zeros"; return 1; }
		ingest log/eve.json* >out && same both.db l.db && nothing_new log/eve.json*
	}
	tell "logrotate: copytruncate under a writer that leaves zeros" holes
else
	skip "logrotate" "it is not installed"
fi

# ---- odd beginnings ----
begins() { fresh; "$@" >o.json; expect 0 flows ingest o.json || return; [ "$(dump l.db | grep -c ^edge)" = "$(dump one.db | grep -c ^edge)" ] && dump l.db | grep -q "records=300[01] "; }
after() { cat "$1" one.json; }
bom() { printf '\357\273\277'; cat one.json; }
tell "a byte order mark is passed over" begins bom
zeros() { head -c "$1" /dev/zero; cat one.json; }
tell "zeros are passed over" begins zeros 100000
tell "many zeros are passed over" begins zeros 40000000
blank() { printf '\n\n   \n\r\n'; cat one.json; }
tell "blank lines are passed over" begins blank
cut_first() { head -n 1 one.json | cut -c 200-; cat one.json; }
tell "the rest of a record is passed over" begins cut_first
untyped() { echo '{"timestamp":"2026-11-13T09:05:00.117653-0500","alert":{"severity":2}}'; cat one.json; }
tell "a record without a type is passed over" begins untyped
prose() { echo 'suricata: this is not a record'; cat one.json; }
tell "a line of words is passed over" begins prose
stats() { printf '{"timestamp":"2026-11-13T09:05:00.117653-0500","event_type":"stats","stats":{"x":"'; head -c 300000 /dev/zero | tr '\0' x; printf '"}}\n'; cat one.json; }
tell "a long record of statistics may come first" begins stats
many() { for i in $(seq 3000); do echo "a line of words, number $i"; done; cat one.json; }
tell "a hundred kilobytes of words may come first" begins many

# ---- nothing of it can be read ----
unread() { # unread PATTERN FILE: an error, and the ledger is as it was
	fresh
	ingest few.json >out && dump l.db >before.txt && expect 2 "$1" ingest "$2" && dump l.db | cmp - before.txt && expect 2 "$1" ingest "$2" "${@:3}"
}
sed 's/"timestamp":"[^"]*"/"timestamp":"yesterday"/' one.json | grep '"flow"' >times.json
tell "a log of which no record can be read is an error, and nothing is committed" unread 'times.json: nothing of it can be read; line 1: bad time' times.json
head -n 20 one.json | sed 's/,"flow_id"/ "flow_id"/' >broken.json
tell "a log of broken JSON is an error" unread 'broken.json: ' broken.json
head -c 100000 /dev/urandom | tr '{' ' ' >noise
tell "noise is an error" unread 'noise: line 1: not a format' noise
named() { fresh; expect 2 "noise: nothing of it can be read" ingest --format eve noise; }
tell "noise that is read with an explicit format is an error" named
among() { fresh; expect 2 'times.json: nothing of it' ingest one.json times.json two.json && same both.db l.db; }
tell "the other logs are read" among
echo "1..$n"
