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
echo "1..$n"
