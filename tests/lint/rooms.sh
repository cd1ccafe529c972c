#!/bin/sh
# Holds every include, and every room that is reached through another header, against the table in tests/lint/rooms, and the picture in
# ARCHITECTURE.md against the one that `rooms.sh --picture` draws from that table: a room stands below all that it may include.
cd "$(dirname "$0")/../.." || exit 1
picture() {
	awk 'function level(room,   i, n, to, most) {
		if (room in at) return at[room]
		n = split(list[room], to, " ")
		for (i = 1; i <= n; i++) if (level(to[i]) >= most) most = level(to[i]) + 1
		return at[room] = most + 0
	}
	/^[a-z]+:/ { room = $1; sub(/:$/, "", room); $1 = ""; list[room] = $0; order[++rooms] = room }
	END {
		for (i = 1; i <= rooms; i++) {
			l = level(order[i])
			line[l] = line[l] (line[l] == "" ? "" : " · ") order[i]
			if (l > last) last = l
		}
		for (l = 0; l <= last; l++) printf "    %s\n", line[l]
	}' tests/lint/rooms
}
[ "${1:-}" != --picture ] || { picture; exit; }
bad=0
awk '
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
function path_of(header) { return header ~ /^whittle\// ? "include/" header : "core/" header }
function reach(file, own, first,   i, n, to, room) { # every header that a file gets, each once
	n = split(gets[file], to, " ")
	for (i = 1; i <= n; i++) {
		if (met[to[i]] == first) continue
		met[to[i]] = first
		room = room_of(to[i])
		if (room != own && !((own, room) in may) && !((own, room) in may_get) && !((own, room) in said)) {
			print first " gets " to[i] " through " substr(file, index(file, "/") + 1) ": " own " may not have " room
			said[own, room] = bad = 1
		}
		reach(path_of(to[i]), own, first)
	}
}
FILENAME == "tests/lint/rooms" {
	if (/^#/ || NF == 0) next
	if ($1 == "header") lives[$2] = $3
	else if ($1 == "shared") shared[$2] = 1
	else if ($1 == "gets") {
		sub(/:$/, "", $2)
		for (i = 3; i <= NF; i++) may_get[$2, $i] = 1
	}
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
	of[FILENAME] = own
	if (!(own in list)) { print FILENAME ": the room \047" own "\047 is not in tests/lint/rooms"; bad = 1; nextfile }
}
/^[ \t]*#[ \t]*include[ \t]*["<]/ {
	split($0, part, /["<>]/)
	room = room_of(part[2])
	if (!(room in list)) next
	gets[FILENAME] = gets[FILENAME] " " part[2]
	if (room == own) next
	if (!((own, room) in may)) {
		print FILENAME " includes " part[2] ": " own " may not include " room
		bad = 1
	} else if (part[2] !~ /^whittle\// && !(part[2] in shared)) {
		print FILENAME " includes " part[2] ": that header is private to " room
		bad = 1
	}
}
END {
	for (file in of) reach(file, of[file], file)
	exit bad
}' tests/lint/rooms $(find core include/whittle plugin -name '*.[ch]' | sort) || bad=1
[ $bad = 0 ] || exit 1 # a table with a circle can't be drawn
case $(cat ARCHITECTURE.md) in
*"$(picture)"*) ;;
*) echo "ARCHITECTURE.md: its picture is not what \`tests/lint/rooms.sh --picture\` prints"; exit 1 ;;
esac
echo "rooms: every include is in the table"
