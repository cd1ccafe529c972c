#!/bin/sh
# A manual page for each command, made of what `whittle help COMMAND` prints: one source for both. usage: [RUN=EMULATOR] pages.sh PROGRAM DIRECTORY
set -eu
program=$1 dir=$2
asked() { ${RUN:-} "$program" "$@"; }
commands=$(asked --help | sed -n '/^For every command/q; s/^  \([a-z][a-z-]*\)  *[^ #].*/\1/p' | grep -vx whittle)
for command in $commands; do
	{
		printf '.\\" SPDX-License-Identifier: GPL-2.0-or-later\n.Dd November 29, 2026\n.Dt WHITTLE-%s 1\n.Os\n.Sh NAME\n.Nm whittle-%s\n.Nd ' \
			"$(printf %s "$command" | tr 'a-z' 'A-Z')" "$command"
		asked --help | sed -n "s/^  $command  *\([^ #].*\)/\1/p" | head -n 1
		printf '.Sh DESCRIPTION\n.Bd -literal\n'
		# a line that begins with a dot or a quote would be a request, and a backslash an escape
		asked help "$command" | sed 's/\\/\\e/g; s/^\([.'"'"']\)/\\\&\1/; s/-/\\-/g'
		printf '.Ed\n.Sh SEE ALSO\n.Xr whittle 1\n'
	} >"$dir/whittle-$command.1"
done
