#!/bin/bash
# A cluster behind TLS, with a certificate authority of its own and a user with a password: who may not be trusted gets nothing, and the
# password is in no argument, environment, message or log.
set -u
export WHITTLE_CONFIG=/dev/null
. "$(dirname "$0")/lib/start.sh"
fleet=$here/../../packaging/fleet/fleet.sh
at_end() { "$fleet" stop "$dir/fleet" >/dev/null 2>&1; }
for tool in clickhouse-server openssl; do
	command -v $tool >/dev/null || { skip "a cluster behind TLS is read and written" "$tool is not installed"; echo "1..$n"; exit 0; }
done
for try in 0 1 2 3; do url=$(FLEET_TLS=1 "$fleet" start "$dir/fleet" $((20000 + ($$ + try * 97) % 1500 * 8)) 2>err) && break; "$fleet" stop "$dir/fleet" >/dev/null 2>&1; done
[ -n "$url" ] || { n=1; echo "not ok 1 - the cluster starts"; sed 's/^/# /' err; exit 1; }
secret=$(cat "$dir/fleet/password")
awk 'BEGIN { for (day = 1; day <= 9; day++) for (p = 1; p <= 5; p++) { at = sprintf("2026-10-%02dT10:%02d:00.000000+0000", day, p)
	printf "{\"timestamp\":\"%s\",\"flow_id\":%d,\"event_type\":\"flow\",\"src_ip\":\"203.0.113.%d\",\"src_port\":4000,\"dest_ip\":\"10.1.0.4\",\"dest_port\":22,\"proto\":\"TCP\",", at, day * 9 + p, p
	printf "\"flow\":{\"pkts_toserver\":40,\"pkts_toclient\":40,\"bytes_toserver\":4000,\"bytes_toclient\":9000,\"start\":\"%s\",\"end\":\"%s\",\"state\":\"closed\"},\"tcp\":{\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\"}}\n", at, at } }' >log.json
"$w" ingest --store file.db log.json >out 2>&1 && "$w" edges --json --store file.db >want.json 2>err && [ "$(grep -c . want.json)" -gt 0 ] || { n=1; echo "not ok 1 - a log is read"; exit 1; }
without() { local u=$url; for part in "$@"; do u=${u/"$part"/}; done; echo "$u"; }

"$w" ingest --store "$url&sensor=a&local=$dir/a.db" log.json >out 2>&1 && ! grep -q 'not in the cluster yet' out &&
	"$w" edges --json --store "$url&local=$dir/reader.db" >got.json 2>err && cmp want.json got.json >out
check "with the authority's certificate and the password's file the cluster is written and read"
"$w" edges --store "$(without "&ca-file=$dir/fleet/ca.pem")&local=$dir/reader.db" >out 2>err; [ $? -eq 1 ] && [ ! -s out ] && grep -qi 'certificate' err
check "without that certificate the server is not trusted"
"$w" edges --store "${url//localhost/127.0.0.1}&local=$dir/reader.db" >out 2>err; [ $? -eq 1 ] && [ ! -s out ] && grep -qi '127.0.0.1' err
check "nor under a name that its certificate lacks"
echo wrong-12345 >wrong
"$w" edges --store "${url/fleet\/password/wrong}&local=$dir/reader.db" >out 2>err; [ $? -eq 1 ] && [ ! -s out ] && ! grep -q wrong-12345 err
check "a wrong password is refused, and not repeated"
bare=$(without "&password-file=$dir/fleet/password")
WHITTLE_CLICKHOUSE_PASSWORD=$secret "$w" edges --json --store "$bare&local=$dir/reader.db" >got.json 2>err && cmp want.json got.json >out
check "the password may come from the environment"

# A reader that is at work: none of its processes shows the password. $$'s own environment never had it.
descendants() { local c; for c in $(cat /proc/"$1"/task/*/children 2>/dev/null); do echo "$c"; descendants "$c"; done; }
shows() { local p; for p in $1 $(descendants "$1"); do tr '\0' '\n' </proc/"$p"/cmdline; tr '\0' '\n' </proc/"$p"/environ; done 2>/dev/null | grep -c -e "$secret"; }
mkfifo pipe
for way in file environment; do
	if [ $way = file ]; then "$w" ingest --store "$url&sensor=b&local=$dir/b.db" pipe >out 2>&1 & else WHITTLE_CLICKHOUSE_PASSWORD=$secret "$w" ingest --store "$bare&sensor=b&local=$dir/b.db" pipe >out 2>&1 & fi
	pid=$!; children="$children $pid"
	exec 7>pipe # waits until it reads
	seen=$(shows $pid) many=$(descendants $pid | grep -c .)
	cat log.json >&7; exec 7>&-; wait $pid
	[ "$seen" -eq 0 ] && [ "$many" -ge 2 ] || { echo "shown $seen times by $many processes" >>out; false; }
	check "with a password from the $way no process shows it in its arguments or environment"
done
! grep -rqF -e "$secret" out err "$dir"/fleet/shard*/*.log "$dir"/fleet/shard*/out *.db
check "it is in no message, ledger or server's log"
echo "1..$n"
