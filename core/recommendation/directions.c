/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "whittle/key.h"
#include "whittle/recommendation.h"

const char *const wh_directions_words[] = {
	[WH_DIRECTIONS_INBOUND] = "inbound", [WH_DIRECTIONS_OUTBOUND] = "outbound", [WH_DIRECTIONS_BOTH] = "both", NULL};

int wh_directions_parse(const char *text, enum wh_directions *out)
{
	int place = wh_key_choice(wh_directions_words, text);
	if (place >= 0)
		*out = (enum wh_directions)place;
	return place < 0 ? place : 0;
}
