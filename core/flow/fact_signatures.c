/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the number and the age of a sensor's signatures stand in a fact. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "whittle/fact.h"

void wh_signatures_text(const struct wh_signatures *s, char value[static WH_FACT_VALUE])
{
	char since[WH_TIME_STRLEN];
	snprintf(value, WH_FACT_VALUE, "%" PRIu64 " loaded, %" PRIu64 " failed, since %.10s", s->loaded, s->failed,
	         wh_time_text(s->since_us, since));
}

int wh_signatures_parse(const char *value, struct wh_signatures *out)
{
	char since[] = "YYYY-MM-DDT00:00:00Z";
	int end = 0;
	if (sscanf(value, "%20" SCNu64 " loaded, %20" SCNu64 " failed, since %10c%n", &out->loaded, &out->failed, since, &end) !=
	    3)
		return -EINVAL;
	return value[end] ? -EINVAL : wh_time_parse(since, strlen(since), &out->since_us);
}
