#!/bin/sh
# A fleet's ledger in a ClickHouse cluster of two shards on loopback: how fast rows get in, against clickhouse-client's own insert of the same rows
# as TabSeparated; and how long a recommendation from it takes, against the same edges in SQLite. FLEET_EDGES=10000000 for the full size.
set -eu
BUILD=${BUILD:-build}
edges=${FLEET_EDGES:-1000000}
here=$(cd "$(dirname "$0")" && pwd)
command -v clickhouse-server >/dev/null || { echo "# clickhouse-server is not installed: the fleet is not measured"; exit 0; }
dir=$(mktemp -d)
fleet=$here/../../packaging/fleet/fleet.sh
trap '"$fleet" stop "$dir/fleet" >/dev/null 2>&1; rm -rf "$dir"' EXIT
port=$((20000 + $$ % 2500 * 8))
url=$("$fleet" start "$dir/fleet" $port)
export WHITTLE_CONFIG=/dev/null WHITTLE_RULES="${WHITTLE_RULES:-rules}"
client() { clickhouse-client --host 127.0.0.1 --port $((port + 2)) --insert_distributed_sync 1 "$@"; }
seconds() { from=$(date +%s%N); "$@" >/dev/null 2>"$dir/err" || cat "$dir/err" >&2; echo $(($(date +%s%N) - from)); }
row() { awk -v what="$1" -v x="$2" -v how="$3" -v t="$4" -v f="$5" 'BEGIN {
	met = how == "<" ? x < t : x >= t
	printf "%s\t" f "\t%s %s\t%s\n", what, x, how, t, met ? "met" : "missed" }'; }

resources=$((edges / 10000))
"$BUILD/bench/recommend" "$dir" "$edges" "$resources" >/dev/null
db=$dir/recommend-$edges-$resources.db
store="$url&local=$db"
: >"$dir/nothing.json"
"$BUILD/whittle" ingest --store "$url&local=$dir/warm.db" "$dir/nothing.json" >/dev/null 2>&1 || : # makes the tables
sent=$(seconds "$BUILD/whittle" ingest --store "$store" "$dir/nothing.json")
n=$(client --query "SELECT count() FROM whittle.edge")
client --query "SELECT key, sensor, version, gone, value, flows, bytes_in, bytes_out, first_us, last_us, day, days FROM whittle.edge FORMAT TabSeparated" >"$dir/rows.tsv"
for i in 1 2; do
	clickhouse-client --host 127.0.0.1 --port $((port + 1 + i)) --query "CREATE TABLE whittle.other_shard AS whittle.edge_shard ENGINE = ReplacingMergeTree(version) ORDER BY (key, sensor)"
	clickhouse-client --host 127.0.0.1 --port $((port + 1 + i)) --query "CREATE TABLE whittle.other AS whittle.other_shard ENGINE = Distributed('fleet', 'whittle', 'other_shard', sipHash64(substring(key, 1, 16)))"
done
insert() { client --query "INSERT INTO whittle.other (key, sensor, version, gone, value, flows, bytes_in, bytes_out, first_us, last_us, day, days) FORMAT TabSeparated" <"$dir/rows.tsv"; }
own=$(seconds insert)
echo "# $n rows: sent in $(awk -v n="$sent" 'BEGIN { printf "%.2f", n / 1e9 }') s, by clickhouse-client in $(awk -v n="$own" 'BEGIN { printf "%.2f", n / 1e9 }') s"
row "rows of $n into the cluster, against clickhouse-client's insert (times as fast)" "$(awk -v a="$sent" -v b="$own" 'BEGIN { print b / a }')" ">=" 0.8 %.2f
recommend() { "$BUILD/whittle" --store "$1" recommend --ports all --dry-run --json; }
for i in 1 2 3; do
	seconds recommend "$db" >>"$dir/sqlite"
	seconds recommend "$store" >>"$dir/cluster"
done
recommend "$db" >"$dir/a.json"; recommend "$store" >"$dir/b.json"; cmp "$dir/a.json" "$dir/b.json" || echo "# the recommendations differ"
a=$(sort -n "$dir/sqlite" | head -n 1) b=$(sort -n "$dir/cluster" | head -n 1)
echo "# recommend: SQLite $(awk -v n="$a" 'BEGIN { printf "%.2f", n / 1e9 }') s, cluster $(awk -v n="$b" 'BEGIN { printf "%.2f", n / 1e9 }') s"
row "recommend of $edges edges from a cluster, against SQLite (times as long)" "$(awk -v a="$a" -v b="$b" 'BEGIN { print b / a }')" "<" 1.5 %.2f
