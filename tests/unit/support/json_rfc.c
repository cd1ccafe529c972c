/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "json_rfc.h"

enum { DEEPEST = 2048 };

static char block[64 << 20];
static size_t used;

static void *take(size_t n)
{
	n = (n + 15) / 16 * 16;
	if (n > sizeof block - used)
		abort();
	used += n;
	return memset(block + used - n, 0, n);
}

struct text { const unsigned char *p, *end; };

static void space(struct text *t)
{
	while (t->p < t->end && (*t->p == ' ' || *t->p == '\t' || *t->p == '\n' || *t->p == '\r'))
		t->p++;
}

static bool word(struct text *t, const char *w)
{
	size_t n = strlen(w);
	if ((size_t)(t->end - t->p) < n || memcmp(t->p, w, n))
		return false;
	t->p += n;
	return true;
}

static bool is_digit(const struct text *t)
{
	return t->p < t->end && *t->p >= '0' && *t->p <= '9';
}

static bool digits(struct text *t)
{
	if (!is_digit(t))
		return false;
	while (is_digit(t))
		t->p++;
	return true;
}

/* number = [ minus ] int [ frac ] [ exp ] */
static bool number(struct text *t, struct rj *v)
{
	const unsigned char *from = t->p;
	word(t, "-");
	if (!word(t, "0") && !digits(t))
		return false;
	if (word(t, ".") && !digits(t))
		return false;
	if (word(t, "e") || word(t, "E")) {
		if (!word(t, "+"))
			word(t, "-");
		if (!digits(t))
			return false;
	}
	v->type = RJ_NUMBER;
	v->len = (size_t)(t->p - from);
	v->text = take(v->len + 1);
	memcpy(v->text, from, v->len);
	return true;
}

static int hex(struct text *t)
{
	int value = 0;
	if (t->end - t->p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		const char *all = "0123456789abcdef", *at;
		int c = *t->p++;
		if (c >= 'A' && c <= 'F')
			c += 'a' - 'A';
		if (!c || !(at = strchr(all, c)))
			return -1;
		value = value * 16 + (int)(at - all);
	}
	return value;
}

static void put_char(char **out, uint32_t c)
{
	if (c >= 0x10000) {
		*(*out)++ = (char)(0xf0 + c / 0x40000);
		*(*out)++ = (char)(0x80 + c / 0x1000 % 0x40);
		*(*out)++ = (char)(0x80 + c / 0x40 % 0x40);
	} else if (c >= 0x800) {
		*(*out)++ = (char)(0xe0 + c / 0x1000);
		*(*out)++ = (char)(0x80 + c / 0x40 % 0x40);
	} else if (c >= 0x80) {
		*(*out)++ = (char)(0xc0 + c / 0x40);
	}
	*(*out)++ = (char)(c < 0x80 ? c : 0x80 + c % 0x40);
}

static bool escape(struct text *t, char **out)
{
	static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	if (t->p == t->end)
		return false;
	int c = *t->p++;
	const char *at = c ? strchr(names, c) : NULL;
	if (at) {
		*(*out)++ = values[at - names];
		return true;
	}
	int unit = c == 'u' ? hex(t) : -1;
	if (unit < 0)
		return false;
	uint32_t code = (uint32_t)unit;
	if (unit / 0x400 == 0xd800 / 0x400) {
		struct text ahead = *t;
		int low = word(&ahead, "\\u") ? hex(&ahead) : -1;
		if (low >= 0 && low / 0x400 == 0xdc00 / 0x400) {
			code = 0x10000 + (code - 0xd800) * 0x400 + ((uint32_t)low - 0xdc00);
			*t = ahead;
		}
	}
	put_char(out, code / 0x800 == 0xd800 / 0x800 ? 0xfffd : code);
	return true;
}

/* One character beyond ASCII, by decoding it and encoding it anew: there is one way only to write each. */
static bool beyond(struct text *t, char **out)
{
	unsigned c = *t->p, n = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
	uint32_t code = n == 4 ? c - 0xf0 : n == 3 ? c - 0xe0 : c - 0xc0;
	char *from = *out;
	if (c < 0xc0 || c > 0xf7 || (size_t)(t->end - t->p) < n)
		return false;
	for (unsigned i = 1; i < n; i++) {
		if (t->p[i] / 0x40 != 2)
			return false;
		code = code * 0x40 + t->p[i] % 0x40;
	}
	if (code > 0x10ffff || code / 0x800 == 0xd800 / 0x800)
		return false;
	put_char(out, code);
	if ((size_t)(*out - from) != n || memcmp(from, t->p, n))
		return false;
	t->p += n;
	return true;
}

static bool string(struct text *t, char **text, size_t *len)
{
	const unsigned char *close = t->p + 1;
	while (close < t->end && *close != '"')
		close += *close == '\\' ? 2 : 1;
	if (close >= t->end)
		return false;
	char *out = *text = take((size_t)(close - t->p) + 8); /* no escape is shorter than what it stands for */
	for (t->p++; *t->p != '"';) {
		if (*t->p < 0x20)
			return false;
		if (*t->p == '\\') {
			t->p++;
			if (!escape(t, &out))
				return false;
		} else if (*t->p >= 0x80) {
			if (!beyond(t, &out))
				return false;
		} else {
			*out++ = (char)*t->p++;
		}
	}
	t->p++;
	*len = (size_t)(out - *text);
	return true;
}

static struct rj *value(struct text *t, unsigned depth);

/* The content between the brackets, up to and with the closing one. */
static bool members(struct text *t, struct rj *v, const char *closing, unsigned depth)
{
	struct rj **link = &v->first;
	space(t);
	if (word(t, closing))
		return true;
	for (;;) {
		char *key = NULL;
		size_t len = 0;
		space(t);
		if (v->type == RJ_OBJECT) {
			if (t->p == t->end || *t->p != '"' || !string(t, &key, &len))
				return false;
			space(t);
			if (!word(t, ":"))
				return false;
		}
		struct rj *m = value(t, depth + 1);
		if (!m)
			return false;
		m->key = key;
		m->key_len = len;
		*link = m;
		link = &m->next;
		space(t);
		if (word(t, closing))
			return true;
		if (!word(t, ","))
			return false;
	}
}

static struct rj *value(struct text *t, unsigned depth)
{
	struct rj *v = take(sizeof *v);
	bool ok;
	space(t);
	if (t->p == t->end || depth > DEEPEST)
		return NULL;
	if (word(t, "{")) {
		v->type = RJ_OBJECT;
		ok = members(t, v, "}", depth);
	} else if (word(t, "[")) {
		v->type = RJ_ARRAY;
		ok = members(t, v, "]", depth);
	} else if (*t->p == '"') {
		v->type = RJ_STRING;
		ok = string(t, &v->text, &v->len);
	} else if (*t->p == '-' || is_digit(t)) {
		ok = number(t, v);
	} else {
		v->type = *t->p == 't' ? RJ_TRUE : *t->p == 'f' ? RJ_FALSE : RJ_NULL;
		ok = word(t, v->type == RJ_TRUE ? "true" : v->type == RJ_FALSE ? "false" : "null");
	}
	return ok ? v : NULL;
}

const struct rj *rj_read(const char *text, size_t len)
{
	struct text t = {(const unsigned char *)text, (const unsigned char *)text + len};
	used = 0;
	struct rj *v = value(&t, 1);
	if (!v)
		return NULL;
	space(&t);
	return t.p == t.end ? v : NULL;
}

const struct rj *rj_get(const struct rj *object, const char *key)
{
	const struct rj *found = NULL;
	if (!object || object->type != RJ_OBJECT)
		return NULL;
	for (const struct rj *m = object->first; m; m = m->next)
		if (m->key_len == strlen(key) && !memcmp(m->key, key, m->key_len))
			found = m;
	return found;
}
