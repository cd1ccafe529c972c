#!/bin/sh
# The rooms' one-way rule: a room may include headers of rooms to its left and its own, never of one to its right.
cd "$(dirname "$0")/../.." || exit 1
exec awk '
function room_of(header) { # the room of a public header, or of "room/private.h"; "" where the header is none of ours
	if (header ~ /^whittle\//) {
		sub(/.*\//, "", header); sub(/\.h$/, "", header)
		return header in lives ? lives[header] : header
	}
	return header ~ /\// ? substr(header, 1, index(header, "/") - 1) : ""
}
BEGIN {
	# from left to right; the plugin stands beside cli at the end
	n = split("base flow ledger policy estate intel harden review render enforce reach assess alert serve cli", rooms, " ")
	for (i = 1; i <= n; i++) rank[rooms[i]] = i
	rank["plugin"] = n
	lives["config"] = "base"
	split("azure azure_groups jit watch persist", enforce, " ")
	for (i in enforce) lives[enforce[i]] = "enforce"
}
FNR == 1 {
	own = FILENAME ~ /^include\// ? room_of(substr(FILENAME, 9)) : FILENAME ~ /^core\// ? room_of(substr(FILENAME, 6)) : "plugin"
	if (!(own in rank)) { print FILENAME ": the room \047" own "\047 is not in the picture"; bad = 1; nextfile }
}
/^[ \t]*#[ \t]*include[ \t]*["<]/ {
	split($0, part, /["<>]/)
	room = room_of(part[2])
	if (!(room in rank)) next
	if (rank[room] > rank[own] || (own == "plugin" && room == "cli")) {
		print FILENAME " includes " part[2] ": " room " is to the right of " own
		bad = 1
	}
}
END {
	if (!bad) print "rooms: every include looks left"
	exit bad
}' core/*/*.[ch] include/whittle/*.h plugin/*.[ch]
