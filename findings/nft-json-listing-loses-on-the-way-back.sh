#!/bin/sh
# Expected: `nft -j list ruleset` followed by `nft -j -f` restores the ruleset, as the text form does.
# Seen (nft 1.0.6): a set's `auto-merge` and its comment and the times of a `ct timeout` object are lost without an error; a chain without a
#   name is printed as one string of rule text, and a `ct expectation` as flat members: neither is accepted back.
# Matters to a program that keeps a firewall's state as JSON because it is easier to read: the restore succeeds and is not the same, or
#   the whole transaction is refused. The text form of the same rulesets loads and lists alike.
. "${0%/*}/lib.sh"
debian bookworm nftables=1.0.6-2+deb12u2 netbase=6.4
namespace a
nft() { inside a chroot "$tmp/bookworm" nft "$@"; }
# there_and_back TEXT: load it, list it as text and as JSON, and load each listing into an empty kernel. Sets text= and json= to same, differs, refused.
there_and_back() {
	nft flush ruleset
	printf '%s\n' "$1" | nft -f -
	nft list ruleset >"$tmp/text"
	nft -j list ruleset >"$tmp/bookworm/tmp/json" 2>/dev/null
	nft flush ruleset
	text=refused json=refused
	if nft -f - <"$tmp/text"; then
		text=differs
		nft list ruleset >"$tmp/text.after"
		if cmp -s "$tmp/text" "$tmp/text.after"; then text=same; fi
	fi
	nft flush ruleset
	if nft -j -f /tmp/json 2>/dev/null; then
		json=differs
		nft list ruleset >"$tmp/json.after"
		if cmp -s "$tmp/text" "$tmp/json.after"; then json=same; fi
	fi
}

there_and_back 'table inet t {
	set s {
		type ipv4_addr
		flags interval
		auto-merge
		comment "offices"
		elements = { 192.0.2.0/25 }
	}
}'
holds "a set: text restores it" [ "$text" = same ]
holds "a set: JSON is accepted, but what it restores differs" [ "$json" = differs ]
holds "a set: auto-merge and the comment are gone, the elements are there" \
	eval '! grep -E "auto-merge|offices" "$tmp/json.after" && grep 192.0.2.0/25 "$tmp/json.after"'

there_and_back 'table inet t {
	ct timeout patient {
		protocol tcp
		policy = { established : 100, close : 4 }
	}
}'
holds "a ct timeout: text restores it" [ "$text" = same ]
holds "a ct timeout: JSON is accepted, and restores an empty policy" eval '[ "$json" = differs ] && grep "policy = {  }" "$tmp/json.after"'

there_and_back 'table inet t {
	chain c {
		jump {
			ip saddr 192.0.2.1 drop
		}
	}
}'
holds "a chain without a name: text restores it" [ "$text" = same ]
holds "a chain without a name: JSON has it as a string and does not take it back" \
	eval '[ "$json" = refused ] && grep "\"expr\": \[\"jump {" "$tmp/bookworm/tmp/json"'

there_and_back 'table inet t {
	ct expectation ftp_like {
		protocol tcp
		dport 9876
		timeout 2m
		size 12
		l3proto ip
	}
}'
holds "a ct expectation: text restores it" [ "$text" = same ]
holds "a ct expectation: JSON does not take back what it printed" [ "$json" = refused ]
