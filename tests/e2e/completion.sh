#!/bin/bash
# Completion in bash, zsh and fish: commands, words of a command, options, values of an option, and names of resources.
. "$(dirname "$0")/lib/start.sh"
top=$here/../../packaging/completions
export PATH=$BUILD:$PATH WHITTLE_STORE=$dir/l.db
printf 'resources:\n  - {name: web-frontend, addresses: [10.0.0.4]}\n' >estate.yaml
"$w" estate import estate.yaml >out 2>&1 || exit 1

in_bash() { # WORDS… (the last one is begun)
	bash -c '. "$1"; shift; COMP_WORDS=(whittle "$@"); COMP_CWORD=$#; _whittle; printf "%s\n" "${COMPREPLY[@]}"' bash "$top/whittle.bash" "$@"
}
# the functions of zsh's completion system that the script calls, as ones that print
in_zsh() {
	zsh -fc 'compadd() { [[ $1 == -- ]] && shift; print -l -- $@ }; _describe() { print -l -- ${${(P)2}%%:*} }; _files() { print FILES }
		file=$1; shift; words=(whittle "$@"); CURRENT=$#words; . $file' zsh "$top/_whittle" "$@"
}
in_fish() { fish --no-config -c "source $top/whittle.fish; complete -C'whittle $*'" | cut -f1; }

for shell in bash zsh fish; do
	if ! command -v $shell >/dev/null; then skip "$shell completes" "no $shell here"; continue; fi
	"in_$shell" enf >out 2>&1; grep -qx enforce out; check "$shell completes a command"
	"in_$shell" rules un >out 2>&1; grep -qx undo out; check "$shell completes the word of a command"
	"in_$shell" enforce --au >out 2>&1; grep -qx -- --audit out; check "$shell completes an option"
	"in_$shell" help rec >out 2>&1; grep -qx recommend out; check "$shell completes a command after help"
	"in_$shell" init --as "" >out 2>&1; grep -qx suricata out && grep -qx azure out; check "$shell completes the values of an option"
	"in_$shell" doctor --fail-on w >out 2>&1; grep -qx warn out; check "$shell completes the value that was begun"
	"in_$shell" explain web >out 2>&1; grep -qx web-frontend out; check "$shell completes the name of a resource"
done

# ---- the sources, the help, the manual and the completion name the same options ----
root=$here/../..
commands=$("$w" --help | sed -n '/^For every command/q; s/^  \([a-z][a-z-]*\)  *[^ #].*/\1/p' | grep -vx whittle)
mkdir help
for c in $commands; do "$w" help "$c" >"help/$c"; done
of_source() { # the command whose options a file of core/cli reads
	case $1 in
	azure) echo enforce ;;
	confirm) echo rollback ;;
	backup) echo restore-backup ;;
	*) echo "${1%%_*}" ;;
	esac
}
for source in "$root"/core/cli/*.c; do
	file=$(basename "$source" .c) c=$(of_source "$(basename "$source" .c)")
	[ -e "help/$c" ] || continue
	for option in $(grep -oE '\{"[a-z][a-z-]+", *([012]|no_argument|required_argument|\.[a-z_]+ =)' "$source" | sed 's/^{"\([a-z-]*\)".*/\1/' | grep -vx deny | sort -u); do # rules --deny is always refused
		grep -q -- "--$option\b" "help/$c" || echo "$file: --$option"
	done
done >out
[ ! -s out ]; check "each option that a command reads is in its help"
awk '/^\.It Cm [a-z]/ { c = $3 } /^\.Sh/ { c = "" } c != "" { n = split($0, a, " ")
	for (i = 1; i <= n; i++) if (a[i] == "Fl") for (j = i + 1; j <= n && (a[j] ~ /^-[a-z]/ || a[j] == "|" || a[j] == ","); j++) if (a[j] ~ /^-[a-z][a-z-]+$/) print c, "-" a[j] }' \
	"$root/packaging/man/whittle.1" | sort -u | while read -r c option; do
	[ ! -e "help/$c" ] || grep -q -- "$option\b" "help/$c" || echo "$c $option"
done >out
[ ! -s out ]; check "each option that the manual names for a command is in the command's help"
for c in $commands; do grep -q "^\.It Cm $c\b" "$root/packaging/man/whittle.1" || echo "$c"; done >out
[ ! -s out ] && [ "$(ls help | wc -l)" -gt 35 ]; check "each command is in the manual"
for c in $commands; do
	in_bash "$c" -- | grep -e '^--' | sort -u >offered
	{ grep -oE -- '--[a-z][a-z-]*' "help/$c"; printf '%s\n' --store --config --json --wide --long --help; } | sort -u | cmp -s - offered || echo "$c"
done >out
[ ! -s out ]; check "the completion offers the options of each command's help, and the common ones"
echo "1..$n"
