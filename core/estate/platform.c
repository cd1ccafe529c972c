/* SPDX-License-Identifier: GPL-2.0-or-later */
/* This machine's platform, as far as it can be detected locally. */
#include <stdio.h>
#include <string.h>
#include "whittle/estate.h"

/* The chassis asset tag of every Azure VM, of any size and region; cloud-init detects Azure by it, too. */
#define AZURE_ASSET_TAG "7783-7084-3265-9085-8269-3286-77"

enum wh_platform wh_platform_found(const char *file)
{
	char line[64] = "";
	FILE *f = fopen(file, "re");
	if (!f)
		return WH_PLATFORM_UNSET;
	if (!fgets(line, sizeof line, f))
		*line = 0;
	fclose(f);
	line[strcspn(line, "\r\n \t")] = 0;
	return strcmp(line, AZURE_ASSET_TAG) ? WH_PLATFORM_UNSET : WH_PLATFORM_AZURE;
}
