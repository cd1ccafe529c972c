/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first line of the input is a path, the rest a document. Nothing is read past the end, and a line is within the text; a
 * document that jansson takes has a line for every path that leads to a value in it (keys that need escapes aside).
 */
#include <stdlib.h>
#include <string.h>
#include "base/json.h"

static int lines_of(const char *text, size_t len)
{
	int n = 1;
	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

static bool plain(const char *key)
{
	if (!*key)
		return false;
	for (; *key; key++)
		if ((unsigned char)*key < 0x20 || (unsigned char)*key >= 0x7f || strchr("\"\\/", *key))
			return false;
	return true;
}

static void walk(const char *text, size_t len, json_t *at, char *path, size_t n, int depth)
{
	const char *key;
	json_t *v;
	size_t i;
	int line = wh_json_line(text, len, path);

	if (line < 1 || line > lines_of(text, len))
		abort();
	if (depth > 8 || n > 200)
		return;
	json_object_foreach(at, key, v) {
		if (!plain(key) || strlen(key) > 40)
			continue;
		size_t more = (size_t)sprintf(path + n, "%s%s", n ? "/" : "", key);
		walk(text, len, v, path, n + more, depth + 1);
		path[n] = 0;
	}
	json_array_foreach(at, i, v) {
		size_t more = (size_t)sprintf(path + n, "%s%zu", n ? "/" : "", i);
		walk(text, len, v, path, n + more, depth + 1);
		path[n] = 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nl = memchr(data, '\n', size);
	struct wh_error err = {0};
	char path[512] = "";
	json_t *doc;

	if (!nl || size > 8192)
		return 0;
	char *want = strndup((const char *)data, (size_t)(nl - data));
	size_t len = size - (size_t)(nl + 1 - data);
	char *text = malloc(len ? len : 1); /* exactly as long as it is, for the sanitizer */
	memcpy(text, nl + 1, len);
	int line = wh_json_line(text, len, want);
	if (line < 0 || line > lines_of(text, len))
		abort();
	if (!wh_json_parse("f", text, len, &doc, &err)) {
		if (!memchr(text, '\\', len)) /* else a key may be written in a way that the search does not know */
			walk(text, len, doc, path, 0, 0);
		json_decref(doc);
	}
	free(text);
	free(want);
	return 0;
}
