#!/bin/sh
# Holds every include against the table in tests/lint/rooms. `rooms.sh --picture` prints the table as ARCHITECTURE.md shows it.
cd "$(dirname "$0")/../.." || exit 1
[ "${1:-}" != --picture ] || exec awk '/^[a-z]+:/ { room = $1; sub(/:$/, "", room); $1 = ""; printf "    %-9s →%s\n", room, $0 == "" ? " –" : $0 }' tests/lint/rooms
exec awk '
function room_of(header) { # the room of a public header, or of "room/private.h"; "" where the header is none of ours
	if (header ~ /^whittle\//) {
		sub(/.*\//, "", header); sub(/\.h$/, "", header)
		return header in lives ? lives[header] : header
	}
	return header ~ /\// ? substr(header, 1, index(header, "/") - 1) : ""
}
function walk(room,   i, n, to) { # depth first: a room that is met again on the way to itself closes a circle
	if (state[room] == 2) return
	if (state[room] == 1) { print "tests/lint/rooms: a circle goes through \047" room "\047"; bad = 1; return }
	state[room] = 1
	n = split(list[room], to, " ")
	for (i = 1; i <= n; i++) {
		if (!(to[i] in list)) { print "tests/lint/rooms: \047" room "\047 names \047" to[i] "\047, which has no line"; bad = 1 }
		else walk(to[i])
	}
	state[room] = 2
}
FILENAME == "tests/lint/rooms" {
	if (/^#/ || NF == 0) next
	if ($1 == "header") lives[$2] = $3
	else if ($1 == "shared") shared[$2] = 1
	else {
		room = $1; sub(/:$/, "", room); $1 = ""
		list[room] = $0
		n = split($0, to, " ")
		for (i = 1; i <= n; i++) may[room, to[i]] = 1
	}
	next
}
FNR == 1 && !walked { walked = 1; for (room in list) walk(room) }
FNR == 1 {
	own = FILENAME ~ /^include\// ? room_of(substr(FILENAME, 9)) : FILENAME ~ /^core\// ? room_of(substr(FILENAME, 6)) : "plugin"
	if (!(own in list)) { print FILENAME ": the room \047" own "\047 is not in tests/lint/rooms"; bad = 1; nextfile }
}
/^[ \t]*#[ \t]*include[ \t]*["<]/ {
	split($0, part, /["<>]/)
	room = room_of(part[2])
	if (!(room in list) || room == own) next
	if (!((own, room) in may)) {
		print FILENAME " includes " part[2] ": " own " may not include " room
		bad = 1
	} else if (part[2] !~ /^whittle\// && !(part[2] in shared)) {
		print FILENAME " includes " part[2] ": that header is private to " room
		bad = 1
	}
}
END {
	if (!bad) print "rooms: every include is in the table"
	exit bad
}' tests/lint/rooms $(find core include/whittle plugin -name '*.[ch]' | sort)
