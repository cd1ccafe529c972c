#!/bin/sh
# Expected: `command & … kill $!` ends the command that was put into the background, whatever stands between that does not put another there.
# Seen (bash 5.2.15): a process substitution changes $!, although nothing of the script's is in the background: after `read -t 1 < <(list)` it is the
#   process of the list. `kill $!` and `wait $!` mean that one, and succeed or fail without a word; the command runs on. With a command substitution
#   or a here-document instead, $! stays.
# Matters to scripts that pause by reading from a process substitution, which spares a process for each pause, and then stop what they began: a test
#   that interrupts a program so interrupts nothing, and passes. The number must be kept in a variable at once.
. "${0%/*}/lib.sh"
debian bookworm bash=5.2.15-2+b13
cat >"$tmp/bookworm/pids.sh" <<'S'
sleep 30 &
child=$!
word=$(echo one); read -r word <<X
two
X
[ "$!" = "$child" ] && echo "a command substitution and a here-document leave it"
read -r word < <(echo three)
[ "$!" != "$child" ] && echo "a process substitution changes it"
kill "$!" 2>/dev/null
wait "$!" 2>/dev/null
kill -0 "$child" && echo "the command runs on"
kill "$child"
S
# Not in a root of its own: a process substitution needs /dev/fd.
root=$tmp/bookworm
loader=$(find "$root/lib64/" "$root/lib/" -name 'ld-linux-*.so.*' 2>/dev/null | head -n 1)
[ -n "$loader" ] || skip "this machine's loader is not known"
"$loader" --library-path "$(echo "$root"/lib/*-linux-gnu):$(echo "$root"/usr/lib/*-linux-gnu)" "$root/bin/bash" "$root/pids.sh" >"$tmp/out"
for line in "a command substitution and a here-document leave it" "a process substitution changes it" "the command runs on"; do
	holds "$line" grep -x "$line" "$tmp/out"
done
