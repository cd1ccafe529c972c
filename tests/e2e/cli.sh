#!/bin/sh
# Common behaviour of all commands: help, common options, exit statuses, a full disk behind standard output.
set -u
BUILD=${BUILD:-build}
here=$(cd "$(dirname "$0")" && pwd)
w=$BUILD/whittle
n=0
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT

# check SENTENCE STATUS PATTERN COMMAND… : the exit status, and a pattern in what was printed on either stream
check() {
	sentence=$1 want=$2 pattern=$3
	shift 3
	n=$((n + 1))
	"$@" >"$dir/out" 2>&1
	status=$?
	if [ "$status" -eq "$want" ] && grep -qE -e "$pattern" "$dir/out"; then
		echo "ok $n - $sentence"
	else
		echo "not ok $n - $sentence"
		echo "# status $status, wanted $want and /$pattern/ in:"
		sed 's/^/# /' "$dir/out"
	fi
}

check "help names the usual path" 0 'whittle recommend' "$w" --help
check "the version is printed" 0 '^whittle [0-9]' "$w" --version
: >"$dir/nothing.json"
"$w" --store "$dir/empty.db" ingest --format eve "$dir/nothing.json" >/dev/null 2>&1
check "an empty ledger is reported as empty, not as of 1970" 0 '^Nothing was learned yet' "$w" --store "$dir/empty.db" recommend
printf '%s\n' '{"timestamp":"2026-10-01T10:00:00.000000+0000","event_type":"alert","src_ip":"192.0.2.7","src_port":4000,"dest_ip":"10.0.0.4","dest_port":22,"proto":"TCP","alert":{"action":"allowed","signature_id":1,"severity":2},"direction":"to_server","flow":{"pkts_toserver":5,"pkts_toclient":4,"bytes_toserver":500,"bytes_toclient":400,"start":"2026-10-01T10:00:00.000000+0000"}}' >"$dir/alert.json"
"$w" --store "$dir/alert.db" ingest "$dir/alert.json" >/dev/null 2>&1
check "an edge of alerts alone has no times" 0 '^[^0-9]*10\.0\.0\.4.*192\.0\.2\.7 +0 +0 +1 *$' "$w" --store "$dir/alert.db" edges
check "and reports that to programs" 0 '"first":null,"last":null' "$w" --store "$dir/alert.db" edges --json
check "a log that is packed with xz is refused with what unpacks it" 2 'a\.xz: packed neither with gzip nor with zstd: unpack it first .`xz -dc`' \
	sh -c "printf '\\3757zXZ\\000\\000' >'$dir/a.xz'; '$w' --store '$dir/alert.db' ingest '$dir/a.xz'"
check "no command is a wrong usage" 2 'no command was given' "$w"
check "an unknown command is answered with the nearest one" 2 "did you mean 'doctor'" "$w" docter
check "an unknown option is answered with the nearest one" 2 "did you mean '--plugin'" "$w" doctor --plugni x
check "a missing value is reported" 2 "--plugin needs a value" "$w" doctor --plugin
check "a word that a command does not take is named" 2 "status: unexpected word 'nosuch'" "$w" status nosuch
check "without rules, rules names the command that makes them" 0 'no rule to review: .whittle recommend' "$w" --store "$dir/empty.db" rules
check "so do prove and replay" 0 'no rule to prove: .whittle recommend.*no rule to replay: .whittle recommend' sh -c "{ '$w' --store '$dir/empty.db' prove; '$w' --store '$dir/empty.db' replay; } | tr '\\n' ' '"
check "a journal without entries is reported as such" 0 'no such entry' "$w" --store "$dir/empty.db" journal list --what enforce.confirm
check "forget names what is no address before it asks" 2 "'nosuch' is neither an address nor a prefix" "$w" --store "$dir/empty.db" forget nosuch
check "edges names an unknown option" 2 "unknown option '--nosuch'" "$w" --store "$dir/empty.db" edges --nosuch
check "firewall names what starts it" 2 'systemd starts this command' "$w" firewall
check "help on help is the list of commands" 0 'whittle recommend' "$w" help help
check "help COMMAND lists its options" 0 '--plugin FILE' "$w" help doctor
check "COMMAND --help lists its options" 0 '--plugin FILE' "$w" doctor --help
check "--help may stand before the command" 0 '--plugin FILE' "$w" --help doctor
check "a full disk behind standard output is a failure" 1 'No space left on device' sh -c "'$w' --help >/dev/full"
check "a reader that has seen enough is none" 0 '^0$' sh -c "{ '$w' --help; echo \$? >'$dir/st'; } | true; cat '$dir/st'"

# a terminal of 100 columns: the longest line of what is printed, in characters
terminal() { NO_COLOR=1 script -qec "stty cols 100; $*" /dev/null | tr -d '\r' | awk '{ if (length($0) > most) most = length($0) } END { print most }'; }
if command -v script >/dev/null; then
	check "a table is wrapped to the terminal" 0 '^within$' sh -c "[ $(terminal "$w" --store "$dir/alert.db" assess list) -le 100 ] && echo within"
	check "--wide prints each row on one line" 0 '^beyond$' sh -c "[ $(terminal "$w" --store "$dir/alert.db" assess list --wide) -gt 100 ] && echo beyond"
fi

printf 'store: x.db\nmin-dayz: 3\n' >"$dir/bad.yaml"
check "a wrong key names file, line and the right key" 2 "bad.yaml:2: unknown key 'min-dayz'; did you mean 'min-days'" \
	"$w" --config "$dir/bad.yaml" recommend
check "a config that was named and is absent is bad input" 2 'none.yaml: cannot be read' "$w" recommend --config="$dir/none.yaml"
check "config prints the sample that is packaged" 0 '^same$' sh -c "'$w' config | cmp - '$here/../../packaging/whittle.yaml' && echo same"
check "config prints each key's default as JSON" 0 '"default": "10s"' "$w" config --json
"$w" config >"$dir/sample.yaml"
check "the sample is read, and sets nothing" 0 'sample.yaml$' sh -c "'$w' doctor --config '$dir/sample.yaml' --store '$dir/l.db' | grep '^ok.*configuration\|configuration.*sample'"
cat >"$dir/values.yaml" <<Y
ports: [22, 99999]
discover: [10.0.0.0/8, nonsense]
threat-intel: [missing.txt, {name: prog, command: /usr/bin/nothere --x}]
jit: [{resource: vmX, ports: [22]}]
Y
printf 'resources:\n  - {name: vm1, addresses: [192.0.2.1]}\n' >"$dir/one.yaml"; "$w" --store "$dir/v.db" estate import "$dir/one.yaml" >/dev/null
for found in "ports .*'99999' is not a port" "discover: 'nonsense' is not a prefix" 'missing.txt is not there' '/usr/bin/nothere can.t be run' 'missing.txt was never read' \
	'jit .*the resource vmX, which the estate does not have' 'last flow .*no flow has reached'; do
	check "doctor checks every value: $found" 1 "$found" "$w" doctor --config "$dir/values.yaml" --store "$dir/v.db"
done
check "each finding has a command or a line that mends it" 1 '^0$' sh -c "'$w' doctor --json --config '$dir/values.yaml' --store '$dir/v.db' >'$dir/found.json'; rc=\$?; jq '[.checks[] | select(.state != \"ok\" and .remedy == null)] | length' '$dir/found.json'; exit \$rc"
printf 'watch: {learn: conntrack}\n' >"$dir/learns.yaml"
check "where watch learns, doctor names it as what to start" 0 'systemctl start whittle-watch; it learns' sh -c "'$w' doctor --config '$dir/learns.yaml' --store '$dir/v.db' || [ \$? = 1 ]"
check "selftest without a ledger prints the command that makes one" 1 'no ledger yet.*whittle estate import FILE' "$w" selftest --store "$dir/none.db" 10.0.0.4
printf 'no ledger' >"$dir/broken.db"
check "doctor names a ledger that can't be read once, and makes no check that needs it" 1 '^ledger$' sh -c "'$w' doctor --json --config /dev/null --store '$dir/broken.db' >'$dir/found.json'; rc=\$?; jq -r --arg f '$dir/broken.db' '.checks[] | select(.check == \"coverage\" or (.found | contains(\$f))) | .check' '$dir/found.json' | tr '\n' ' ' | sed 's/disk //; s/ *\$//'; exit \$rc"
check "doctor looks on when the config is broken" 1 'min-dayz' "$w" doctor --config "$dir/bad.yaml"
check "doctor prints a state for each check as JSON" 0 '"check": "ledger"' \
	sh -c "'$w' doctor --json --store '$dir/l.db' || [ \$? = 1 ]"
mkdir "$dir/units"
check "init writes the files that it lists, with the commands that undo them" 0 'written .*whittle.yaml  .undo: rm ' "$w" init --as suricata --yes --directory "$dir/etc" --units "$dir/units"
check "the steps that it names save rules before they enforce any" 0 true sh -c "'$w' init --as suricata --yes --directory '$dir/etc2' --units '$dir/units' --json | jq '[.next[].command] | index(\"whittle recommend\") < index(\"whittle enforce --dry-run\")'"
check "a second init changes nothing" 0 'unchanged .*estate.yaml' "$w" init --as suricata --yes --directory "$dir/etc" --units "$dir/units"
echo '# mine' >>"$dir/etc/whittle.yaml"
check "it does not replace a file without consent" 0 'kept .*whittle.yaml' "$w" init --as suricata --yes --directory "$dir/etc" --units "$dir/units"
check "answers replace it, and the old one stays next to it" 0 'replaced .*whittle.yaml  .undo: mv .*before' sh -c "printf 'host\ndry-run\ny\n' | '$w' init --directory '$dir/etc' --units '$dir/units'"
check "the replaced file is still there" 0 '^# mine' cat "$dir/etc/whittle.yaml.before"
check "the files that it wrote are read" 0 '1 resource' "$w" estate import --config "$dir/etc/whittle.yaml" --store "$dir/init.db" "$dir/etc/estate.yaml"
check "without answers it asks for options" 2 'nobody answers on standard input: --yes' sh -c "'$w' init --directory '$dir/etc' --units '$dir/units' </dev/null"
check "the unit reads the log" 0 '^ExecStart=.* ingest --follow /var/log/suricata/eve.json' cat "$dir/units/whittle-ingest.service"
printf 'not a plugin' >"$dir/x.so"
check "a plugin that does not load is reported with the reason" 1 'x.so: cannot be loaded' "$w" doctor --plugin "$dir/x.so"
check "--fail-on warn makes warnings findings" 3 'warn' "$w" doctor --fail-on warn --store "$dir/l.db"
check "doctor creates nothing" 0 '^absent$' sh -c "[ -e '$dir/l.db' ] || echo absent"

for c in $("$w" --help | sed -n '/^For every command/q; s/^  \([a-z][a-z-]*\)  *[^ #].*/\1/p' | grep -vx whittle); do
	check "$c --help shows its usage and an example" 0 'usage: whittle' sh -c "'$w' $c --help | tee '$dir/h'; grep -qi example '$dir/h'"
	check "$c refuses an unknown option" 2 '^whittle: ' "$w" "$c" --no-such-option
	check "$c is in the manual page" 0 . grep "^\.It Cm $c" "$here/../../packaging/man/whittle.1"
done
# ---- in and out ----
in_tree() { make -s -C "$here/../.." BUILD="$(cd "$BUILD" && pwd)" "$1" PREFIX="$2" DESTDIR="$dir/tree" >/dev/null 2>&1; }
in_tree install /usr # all installed files, without those that the package's rules remove, are in debhelper's lists
(cd "$dir/tree" && rm -r usr/lib/systemd usr/lib/sysusers.d usr/share/doc && find . -type f | cut -c 3-) | sort >"$dir/installed"
cut -d' ' -f1 "$here"/../../packaging/debian/*.install | grep ^usr/ | sed 's/$/(\/|$)/; s/^/^/' >"$dir/packaged"
check "every installed file is in a Debian package" 0 '^all$' sh -c "[ -s '$dir/installed' ] && grep -vEf '$dir/packaged' '$dir/installed' || echo all"
rm -rf "$dir/tree"
in_tree install /usr/local && in_tree uninstall /usr/local
check "make uninstall leaves no file of make install" 0 '^0$' sh -c "[ -d '$dir/tree/usr/local' ] && find '$dir/tree' -type f -o -type l | wc -l"

echo "1..$n"
