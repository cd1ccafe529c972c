#!/bin/bash
# ingest from end to end: what it reads, how it goes on, what it follows, and what it says when something is wrong. Nothing here waits
# for luck: a follower is known to have read by its place in the file (/proc), everything else by exit statuses.
set -u
. "$(dirname "$0")/lib/start.sh"
. "$here/../support/ingest.sh"

"$BUILD/tools/gen_eve" --records 3000 --edges 900 --other 10 --seed 3 >one.json || exit 1
"$BUILD/tools/gen_eve" --records 2000 --edges 700 --other 10 --seed 4 >two.json || exit 1
cat one.json two.json >both.json
ingest --store one.db one.json >out && ingest --store both.db both.json >out || { cat out; exit 1; }

# ---- a ledger that another process has locked: 20 s of patience pass while everything else is tested ----
cp one.db locked.db
mkfifo hold
"$BUILD/tools/ledger_hold" locked.db <hold >held &
holder=$!
children="$children $holder"
exec 9>hold
until [ -s held ] || ! kill -0 "$holder" 2>/dev/null; do read -r -t 0.02 <> <(:); done
("$w" ingest --store locked.db two.json >locked.out 2>&1; echo $? >locked.status) 9>&- &
locked=$!
children="$children $locked"

# ---- kinds of input ----
packed() { fresh; "$1" -c both.json >"wrong.$2"; expect 0 'flows' ingest "wrong.$2" && same both.db l.db; }
tell "gzip is recognised by its content, with any file name" packed gzip json
if command -v zstd >/dev/null; then
	tell "zstd is recognised by its content, with any file name" packed zstd gz
else
	skip "zstd is recognised by its content" "the zstd program is not installed"
fi
plain_gz() { fresh; cp both.json plain.gz; expect 0 'flows' ingest plain.gz && same both.db l.db; }
tell "a plain file is read as such, whatever it is called" plain_gz
from_pipe() { fresh; expect 0 'flows' sh -c "cat both.json | '$w' ingest --store l.db -" && same both.db l.db; }
tell "- is standard input" from_pipe
packed_pipe() { fresh; expect 0 'flows' sh -c "gzip -c both.json | '$w' ingest --store l.db -" && same both.db l.db; }
tell "standard input may be packed" packed_pipe
several() { fresh; gzip -c two.json >two.gz; expect 0 '4,[0-9]{3} flows|5,000 records' ingest one.json two.gz && same both.db l.db; }
tell "several files are read in one run" several
members() { fresh; { gzip -c one.json; gzip -c two.json; } >m.gz; expect 0 flows ingest m.gz && same both.db l.db; }
tell "a gzip file of several members is read to its end" members

# ---- exactly once ----
twice() { fresh; ingest both.json && expect 0 'Nothing new' ingest both.json && expect 0 'Nothing new' ingest "$dir/both.json" && same both.db l.db; }
tell "the same file again adds nothing" twice
grown() { fresh; cp one.json g.json; ingest g.json && cat two.json >>g.json && expect 0 '2,000 records' ingest g.json && same both.db l.db; }
tell "a file that has grown is read on from where it was" grown
renamed() { fresh; cp one.json r.json; ingest r.json && mv r.json r.json.1 && expect 0 'Nothing new' ingest r.json.1 && same one.db l.db; }
tell "a file is known again under another name" renamed
unfinished() {
	fresh
	cp one.json u.json
	head -c 300 two.json >>u.json
	expect 0 'u.json:3001: the last line is not complete; it is left for the next run' ingest u.json && same one.db l.db &&
		tail -c +301 two.json >>u.json && ingest u.json && same both.db l.db
}
tell "a last line that is being written is left, and counts once when it is complete" unfinished
no_newline() {
	fresh
	head -n 1 one.json | tr -d '\n' >single.json
	expect 0 '1 records|1 record ' ingest single.json && expect 0 'Nothing new' ingest single.json &&
		{ echo; tail -n +2 one.json; } >>single.json && ingest single.json && same one.db l.db
}
tell "a last line without a newline counts when it is whole, and only once" no_newline
rewritten() { fresh; cp one.json w.json; ingest w.json && cat two.json one.json >w.json && tail -n +1001 w.json >/dev/null && ingest w.json && dump l.db | grep -q 'records=5000 ' && same both.db l.db; }
tell "a file that was cut and written anew, larger, is read from its first byte, and what it held before counts once" rewritten
shorter() { fresh; cp both.json s.json; ingest s.json && head -n 100 both.json >s.json && expect 0 'Nothing new' ingest s.json && same both.db l.db; }
tell "a file that has lost its end adds nothing" shorter
at_once() {
	local i a b
	for i in $(seq 25); do
		fresh
		"$w" ingest --memory 1MiB --store l.db one.json >a.out 2>&1 & a=$!
		"$w" ingest --memory 1MiB --store l.db two.json >b.out 2>&1 & b=$!
		wait "$a" && wait "$b" && same both.db l.db || { cat a.out b.out; return 1; }
	done
}
tell "two processes that make one ledger at once, and add to it, add up" at_once

same_at_once() {
	local i a b
	for i in $(seq 25); do
		fresh
		ingest /dev/null >/dev/null 2>&1
		"$w" ingest --store l.db both.json >a.out 2>&1 & a=$!
		"$w" ingest --store l.db both.json >b.out 2>&1 & b=$!
		wait "$a"; a=$?
		wait "$b"; b=$?
		[ "$((a + b))" -le 1 ] && same both.db l.db || { cat a.out b.out; return 1; }
		[ "$((a + b))" = 0 ] || grep -q 'both.json: another run has read more of it meanwhile' a.out b.out || { cat a.out b.out; return 1; }
	done
}
tell "two processes that read the same file at once count it once" same_at_once

# ---- following ----
# read_up_to FILE : the follower's place in FILE is its end
read_up_to() {
	local want i fd
	want=$(stat -Lc %s "$1")
	for ((i = 0; i < 1000; i++)); do
		for fd in /proc/"$follower"/fd/*; do
			if [ "$(readlink "$fd" 2>/dev/null)" = "$dir/$1" ] &&
				[ "$(awk '/^pos:/ {print $2}' "/proc/$follower/fdinfo/${fd##*/}" 2>/dev/null)" = "$want" ]; then return 0; fi
		done
		kill -0 "$follower" 2>/dev/null || { echo "the follower ended:"; cat follow.out; return 1; }
		read -r -t 0.02 <> <(:)
	done
	echo "the follower did not come to the end of $1"
	return 1
}
follow() { fresh; "$w" ingest --follow --store l.db "$1" >follow.out 2>&1 & follower=$!; children="$children $follower"; }
stop() { kill -TERM "$follower" && wait "$follower" && grep -q 'records' follow.out || { echo "after SIGTERM:"; cat follow.out; return 1; }; }

growth() {
	: >f.json
	follow f.json
	read_up_to f.json || return
	head -n 1500 one.json >>f.json; read_up_to f.json || return
	tail -n +1501 one.json >>f.json; read_up_to f.json || return
	cat two.json >>f.json; read_up_to f.json && stop && same both.db l.db
}
tell "--follow reads on as an empty file grows, each record once" growth
interrupt() {
	fresh; cp one.json f.json
	env --default-signal=INT "$w" ingest --follow --store l.db f.json >follow.out 2>&1 & follower=$!; children="$children $follower"
	read_up_to f.json && kill -INT "$follower" || return
	wait "$follower"; [ $? = 130 ] && grep -q '[1-9][0-9,]* records' follow.out
}
tell "interrupted from the keyboard it commits, reports, and exits with 130" interrupt
first_line() {
	head -c 200 one.json >f.json
	follow f.json
	read_up_to f.json || return
	tail -c +201 one.json | head -c 5000 >>f.json; read_up_to f.json || return
	tail -c +5201 one.json >>f.json; read_up_to f.json || return
	cat two.json >>f.json; read_up_to f.json && stop && same both.db l.db
}
tell "--follow waits for a line that is being written, the first one too" first_line
rotation() {
	head -n 1000 one.json >f.json
	follow f.json
	read_up_to f.json || return
	mv f.json f.json.1
	tail -n +1001 one.json | head -n 900 >>f.json.1 # its writer has not noticed yet
	read_up_to f.json.1 || return
	tail -n +1901 one.json >>f.json.1
	head -n 700 two.json >f.json
	read_up_to f.json || return
	tail -n +701 two.json >>f.json; read_up_to f.json && stop && same both.db l.db
}
tell "--follow goes over to the new file of a rotation, and loses nothing of the old one's end" rotation
truncation() {
	cat one.json >f.json
	follow f.json
	read_up_to f.json || return
	: >f.json
	cat two.json >>f.json
	read_up_to f.json && stop && same both.db l.db
}
tell "--follow begins again when the file is cut (copytruncate)" truncation
truncated_larger() {
	head -n 1000 one.json >f.json
	follow f.json
	read_up_to f.json || return
	kill -STOP "$follower"
	{ tail -n +1001 one.json; cat two.json; } >f.json
	kill -CONT "$follower"
	read_up_to f.json && stop && same both.db l.db
}
tell "--follow notices a file that was cut and has outgrown its old size meanwhile" truncated_larger
killed_following() {
	cat one.json >f.json
	follow f.json
	read_up_to f.json || return
	kill -KILL "$follower"
	wait "$follower" 2>/dev/null
	cat two.json >>f.json
	"$w" ingest --follow --store l.db f.json >follow.out 2>&1 &
	follower=$!
	children="$children $follower"
	read_up_to f.json && stop && same both.db l.db
}
tell "--follow that was killed goes on exactly where the ledger stands" killed_following
stopped_pipe() {
	fresh
	mkfifo pipe
	"$w" ingest --store l.db - <pipe >follow.out 2>&1 &
	follower=$!
	children="$children $follower"
	exec 8>pipe
	cat one.json >&8 # returns when all but a pipe's room of it was read
	for i in $(seq 1000); do # and the reader sleeps in read() with the pipe empty
		grep -q pipe_read "/proc/$follower/wchan" 2>/dev/null && break
		[ "$(cut -d' ' -f1 "/proc/$follower/syscall" 2>/dev/null)" = 0 ] && break
		read -r -t 0.02 <> <(:)
	done
	stop
	local rc=$?
	exec 8>&-
	[ $rc = 0 ] && same one.db l.db
}
tell "a run that waits for standard input commits its records when it is asked to end" stopped_pipe

# ---- bad input ----
fresh
tell "a file that is not there is named" expect 2 'none.json: No such file' ingest none.json
mkdir -p d
tell "an empty directory is named" expect 2 'd: this directory has no file' ingest d
mkdir -p open && chmod 777 open && cp one.json open/closed.json && chmod 600 open/closed.json
if command -v setpriv >/dev/null; then
	tell "a file that may not be read is named" expect 2 'closed.json: Permission denied' \
		setpriv --reuid=65534 --regid=65534 --clear-groups "$w" ingest --store open/l.db open/closed.json
fi
cp "$(command -v env)" binary # not the program itself, in which there are texts of JSON
tell "a binary file is named, with the line" expect 2 'binary: line 1: not a format' ingest binary
printf '<html>\n<body>\n' >h.json
tell "a text of another kind is named, with the line" expect 2 'h.json: line 1: not a format' ingest h.json
for order in LE BE; do
	iconv -f UTF-8 -t UTF-16$order one.json >wide.json
	tell "a log in UTF-16$order is named, with the command that reads it" expect 2 'wide.json: written in UTF-16: .*iconv -f UTF-16' ingest wide.json
done
tell "an unknown format is answered with the known ones" expect 2 "unknown format 'pcap'; known: eve" ingest --format pcap one.json
: >empty.json
tell "an empty file is no fault" expect 0 '0 records|Nothing' ingest empty.json
corrupt() {
	fresh
	gzip -c both.json >c.gz
	printf '\377\377\377\377\377\377\377\377' | dd of=c.gz bs=1 seek=$(($(stat -c %s c.gz) * 3 / 4)) conv=notrunc 2>/dev/null
	expect 2 'c.gz: gzip stream 1, after [0-9]+ decoded bytes: ' ingest c.gz || return
	dump l.db >a.txt && grep -q 'records=[1-9]' a.txt || return
	expect 2 'c.gz: gzip stream 1' ingest c.gz && dump l.db | cmp - a.txt
}
tell "a damaged gzip file is named with its place; what came before stays and counts once" corrupt
cut_short() { fresh; gzip -c both.json | head -c 20000 >c.gz; expect 2 'c.gz: gzip stream 1, after [0-9]+ decoded bytes: cut short' ingest c.gz; }
tell "a gzip file that was cut short is named with its place" cut_short
go_on() { fresh; expect 2 'none.json: No such file' ingest one.json none.json two.json && same both.db l.db; }
tell "a bad file among good ones is reported, and the good ones are read" go_on
malformed() {
	fresh
	{
		head -n 10 one.json
		echo 'not JSON at all'
		sed -n '11,20p' one.json
		sed -n '21s/"src_ip":"[^"]*"/"src_ip":"999.1.1.1"/p' one.json
		head -c 100 /dev/zero
		echo
		sed -n '22s/"src_ip":"[^"]*"/"src_ip":"999.1.1.2"/p' one.json
		tail -n +23 one.json
	} >bad.json
	local at
	at=$(head -n 10 one.json | wc -c)
	expect 0 "bad.json:11 \(byte $at\): .*; [12] records? of this kind passed over" ingest bad.json &&
		grep -qE 'bad.json:22 \(byte [0-9]+\): .*address.*; 2 records of this kind' said && grep -q '4 that could not be read' said &&
		dump l.db | grep -q 'records=2998 .*malformed=4'
}
tell "unreadable records are counted, the first of each kind reported with line and byte, and the run goes on" malformed

# ---- bad ledgers ----
no_directory() { expect 1 'none/l.db: .*No such file' "$w" ingest --store none/l.db one.json; }
tell "a ledger in a directory that is not there is named" no_directory
in_namespace() { unshare -m --propagation private bash -c "$1"; }
if in_namespace true 2>/dev/null; then
	export w dir
	read_only() {
		mkdir -p ro && cp one.db ro/l.db && dump ro/l.db >a.txt || return
		expect 1 'ro/l.db: .*[Rr]ead-only' in_namespace "mount --bind ro ro && mount -o remount,bind,ro ro && '$w' ingest --store ro/l.db two.json" &&
			dump ro/l.db | cmp - a.txt
	}
	tell "a read-only ledger is reported, and left as it was" read_only
	read_from_read_only() {
		expect 0 '"local"' in_namespace "mount --bind ro ro && mount -o remount,bind,ro ro && '$w' edges --json --store ro/l.db"
	}
	tell "a ledger on a read-only disk can be read" read_from_read_only
	full_disk() {
		mkdir -p full
		"$BUILD/tools/gen_eve" --records 120000 --edges 300000 --seed 5 >big.json
		fresh
		ingest one.json big.json >out || return
		in_namespace "mount -t tmpfs -o size=2m none full && cp one.db full/l.db && '$BUILD/tools/ledger_dump' full/l.db >before.txt || exit 9
			'$w' ingest --store full/l.db big.json >full.out 2>&1; echo \$? >full.status
			'$BUILD/tools/ledger_dump' full/l.db >after.txt || exit 9
			'$w' ingest --memory 1MiB --store full/l.db big.json >full2.out 2>&1; echo \$? >>full.status
			mount -o remount,size=200m full && '$w' ingest --memory 1MiB --store full/l.db big.json && '$BUILD/tools/ledger_dump' --sums full/l.db >done.txt" || return
		[ "$(tr '\n' ' ' <full.status)" = '1 1 ' ] && grep -q 'full/l.db: .*the disk is full' full.out && grep -q 'the disk is full' full2.out || { cat full.status full.out full2.out; return 1; }
		cmp before.txt after.txt && dump --sums l.db | cmp - done.txt
	}
	tell "a full disk is reported, nothing committed is lost, and with room again the run goes on exactly once" full_disk
else
	for s in "a read-only ledger is reported" "a ledger on a read-only disk can be read" "a full disk is reported"; do
		skip "$s" "no mount namespaces here"
	done
fi
no_ledger() { head -c 9000 /dev/zero | tr '\0' x >x.db; cp x.db y.db; expect 1 'x.db: .*(damaged|not a ledger)' "$w" ingest --store x.db one.json && cmp x.db y.db; }
tell "a file that is no ledger is reported, and left as it was" no_ledger
damaged() {
	cp both.db c.db
	local size
	size=$(stat -c %s c.db)
	head -c $((size / 2)) /dev/zero | tr '\0' '\377' | dd of=c.db bs=4096 seek=$((size / 16384)) conv=notrunc 2>/dev/null
	"$BUILD/tools/gen_eve" --records 3000 --edges 900 --seed 6 >six.json
	expect 1 'c.db: .*damaged' "$w" edges --store c.db && cp c.db c2.db && expect 1 'c.db: .*damaged' "$w" ingest --store c.db six.json
}
tell "a damaged ledger is reported" damaged
newer() {
	cp one.db n.db
	printf '\0\0\0\143' | dd of=n.db bs=1 seek=60 conv=notrunc 2>/dev/null
	cp n.db n2.db
	expect 1 'n.db: .*newer whittle \(schema 99' "$w" ingest --store n.db two.json && expect 1 'schema 99' "$w" edges --store n.db && cmp n.db n2.db
}
tell "a ledger of a newer schema is reported, and left as it was" newer
foreign() {
	cp one.db o.db
	printf '\0\0\0\0' | dd of=o.db bs=1 seek=60 conv=notrunc 2>/dev/null
	cp o.db o2.db
	expect 1 "o.db: is not opened: its table 'edge' is not as whittle makes it" "$w" ingest --store o.db two.json && cmp o.db o2.db
}
tell "a database with another version's number is refused, and left as it was" foreign
lock_told() {
	wait "$locked"
	exec 9>&-
	wait "$holder"
	[ "$(cat locked.status)" = 1 ] && grep -q "locked.db: .*another process has held its lock" locked.out || { cat locked.status locked.out; return 1; }
	same one.db locked.db && "$w" ingest --store locked.db two.json && same both.db locked.db
}
tell "a ledger that stays locked is reported, left as it was, and used once it is free" lock_told

# flow PEER DAY: a connection to port 22 on that day of October
flow() {
	printf '{"timestamp":"2026-10-%s","event_type":"flow","src_ip":"%s","src_port":40000,"dest_ip":"10.0.0.1","dest_port":22,"proto":"TCP","flow":{"pkts_toserver":9,"pkts_toclient":9,"bytes_toserver":2000,"bytes_toclient":3000,"start":"2026-10-%s","end":"2026-10-%s","state":"closed"},"tcp":{"tcp_flags_ts":"1b","tcp_flags_tc":"1b"}}\n' \
		"$2T00:00:05.000000+0000" "$1" "$2T00:00:01.000000+0000" "$2T00:00:05.000000+0000"
}
crowd() {
	local i
	for i in 1 2 3; do flow "45.0.0.$i" 01 && flow "45.0.0.$i" 02; done >crowd.json
	for ((i = 0; i < 3000; i++)); do flow "46.0.$((i / 256)).$((i % 256))" 03; done >>crowd.json
	echo 'port-edges: 1024' >crowd.yaml
	expect 0 '1,979 edges with the least evidence were removed' "$w" ingest --config crowd.yaml --store crowd.db crowd.json || return 1
	[ "$("$w" edges --store crowd.db | grep -c '45\.0\.0\.')" = 3 ] || return 1
	expect 0 '^The ledger holds 1,024 edges' "$w" status --store crowd.db && expect 0 '^1,979 edges .*those peers are unknown' "$w" status --store crowd.db &&
		expect 0 '"droppedCrowded": 1979' "$w" status --store crowd.db --json && { "$w" doctor --store crowd.db >doctor.txt; grep -q 'ledger bounds *1,979 edges' doctor.txt; }
}
sweep() {
	flow 45.0.0.1 01 >known.json
	awk 'BEGIN { for (p = 1; p <= 60000; p++) printf "{\"timestamp\":\"2026-10-01T00:00:05.000000+0000\",\"event_type\":\"flow\",\"src_ip\":\"46.0.0.1\",\"src_port\":40000,\"dest_ip\":\"10.0.0.1\",\"dest_port\":%d,\"proto\":\"TCP\",\"flow\":{\"pkts_toserver\":1,\"pkts_toclient\":0,\"bytes_toserver\":60,\"bytes_toclient\":0,\"start\":\"2026-10-01T00:00:01.000000+0000\",\"end\":\"2026-10-01T00:00:05.000000+0000\",\"state\":\"new\"},\"tcp\":{\"tcp_flags_ts\":\"02\"}}\n", p >"sweep." int(p / 15000) }'
	flow 47.0.0.1 02 >newcomer.json
	flow 45.0.0.1 02 >>newcomer.json
	echo 'ledger-size: 16MiB' >full.yaml
	"$w" ingest --config full.yaml --store full.db known.json && "$w" ingest --config full.yaml --store full.db sweep.* || return 1
	expect 0 'reached ledger-size: 1 edges of peers' "$w" ingest --config full.yaml --store full.db newcomer.json || return 1
	"$w" edges --store full.db >edges.txt
	grep -q '45\.0\.0\.1' edges.txt && ! grep -q '47\.0\.0\.1' edges.txt || { cat edges.txt; return 1; }
	expect 0 '^1 edges were not added' "$w" status --store full.db && expect 0 '"notTakenFull": 1' "$w" status --store full.db --json &&
		{ "$w" doctor --store full.db >doctor.txt; grep -q 'ledger size *1 edges' doctor.txt; }
}
tell "a full ledger goes on with its known peers, and names what it did not take" sweep
tell "a port's crowd takes no room from peers of more days; what is dropped is counted and named" crowd
echo "1..$n"
