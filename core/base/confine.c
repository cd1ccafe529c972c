/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filters list system-call numbers from the kernel's own headers, and need no library: the list is the policy. A call that
 * newer C libraries try first (clone3) fails with ENOSYS, so that they fall back to the listed call. For socket(2), ioctl(2),
 * clone(2) and prlimit(2) the arguments are checked too.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include "base/confine.h"

#if defined __x86_64__
#define ARCH AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#elif defined __riscv && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#endif

#ifdef ARCH
#define CALL(name) __NR_##name
/* All kinds: open descriptors, memory, time, signals. */
static const int always[] = {
	CALL(read),
	CALL(write),
	CALL(readv),
	CALL(writev),
	CALL(pread64),
	CALL(pwrite64),
	CALL(lseek),
	CALL(close),
	CALL(fstat),
	CALL(newfstatat),
	CALL(fcntl),
	CALL(mmap),
	CALL(munmap),
	CALL(mremap),
	CALL(mprotect),
	CALL(madvise),
	CALL(brk),
	CALL(recvmsg),
	CALL(recvfrom),
	CALL(recvmmsg),
	CALL(sendmsg),
	CALL(sendto),
	CALL(getsockopt),
	CALL(setsockopt),
	CALL(ppoll),
	CALL(pselect6),
	CALL(clock_gettime),
	CALL(clock_nanosleep),
	CALL(clock_getres),
	CALL(nanosleep),
	CALL(gettimeofday),
	CALL(getrandom),
	CALL(uname),
	CALL(sysinfo),
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(sigaltstack),
	CALL(restart_syscall),
	CALL(exit),
	CALL(exit_group),
	CALL(futex),
	CALL(getpid),
	CALL(getppid),
	CALL(gettid),
	CALL(getuid),
	CALL(geteuid),
	CALL(getgid),
	CALL(getegid),
	CALL(getresuid),
	CALL(getresgid),
	CALL(capget),
	CALL(sched_yield),
	CALL(set_robust_list),
	CALL(membarrier),
#ifdef __NR_rseq
	CALL(rseq),
#endif
#ifdef __NR_poll /* the old calls of the older architectures */
	CALL(poll),
	CALL(select),
	CALL(time),
	CALL(arch_prctl),
#endif
};
/* Calls that open files, within the rights of the process's user. */
static const int files[] = {
	CALL(statx),      CALL(openat),      CALL(mkdirat), CALL(unlinkat),   CALL(renameat2), CALL(readlinkat),
	CALL(faccessat),  CALL(fchmod),      CALL(fsync),   CALL(fdatasync),  CALL(ftruncate), CALL(dup),
	CALL(dup3),       CALL(umask),       CALL(getcwd),  CALL(getdents64), CALL(pipe2),     CALL(memfd_create),
	CALL(bind),       CALL(getsockname),
#ifdef __NR_faccessat2
	CALL(faccessat2),
#endif
#ifdef __NR_renameat
	CALL(renameat),
#endif
#ifdef __NR_open
	CALL(open),       CALL(stat),        CALL(lstat),   CALL(access),     CALL(unlink),    CALL(rename),
	CALL(mkdir),      CALL(readlink),    CALL(pipe),    CALL(dup2),       CALL(getdents),
#endif
};
/* Calls that a network library needs, with threads for name resolution. */
static const int network[] = {
	CALL(socket),      CALL(connect),           CALL(getpeername),    CALL(shutdown),           CALL(socketpair),
	CALL(sendmmsg),    CALL(eventfd2),       CALL(epoll_create1),      CALL(epoll_ctl),
	CALL(epoll_pwait), CALL(sched_getaffinity), CALL(sched_getparam), CALL(sched_getscheduler), CALL(tgkill),
	CALL(statfs),      CALL(fstatfs),           CALL(prctl),
#ifdef __NR_epoll_wait
	CALL(epoll_wait),
#endif
#ifdef __NR_alarm
	CALL(alarm),
#endif
};
/* Accepting connections and shutting them down. */
static const int listener[] = {CALL(accept4), CALL(shutdown)};
static const int waiter[] = {
	CALL(epoll_ctl), CALL(epoll_pwait), CALL(getpeername), CALL(getsockname),
#ifdef __NR_epoll_wait
	CALL(epoll_wait),
#endif
};
/* Calls of the ledger's reader: threads, locks, timers, its own log. */
static const int reader[] = {
	/* a child writes the journal, and is killed if it takes too long */
	CALL(wait4),
	CALL(kill),
	CALL(capset),
	CALL(accept4),
	CALL(socketpair),
	CALL(sched_getaffinity),
	CALL(sched_getparam),
	CALL(sched_getscheduler),
	CALL(fallocate),
	CALL(flock),
	CALL(connect),
	CALL(statfs),
	CALL(fstatfs),
	CALL(setitimer),
	CALL(timer_create),
	CALL(timer_settime),
	CALL(timer_delete),
	CALL(tgkill),
	CALL(fchown),
	CALL(utimensat),
	CALL(fadvise64),
	CALL(prctl),
#ifdef __NR_alarm
	CALL(alarm),
	CALL(rmdir),
#endif
};

enum { MAX_FILTER = 512 };
struct filter { struct sock_filter f[MAX_FILTER]; unsigned short n; };

static void put(struct filter *p, struct sock_filter f)
{
	if (p->n < MAX_FILTER)
		p->f[p->n++] = f;
}

static void answer(struct filter *p, unsigned call, unsigned verdict)
{
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1));
	put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict));
}

static void allow(struct filter *p, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		answer(p, (unsigned)calls[i], SECCOMP_RET_ALLOW);
}

/* socket(2): of these families; `local`: also AF_UNIX without connections, as the system's log and the service manager take
 * messages. A connection to a socket of root's would make programs run, for whoever has root's uid and nothing else. */
static void judge_sockets(struct filter *p, const unsigned *families, uint8_t n, bool local)
{
	enum { LOCAL = 4, TYPE = 0xf };
	const uint8_t more = local ? LOCAL : 0;
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_socket, 0, (uint8_t)(n + more + 3)));
	put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])));
	for (uint8_t i = 0; i < n; i++)
		put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, families[i], (uint8_t)(n - 1 - i + more),
		                                    i + 1 == n && !local));
	if (local) {
		put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 0, LOCAL));
		put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])));
		put(p, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TYPE));
		put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SOCK_DGRAM, 0, 1));
	}
	put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT));
}

/* A call whose argument `arg` is checked: refused if `test` (BPF_JEQ, BPF_JSET) with `value` holds, else allowed. */
static void allow_unless(struct filter *p, unsigned call, unsigned arg, uint16_t test, const unsigned *values, size_t n)
{
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, (uint8_t)(n + 3)));
	put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	                                    (unsigned)(offsetof(struct seccomp_data, args[0]) + arg * sizeof(__u64))));
	for (size_t i = 0; i < n; i++)
		put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | test | BPF_K, values[i], (uint8_t)(n - i), 0));
	put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
}

static void build(struct filter *p, enum wh_confinement kind)
{
	static const unsigned types_for[] = {TIOCSTI, TIOCLINUX}; /* they type into the user's terminal */
	static const unsigned namespaces[] = {CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
	                                      CLONE_NEWPID | CLONE_NEWNET};
	static const unsigned another[] = {~0u}; /* any process but this one, which has the number 0 */
	static const unsigned families[] = {AF_NETLINK, AF_INET, AF_INET6};
	put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
	put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
	put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
	put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
	const bool reads = kind == WH_CONFINE_READER || kind == WH_CONFINE_PROBE,
		   networks = kind == WH_CONFINE_NETWORK || kind == WH_CONFINE_PROBE;
	const bool listens = kind == WH_CONFINE_LISTENER || kind == WH_CONFINE_WEB;
	if (kind == WH_CONFINE_FIREWALL || reads)
		judge_sockets(p, families, kind == WH_CONFINE_PROBE ? 3 : 1, reads);
	allow_unless(p, __NR_prlimit64, 0, BPF_JSET, another, 1);
	allow_unless(p, __NR_ioctl, 1, BPF_JEQ, types_for, sizeof types_for / sizeof *types_for);
	if (reads || networks)
		allow_unless(p, __NR_clone, 0, BPF_JSET, namespaces, sizeof namespaces / sizeof *namespaces);
	allow(p, always, sizeof always / sizeof *always);
	if (listens)
		allow(p, listener, sizeof listener / sizeof *listener);
	if (kind == WH_CONFINE_WEB)
		allow(p, waiter, sizeof waiter / sizeof *waiter);
	if (kind != WH_CONFINE_PARSER && !listens)
		allow(p, files, sizeof files / sizeof *files);
	if (networks)
		allow(p, network, sizeof network / sizeof *network);
	if (reads)
		allow(p, reader, sizeof reader / sizeof *reader);
#ifdef __NR_clone3
	answer(p, __NR_clone3, SECCOMP_RET_ERRNO | ENOSYS);
#endif
	put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
}
#endif

int wh_confine(enum wh_confinement kind, struct wh_error *err)
{
#ifdef ARCH
	struct filter p = {.n = 0};
	struct sock_fprog prog = {.filter = p.f};
	build(&p, kind);
	prog.len = p.n;
	if (p.n == MAX_FILTER)
		return wh_fail(err, -EOVERFLOW, "the filter of system calls is too long");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return wh_fail(err, -errno, "no_new_privs: %s", strerror(errno));
	if (!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		return 0;
	/* a kernel without seccomp, or a unit or container that forbids it and has its own filter */
	if (errno == EINVAL || errno == ENOSYS || errno == EPERM) {
		wh_fail(err, -errno, "system calls are not filtered: the kernel has no seccomp here");
		return 1;
	}
	return wh_fail(err, -errno, "the filter of system calls: %s", strerror(errno));
#else
	(void)kind;
	wh_fail(err, -ENOSYS, "system calls are not filtered on this architecture");
	return 1;
#endif
}
