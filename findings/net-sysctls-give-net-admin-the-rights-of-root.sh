#!/bin/sh
# Expected: a file below /proc/sys of mode 0644 that root owns can be written by root, or with CAP_DAC_OVERRIDE; CAP_NET_ADMIN opens sockets.
# Seen (Linux 6.18): below /proc/sys/net a process of another user with CAP_NET_ADMIN alone has the owner's rights: it writes 0644 files, whose
#   mode says that it can't. Elsewhere below /proc/sys it can't.
# Matters to services with User= and AmbientCapabilities=CAP_NET_ADMIN: they can switch on forwarding, conntrack's accounting, or reverse-path filters
#   off. The mode that stat() shows is no protection from them.
. "${0%/*}/lib.sh"
need setpriv
namespace a
echo "software: Linux $(uname -r | cut -d. -f1,2)"
holds "ip_forward is root's, 0644" eval '[ "$(inside a stat -c %u:%a /proc/sys/net/ipv4/ip_forward)" = 0:644 ]'
as_nobody() { # CAPABILITY COMMAND…
	caps=$1
	shift
	inside a setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps="$caps" --ambient-caps="$caps" --bounding-set="$caps" --no-new-privs "$@"
}
write() { # CAPABILITY FILE VALUE
	as_nobody "$1" sh -c 'echo "$2" >"$1"' - "$2" "$3" 2>"$tmp/refused"
}
# the write happens in a namespace of this script's own: 0 becomes 1 there alone
before=$(cat /proc/sys/net/ipv4/ip_forward)
holds "without a capability it can't be written" eval '! write -all /proc/sys/net/ipv4/ip_forward 1'
holds "that is EACCES" grep -i "permission denied" "$tmp/refused"
holds "with CAP_NET_ADMIN it can" write -all,+net_admin /proc/sys/net/ipv4/ip_forward 1
holds "it is 1 now" eval '[ "$(inside a cat /proc/sys/net/ipv4/ip_forward)" = 1 ]'
holds "and unchanged outside of the namespace" [ "$before" = "$(cat /proc/sys/net/ipv4/ip_forward)" ]
value=$(cat /proc/sys/kernel/randomize_va_space)
holds "a file outside of /proc/sys/net can't be written" eval '! write -all,+net_admin /proc/sys/kernel/randomize_va_space "$value"'
holds "that is EACCES, too" grep -i "permission denied" "$tmp/refused"
