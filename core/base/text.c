/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "base/text.h"

size_t wh_utf8_next(const char *s, size_t n, uint32_t *point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *p = (const unsigned char *)s;
	size_t len = !n                        ? 0
	             : *p < 0x80               ? 1
	             : *p >= 0xf0 && *p < 0xf5 ? 4
	             : *p >= 0xe0 && *p < 0xf0 ? 3
	             : *p >= 0xc2 && *p < 0xe0 ? 2
	                                       : 0;
	if (!len || len > n)
		return 0;
	uint32_t c = len == 1 ? *p : *p & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*point = c;
	return len;
}

const char *wh_last_part(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	return slash ? slash + 1 : path;
}

bool wh_text_is_utf8(const char *s, size_t n)
{
	uint32_t point;
	size_t len = 1;
	for (size_t i = 0; i < n && len; i += len)
		len = wh_utf8_next(s + i, n - i, &point);
	return len != 0;
}

bool wh_point_unprintable(uint32_t c)
{
	/* also what shows nothing: two names with and without it look the same. Joiners (200c, 200d) are a part of scripts. */
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || c == 0x180e || c == 0x200b || c == 0x200e ||
	       c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

static size_t put_utf8(char *out, uint32_t c)
{
	if (c < 0x80)
		return out[0] = (char)c, 1;
	size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = len; i-- > 1; c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)((0xf00 >> len & 0xff) | c);
	return len;
}

enum order { NOT_UTF16, LITTLE, BIG };

/* Judged by the mark, or by ASCII's zero bytes in the first two characters, as our texts begin. *at is set past the mark. */
static enum order utf16_order(const unsigned char *p, size_t n, size_t *at)
{
	*at = n >= 2 && ((p[0] == 0xff && p[1] == 0xfe) || (p[0] == 0xfe && p[1] == 0xff)) ? 2 : 0;
	if (*at)
		return p[0] == 0xff ? LITTLE : BIG;
	if (n < 4 || n % 2)
		return NOT_UTF16;
	return p[0] && !p[1] && p[2] && !p[3] ? LITTLE : !p[0] && p[1] && !p[2] && p[3] ? BIG : NOT_UTF16;
}

bool wh_text_is_wide(const void *head, size_t n)
{
	size_t at;
	return n >= 4 && utf16_order(head, n - n % 2, &at) != NOT_UTF16;
}

static uint32_t unit(const unsigned char *p, enum order o)
{
	return o == LITTLE ? (uint32_t)p[1] << 8 | p[0] : (uint32_t)p[0] << 8 | p[1];
}

static int from_utf16(const char *name, char **text, size_t *len, size_t at, enum order o, struct wh_error *err)
{
	const unsigned char *p = (const unsigned char *)*text;
	size_t n = 0;
	char *out = malloc((*len - at) / 2 * 3 + 1);
	if (!out)
		return wh_fail(err, -ENOMEM, "%s: out of memory", name);
	for (; at + 1 < *len; at += 2) {
		uint32_t c = unit(p + at, o), low = c >> 10 == 0x36 && at + 3 < *len ? unit(p + at + 2, o) : 0;
		if (low >> 10 == 0x37) {
			c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
			at += 2;
		}
		if (c >> 11 == 0x1b)
			break;
		n += put_utf8(out + n, c);
	}
	if (at < *len) {
		free(out);
		return wh_fail_input(err, -EINVAL, "%s: begins as UTF-16, but has half a character at byte %zu: save it as UTF-8",
		                     name, at);
	}
	out[n] = 0;
	free(*text);
	*text = out;
	*len = n;
	return 0;
}

int wh_text_decode(const char *name, char **text, size_t *len, struct wh_error *err)
{
	const unsigned char *p = (const unsigned char *)*text;
	size_t at;
	if (*len >= 4 && (!memcmp(p, "\xff\xfe\0\0", 4) || !memcmp(p, "\0\0\xfe\xff", 4)))
		return wh_fail_input(err, -EINVAL, "%s: written in UTF-32: save it as UTF-8", name);
	if (*len >= 3 && !memcmp(p, "\xef\xbb\xbf", 3)) {
		*len -= 3;
		memmove(*text, *text + 3, *len + 1);
		return 0;
	}
	enum order o = utf16_order(p, *len, &at);
	return o == NOT_UTF16 ? 0 : from_utf16(name, text, len, at, o, err);
}

const char *wh_shell_word(const char *s, char buf[static WH_SHELL_WORD])
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@%+=,-";
	size_t n = 0;
	if (*s == '-')
		return "NAME";
	if (*s && !s[strspn(s, plain)])
		return s;
	buf[n++] = '\'';
	for (; *s && n + 6 < WH_SHELL_WORD; s++) {
		const char *piece = *s == '\'' ? "'\\''" : (char[]){*s, 0};
		n += (size_t)snprintf(buf + n, WH_SHELL_WORD - n, "%s", piece);
	}
	snprintf(buf + n, WH_SHELL_WORD - n, "'");
	return *s ? "NAME" : buf;
}
