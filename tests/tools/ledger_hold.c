/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Holds a ledger's write lock: prints "held", and lets go when standard input ends. */
#include "whittle/ledger.h"

int main(int argc, char **argv)
{
	struct wh_store *s;
	struct wh_error err;
	if (argc != 2) {
		fputs("usage: ledger_hold LEDGER\n", stderr);
		return 2;
	}
	if (wh_store_open(argv[1], WH_STORE_WRITE, &s, &err) || wh_store_begin(s, &err)) {
		fprintf(stderr, "ledger_hold: %s\n", err.text);
		return 1;
	}
	puts("held");
	fflush(stdout);
	while (getchar() != EOF)
		;
	wh_store_end(s, false, &err);
	wh_store_close(s);
	return 0;
}
