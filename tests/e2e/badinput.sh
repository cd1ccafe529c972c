#!/bin/sh
# Bad input: exit status 2, one sentence that names file, line and reason, and nothing lost.
set -u
BUILD=${BUILD:-build}
w=$(cd "$BUILD" && pwd)/whittle
n=0
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

# refused SENTENCE WHAT-IT-SAYS COMMAND… : status 2, and its first line on standard error is just that
refused() {
	sentence=$1 says="whittle: $2"
	shift 2
	n=$((n + 1))
	"$@" >out 2>err
	status=$?
	if [ $status -eq 2 ] && [ "$(head -n 1 err)" = "$says" ] && [ ! -s out ]; then
		echo "ok $n - $sentence"
	else
		echo "not ok $n - $sentence"
		echo "# status $status; wanted: $says"
		sed 's/^/# /' err out
	fi
}
estate() { printf 'resources:\n  - {name: vm1, addresses: [%s], nsgs: [web.json]%s}\n' "${1:-10.0.0.4}" "${2:-}" >estate.yaml; }
rule() { # NAME PRIORITY SOURCE PORT
	printf '  {"name": "%s", "priority": %s, "access": "Allow", "direction": "Inbound", "protocol": "Tcp", "sourceAddressPrefix": "%s", ' "$1" "$2" "$3"
	printf '"sourcePortRange": "*", "destinationAddressPrefix": "*", "destinationPortRange": "%s"}' "$4"
}
nsg() { # two rules, the second as given
	{ printf '{"name": "web", "securityRules": [\n'; rule a 100 '*' 22; printf ',\n'; rule "$@"; printf '\n]}\n'; } >web.json
}
import="$w --store l.db estate import estate.yaml"

estate; nsg b 110 '*' 80
$import >/dev/null 2>&1 || { echo "not ok 1 - a good estate is taken"; exit 1; }
before=$("$w" --store l.db estate show --json)

estate 10.0.0.400
refused "an address that is none" "estate.yaml:2: '10.0.0.400' is not an address" $import
estate 10.0.0.4 ', internet-facingg: true'
refused "a wrong key, with the nearest right one" "estate.yaml:2: unknown key 'internet-facingg'; did you mean 'internet-facing'?" $import
printf 'resources: [\n  {name: vm1\n' >estate.yaml
refused "YAML that ends too early" "estate.yaml:3: not YAML: did not find expected ',' or '}', while parsing a flow mapping that begins on line 2" $import
estate; nsg b 100 '*' 80
refused "two rules of one priority" "web.json:3: rules a and b of web both have priority 100 Inbound" $import
nsg b 110 '*' 80800
refused "a port that is none" "web.json:3: '80800' is not a port, a range like 20-25, or *" $import
nsg b 110 10.0.0.x 80
refused "a source that is none" "web.json:3: '10.0.0.x' is not an address, a prefix or a service tag" $import
nsg b 90 '*' 80
refused "a priority out of range" "web.json:3: rule b: the priority must be a number from 100 to 4096" $import
nsg 'b\u001b[2J' 110 '*' 80
refused "a rule's name that would do something on a terminal" "web.json:3: the name of rule 'b?[2J' holds a character that is not printable" $import
nsg 'b\u202ex' 110 '*' 80
refused "or turn the line round" "web.json:3: the name of rule 'b?x' holds a character that is not printable" $import
printf 'resources:\n  - {name: "vm\\e[31m1", addresses: [10.0.0.4]}\n' >estate.yaml
refused "a resource's name that would" "estate.yaml:2: the name 'vm?[31m1' holds a character that is not printable" $import
printf 'resources:\n  - {name: vm1, id: "/subscriptions\\tx", addresses: [10.0.0.4]}\n' >estate.yaml
refused "or its id: the ledger would hold an estate that is damaged" "estate.yaml:2: the id '/subscriptions?x' holds a character that is not printable" $import
estate
printf '{"name": "web",\n "securityRules": [}\n' >web.json
refused "JSON that is none" "web.json:2: unexpected token near '}'" $import
rm web.json
refused "a group's file that is absent" "estate.yaml:2: web.json: cannot be read: No such file or directory" $import
refused "an estate that is absent" "none.yaml: cannot be read: No such file or directory" "$w" --store l.db estate import none.yaml
n=$((n + 1))
if [ "$("$w" --store l.db estate show --json)" = "$before" ]; then echo "ok $n - after all this the ledger holds the estate that it held"
else echo "not ok $n - after all this the ledger holds the estate that it held"; fi

printf 'min-dayz: 3\n' >w.yaml
refused "a wrong key of whittle.yaml" "w.yaml:1: unknown key 'min-dayz'; did you mean 'min-days'?" "$w" --store l.db --config w.yaml recommend
mkfifo fifo
refused "a FIFO in place of whittle.yaml" "fifo: cannot be read: it is a FIFO without a writer" "$w" --store l.db --config fifo recommend
refused "a device in place of whittle.yaml" "/dev/zero: cannot be read: it is a device" "$w" --store l.db --config /dev/zero recommend
refused "an unknown format of export" "export: unknown format 'nsgg' (did you mean 'nsg'?); there are $("$w" export --format x 2>&1 | sed -n 's/.*there are //p')" \
	"$w" --store l.db export --format nsgg
refused "a log that is absent" "none.json: No such file or directory" "$w" --store l.db ingest none.json
mkdir logs; echo hello >logs/notes.txt
refused "a directory without a log" "logs/notes.txt: neither this file nor any other in the directory has a known format: nothing was read" "$w" --store l.db ingest logs
refused "days that are no number" "recommend: --min-days takes a whole number from 1 to 64, not 'x'" "$w" --store l.db recommend --min-days x
refused "ports that are none" "ports 'x': 'x' is not a port such as 22, 22/tcp or 8000-8010/tcp, nor 'all'" "$w" --store l.db recommend --ports x
refused "a resource that nobody knows" "there is no resource 'vm9'; \`whittle estate show\` lists them" "$w" --store l.db explain vm9 22

# ---- files as Windows programs save them ----
convert() { # ENCODING FILE
	case $1 in
	BOM) printf '\357\273\277'; cat "$2" ;;
	LE) printf '\377\376'; iconv -f UTF-8 -t UTF-16LE "$2" ;;
	BE) printf '\376\377'; iconv -f UTF-8 -t UTF-16BE "$2" ;;
	esac
}
# ---- a limit of the size of files ----
n=$((n + 1))
estate; nsg b 110 '*' 80
(ulimit -f 16; "$w" --store small.db estate import estate.yaml) >out 2>err
status=$?
if [ $status -eq 1 ] && grep -q "^whittle: .*small.db: the ledger can't be .*: its file may not become larger (ulimit -f" err && "$w" --store small.db estate import estate.yaml >out 2>err; then
	echo "ok $n - a file that may not grow is an error with its reason, and the ledger goes on where it was"
else
	echo "not ok $n - a file that may not grow is an error with its reason, and the ledger goes on where it was"
	echo "# status $status"; sed 's/^/# /' err out
fi

estate; nsg b 110 '*' 80
printf 'min-days: 3\nthreat-intel:\n  - {name: plain, file: list.txt}\n  - {name: table, file: list.csv, format: csv}\n' >w.yaml
printf '185.7.0.0/16\n' >list.txt
printf 'ip,why\n45.9.0.7,scan\n' >list.csv
printf '{"properties": {"displayName": "x", "policyRule": {"if": {"field": "type", "exists": true}, "then": {"effect": "[parameters(%s)]"}}, "parameters": {"e": {"type": "String"}}}}\n' "'e'" >policy.json
printf '{"e": {"value": "audit"}}\n' >parameters.json
printf '[{"id": "/subscriptions/0/resourceGroups/g/providers/Microsoft.Network/networkSecurityGroups/web", "type": "Microsoft.Network/networkSecurityGroups"}]\n' >resources.json
all() { # what whittle makes of them, in the current directory
	rm -f l.db
	"$w" --store l.db estate import estate.yaml && "$w" --store l.db estate show --json && "$w" --store l.db --config w.yaml intel update &&
		"$w" --store l.db --config w.yaml intel check 45.9.0.7 && "$w" assess --policy policy.json --parameters parameters.json --all --json resources.json
}
all >as-utf8 2>&1; status=$?
for encoding in BOM LE BE; do
	mkdir "$encoding"
	for file in estate.yaml web.json w.yaml list.txt list.csv policy.json parameters.json resources.json; do convert $encoding $file >$encoding/$file; done
	n=$((n + 1))
	if [ $status -eq 0 ] && (cd $encoding && all) 2>&1 | grep -vE '"(time|at|learned|updated)"' >got && grep -vE '"(time|at|learned|updated)"' as-utf8 | cmp -s - got; then
		echo "ok $n - configuration, estate, groups, lists, policies and parameters are read in $encoding, too"
	else
		echo "not ok $n - configuration, estate, groups, lists, policies and parameters are read in $encoding, too"
		echo "# status $status"; diff as-utf8 got | sed 's/^/# /'
	fi
done
echo "1..$n"
