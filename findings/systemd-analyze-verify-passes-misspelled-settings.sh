#!/bin/sh
# Expected: "systemd-analyze verify UNIT" fails for a unit with settings that systemd does not know, as a checker in a build would.
# Seen (systemd 252 and 257): it warns and exits with 0 for an unknown key, an unknown section and a value that it can't read, and the
#   setting is ignored when the unit runs. It exits with 1 only for what keeps a unit from being loaded or started, such as a missing program.
# Matters to builds that hold their units' protection against typing errors: "ProtectSytem=strict" protects nothing, and the check is
#   green. What it prints has to be read, or the settings in force be asked for.
. "${0%/*}/lib.sh"
debian bookworm systemd=252.39-1~deb12u2 coreutils
debian trixie systemd=257.13-1~deb13u1 coreutils
verify() { in_debian "$1" systemd-analyze verify --man=no "/$2.service" >"$tmp/said" 2>&1; }
for suite in bookworm trixie; do
	printf '[Service]\nExecStart=/usr/bin/true\nProtectSytem=strict\n' >"$tmp/$suite/key.service"
	printf '[Service]\nExecStart=/usr/bin/true\nProtectSystem=strickt\n' >"$tmp/$suite/value.service"
	printf '[Service]\nExecStart=/usr/bin/true\n[Sevrice]\nProtectSystem=strict\n' >"$tmp/$suite/section.service"
	printf '[Service]\nExecStart=/usr/bin/absent\n' >"$tmp/$suite/program.service"
	for kind in key value section; do
		holds "$suite: a misspelled $kind is success" verify $suite $kind
		holds "$suite: the $kind is only warned of" grep -iE "^/$kind.service:[0-9]+: .*ignor" "$tmp/said"
	done
	holds "$suite: a program that is not there is a failure" eval "! verify $suite program"
done
