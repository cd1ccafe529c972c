/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ledger_lock LEDGER FILE: holds the ledger's write lock until FILE exists; says "locked" when it has it. */
#include <time.h>
#include <unistd.h>
#include "whittle/ledger.h"

int main(int argc, char **argv)
{
	struct wh_store *s;
	struct wh_error err;
	if (argc != 3) {
		fputs("usage: ledger_lock LEDGER FILE\n", stderr);
		return 2;
	}
	int rc = wh_store_open(argv[1], WH_STORE_WRITE, &s, &err);
	if (!rc)
		rc = wh_store_begin(s, &err);
	if (rc) {
		fprintf(stderr, "ledger_lock: %s\n", err.text);
		return 1;
	}
	puts("locked");
	fflush(stdout);
	while (access(argv[2], F_OK))
		nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
	rc = wh_store_end(s, false, &err);
	wh_store_close(s);
	return rc ? 1 : 0;
}
