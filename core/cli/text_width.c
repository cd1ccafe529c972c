/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <wchar.h>
#include "cli/cli.h"
#include "cli/text_width.h"

size_t cli_next_char(const char *s, size_t *width, bool *printable)
{
	wchar_t wc;
	mbstate_t state = {0};
	if (!*s)
		return 0;
	if (*s >= ' ' && *s <= '~') { /* as nearly all are */
		*width = 1;
		*printable = true;
		return 1;
	}
	size_t n = mbrtowc(&wc, s, strlen(s), &state);
	*printable = n != (size_t)-1 && n != (size_t)-2 && n > 0;
	if (!*printable) {
		*width = 1;
		return 1;
	}
	int w = wcwidth(wc);
	/* right-to-left overrides and the like take no column and would reorder the line */
	*printable = w >= 0 && !(wc >= 0x202a && wc <= 0x202e) && !(wc >= 0x2066 && wc <= 0x2069);
	*width = *printable ? (size_t)w : 1;
	return n;
}

size_t cli_ascii(const char *s)
{
	size_t n = 0;
	while (s[n] >= ' ' && s[n] <= '~')
		n++;
	return n;
}

size_t cli_width(const char *text)
{
	size_t total = cli_ascii(text), w, n;
	bool ok;
	text += total;
	for (; (n = cli_next_char(text, &w, &ok)); text += n)
		total += w;
	return total;
}

size_t cli_longest_line(const char *text)
{
	size_t line = cli_ascii(text), longest = line, w, n;
	bool ok;
	text += line;
	for (; (n = cli_next_char(text, &w, &ok)); text += n) {
		line = *text == '\n' ? 0 : line + w;
		longest = line > longest ? line : longest;
	}
	return longest;
}

/* Where a line may be cut, best after a space or a comma, else within names and paths. */
static bool cuts(char c)
{
	return c == ' ' || c == ',';
}

static bool cuts_name(char c)
{
	return c && strchr("-/_.:@", c);
}

size_t cli_longest_piece(const char *text)
{
	size_t longest = 0, here = 0, w, n;
	bool ok;
	for (; (n = cli_next_char(text, &w, &ok)); text += n) {
		here = *text == '\n' || *text == ' ' ? 0 : here + w;
		longest = here > longest ? here : longest;
		here = cuts(*text) || cuts_name(*text) ? 0 : here;
	}
	return longest;
}

size_t cli_piece(const char *text, size_t width)
{
	size_t used = 0, at = 0, good = 0, fair = 0, w, n = cli_ascii(text);
	bool ok;
	if (!text[n] && n <= width)
		return n;
	n = 0;
	while (text[at] != '\n' && (n = cli_next_char(text + at, &w, &ok)) && used + w <= width) {
		used += w;
		at += n;
		good = cuts(text[at - 1]) ? at : good;
		fair = cuts_name(text[at - 1]) ? at : fair;
	}
	if (text[at] == '\n')
		return at + 1;
	if (!text[at])
		return at;
	return good ? good : fair ? fair : at ? at : n;
}

size_t cli_width_of(const char *text, size_t len)
{
	size_t total = cli_ascii(text), w, n;
	bool ok;
	if (total >= len)
		return len;
	for (size_t at = total; at < len && (n = cli_next_char(text + at, &w, &ok)); at += n)
		total += w;
	return total;
}
