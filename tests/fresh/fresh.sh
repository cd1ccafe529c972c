#!/bin/sh
# The README on a fresh machine: minimal Debian 12 and 13, made with debootstrap and thrown away, in which root has neither make nor sudo.
# In each: the one extra word, then the two commands. usage: fresh.sh [bookworm|trixie]…   TARGETS="demo test" chooses commands.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/fresh/root.sh"

one() { # SUITE
	begin_root "$1"
	inside "$root" 'command -v make || command -v sudo' >>"$log" 2>&1
	[ $? -ne 0 ]; say $? "$1: neither make nor sudo is there"
	inside "$root" 'apt-get -q update && apt-get -q install -y make' >>"$log" 2>&1
	say $? "$1: apt-get install -y make"
	for t in ${TARGETS:-demo test}; do
		inside "$root" "cd /opt/whittle && make $t" >"$cache/fresh-$1-$t.log" 2>&1
		status=$?
		say $status "$1: make $t"
		[ $status = 0 ] || tail -n 25 "$cache/fresh-$1-$t.log" | sed 's/^/# /'
		tail -n 1 "$cache/fresh-$1-$t.log" | sed 's/^/# /'
	done
	rm -rf --one-file-system "$root"
}

{ # read whole, so that the file may change while this runs
	[ $# -gt 0 ] || set -- bookworm trixie
	registry=$(npm config get registry 2>/dev/null) # the same as here
	export registry
	for suite; do one "$suite"; done
	echo "1..$n"
	exit
}
