#!/bin/sh
# Expected: SystemCallFilter=@system-service, "General system service operations", lets a service sandbox itself: seccomp and Landlock only take
#   rights away and need no privilege.
# Seen (systemd 252 of Debian 12): of these the set holds prctl alone. seccomp() and the three calls of Landlock are in no set but @known, which is
#   every call that systemd can name. There is no set for sandboxing (@sandbox is not known).
# Matters to services that confine themselves: below the usual filter landlock_create_ruleset() ends the program, or fails with what
#   SystemCallErrorNumber says, such as EPERM, where a kernel without Landlock says ENOSYS. A program that takes any failure for "no Landlock
#   here" goes on unconfined, under systemd alone. The calls have to be named one by one in the unit.
. "${0%/*}/lib.sh"
debian bookworm systemd=252.39-1~deb12u2
groups() { in_debian bookworm systemd-analyze syscall-filter "$@"; }
members() { # SET: the calls of it and of the sets in it
	groups "$1" 2>/dev/null | sed 's/^ *//' | while read -r word rest; do
		case $word in "$1" | '#' | '') ;; @*) members "$word" ;; *) echo "$word" ;; esac
	done
}
members @system-service >"$tmp/members"
groups >"$tmp/all" 2>"$tmp/said"
awk '/^@/ { set = $1 } $1 == "seccomp" || $1 ~ /^landlock_/ { print set, $1 }' "$tmp/all" | sort >"$tmp/sets"
holds "prctl is in @system-service" grep -qx prctl "$tmp/members"
holds "seccomp and the calls of Landlock are not" eval '! grep -E "^seccomp$|landlock" "$tmp/members"'
printf '@known %s\n' landlock_add_rule landlock_create_ruleset landlock_restrict_self seccomp >"$tmp/known"
holds "they are in @known and in no other set" cmp "$tmp/sets" "$tmp/known"
holds "there is no set @sandbox" eval '! groups @sandbox 2>"$tmp/sandbox"'
cat "$tmp/sandbox"
