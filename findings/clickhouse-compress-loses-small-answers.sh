#!/bin/sh
# Expected: a query over HTTP with compress=1 is answered in ClickHouse's compressed frames, however few rows there are.
# Seen (clickhouse-server 18.16.1 of Debian 12): an answer that has less than one frame of 1 MiB is lost: status 200, and no byte of body, whatever
#   buffer_size and wait_end_of_query say. A larger one comes whole, its last short frame too, and without compress=1 nothing is missing.
# Matters to every client that has answers compressed in this way: an empty body is not "no rows". Ask once more without, before it is believed.
. "${0%/*}/lib.sh"
need curl python3
debian bookworm clickhouse-server=18.16.1+ds-7.3+b2 clickhouse-common=18.16.1+ds-7.3+b2 tzdata
namespace a
mkdir -p "$tmp/bookworm/tmp/data" "$tmp/bookworm/tmp/scratch"
cat >"$tmp/bookworm/tmp/config.xml" <<'X'
<yandex>
  <logger><level>warning</level><log>/tmp/log</log><errorlog>/tmp/errors</errorlog></logger>
  <listen_host>127.0.0.1</listen_host>
  <http_port>8123</http_port>
  <path>/tmp/data/</path>
  <tmp_path>/tmp/scratch/</tmp_path>
  <mark_cache_size>1048576</mark_cache_size>
  <mlock_executable>false</mlock_executable>
  <users_config>/tmp/users.xml</users_config>
  <default_profile>default</default_profile>
  <default_database>default</default_database>
</yandex>
X
cat >"$tmp/bookworm/tmp/users.xml" <<'X'
<yandex>
  <profiles><default></default></profiles>
  <quotas><default></default></quotas>
  <users><default><password></password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota></default></users>
</yandex>
X
ask() { # PARAMETERS ROWS
	inside a curl -s -o "$tmp/answer" -w '%{http_code}' "http://127.0.0.1:8123/?$1" --data-binary "SELECT number FROM system.numbers LIMIT $2 FORMAT TabSeparated" || :
}
# shellcheck disable=SC2016
nsenter --net="$tmp/ns.a" unshare --mount sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" clickhouse-server --config-file=/tmp/config.xml' \
	"$tmp/bookworm" >"$tmp/server.log" 2>&1 &
children="$children $!"
for _ in $(seq 60); do
	[ "$(ask '' 1)" = 200 ] && break
	sleep 1
done
[ "$(ask '' 1)" = 200 ] || skip "clickhouse-server does not start: $(tail -n 1 "$tmp/server.log")"

# The bytes that the frames of the answer unpack to: after a checksum of 16 bytes and the method, two sizes.
cat >"$tmp/frames.py" <<'P'
import struct, sys
d = open(sys.argv[1], "rb").read()
at = total = 0
while at < len(d):
    packed, plain = struct.unpack_from("<II", d, at + 17)
    at += 16 + packed
    total += plain
print(total)
P
is() { [ "$1" = "$2" ]; }
whole() { [ "$(ask '' "$1")" = 200 ] && wc -c <"$tmp/answer"; }
packed() { [ "$(ask "$1" "$2")" = 200 ] && python3 "$tmp/frames.py" "$tmp/answer"; }
few=$(whole 10) many=$(whole 200000)
holds "ten rows without compress: $few bytes" is "$few" 20
for how in compress=1 'compress=1&buffer_size=10' 'compress=1&wait_end_of_query=1'; do
	holds "ten rows with $how: status 200 and nothing" is "$(packed "$how" 10) $(wc -c <"$tmp/answer")" "0 0"
done
holds "200,000 rows with compress=1: frames of all their $many bytes" is "$(packed compress=1 200000)" "$many"
