/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"

int main(void)
{
	fputs("whittle: no command yet\n", stderr);
	return CLI_USAGE;
}
