#!/bin/bash
# ingest --listen: EVE records over a Unix stream socket.
set -u
. "$(dirname "$0")/lib/start.sh"
. "$here/../support/ingest.sh"
mkdir sock open && chmod 777 open

"$BUILD/tools/gen_eve" --records 3000 --edges 900 --other 10 --seed 3 >one.json || exit 1
"$BUILD/tools/gen_eve" --records 2000 --edges 700 --other 10 --seed 4 >two.json || exit 1
cat one.json two.json >both.json
ingest --store both.db both.json >out || { cat out; exit 1; }
moment() { read -rt 0.05 <> <(:) || true; }
listening() { # in the background; until it answers
	"$w" ingest --store l.db --listen unix:sock/eve >said 2>&1 &
	listener=$!
	children="$children $listener"
	until "$BUILD/tools/send_unix" sock/eve </dev/null 2>/dev/null || ! kill -0 "$listener" 2>/dev/null; do moment; done
}
ended() { kill -TERM "$listener"; wait "$listener"; }
send() { "$BUILD/tools/send_unix" sock/eve <"$1"; }

fresh
listening
is_there() { [ "$(stat -c %a sock/eve)" = 660 ]; }
tell "the socket is for its owner and group alone" is_there
tell "another process that would listen there is refused" expect 2 'sock/eve: another process listens there' ingest --listen unix:sock/eve
send one.json & a=$!
send two.json & b=$!
wait $a $b
all() { ended && cat said && grep -q '5,000 records' said && same both.db l.db; }
tell "records of two connections are in the ledger after a signal has ended it" all
tell "the socket is gone then" [ ! -e sock/eve ]

fresh
listening
send one.json
kill -9 "$listener"; wait "$listener" 2>/dev/null
listening_again() { listening; send both.json; printf '{"event_type":"flow"' >cut.json; send cut.json; ended && grep -q '5,000 records.*1 that could not be read' said || { cat said; return 1; }; }
tell "a socket that a killed run left behind makes way; a record that ends too early is counted" listening_again

tell "a directory that others may write to is refused" expect 2 'others could put a socket' ingest --listen unix:open/eve
: >sock/file
tell "an existing file that is no socket stays" expect 2 'sock/file: exists, and is not a socket' ingest --listen unix:sock/file
tell "another kind of address is refused" expect 2 'write unix: and the path' ingest --listen tcp:1.2.3.4:5
tell "no file is read next to it" expect 2 'takes no file' ingest --listen unix:sock/x one.json

# ---- Suricata itself ----
suricata=$(command -v suricata)
if [ -z "$suricata" ]; then
	skip "Suricata's own records are read" "Suricata is not installed"
else
	fresh
	"$BUILD/tools/gen_capture" --days 2 cap.pcap
	real() {
		mkdir -p logs
		printf '%%YAML 1.1\n---\noutputs:\n  - eve-log: {enabled: yes, filetype: unix_stream, filename: %s/sock/eve, types: [flow]}\n  - eve-log: {enabled: yes, filetype: regular, filename: eve.json, types: [flow]}\n' "$dir" >s.yaml
		listening
		"$suricata" -c s.yaml -r cap.pcap -l logs -S /dev/null -k none >suricata.log 2>&1 || { cat suricata.log; return 1; }
		ended || { cat said; return 1; }
		"$w" ingest --store file.db logs/eve.json >/dev/null && grep -c . logs/eve.json && same file.db l.db
	}
	tell "Suricata's own records are read, as those of its log" real
fi
echo "1..$n"
