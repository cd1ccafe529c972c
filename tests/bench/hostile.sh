#!/bin/bash
# The cost of an attacker's input, relative to ordinary input of the same size: processor time (user and system) or memory of one command,
# the median of pairs in which both follow one another.
# RUNS=9 tests/bench/hostile.sh for a closer look; PARTS="peers json" for some of them alone.
set -u
BUILD=${BUILD:-build}
RUNS=${RUNS:-5}
PARTS=${PARTS:-hash peers json estate closed suricata}
STOCK=${STOCK:-/etc/suricata/suricata.yaml}
build=$(cd "$BUILD" && pwd)
whittle=$build/whittle
dir=$(mktemp -d "$build/bench/hostile.XXXXXX" 2>/dev/null || mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
export WHITTLE_CONFIG=/dev/null WHITTLE_STATE=$dir/state
TIMEFORMAT='%U %S %R'

median() { sort -n | awk '{ v[NR] = $1 } END { if (!NR) printf "-"; else printf "%.2f", NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
cpu() { { time "$@" >/dev/null 2>log || echo failed; } 2>&1 | awk '$1 == "failed" { bad = 1; next } { t = $1 + $2 } END { print bad ? "failed" : t }'; }
kib() { /usr/bin/env python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' "$@"; }
# row SENTENCE LIMIT [DIVISOR]: lines "ordinary hostile" on stdin
row() {
	awk -v d="${3:-1}" '/failed/ { exit 1 } { print $2 / $1 / d }' | median | awk -v what="$1" -v most="$2" '{ printf "%s\t%s\t≤ %s\t%s\n", what, $1, most, ($1 != "-" && $1 + 0 <= most + 0) ? "met" : "missed" }'
}
pairs() { # MEASURE ORDINARY HOSTILE: functions that run the command given
	for _ in $(seq "$RUNS"); do echo "$($1 "$2") $($1 "$3")"; done
}
wanted() { [[ " $PARTS " = *" $1 "* ]]; }
fresh_ingest() { rm -f i.db*; "$whittle" ingest --discover 2001:db8::/32,10.0.0.0/8 --store i.db "$1"; }

if wanted hash; then # the multiplying mix of wyhash gives all of the second /64 one value, for any seed
	"$build/tools/gen_eve" --records 80000 --edges 200000 --clients 2a02:0011:0022:0033 >ordinary.json
	"$build/tools/gen_eve" --records 80000 --edges 200000 --clients db28:b4a0:d17e:03e7 >crafted.json
	a() { fresh_ingest ordinary.json; }; b() { fresh_ingest crafted.json; }
	pairs cpu a b | row "80,000 records of addresses that collide in unkeyed hashes, by ordinary ones" 2
fi

if wanted peers; then
	"$build/tools/gen_eve" --records 400000 --edges 200000 --ipv6 100 >spread.json
	"$build/tools/gen_eve" --records 400000 --edges 200000 --ipv6 100 --clients 2001:0db8:0000:0000 >one64.json
	for n in spread one64; do "$whittle" ingest --discover 2001:db8:1::/48,10.0.0.0/8 --store $n.db $n.json >/dev/null 2>&1; done
	a() { "$whittle" recommend --store spread.db; }; b() { "$whittle" recommend --store one64.db; }
	pairs cpu a b | row "recommend with 200,000 edges of one /64, by as many from anywhere" 3
fi

if wanted json; then # 32 MiB each
	awk 'BEGIN { printf "{\"name\":\"g\",\"securityRules\":["; for (i = 0; i < 160000; i++)
		printf "%s{\"name\":\"rule-%06d\",\"priority\":300,\"access\":\"Allow\",\"direction\":\"Inbound\",\"protocol\":\"Tcp\",\"sourcePortRange\":\"*\",\"destinationPortRange\":\"22\",\"sourceAddressPrefix\":\"*\",\"destinationAddressPrefix\":\"*\"}", i ? "," : "", i
		printf "]}" }' >ordinary-doc.json
	awk 'BEGIN { printf "{\"name\":\"g\",\"securityRules\":[[]"; for (i = 0; i < 11000000; i++) printf ",[]"; printf "]}" }' >arrays-doc.json
	awk 'BEGIN { printf "{\"name\":\"g\",\"x\":{\"0\":0"; for (i = 1; i < 2700000; i++) printf ",\"%x\":0", i; printf "}}" }' >members-doc.json
	for f in ordinary arrays members; do printf 'resources:\n  - {name: vm1, addresses: [10.0.0.4], nsgs: [%s-doc.json]}\n' $f >$f.yaml; done
	import() { rm -f j.db*; "$whittle" estate import --store j.db "$1.yaml"; }
	export whittle; export -f import
	for f in arrays members; do
		echo "$(kib bash -c 'import ordinary') $(kib bash -c "import $f")" | row "memory of a document of 32 MiB of empty $f, by an ordinary one" 2
	done
fi

if wanted estate; then
	mkdir four sixteen
	"$build/tools/make_estate" four 4000 40 20 20 && "$build/tools/make_estate" sixteen 16000 160 80 20 || exit 1
	a() { rm -f e.db*; "$whittle" estate import --store e.db four; }; b() { rm -f e.db*; "$whittle" estate import --store e.db sixteen; }
	pairs cpu a b | row "an estate of 16,000 machines, by four times one of 4,000" 2 4
	aws() { # N: subnets, each with a table, an ACL, an interface and a group of its own
		mkdir "aws$1"
		jq -n --argjson n "$1" 'def ip: "10.\(. / 65536 | floor).\(. / 256 | floor % 256).\(. % 256)"; {
			Vpcs: [{VpcId: "vpc-1", CidrBlock: "10.0.0.0/8"}],
			Subnets: [range($n) | {SubnetId: "subnet-\(.)", VpcId: "vpc-1", CidrBlock: "\(. * 16 | ip)/28"}],
			RouteTables: [range($n) | {RouteTableId: "rtb-\(.)", VpcId: "vpc-1", Routes: [{DestinationCidrBlock: "0.0.0.0/0", NetworkInterfaceId: "eni-\(.)"}], Associations: [{SubnetId: "subnet-\($n - 1 - .)"}]}],
			NetworkAcls: [range($n) | {NetworkAclId: "acl-\(.)", VpcId: "vpc-1", Associations: [{SubnetId: "subnet-\(.)"}], Entries: []}],
			NetworkInterfaces: [range($n) | {NetworkInterfaceId: "eni-\(.)", MacAddress: "0", SubnetId: "subnet-\(.)", VpcId: "vpc-1", PrivateIpAddress: (. * 16 + 4 | ip), Groups: [{GroupId: "sg-\(.)"}]}],
			SecurityGroups: [range($n) | {GroupId: "sg-\(.)", GroupName: "g\(.)", VpcId: "vpc-1", IpPermissions: [], IpPermissionsEgress: []}]
		} | to_entries[] | [.] | from_entries' -c | split -l 1 --additional-suffix=.json - "aws$1/"
	}
	aws 2000; aws 8000
	a() { rm -f e.db*; "$whittle" estate import --store e.db aws2000; }; b() { rm -f e.db*; "$whittle" estate import --store e.db aws8000; }
	pairs cpu a b | row "8,000 subnets of AWS with all that they may have, by four times 2,000" 2 4
fi

if wanted closed; then # the reader of the output ends after one line
	"$build/tools/gen_eve" --records 400000 --edges 200000 >many.json
	"$whittle" ingest --discover 10.0.0.0/8,2001:db8::/32 --store many.db many.json >/dev/null 2>&1
	a() { "$whittle" edges --store many.db; }; b() { "$whittle" edges --store many.db | head -n 1; }
	pairs cpu a b | row "edges after its output was closed, by all of its output" 0.5
fi

if wanted suricata; then
	if ! command -v suricata >/dev/null || [ ! -r "$STOCK" ]; then echo "# suricata or $STOCK is not there" >&2; exit 1; fi
	capture() { # NAME /64
		"$build/tools/flowpcap" --flows 60000 --clients 60000 --servers 6 --hours 1 --net "$2" "$1.pcap"
		printf '%%YAML 1.1\n---\ninclude: %s\nunix-command: {enabled: no}\nplugins: ["%s"]\noutputs:\n  - eve-log:\n      enabled: yes\n      filetype: whittle\n      whittle: {store: %s}\n      types: [flow, alert]\n' \
			"$STOCK" "$build/whittle-suricata.so" "$dir/$1-s.db" >"$1.s.yaml"
	}
	capture usual 2a02:0011:0022:0033; capture crafted db28:b4a0:d17e:03e7
	hear() { rm -f "$1"-s.db*; suricata -v -c "$1.s.yaml" -l "$dir" -r "$1.pcap" >"$1.s.log" 2>&1; }
	for _ in $(seq "$RUNS"); do
		echo "$(cpu hear usual) $(cpu hear crafted)"
		grep -ho '[0-9]* lost; [0-9]* edges added to or made' suricata.log crafted.s.log 2>/dev/null | tail -n 1 >>lost
		rm -f suricata.log
	done | row "60,000 crafted conversations in Suricata, by ordinary ones" 2
	awk '{ lost += $1; n++; if (!least || $3 < least) least = $3 } END { printf "records of them that were lost at the default memory, in %d runs (%d edges at least)\t%d\t0\t%s\n", n, least, lost, (n && !lost && least > 50000) ? "met" : "missed" }' lost
fi
