/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libcurl, loaded at the first request to Azure: with its twenty-five libraries it would take as long to load as the rest of the
 * program, at every command. */
#pragma once
#include <curl/curl.h>
#include "whittle/base.h"

struct wh_curl {
	CURL *(*init)(void);
	void (*cleanup)(CURL *c);
	CURLcode (*setopt)(CURL *c, CURLoption option, ...);
	CURLcode (*perform)(CURL *c);
	CURLcode (*getinfo)(CURL *c, CURLINFO info, ...);
	const char *(*strerror)(CURLcode code);
	struct curl_slist *(*append)(struct curl_slist *list, const char *text);
	void (*free_list)(struct curl_slist *list);
};

/* Returns 0 with *out, which stays valid, or -ELIBACC with *err filled if the library is missing. */
int wh_curl_load(const struct wh_curl **out, struct wh_error *err);
