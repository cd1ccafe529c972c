#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A ClickHouse cluster of two shards on loopback, for tests and for trying: own configuration, ports, data and logs, all in DIR.
# It touches no other server of the machine, and ends what it started.
#
#   fleet.sh start DIR [HTTP-PORT]   both shards; HTTP-PORT and the seven ports after it are used (18123). Prints the store's URL
#   fleet.sh up DIR SHARD            starts shard 1 or 2 again
#   fleet.sh down DIR SHARD [-KILL]  ends it, by SIGTERM or by this signal
#   fleet.sh stop DIR                ends both; DIR stays
#
# With FLEET_TLS=1 `start` also makes a certificate authority (DIR/ca.pem), a certificate of it for the name localhost, and a user `fleet` with a
# drawn password (DIR/password), and prints a URL that uses them; HTTPS is on the seventh and eighth port.
#
# 3: no clickhouse-server is installed.
set -eu
usage() { sed -n '6,9s/^# *//p' "$0" >&2; exit 2; }
[ $# -ge 2 ] || usage
verb=$1 dir=$2
case $dir in /*) ;; *) dir=$PWD/$dir ;; esac

certificates() {
	cd "$dir"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=whittle fleet" -keyout ca.key -out ca.pem 2>/dev/null
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=localhost -keyout server.key -out server.csr 2>/dev/null
	printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n' > server.ext
	openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile server.ext -out server.pem 2>/dev/null
	(umask 077 && openssl rand -hex 16 > password)
	cd - >/dev/null
}

configure() { # SHARD
	s=$dir/shard$1 http=$((port + $1 - 1)) tls='' user=''
	mkdir -p "$s/data" "$s/tmp" "$s/files"
	if [ "${FLEET_TLS:-}" = 1 ]; then
		tls="<https_port>$((http + 6))</https_port><openSSL><server><certificateFile>$dir/server.pem</certificateFile><privateKeyFile>$dir/server.key</privateKeyFile>"
		tls="$tls<verificationMode>none</verificationMode><disableProtocols>sslv2,sslv3,tlsv1,tlsv1_1</disableProtocols></server></openSSL>"
		user="<fleet><password_sha256_hex>$(tr -d '\n' < "$dir/password" | sha256sum | cut -c 1-64)</password_sha256_hex><networks><ip>127.0.0.1</ip><ip>::1</ip></networks><profile>default</profile><quota>default</quota></fleet>"
	fi
	cat > "$s/config.xml" <<-XML
	<yandex>
	  <logger><level>warning</level><log>$s/server.log</log><errorlog>$s/server.err.log</errorlog><size>10M</size><count>2</count></logger>
	  <listen_host>127.0.0.1</listen_host>
	  <http_port>$http</http_port>
	  <tcp_port>$((http + 2))</tcp_port>
	  $tls
	  <interserver_http_port>$((http + 4))</interserver_http_port>
	  <interserver_http_host>127.0.0.1</interserver_http_host>
	  <max_concurrent_queries>200</max_concurrent_queries>
	  <mark_cache_size>268435456</mark_cache_size>
	  <uncompressed_cache_size>0</uncompressed_cache_size>
	  <path>$s/data/</path>
	  <tmp_path>$s/tmp/</tmp_path>
	  <user_files_path>$s/files/</user_files_path>
	  <users_config>$s/users.xml</users_config>
	  <default_profile>default</default_profile>
	  <default_database>default</default_database>
	  <mlock_executable>false</mlock_executable>
	  <remote_servers><fleet>
	    <shard><internal_replication>true</internal_replication><replica><host>127.0.0.1</host><port>$((port + 2))</port></replica></shard>
	    <shard><internal_replication>true</internal_replication><replica><host>127.0.0.1</host><port>$((port + 3))</port></replica></shard>
	  </fleet></remote_servers>
	</yandex>
	XML
	cat > "$s/users.xml" <<-XML
	<yandex>
	  <profiles><default><max_memory_usage>4000000000</max_memory_usage></default></profiles>
	  <quotas><default></default></quotas>
	  <users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default>$user</users>
	</yandex>
	XML
}

answers() { # SHARD
	[ "$(clickhouse-client --host 127.0.0.1 --port $(($(cat "$dir/shard$1/port") + 2)) --connect_timeout 2 --query 'SELECT 1' 2>/dev/null)" = 1 ]
}

up() { # SHARD
	s=$dir/shard$1
	(cd "$s" && exec clickhouse-server --config-file="$s/config.xml" </dev/null >"$s/out" 2>&1) &
	echo $! > "$s/pid"
	tries=0
	until answers "$1"; do
		kill -0 "$(cat "$s/pid")" 2>/dev/null || { echo "fleet.sh: shard $1 did not start: see $s/out and $s/server.err.log" >&2; exit 1; }
		[ $((tries += 1)) -le 300 ] || { echo "fleet.sh: shard $1 did not answer for 30 s: see $s/server.err.log" >&2; exit 1; }
		sleep 0.1
	done
}

down() { # SHARD [SIGNAL]
	pid=$(cat "$dir/shard$1/pid" 2>/dev/null) || return 0
	# only if that process is still ours: by its configuration
	grep -aqF "$dir/shard$1/config.xml" "/proc/$pid/cmdline" 2>/dev/null || return 0
	kill "${2:--TERM}" "$pid" 2>/dev/null || return 0
	tries=0
	while grep -aqF "$dir/shard$1/config.xml" "/proc/$pid/cmdline" 2>/dev/null; do
		[ $((tries += 1)) -le 100 ] || kill -KILL "$pid" 2>/dev/null || break
		sleep 0.1
	done
	rm -f "$dir/shard$1/pid"
}

case $verb in
start)
	command -v clickhouse-server >/dev/null || { echo "fleet.sh: clickhouse-server is not installed (Debian 12: apt-get install clickhouse-server clickhouse-client)" >&2; exit 3; }
	port=${3:-18123}
	mkdir -p "$dir"
	if [ "${FLEET_TLS:-}" = 1 ]; then certificates; fi
	for i in 1 2; do configure $i; echo $((port + i - 1)) > "$dir/shard$i/port"; done
	for i in 1 2; do up $i; done
	if [ "${FLEET_TLS:-}" = 1 ]; then
		echo "clickhouses://fleet@localhost:$((port + 6)),localhost:$((port + 7))/whittle?cluster=fleet&ca-file=$dir/ca.pem&password-file=$dir/password"
		exit 0
	fi
	echo "clickhouse://default@127.0.0.1:$port,127.0.0.1:$((port + 1))/whittle?cluster=fleet"
	;;
up) [ $# -eq 3 ] || usage; up "$3" ;;
down) [ $# -ge 3 ] || usage; down "$3" "${4:--TERM}" ;;
stop) for i in 1 2; do down $i; done ;;
*) usage ;;
esac
