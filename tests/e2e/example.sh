#!/bin/sh
# The introductory example: an allow rule for "140.20.30.10/24" on port 22. Five of the eight hosts of 140.20.30.8/29
# log in daily for 31 days. The narrowed rule allows 140.20.30.8/29 and denies the rest, in the group and in the kernel's language.
set -u
. "$(dirname "$0")/lib/start.sh"

. "$here/lib/example.sh"
export WHITTLE_CONFIG=/dev/null

"$w" --store l.db estate import estate.yaml >out 2>err && grep -q 'allow-ssh: 140.20.30.10/24 read as 140.20.30.0/24 (host bits were set)' out
check "host bits in a rule are read generously, with a note"
"$w" --store l.db ingest eve.json >out 2>err && grep -q '^341 records.* 341 flows' err out
check "31 days of 11 flows are read"
"$w" --store l.db recommend >out 2>err && grep -Eq '^vm1 +22/TCP +140\.20\.30\.8/29 ' out
check "five of eight hosts, daily for 31 days, make the rule 140.20.30.8/29"
"$w" --store l.db prove >out 2>err
check "the rule is proved to lie within the one in force"
"$w" --store l.db export --format nsg -o new.json >out 2>err &&
	jq -e '[.securityRules[] | {p: .priority, a: .access, s: .sourceAddressPrefix, d: .destinationPortRange}] | sort_by(.p) == [
		{p: 297, a: "Allow", s: "AzureLoadBalancer", d: "22"}, {p: 298, a: "Allow", s: "140.20.30.8/29", d: "22"}, {p: 299, a: "Deny", s: "*", d: "22"},
		{p: 300, a: "Allow", s: "140.20.30.10/24", d: "22"}]' new.json >>out 2>&1
check "the group gets the allow and the deny before the rule that they narrow, which stays as it was, and the balancer's probes pass"
"$w" --store l.db export --format nft >out 2>err && grep -q 'elements = { 140.20.30.8/29' out && grep -q '168.63.129.16' out
check "the kernel's rules hold the same prefix, and the probes of the balancer"
"$w" --store l.db explain vm1 22 >out 2>err && grep -q '140.20.30.8/29 holds 5 of the peers, 3 addresses not seen yet' out &&
	! grep -q '140\.20\.30\.200' out
check "explain names the five, and the three not seen; a peer that was never answered is not among them"
echo "1..$n"
