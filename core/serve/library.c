/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dlfcn.h>
#include <string.h>
#include "serve/library.h"

struct wh_http_library wh_http;
struct wh_tls_library wh_tls;

struct symbol { void *to; const char *name; };

static int load(const char *file, const char *package, const struct symbol *s, size_t n, struct wh_error *err)
{
	void *lib = dlopen(file, RTLD_NOW | RTLD_LOCAL);
	for (size_t i = 0; i < n && lib; i++) {
		void *at = dlsym(lib, s[i].name);
		if (!at)
			return wh_fail(err, -ELIBACC, "%s lacks %s", file, s[i].name);
		memcpy(s[i].to, &at, sizeof at);
	}
	return lib ? 0 : wh_fail(err, -ELIBACC, "`whittle serve` needs %s (Debian: %s): %s", file, package, dlerror());
}

int wh_http_load(struct wh_error *err)
{
#define ROW(name) {&wh_http.name, #name},
	static const struct symbol s[] = {WH_HTTP_CALLS(ROW)};
#undef ROW
	return load("libmicrohttpd.so.12", "libmicrohttpd12", s, sizeof s / sizeof *s, err);
}

int wh_tls_load(struct wh_error *err)
{
#define ROW(name) {&wh_tls.name, #name},
	static const struct symbol s[] = {WH_TLS_CALLS(ROW)};
#undef ROW
	return load("libgnutls.so.30", "libgnutls30", s, sizeof s / sizeof *s, err);
}
