/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flood UID SIGNAL: becomes that user, prints "on", and sends the signal to every process that it may reach, ten thousand times a
 * second, until it is ended. Start it in a PID namespace of its own. */
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	uid_t uid = argc == 3 ? (uid_t)atoi(argv[1]) : 0;
	int sig = argc == 3 ? atoi(argv[2]) : 0;
	if (!uid || !sig || setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	puts("on");
	fflush(stdout);
	for (;;) {
		kill(-1, sig);
		usleep(100);
	}
}
