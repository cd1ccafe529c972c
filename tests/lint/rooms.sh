#!/bin/sh
# The rooms' one-way rule: a room may include headers of rooms to its left and its own, never of one to its right.
cd "$(dirname "$0")/../.." || exit 1
rooms="base flow ledger policy estate intel harden review render enforce reach assess alert serve cli"
place() { # the room a public header belongs to, or the room itself
	case $1 in
	base | config) echo base ;;
	azure | azure_groups | jit | watch | persist) echo enforce ;;
	*) echo "$1" ;;
	esac
}
rank() { i=0; for r in $rooms; do i=$((i + 1)); [ "$r" = "$1" ] && { echo $i; return; }; done; echo 0; }
bad=0
for f in core/*/*.[ch] include/whittle/*.h plugin/*.[ch]; do
	case $f in
	core/*) own=${f#core/}; own=${own%%/*} ;;
	include/*) own=$(place "$(basename "$f" .h)") ;;
	plugin/*) own=cli ;; # stands at the end: may use every room but cli itself
	esac
	here=$(rank "$own")
	[ "$here" -gt 0 ] || { echo "$f: the room '$own' is not in the picture"; bad=1; }
	for h in $(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([^"]*\)".*/\1/p' "$f"); do
		case $h in
		whittle/*) room=$(place "$(basename "$h" .h)") ;;
		*/*) room=${h%%/*} ;;
		*) continue ;;
		esac
		there=$(rank "$room")
		[ "$there" -gt 0 ] || continue
		if [ "$there" -gt "$here" ]; then echo "$f includes $h: $room is to the right of $own"; bad=1; fi
	done
done
[ $bad = 0 ] && echo "rooms: every include looks left"
exit $bad
