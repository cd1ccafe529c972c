/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include "net/curl.h"

static struct wh_curl curl;
static char missing[160]; /* the missing library or symbol, and why; empty: nothing */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
	const struct { void *to; const char *name;
	} functions[] = {
		{&curl.init, "curl_easy_init"},       {&curl.cleanup, "curl_easy_cleanup"},
		{&curl.setopt, "curl_easy_setopt"},   {&curl.perform, "curl_easy_perform"},
		{&curl.getinfo, "curl_easy_getinfo"}, {&curl.strerror, "curl_easy_strerror"},
		{&curl.append, "curl_slist_append"},  {&curl.free_list, "curl_slist_free_all"},
	};
	void *lib = dlopen("libcurl-gnutls.so.4", RTLD_NOW | RTLD_LOCAL); /* Debian's, which suits our licence; then others' */
	if (!lib)
		lib = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
		void *at = lib ? dlsym(lib, functions[i].name) : NULL;
		if (!at) {
			const char *why = dlerror();
			snprintf(missing, sizeof missing, "%.150s", why ? why : functions[i].name);
			return;
		}
		memcpy(functions[i].to, &at, sizeof at);
	}
}

int wh_curl_load(const struct wh_curl **out, struct wh_error *err)
{
	pthread_once(&once, load);
	if (*missing)
		return wh_fail(err, -ELIBACC, "HTTP needs libcurl (Debian: libcurl3t64-gnutls or libcurl3-gnutls): %s", missing);
	*out = &curl;
	return 0;
}
