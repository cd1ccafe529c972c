#!/bin/bash
# One shard with two replicas, on loopback with a ZooKeeper of its own: each replica is killed once, and nothing is lost. Skipped with a word where
# clickhouse-server, java or zookeeper is missing.
set -u
export WHITTLE_CONFIG=/dev/null
. "$(dirname "$0")/lib/start.sh"
what="a replica that is away is not missed"
jars=$(ls /usr/share/java/zookeeper.jar /usr/share/java/*.jar 2>/dev/null | tr '\n' ':')
for tool in clickhouse-server java; do command -v $tool >/dev/null || { skip "$what" "$tool is not installed"; echo "1..$n"; exit 0; }; done
[ -e /usr/share/java/zookeeper.jar ] || { skip "$what" "zookeeper is not installed"; echo "1..$n"; exit 0; }
port=$((20000 + $$ % 1500 * 8)) # below the ports that connections get by themselves
until_true() { local i; for i in $(seq 300); do "$@" >/dev/null 2>&1 && return 0; sleep 0.1; done; return 1; }
answers() { [ "$(clickhouse-client --host 127.0.0.1 --port $((port + 1 + $1)) --connect_timeout 2 --query 'SELECT 1' 2>/dev/null)" = 1 ]; }

mkdir zk
printf 'tickTime=1000\ndataDir=%s/zk\nclientPort=%d\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n' "$dir" $((port + 6)) >zoo.cfg
java -Xmx128m -cp "/etc/zookeeper/conf:$jars" org.apache.zookeeper.server.quorum.QuorumPeerMain zoo.cfg >zk.out 2>&1 &
children=$!
replica() { echo "<replica><host>127.0.0.1</host><port>$((port + 1 + $1))</port></replica>"; }
for i in 1 2; do
	mkdir -p r$i/data r$i/tmp
	cat >r$i/config.xml <<-XML
	<yandex>
	  <logger><level>warning</level><log>$dir/r$i/log</log><errorlog>$dir/r$i/err.log</errorlog></logger>
	  <listen_host>127.0.0.1</listen_host><http_port>$((port + i - 1))</http_port><tcp_port>$((port + 1 + i))</tcp_port>
	  <interserver_http_port>$((port + 3 + i))</interserver_http_port><interserver_http_host>127.0.0.1</interserver_http_host>
	  <mark_cache_size>268435456</mark_cache_size><uncompressed_cache_size>0</uncompressed_cache_size>
	  <path>$dir/r$i/data/</path><tmp_path>$dir/r$i/tmp/</tmp_path><users_config>$dir/users.xml</users_config>
	  <default_profile>default</default_profile><default_database>default</default_database><mlock_executable>false</mlock_executable>
	  <zookeeper><node><host>127.0.0.1</host><port>$((port + 6))</port></node></zookeeper><macros><shard>1</shard><replica>r$i</replica></macros>
	  <remote_servers><fleet><shard><internal_replication>true</internal_replication>$(replica 1)$(replica 2)</shard></fleet></remote_servers>
	</yandex>
	XML
done
cat >users.xml <<-XML
	<yandex><profiles><default></default></profiles><quotas><default></default></quotas>
	<users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users></yandex>
XML
up() { (cd "r$1" && exec clickhouse-server --config-file="$dir/r$1/config.xml" </dev/null >out 2>&1) & pids[$1]=$!; children="$children ${pids[$1]}"; until_true answers "$1"; }
down() { kill -9 "${pids[$1]}"; wait "${pids[$1]}" 2>/dev/null; }
until_true grep -q 'started' zk.out && up 1 && up 2 || { n=1; echo "not ok 1 - two replicas start"; tail -n 5 zk.out r*/out r*/err.log | sed 's/^/# /'; exit 1; }

for part in 1 2 3; do awk -v part=$part 'BEGIN { for (day = 10 * part - 9; day <= 10 * part; day++) for (p = 1; p <= 5; p++) { at = sprintf("2026-10-%02dT10:%02d:00.000000+0000", day, p)
	printf "{\"timestamp\":\"%s\",\"flow_id\":%d,\"event_type\":\"flow\",\"src_ip\":\"203.0.113.%d\",\"src_port\":4000,\"dest_ip\":\"10.1.0.4\",\"dest_port\":22,\"proto\":\"TCP\",", at, day * 9 + p, p
	printf "\"flow\":{\"pkts_toserver\":40,\"pkts_toclient\":40,\"bytes_toserver\":4000,\"bytes_toclient\":9000,\"start\":\"%s\",\"end\":\"%s\",\"state\":\"closed\"},\"tcp\":{\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\"}}\n", at, at } }' >log.$part; done
cat log.[123] >all.json
"$w" ingest --store one.db all.json >out 2>&1; "$w" edges --json --store one.db >want.json 2>err
url="clickhouse://default@127.0.0.1:$port,127.0.0.1:$((port + 1))/whittle?cluster=fleet"
sends() { "$w" ingest --store "$url&sensor=a&local=$dir/a.db" "$1" >out 2>&1 && ! grep -q 'not in the cluster yet' out; }
sends log.1 && [ "$(clickhouse-client --port $((port + 2)) --query "SELECT engine FROM system.tables WHERE database = 'whittle' AND name = 'edge_shard'")" = ReplicatedReplacingMergeTree ]
check "in a cluster with replicas the tables are replicated"
down 2; sends log.2; check "a sensor goes on while a replica is away"
"$w" ingest --store two.db log.1 log.2 >out 2>&1; "$w" edges --json --store two.db >half.json; "$w" edges --json --store "$url&local=$dir/reader.db" >got.json 2>err && cmp half.json got.json >out
check "and the rest of it answers for the whole"
has_all() { [ "$(clickhouse-client --port $((port + 3)) --query 'SELECT count() FROM whittle.edge_shard FINAL')" = 5 ] && [ "$(clickhouse-client --port $((port + 3)) --query 'SELECT max(absolute_delay) + max(queue_size) FROM system.replicas')" = 0 ]; }
up 2 && until_true has_all; down 1; sends log.3; check "so it does when the other one is away"
"$w" edges --json --store "clickhouse://default@127.0.0.1:$((port + 1))/whittle?cluster=fleet&local=$dir/other.db" >got.json 2>err && [ -s want.json ] && cmp want.json got.json >out
check "the replica that came back holds everything, byte for byte"
echo "1..$n"
