/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Holds a ledger's write lock: prints "held", and lets go when standard input ends. */
#include "whittle/ledger.h"

int main(int argc, char **argv)
{
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_error err;
	if (argc != 2) {
		fputs("usage: ledger_hold LEDGER\n", stderr);
		return 2;
	}
	if (wh_ledger_open(argv[1], WH_STATE_WRITE, &ledger, &err) || wh_state_begin(ledger.state, &err)) {
		fprintf(stderr, "ledger_hold: %s\n", err.text);
		return 1;
	}
	puts("held");
	fflush(stdout);
	while (getchar() != EOF)
		;
	wh_state_end(ledger.state, false, &err);
	wh_ledger_close(&ledger);
	return 0;
}
