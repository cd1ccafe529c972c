# bash completion for whittle. Commands and options are asked of the program itself, so they are always those of the
# version that is installed.
_whittle_commands() {
	whittle --help 2>/dev/null | sed -n '/^For every command/q; s/^  \([a-z][a-z-]*\)  *[^ #].*/\1/p' | grep -vx whittle
}

# The words that may follow a command, as its usage tells them: list, add, … of rules.
_whittle_words() {
	whittle help "$1" 2>/dev/null | sed -n "s/^usage: whittle $1 \([a-z][a-z |]*\).*/\1/p; s/^       whittle $1 \([a-z][a-z |]*\).*/\1/p" | tr -s '| ' '\n\n' | sort -u
}

_whittle() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= i word
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		--store|--config) ((i++)) ;;
		-*|=) ;;
		*) command=$word; break ;;
		esac
	done
	case $prev in
	--store|--config|--output|--plugin|--in|--pdf|--evidence-file) COMPREPLY=($(compgen -f -- "$cur")); return ;;
	esac
	if [[ -z $command || $command == help && $cur != -* ]]; then
		if [[ $cur == -* ]]; then
			COMPREPLY=($(compgen -W "--store --config --json --help --version" -- "$cur"))
		else
			COMPREPLY=($(compgen -W "$(_whittle_commands) help" -- "$cur"))
		fi
		return
	fi
	if [[ $prev == --format ]]; then
		COMPREPLY=($(compgen -W "$(whittle help "$command" 2>/dev/null | sed -n 's/^  --format \([a-z][a-z]*\).*/\1/p; s/.*Known: //p' | tr ',' ' ')" -- "$cur"))
		return
	fi
	if [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$(whittle help "$command" 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u) --store --config --help" -- "$cur"))
		return
	fi
	if [[ $prev == "$command" ]]; then
		COMPREPLY=($(compgen -W "$(_whittle_words "$command")" -- "$cur"))
		((${#COMPREPLY[@]})) && return
	fi
	COMPREPLY=($(compgen -f -- "$cur"))
}
complete -o filenames -F _whittle whittle
