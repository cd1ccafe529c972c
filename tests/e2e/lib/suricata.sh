# The tests of the plugin in both majors of Suricata. Sourced by suricata7.sh and suricata8.sh, which set:
#   suricata  the command, run as it stands      dir  a fresh directory as this shell sees it
#   plugin    the plugin's path for Suricata     in   the same directory as Suricata sees it
#   BUILD     where the build is
n=0
shared=${WHITTLE_SHARED:-../shared}
w=$BUILD/whittle
dump=$BUILD/tools/ledger_dump

ok() { n=$((n + 1)); echo "ok $n - $major: $1"; }
not_ok() { exec 3>&-; n=$((n + 1)); echo "not ok $n - $major: $1"; shift; for f; do sed "s|^|# $(basename "$f"): |" "$f" | tail -n 25; done; }
skip() { n=$((n + 1)); echo "ok $n - $major: $1 # skip $2"; }
# verdict SENTENCE FILES… : by the exit status of what ran before
verdict() { if [ "$?" -eq 0 ]; then ok "$1"; else not_ok "$@"; fi; }

# within SECONDS COMMAND… : until it succeeds; asked ten times a second
within() {
	tries=$(($1 * 10)); shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.1
	done
}

# config FILE THREADED SETTINGS… : an eve.json and a section of ours, which gets the settings as lines
config() {
	conf=$1 threads=$2
	shift 2
	{
		printf '%%YAML 1.1\n---\nplugins: ["%s"]\nstats: {enabled: no}\noutputs:\n' "$plugin"
		printf '  - eve-log: {enabled: yes, filetype: regular, filename: eve.json, types: [flow, alert, dns, {tls: {extended: yes}}, ssh, smb, krb5]}\n'
		printf '  - eve-log:\n      enabled: yes\n      filetype: whittle\n      threaded: %s\n' "$threads"
		printf '      types: [flow, alert, dns, {tls: {extended: yes}}, ssh, smb, krb5]\n      whittle:\n'
		printf '        %s\n' "config: /dev/null" "$@"
	} >"$dir/$conf"
}

# read_capture CONFIG CAPTURE: both as files of $dir; the log goes to $dir/log
read_capture() {
	rm -f "$dir"/eve*.json
	$suricata -c "$in/$1" -l "$in" -S "$in/any.rules" -k none -r "$in/$2" >"$dir/log" 2>&1
}

dumped() { "$dump" --sums "$dir/$1" >"$dir/$2" 2>"$dir/$2.err"; }
edges() { "$w" edges --json --store "$dir/$1" 2>/dev/null | grep -c .; }
has_edges() { [ "$(edges "$1")" -gt "${2:-0}" ]; }

# ---- the same edges by both ways in ----

same_edges() {
	for threaded in no yes; do
		bad= some=0 facts=0
		config "c.yaml" $threaded "store: $in/plugin.db" "flush-interval: 1"
		for capture in "$dir"/*.pcap; do
			name=$(basename "$capture")
			rm -f "$dir"/plugin.db* "$dir"/file.db*
			# a capture from before any plausible clock: neither way in takes a record of it, and both say why
			if read_capture c.yaml "$name" && ! "$w" ingest --store "$dir/old.db" "$dir/eve.json" >"$dir/ingest" 2>&1 &&
				grep -q 'time before 2001' "$dir/ingest" && grep -q 'time before 2001' "$dir/log"; then
				continue
			fi
			rm -f "$dir"/plugin.db* "$dir"/old.db*
			if read_capture c.yaml "$name" && "$w" ingest --store "$dir/file.db" "$dir/eve.json" >"$dir/ingest" 2>&1 &&
				dumped plugin.db by-plugin && dumped file.db by-file && cmp -s "$dir/by-plugin" "$dir/by-file"; then
				some=$((some + $(grep -c ^edge "$dir/by-plugin"))) facts=$((facts + $(grep -c ^fact "$dir/by-plugin")))
				# a host that only asks is a resource where the estate names it
				[ "$name" != dns-tunnel-iodine.pcap ] || { echo 'resources: [{name: caller, addresses: [10.0.2.30]}]' >"$dir/caller.yaml" && "$w" estate import --store "$dir/file.db" "$dir/caller.yaml" >/dev/null; }
				[ $threaded = yes ] || "$w" alerts --json --store "$dir/file.db" 2>/dev/null |
					jq -r --arg n "$name" '[.value[].properties.alertType | select(. != "Whittle_SensorBlind")] | unique | join(" ") | "# \($n): \(.)"' >>"$dir/fired"
			else
				bad="$bad $name"
				diff "$dir/by-file" "$dir/by-plugin" >"$dir/diff" 2>&1
			fi
		done
		# the capture of our own has no protocol records
		[ -z "$bad" ] && [ "$some" -gt 100 ] && { [ ! -f "$dir/dns-tunnel-iodine.pcap" ] || [ "$facts" -gt 0 ]; }
		verdict "by the plugin (threaded: $threaded) or by its log, a run ends in the same ledger$bad" "$dir/log" "$dir/diff"
	done
	cat "$dir/fired"
	if [ ! -f "$dir/dns-tunnel-iodine.pcap" ]; then skip "captures of attacks raise the alerts that they should" "no captures in $shared"; return; fi
	grep -q 'dns-tunnel-iodine.pcap: AzureDNS_DataInfiltration$' "$dir/fired" && grep -q 'krb5-weak-smb.pcap: Whittle_InsecureProtocol$' "$dir/fired" &&
		grep -q 'smb1-ntlm.pcap: Whittle_InsecureProtocol$' "$dir/fired" && grep -q 'desktop-tls-dns.pcap: $' "$dir/fired" && grep -q 'ssh.pcap: $' "$dir/fired"
	verdict "captures of attacks raise the alerts that they should, and ordinary ones none" "$dir/fired"
}

alerts_count() {
	rm -f "$dir"/plugin.db*
	config c.yaml no "store: $in/plugin.db"
	read_capture c.yaml generated.pcap
	"$w" edges --json --store "$dir/plugin.db" | grep -q '"alerts":\[0,[1-9]'
	verdict "alerts reach the edges of their flows" "$dir/log"
}

a_scan_makes_no_edge() {
	if [ ! -f "$dir/synscan.pcap" ]; then skip "an unanswered scan becomes no edge" "no captures in $shared"; return; fi
	rm -f "$dir"/plugin.db*
	config c.yaml yes "store: $in/plugin.db" "discover: 0.0.0.0/0,::/0"
	read_capture c.yaml synscan.pcap && dumped plugin.db by-plugin &&
		[ "$(grep -c ^edge "$dir/by-plugin")" -le 1 ] && [ "$(grep -c ^refused "$dir/by-plugin")" -gt 100 ]
	verdict "an unanswered scan of 1,994 flows becomes no edge, but is counted" "$dir/log"
}

# One packet of every handshake was not captured. The client stays the client: no edge has a client's ephemeral port.
missed_handshakes() {
	bad=
	for miss in syn synack; do
		"$BUILD/tools/flowpcap" --flows 40 --clients 9 --days 2 --miss $miss "$dir/missed.pcap"
		for midstream in no yes; do
			rm -f "$dir"/plugin.db*
			config c.yaml no "store: $in/plugin.db"
			printf 'stream: {midstream: %s}\n' $midstream >>"$dir/c.yaml"
			read_capture c.yaml missed.pcap
			# without the SYN and midstream off Suricata reports no flags: only connections with much data count
			{ [ $miss$midstream = synno ] || [ "$(edges plugin.db)" -ge 9 ]; } &&
				! "$w" edges --json --store "$dir/plugin.db" | grep -vq '"direction":"Inbound","protocol":"TCP","port":\(22\|443\|3306\|8089\),' ||
				bad="$bad $miss/$midstream"
		done
	done
	rm "$dir/missed.pcap"
	[ -z "$bad" ]
	verdict "a handshake of which a packet was missed turns no connection round$bad" "$dir/log"
}

# ---- settings ----

bad_settings() {
	bad=
	while IFS='|' read -r setting sentence; do
		config c.yaml no "store: $in/never.db" "$setting"
		[ "${setting#store}" = "$setting" ] || sed -i '/never.db/d' "$dir/c.yaml"
		read_capture c.yaml generated.pcap
		status=$?
		[ "$status" -eq 1 ] && [ "$(grep -c '^Error' "$dir/log")" -eq 1 ] && grep -q "^Error: whittle: .*$sentence" "$dir/log" &&
			! grep -q 'Engine started' "$dir/log" || { bad="$bad '$setting' ($status)"; cp "$dir/log" "$dir/bad.log"; }
	done <<-'END'
		memroy: 64MiB|unknown setting 'memroy'; did you mean 'memory'
		memory: lots|'memory' must be a size
		flush-interval: 0|'flush-interval' must be a time
		store: here.db|'store' must be an absolute path
		store: "mysql://x"|mysql
		store: [a, b]|'store' must be one text
		config: /nonexistent/w.yaml|/nonexistent/w.yaml
		discover: 10.0.0.0/99|'discover' must be off, or prefixes
	END
	[ -z "$bad" ]
	verdict "a bad setting stops the start with one line$bad" "$dir/bad.log"
	printf 'flush-interval: 3\nmemory-limitt: 3\n' >"$dir/w.yaml"
	config c.yaml no "store: $in/never.db"
	sed -i "s|config: /dev/null|config: $in/w.yaml|" "$dir/c.yaml"
	read_capture c.yaml generated.pcap
	[ $? -eq 1 ] && grep -q "w.yaml:2: unknown key 'memory-limitt'; did you mean 'memory-limit'" "$dir/log"
	verdict "a mistake in whittle.yaml stops it naming file and line" "$dir/log"
	config c.yaml no "store: $in/never.db"
	$suricata -T -c "$in/c.yaml" -l "$in" -S "$in/any.rules" >"$dir/log" 2>&1 && [ ! -e "$dir/never.db" ]
	verdict "a good setting passes suricata -T, which makes no ledger" "$dir/log"
}

the_packaged_section() {
	sed "s|/usr/local/lib/whittle/whittle-suricata.so|$plugin|; s|/var/lib/whittle/ledger.db|$in/packaged.db|" \
		"$(dirname "$lib")/../../../packaging/suricata/whittle.yaml" >"$dir/whittle.yaml"
	printf '%%YAML 1.1\n---\nstats: {enabled: no}\ninclude: whittle.yaml\n' >"$dir/c.yaml"
	read_capture c.yaml generated.pcap && grep -q '^Notice: whittle: [0-9]* records: 2000 flows' "$dir/log" && has_edges packaged.db 100
	verdict "the packaged section works as it stands" "$dir/log"
}

any_rules() {
	printf 'alert tcp any any -> any 22 (msg:"a request"; flow:to_server,established; content:"a request"; sid:1; priority:2;)\n' >"$dir/any.rules"
}

# ---- our own signatures ----

# A case for each signature, and next to it a similar one that is right.
hello() { printf '16030100300100002c03%s%064d00000400350005010000' "$1" 0; }
ntlm() { printf '00000064fe534d42400001%0100d4e544c4d5353500003000000%s%s58000000%s%s70000000%080d' 0 "$1" "$1" "$2" "$2" 0; } # LM, NT: lengths
own_signatures() {
	cp "$(dirname "$lib")/../../../rules/suricata/whittle.rules" "$dir/any.rules"
	config c.yaml no "store: $in/plugin.db"
	rm -f "$dir"/plugin.db* "$dir"/file.db*
	"$BUILD/tools/saypcap" "$dir/says.pcap" 443:"$(hello 00)" 443:"$(hello 01)" 465:"$(hello 02)" 443:"$(hello 03)" \
		445:"$(ntlm 1800 0000)" 445:"$(ntlm 1800 1800)" 445:"$(ntlm 1800 2601)" 445:"$(ntlm 0000 0000)" \
		389:3012020101600d0201030404636e3d6180027077 389:30840000001602010160840000000d0201030404636e3d6180027077 389:300c020101600702010304008000 \
		389:301802010160130201030400a30c040a4449474553542d4d4435 445:00000040ff534d4273"$(printf %0118d 0)" 445:00000040ff534d4272"$(printf %0118d 0)"
	$suricata -T -c "$in/c.yaml" -l "$in" -S "$in/any.rules" >"$dir/log" 2>&1
	verdict "our own signatures load" "$dir/log"
	read_capture c.yaml says.pcap && "$w" ingest --store "$dir/file.db" "$dir/eve.json" >"$dir/ingest" 2>&1
	{ printf '%s\n' '192.0.2.10 simple' '192.0.2.12 digest-md5' '192.0.2.1 offers ssl3' '192.0.2.13 1' '192.0.2.2 offers 1.0' '192.0.2.3 offers 1.1' '192.0.2.5 lm response' \
		'192.0.2.6 ntlmv1 response' '192.0.2.7 ntlmv2 response' '192.0.2.9 simple'; } | sort >"$dir/expected"
	for store in plugin file; do
		"$w" evidence --store "$dir/$store.db" --json 2>>"$dir/log" | jq -r 'select(.direction == "Inbound" and ([.kind] | inside(["tls", "ntlm", "ldap", "smb"]))) |
			select(.value | test("^(offers|simple|digest|1$)|response$")) | "\(.peer) \(.value)"' | sort >"$dir/$store.says"
	done
	cmp "$dir/expected" "$dir/plugin.says" >"$dir/diff" 2>&1 && cmp "$dir/expected" "$dir/file.says" >>"$dir/diff" 2>&1
	verdict "what they name is evidence, what is right beside it is none, by the plugin and by its log" "$dir/plugin.says" "$dir/file.says" "$dir/diff" "$dir/log"
	! "$w" edges --json --store "$dir/file.db" | jq -e 'select([.alerts[]?] | any(. > 0))' >/dev/null 2>&1
	verdict "and no alert against a peer" "$dir/log"
	any_rules
}

# The same private addresses in two VLANs: by the plugin as by reading its log.
vlans() {
	"$BUILD/tools/flowpcap" --flows 2000 --clients 300 --days 10 --vlan 10 "$dir/vlan10" && "$BUILD/tools/flowpcap" --flows 1000 --clients 300 --days 10 --start 1789430400 --seed 2 --vlan 20 "$dir/vlan20" &&
		{ cat "$dir/vlan10" && tail -c +25 "$dir/vlan20"; } >"$dir/vlans.pcap"
	cp "$dir/vlan10" "$dir/vlan10.pcap" && cp "$dir/vlan20" "$dir/vlan20.pcap"
	rm -f "$dir"/vlan.db*
	config c.yaml no "store: $in/vlan.db"
	read_capture c.yaml vlan10.pcap && ! grep -q 'left out' "$dir/log" && has_edges vlan.db 100 && all_there vlan.db
	verdict "of one VLAN the plugin and its log end in the same ledger" "$dir/log" "$dir/diff"
	read_capture c.yaml vlan20.pcap && grep -qE '^Warning: whittle: [1-9][0-9]* records are left out: .* was seen in vlan10, and then in vlan20: .*realm' "$dir/log" &&
		dumped vlan.db by-plugin && grep -v '^total' "$dir/by-plugin" | cmp - "$dir/a" >"$dir/diff" 2>&1
	verdict "the same private addresses in another VLAN, in a later run too, are left out, with what to set" "$dir/log" "$dir/diff"
	for realm in vlan20 one; do
		rm -f "$dir"/vlan.db* "$dir"/eve*.json
		config c.yaml no "store: $in/vlan.db" "realm: $realm"
		read_capture c.yaml vlans.pcap && ! grep -q 'left out' "$dir/log" && has_edges vlan.db 100 && all_there vlan.db --realm $realm
		verdict "with realm: $realm the plugin and its log end in the same ledger" "$dir/log" "$dir/diff"
	done
	config c.yaml no "store: $in/vlan.db" "realm: ten"
	refused c.yaml ".*'realm' must be one, vlan10"
	verdict "a realm that none can have ends the start" "$dir/log"
}

# ---- ledgers that fail ----

# Suricata that reads a capture from a pipe, and is fed piece by piece. Descriptor 3 is the pipe's other end.
feed_start() {
	rm -f "$dir/feed" "$dir"/eve*.json
	mkfifo "$dir/feed"
	fed=0 clock=1788220800
	$suricata -c "$in/$1" -l "$in" -S "$in/any.rules" -k none -r "$in/feed" >"$dir/log" 2>&1 3>&- &
	pid=$!
	exec 3>"$dir/feed"
}
# piece FLOWS DAYS: into the pipe, without the file's header where one was sent; time goes on
piece() {
	fed=$((fed + 1))
	"$BUILD/tools/flowpcap" --flows "$1" --clients 500 --days "$2" --start $clock --seed $fed "$dir/piece" &&
		if [ $fed = 1 ]; then cat "$dir/piece" >&3; else tail -c +25 "$dir/piece" >&3; fi
	clock=$((clock + $2 * 86400))
}
feed() { piece 3000 20; }
# counted N: Suricata has written as many flows to eve.json, so that the plugin has them too. It ends flows by the packets' time and
# looks at a part of its table only each time: so time goes on until it has.
counted() {
	[ "$(grep -c '"event_type":"flow"' "$dir/eve.json")" -ge "$1" ] && return 0
	piece 5 1
	return 1
}
feed_stop() {
	exec 3>&-
	wait "$pid"
}
# all_there LEDGER OPTIONS… : every flow that eve.json has is in the ledger. The options are those of ingest.
all_there() {
	ledger=$1
	shift
	rm -f "$dir"/file.db*
	"$w" ingest "$@" --store "$dir/file.db" "$dir/eve.json" >"$dir/ingest" 2>&1 && dumped file.db by-file && dumped "$ledger" by-plugin &&
		grep -v '^total' "$dir/by-file" >"$dir/a" && grep -v '^total' "$dir/by-plugin" >"$dir/b" && cmp "$dir/a" "$dir/b" >"$dir/diff" 2>&1
}

# refused CONFIG PATTERN: the start, and suricata -T, end with one line
refused() {
	read_capture "$1" generated.pcap
	[ $? -eq 1 ] && [ "$(grep -c '^Error' "$dir/log")" -eq 1 ] && grep -q "^Error: whittle: $2" "$dir/log" && ! grep -q 'Engine started' "$dir/log" || return 1
	$suricata -T -c "$in/$1" -l "$in" -S "$in/any.rules" >"$dir/log" 2>&1
	[ $? -eq 1 ] && grep -q "^Error: whittle: $2" "$dir/log"
}

a_ledger_that_cannot_be_written() {
	rm -rf "$dir/later" "$dir/others"
	config c.yaml no "store: $in/later/ledger.db"
	refused c.yaml '.*/later: no ledger can be written .*No such file'
	verdict "without a directory for its ledger Suricata does not start, and says so" "$dir/log"
	mkdir "$dir/others" && chmod 755 "$dir" "$dir/others"
	config c.yaml no "store: $in/others/ledger.db"
	printf 'run-as: {user: nobody}\n' >>"$dir/c.yaml"
	sed -i 's|filename: eve.json|filename: /dev/null|' "$dir/c.yaml"
	refused c.yaml '.*/others: no ledger can be written .*Permission denied' && [ ! -e "$dir/others/ledger.db" ]
	verdict "where its user may not write the ledger Suricata does not start, and says so" "$dir/log"
	head -c 9000 /dev/zero | tr '\0' x >"$dir/none.db"
	config c.yaml no "store: $in/none.db"
	refused c.yaml '.*/none.db: .*damaged, or no ledger'
	verdict "with a file that is no ledger Suricata does not start, and says so" "$dir/log"
}

# Suricata as another user forbids itself to make threads by then (security.limit-noproc, on by default).
while_it_runs_as_another_user() {
	rm -rf "$dir/live"
	mkdir "$dir/live" && chmod 755 "$dir" && chmod 777 "$dir/live"
	config c.yaml no "store: $in/live/ledger.db" "flush-interval: 1"
	printf 'run-as: {user: nobody}\n' >>"$dir/c.yaml"
	sed -i "s|filename: eve.json|filename: $in/live/eve.json|" "$dir/c.yaml"
	feed_start c.yaml
	feed && within 30 has_edges live/ledger.db 100 && kill -0 $pid && feed_stop && [ "$(stat -c %U "$dir/live/ledger.db")" = nobody ]
	verdict "as another user Suricata feeds the ledger while it runs" "$dir/log"
}

# More edges than the ledger has time for: it is locked until Suricata has logged all of them.
many_edges_at_once() {
	rm -f "$dir"/many.db* "$dir/unlock" "$dir"/eve*.json
	"$BUILD/tools/flowpcap" --flows 115000 --clients 115000 --days 1 "$dir/many"
	config c.yaml no "store: $in/many.db" "discover: 0.0.0.0/0" "flush-interval: 1"
	"$w" ingest --store "$dir/many.db" /dev/null >/dev/null 2>&1
	"$BUILD/tools/ledger_lock" "$dir/many.db" "$dir/unlock" >"$dir/lock.log" 2>&1 &
	locker=$!
	within 30 grep -q locked "$dir/lock.log"
	read_capture c.yaml many &
	reader=$!
	within 120 sh -c '[ "$(grep -c "\"event_type\":\"flow\"" "$1")" -ge 60000 ]' sh "$dir/eve.json"
	touch "$dir/unlock"
	wait $locker
	# Suricata may end a conversation twice when it is slow: what its own log holds is the measure
	wait $reader && logged=$(grep -c '"event_type":"flow"' "$dir/eve.json") && [ "$logged" -ge 115000 ] &&
		grep "^Notice: whittle: .* records: $logged flows" "$dir/log" | grep -q ' 0 malformed, 0 lost; '
	verdict "of 115,000 flows of twice as many edges no record is lost at the default memory, though the ledger is locked for the half of them" "$dir/log"
	rm -f "$dir/many" "$dir"/many.db*
}

removed_ledger() {
	rm -rf "$dir/gone"
	mkdir "$dir/gone"
	config c.yaml yes "store: $in/gone/ledger.db" "flush-interval: 1"
	feed_start c.yaml
	feed && within 20 counted 2000 && within 20 has_edges gone/ledger.db 100 && rm -rf "$dir/gone" && feed &&
		within 20 counted 5000 && within 20 grep -q 'kept in memory' "$dir/log" && mkdir "$dir/gone" && within 20 has_edges gone/ledger.db 100 && feed_stop &&
		[ "$(grep -c 'removed or replaced' "$dir/log")" -eq 1 ] && [ "$(grep -c 'kept in memory' "$dir/log")" -eq 1 ] && grep -q 'takes records again' "$dir/log"
	verdict "a ledger removed with its directory while in use is told once and begun anew" "$dir/log"
}

locked_ledger() {
	rm -f "$dir"/locked.db* "$dir/unlock"
	config c.yaml no "store: $in/locked.db" "flush-interval: 1"
	feed_start c.yaml
	feed && within 20 counted 2000 && within 20 has_edges locked.db 100
	"$BUILD/tools/ledger_lock" "$dir/locked.db" "$dir/unlock" >"$dir/lock.log" 2>&1 &
	locker=$!
	within 30 grep -q locked "$dir/lock.log" && feed && within 20 counted 5000 && within 20 grep -q 'held its lock for too long; .*kept in memory' "$dir/log"
	held=$?
	touch "$dir/unlock"
	wait $locker && [ $held -eq 0 ] && within 20 grep -q 'takes records again' "$dir/log" && feed_stop && all_there locked.db
	verdict "a ledger locked for long loses nothing, and Suricata goes on" "$dir/log"
}

locked_to_the_end() {
	rm -f "$dir"/locked.db* "$dir/unlock"
	config c.yaml no "store: $in/locked.db" "flush-interval: 1"
	"$w" ingest --store "$dir/locked.db" /dev/null >/dev/null 2>&1
	"$BUILD/tools/ledger_lock" "$dir/locked.db" "$dir/unlock" >"$dir/lock.log" 2>&1 &
	locker=$!
	within 30 grep -q locked "$dir/lock.log"
	began=$(date +%s)
	read_capture c.yaml generated.pcap
	status=$?
	took=$(($(date +%s) - began))
	touch "$dir/unlock"
	wait $locker
	[ $status -eq 0 ] && [ $took -lt 30 ] && grep -q 'took nothing up to the end' "$dir/log"
	verdict "a lock that outlives Suricata does not keep it from ending" "$dir/log"
}

# In a mount namespace of its own, so that nothing is left behind.
full_disk() {
	if ! unshare -m true 2>/dev/null; then skip "a full disk" "no mount namespaces here"; return; fi
	mkdir -p "$dir/disk"
	config c.yaml no "store: $in/disk/ledger.db" "flush-interval: 1"
	export dir in suricata n major BUILD
	unshare -m sh -c '
		. "$0"
		mount -t tmpfs -o size=1m none "$dir/disk" || exit 9
		dd if=/dev/zero of="$dir/disk/fill" bs=4k >/dev/null 2>&1
		feed_start c.yaml
		feed && within 20 counted 2000 && within 20 grep -q "kept in memory" "$dir/log" && kill -0 $pid && rm "$dir/disk/fill" &&
			within 20 grep -q "takes records again" "$dir/log" && { dd if=/dev/zero of="$dir/disk/fill" bs=4k >/dev/null 2>&1; feed; } &&
			within 20 counted 5000 && kill -0 $pid && rm "$dir/disk/fill" && feed_stop && all_there disk/ledger.db' "$lib"
	verdict "a disk that is full, and full again, loses nothing once there is room" "$dir/log"
}

as_another_user() {
	rm -rf "$dir/other"
	mkdir "$dir/other"
	chmod 755 "$dir"
	chown nobody "$dir/other"
	chmod a+w "$dir/other"
	config c.yaml no "store: $in/other/ledger.db" "flush-interval: 1"
	printf 'run-as: {user: nobody}\nlogging: {outputs: [{file: {enabled: yes, level: info, filename: suricata.log}}]}\n' >>"$dir/c.yaml"
	"$BUILD/tools/flowpcap" --flows 3000 --clients 500 --days 20 "$dir/other/capture" && chmod a+r "$dir/other/capture"
	$suricata -c "$in/c.yaml" -l "$in/other" -S "$in/any.rules" -k none -r "$in/other/capture" >"$dir/log" 2>&1
	grep -q ' records: 3000 flows' "$dir/other/suricata.log" && has_edges other/ledger.db 100 &&
		[ "$(stat -c %U "$dir/other/ledger.db")" = nobody ]
	verdict "after Suricata changed its user the flusher lives, and the ledger is that user's" "$dir/log" "$dir/other/suricata.log"
}

# A daemon reads no captures: it listens at the loopback of a network namespace of its own, where some connections are made.
as_a_daemon() {
	if ! unshare -n ip link set lo up 2>/dev/null; then skip "a daemon" "no network namespaces here"; return; fi
	rm -rf "$dir/daemon"
	mkdir "$dir/daemon"
	config c.yaml no "store: $in/daemon/ledger.db" "flush-interval: 1" "discover: 127.0.0.0/8"
	printf 'logging: {outputs: [{file: {enabled: yes, level: info, filename: suricata.log}}]}\n' >>"$dir/c.yaml"
	printf 'flow-timeouts: {default: {closed: 1}, tcp: {closed: 1}}\n' >>"$dir/c.yaml"
	sed 's/flush-interval: 1/flush-interval: soon/' "$dir/c.yaml" >"$dir/bad.yaml"
	export dir in suricata n major BUILD
	unshare -n sh -c '
		. "$0"
		log=$dir/daemon/suricata.log pidfile=$dir/daemon/pid
		gone() { ! kill -0 "$(cat "$pidfile")"; }
		ip link set lo up
		"$BUILD/tools/talk" serve 2222 >"$dir/talk.log" &
		server=$!
		trap "kill $server" EXIT
		within 20 grep -q listening "$dir/talk.log" || exit 1
		$suricata -D -c "$in/bad.yaml" -l "$in/daemon" -S "$in/any.rules" -k none --pidfile "$in/daemon/pid" --pcap=lo
		within 20 grep -q "Error: whittle: .*.flush-interval. must be a time" "$log" && within 20 gone || exit 2
		[ "$(grep -c "Error: " "$log")" -eq 1 ] && ! grep -q "Engine started" "$log" || exit 3
		rm -f "$log" "$pidfile"
		$suricata -D -c "$in/c.yaml" -l "$in/daemon" -S "$in/any.rules" -k none --pidfile "$in/daemon/pid" --pcap=lo || exit 4
		within 30 grep -q "Engine started" "$log" || exit 5
		connected() { "$BUILD/tools/talk" try 127.0.0.1 2222; has_edges daemon/ledger.db; }
		within 60 connected || exit 6
		kill -TERM "$(cat "$pidfile")" && within 30 gone' "$lib" >"$dir/log" 2>&1 &&
		cp "$dir/daemon/eve.json" "$dir/" && grep -q '"dest_port":2222' "$dir/eve.json" &&
		all_there daemon/ledger.db --discover 127.0.0.0/8
	verdict "as a daemon Suricata feeds the ledger until it is told to end, and a bad setting ends it at once" "$dir/log" "$dir/daemon/suricata.log"
}

killed() {
	rm -f "$dir"/killed.db*
	config c.yaml no "store: $in/killed.db" "flush-interval: 1"
	feed_start c.yaml
	feed && within 20 counted 2000 && within 20 has_edges killed.db 100
	kill -KILL $pid
	exec 3>&-
	wait $pid 2>/dev/null
	before=$(edges killed.db)
	config c.yaml no "store: $in/killed.db"
	[ "$before" -gt 100 ] && read_capture c.yaml generated.pcap && [ "$(edges killed.db)" -gt "$before" ]
	verdict "after SIGKILL the ledger holds what was committed and takes more" "$dir/log"
}

prepare() {
	mkdir -p "$dir"
	any_rules
	"$BUILD/tools/flowpcap" --flows 2000 --clients 300 --days 31 "$dir/generated.pcap"
	[ ! -d "$shared/pcaps" ] || cp "$shared"/pcaps/*.pcap "$dir/"
	chmod u+w "$dir"/*.pcap
}

all_tests() {
	prepare
	same_edges
	alerts_count
	a_scan_makes_no_edge
	missed_handshakes
	vlans
	bad_settings
	the_packaged_section
	own_signatures
	a_ledger_that_cannot_be_written
	while_it_runs_as_another_user
	many_edges_at_once
	removed_ledger
	locked_ledger
	locked_to_the_end
	full_disk
	as_another_user
	as_a_daemon
	killed
	echo "1..$n"
}
