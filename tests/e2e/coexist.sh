#!/bin/bash
# Other people's tables: ufw's and firewalld's stay as they are byte for byte through everything that whittle does, and still judge.
# ufw is the real one, in a root directory of its own; firewalld needs a message bus that a namespace does not have, so a table of its
# name and shape stands for it.
cd "$(dirname "$0")/../.." || exit 1
. tests/support/netns.sh
netns_begin
for p in 22 25 80; do serve "$srv" $p serve; done
cat >"$dir/firewalld.nft" <<'N'
table inet firewalld {
	flags owner
	chain mangle_PREROUTING { type filter hook prerouting priority mangle + 10; policy accept; jump mangle_PREROUTING_ZONES; }
	chain mangle_PREROUTING_ZONES { goto mangle_PRE_public; }
	chain mangle_PRE_public { }
	chain filter_INPUT {
		type filter hook input priority filter + 10; policy accept;
		ct state { established, related } accept
		ct status dnat accept
		iifname "lo" accept
		ct state invalid drop
		jump filter_INPUT_ZONES
		reject with icmpx admin-prohibited
	}
	chain filter_INPUT_ZONES { goto filter_IN_public; }
	chain filter_IN_public {
		jump filter_IN_public_allow
		meta l4proto { icmp, ipv6-icmp } accept
	}
	chain filter_IN_public_allow {
		tcp dport 22 accept
		tcp dport 80 accept
	}
}
N
sed -i '/flags owner/d' "$dir/firewalld.nft" # an owner's table ends with its process

others() { in_srv nft -s list ruleset 2>/dev/null | awk '/^table inet whittle/{skip=1} !skip{print} /^}/{skip=0}'; }
if command -v ufw >/dev/null; then
	mkdir -p "$dir/ufw"; cp -a --parents /etc/ufw /etc/default/ufw /lib/ufw /usr/share/ufw "$dir/ufw" 2>/dev/null; mkdir -p "$dir/ufw/run" "$dir/ufw/var/lib/ufw"
	run_ufw() { in_srv ufw --rootdir="$dir/ufw" --datadir="$dir/ufw" "$@" >"$dir/ufw.log" 2>&1; }
	run_ufw allow 22/tcp; run_ufw allow 80/tcp; run_ufw --force enable
	in_srv nft list ruleset 2>/dev/null | grep -q 'ufw-user-input'; rc=$?
	[ $rc = 0 ] || sed 's/^/# /' "$dir/ufw.log"
	t $rc "ufw is up, with 22 and 80 open"
	is "$(from 203.0.113.77 25)" "no connection" "and closes 25"
else
	n=$((n + 1)); echo "ok $n - ufw is up # skip ufw is not installed"
fi
in_srv nft -f "$dir/firewalld.nft"; t $? "a table of firewalld's shape is there"
others >"$dir/before"
printf 'port in tcp 22\n140.20.30.8/29\nport in tcp 25\n140.20.30.8/29\n' >"$dir/rules"
printf 'port in tcp 22\n140.20.30.8/29\n203.0.113.78\n' >"$dir/little"
same() { others >"$dir/now"; cmp -s "$dir/before" "$dir/now"; t $? "the others' tables are byte for byte as before: $1" "$(diff "$dir/before" "$dir/now" | head -5)"; }

tool apply "$dir/rules" 60 >/dev/null; same "after an apply"
is "$(from 140.20.30.9)" connects "who is allowed by all connects"
is "$(from 203.0.113.77)" "no connection" "whom whittle leaves out does not"
is "$(from 203.0.113.77 80)" connects "a port that whittle has no rule for is theirs to judge"
is "$(from 140.20.30.9 25)" "no connection" "what whittle allows and they close stays closed: it can only narrow"
tool confirm; same "after a confirm"
tool apply "$dir/little" 60 >/dev/null; tool confirm; same "after differences"
is "$(from 203.0.113.78)" connects "which hold"
in_srv nft add rule inet firewalld filter_IN_public_allow tcp dport 443 accept
others >"$dir/before"
tool apply "$dir/rules" 0 >/dev/null; t $? "they change a rule of theirs, and whittle goes on"
same "after that"
if command -v ufw >/dev/null; then
	run_ufw allow 25/tcp
	others >"$dir/before"
	is "$(from 140.20.30.9 25) / $(from 203.0.113.77 25)" "no connection / no connection" "ufw opens 25, the other one still closes it"
	in_srv nft add rule inet firewalld filter_IN_public_allow tcp dport 25 accept
	others >"$dir/before"
	is "$(from 140.20.30.9 25) / $(from 203.0.113.77 25)" "connects / no connection" "both open it: then whittle's rule decides"
fi
tool rollback; same "after the rollback"
in_srv nft list ruleset 2>/dev/null | grep -q 'table inet whittle'; [ $? = 1 ]; t $? "and nothing of whittle is left"
echo "1..$n"
