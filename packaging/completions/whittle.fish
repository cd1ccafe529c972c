# fish completion for whittle. Commands, options and their values are asked of the program itself, so they are those of the installed version.
function __whittle_commands
	whittle --help 2>/dev/null | string match -rg '^  ([a-z][a-z-]*  +[^ #].*)' | string match -v 'whittle *' | string replace -r '  +' \t
end

function __whittle_command
	for word in (commandline -opc)[2..]
		string match -q -- '-*' $word; or begin
			echo $word
			return 0
		end
	end
	return 1
end

# "--name<TAB>help" of each option of the command
function __whittle_options
	whittle help (__whittle_command) 2>/dev/null | string match -rag -- '--[a-z][a-z-]*' | sort -u
	whittle help (__whittle_command) 2>/dev/null | string match -rg '^  (--[a-z][a-z-]*)' | sort -u
	printf '%s\n' --store --config --json --wide --long --help
end

# The words that may follow a command: list, add, … of rules
function __whittle_words
	set -l command (__whittle_command)
	whittle help $command 2>/dev/null | string match -rg "^(?:usage:|      ) whittle $command ([a-z][a-z |]*)" | string split -n ' ' | string match -rv '^\|$' | sort -u
end

# Values that the option before the cursor names with bars: --as suricata|host|azure
function __whittle_values
	set -l before (commandline -opc)[-1]
	whittle help (__whittle_command) 2>/dev/null | string match -rg -- "$before ([a-z][a-z-]*(?:\|[a-z][a-z-]*)+)" | head -1 | string split '|'
end

# Names of resources, where the ledger can be read
function __whittle_resources
	whittle estate show --json 2>/dev/null | string match -rg '"name": "([^"]+)"' | sort -u
end

complete -c whittle -f
complete -c whittle -n 'not __whittle_command' -a '(__whittle_commands)'
complete -c whittle -n '__whittle_command | string match -q help' -a '(__whittle_commands)'
complete -c whittle -n __whittle_command -a '(__whittle_words)'
complete -c whittle -n __whittle_command -a '(__whittle_options)'
complete -c whittle -n __whittle_command -a '(__whittle_values)'
complete -c whittle -n '__whittle_command | string match -qr "^(recommend|explain|rules|prove|replay|jit)\$"' -a '(__whittle_resources)'
complete -c whittle -n '__whittle_command | string match -qr "^(ingest|estate|diff|assess|map|inventory)\$"' -F
complete -c whittle -l store -r -F -d 'the ledger'
complete -c whittle -l config -r -F -d whittle.yaml
complete -c whittle -l json -d 'print data as JSON'
complete -c whittle -l help -d 'what the command does'
