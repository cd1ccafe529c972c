/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names from anywhere, as text of XML and HTML. */
#include <string.h>
#include "base/text.h"
#include "map/draw.h"

void wh_map_text(FILE *f, const char *s, size_t most)
{
	size_t n = strlen(s), shown = 0;
	while (n) {
		uint32_t point;
		size_t len = wh_utf8_next(s, n, &point);
		if (most && ++shown > most) {
			fputs("…", f);
			return;
		}
		if (!len || wh_point_unprintable(point) || point == 0xfffe || point == 0xffff)
			fputs(point == '\n' && len ? " " : "\xef\xbf\xbd", f);
		else if (point == '&')
			fputs("&amp;", f);
		else if (point == '<')
			fputs("&lt;", f);
		else if (point == '>')
			fputs("&gt;", f);
		else if (point == '"')
			fputs("&quot;", f);
		else if (point == '\'')
			fputs("&#39;", f);
		else
			fwrite(s, 1, len, f);
		s += len ? len : 1;
		n -= len ? len : 1;
	}
}

void wh_map_number(FILE *f, size_t n, enum wh_map_kind kind)
{
	fprintf(f, "%zu %s%s", n, wh_map_kind_text(kind), n == 1 ? "" : "s");
}

void wh_map_machines(FILE *f, const size_t machines[static WH_MAP_MACHINES])
{
	const char *between = "";
	for (int i = 0; i < WH_MAP_MACHINES; i++)
		if (machines[i] || (i == WH_MAP_VM && !machines[WH_MAP_ENDPOINT] && !machines[WH_MAP_INTERFACE])) {
			fprintf(f, "%s%zu %s%s", between, machines[i], wh_map_machine_texts[i], machines[i] == 1 ? "" : "s");
			between = ", ";
		}
}

void wh_map_counts(FILE *f, const size_t counts[static WH_MAP_STATES])
{
	static const char *const words[] = {"healthy", "unknown", "low", "medium", "high"};
	const char *between = "";
	for (size_t s = WH_MAP_STATES; s-- > 0;)
		if (counts[s]) {
			fprintf(f, "%s%zu %s", between, counts[s], words[s]);
			between = ", ";
		}
}
