# shellcheck shell=bash
# Runs a command as a systemd unit would: as the unit's user, with its capabilities, its filter of system calls and its address families. Sourced.
# under_unit_ready UNIT compiles the filter (0, or 1 with the reason in $dir/under.log).

# The calls of a group, as systemd on this machine has them; groups in groups are followed.
calls_of() {
	case $1 in
	@*) systemd-analyze syscall-filter "$1" | sed -n 's/^ *\([-@a-z_0-9]*\)$/\1/p' | sed 1d | while read -r c; do calls_of "$c"; done ;;
	*) echo "$1" ;;
	esac
}

# SystemCallFilter= line by line: the first allows, ~ takes away, another adds.
calls_allowed() {
	local line word
	: >"$dir/calls"
	# what systemd itself always allows, and what it runs the program with
	printf '%s\n' execve exit exit_group rt_sigreturn sigreturn getrlimit time clock_gettime nanosleep clock_nanosleep restart_syscall >>"$dir/calls"
	sed -n 's/^SystemCallFilter=//p' "$1" | while read -r line; do
		for word in ${line#\~}; do calls_of "$word"; done | sort -u >"$dir/calls.line"
		if [ "${line#\~}" = "$line" ]; then cat "$dir/calls.line" >>"$dir/calls"
		else grep -vxFf "$dir/calls.line" "$dir/calls" >"$dir/calls.left"; mv "$dir/calls.left" "$dir/calls"; fi
	done
	sort -u "$dir/calls"
}

under_unit_ready() {
	[ ! -x "$dir/under.${1##*/}" ] || return 0 # each unit's once
	{ command -v systemd-analyze && command -v "${CC:-gcc}" && command -v setpriv; } >"$dir/under.log" 2>&1 || { echo "no systemd-analyze, C compiler or setpriv" >>"$dir/under.log"; return 1; }
	{
		cat <<-'C'
		#include <linux/audit.h>
		#include <linux/filter.h>
		#include <linux/netlink.h>
		#include <linux/seccomp.h>
		#include <errno.h>
		#include <stddef.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <sys/prctl.h>
		#include <sys/socket.h>
		#include <sys/syscall.h>
		#include <unistd.h>
		static const int allowed[] = {
		C
		calls_allowed "$1" | sed 's/.*/#ifdef __NR_&\n__NR_&,\n#endif/'
		cat <<-'C'
		};
		#define N (sizeof allowed / sizeof *allowed)
		static struct sock_filter f[2 * N + 16];
		int main(int argc, char **argv)
		{
			size_t n = 0;
			struct sock_fprog prog = {.filter = f};
			f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
			f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, 5);
			f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args));
			f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FAMILY_A, 2, 0);
			f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FAMILY_B, 1, 0);
			f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT);
			f[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
			for (size_t i = 0; i < N; i++) {
				f[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i], 0, 1);
				f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
			}
			f[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
			prog.len = (unsigned short)n;
			if (argc < 2 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
				return perror("under_unit"), 126;
			execvp(argv[1], argv + 1);
			return perror(argv[1]), 127;
		}
		C
	} >"$dir/under.c"
	local families
	read -ra families < <(sed -n 's/^RestrictAddressFamilies=//p' "$1")
	"${CC:-gcc}" -DFAMILY_A="${families[0]}" -DFAMILY_B="${families[1]:-${families[0]}}" -o "$dir/under.${1##*/}" "$dir/under.c" >>"$dir/under.log" 2>&1
}

# The words before a command that runs as UNIT would: under_unit UNIT; "${as_unit[@]}" COMMAND…
under_unit() {
	local user caps
	user=$(sed -n 's/^User=//p' "$1")
	caps=$(sed -n 's/^CapabilityBoundingSet=//p' "$1" | sed 's/CAP_/+/g; s/ /,/g' | tr '[:upper:]' '[:lower:]')
	as_unit=(setpriv ${user:+--reuid "$(id -u "$user")" --regid "$(id -g "$user")" --clear-groups} --bounding-set "-all,$caps")
	caps=$(sed -n 's/^AmbientCapabilities=//p' "$1" | sed 's/CAP_/+/g; s/ /,/g' | tr '[:upper:]' '[:lower:]')
	as_unit+=(--inh-caps "-all${caps:+,$caps}" --ambient-caps "-all${caps:+,$caps}" "$dir/under.${1##*/}")
}

# service_user: a user whittle, in a copy of the system's list that this process and those it starts see, where it runs alone: re-runs the script
# in a namespace of mounts of its own.
service_user() {
	[ -z "${SERVICE_USER:-}" ] || return 0
	local made
	made=$(mktemp -d) || return 1
	{ grep -v '^whittle:' /etc/passwd; echo 'whittle:x:988:988::/:/usr/sbin/nologin'; } >"$made/passwd"
	{ grep -v '^whittle:' /etc/group; echo 'whittle:x:988:'; } >"$made/group"
	chmod 644 "$made"/*
	# shellcheck disable=SC2016
	SERVICE_USER=$made exec unshare -m --propagation private sh -c 'mount --bind "$SERVICE_USER/passwd" /etc/passwd && mount --bind "$SERVICE_USER/group" /etc/group && exec bash "$0"' "$0"
}
