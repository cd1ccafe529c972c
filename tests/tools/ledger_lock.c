/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ledger_lock LEDGER FILE: holds the ledger's write lock until FILE exists; prints "locked" when it has it. */
#include <time.h>
#include <unistd.h>
#include "whittle/ledger.h"

int main(int argc, char **argv)
{
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	if (argc != 3) {
		fputs("usage: ledger_lock LEDGER FILE\n", stderr);
		return 2;
	}
	int rc = wh_ledger_open(argv[1], WH_STATE_WRITE, &ledger, &err);
	if (!rc)
		rc = wh_state_begin(ledger.state, &err);
	if (rc) {
		fprintf(stderr, "ledger_lock: %s\n", err.text);
		return 1;
	}
	puts("locked");
	fflush(stdout);
	while (access(argv[2], F_OK))
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	rc = wh_state_end(ledger.state, false, &err);
	wh_ledger_close(&ledger);
	return rc ? 1 : 0;
}
