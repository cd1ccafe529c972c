# bash completion for whittle. Commands and options are asked of the program itself, so they are always those of the
# version that is installed.
_whittle_commands() {
	whittle --help 2>/dev/null | sed -n '/^For every command/q; s/^  \([a-z][a-z-]*\)  *[^ #].*/\1/p' | grep -vx whittle
}

# The words that may follow a command, as its usage tells them: list, add, … of rules.
_whittle_words() {
	whittle help "$1" 2>/dev/null | sed -n "s/^usage: whittle $1 \([a-z][a-z |]*\).*/\1/p; s/^       whittle $1 \([a-z][a-z |]*\).*/\1/p" | tr -s '| ' '\n\n' | sort -u
}

# Values that an option names with bars: --as suricata|host|azure
_whittle_values() {
	whittle help "$1" 2>/dev/null | grep -oE -- "$2 [a-z][a-z-]*(\|[a-z][a-z-]*)+" | head -n 1 | cut -d' ' -f2 | tr '|' '\n'
}

# Names of resources, where the ledger can be read.
_whittle_resources() {
	whittle estate show --json 2>/dev/null | sed -n 's/.*"name": "\([^"]*\)".*/\1/p' | sort -u
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
			COMPREPLY=($(compgen -W "--store --config --json --wide --long --help --version" -- "$cur"))
		else
			COMPREPLY=($(compgen -W "$(_whittle_commands) help" -- "$cur"))
		fi
		return
	fi
	if [[ $prev == --format ]]; then
		COMPREPLY=($(compgen -W "$(whittle help "$command" 2>/dev/null | sed -n 's/^  --format \([a-z][a-z]*\).*/\1/p; s/.*Known: //p' | tr ',' ' ')" -- "$cur"))
		return
	fi
	if [[ $prev == --* ]]; then
		COMPREPLY=($(compgen -W "$(_whittle_values "$command" "$prev")" -- "$cur"))
		((${#COMPREPLY[@]})) && return
	fi
	if [[ $cur == -* ]]; then
		COMPREPLY=($(compgen -W "$(whittle help "$command" 2>/dev/null | grep -oE -- '--[a-z][a-z-]*' | sort -u) --store --config --json --wide --long --help" -- "$cur"))
		return
	fi
	if [[ $prev == "$command" ]]; then
		COMPREPLY=($(compgen -W "$(_whittle_words "$command")" -- "$cur"))
		((${#COMPREPLY[@]})) && return
	fi
	case $command in
	recommend|explain|rules|prove|replay|jit)
		COMPREPLY=($(compgen -W "$(_whittle_resources)" -- "$cur"))
		((${#COMPREPLY[@]})) && return ;;
	esac
	COMPREPLY=($(compgen -f -- "$cur"))
}
complete -o filenames -F _whittle whittle
