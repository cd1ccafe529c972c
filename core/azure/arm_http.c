/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include "base/command.h"
#include "azure/arm_http.h"
#include "base/json.h"
#include "net/https.h"

enum { TOKEN_SECONDS = 60 };

struct wh_arm {
	struct wh_arm_options opt;
	char *endpoint, *token;
	int64_t waited_ms, last_ms; /* in all; the last request's */
	unsigned requests;
};

void wh_arm_say(const struct wh_arm *arm, const char *fmt, ...)
{
	char text[256];
	va_list ap;
	if (!arm->opt.say)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	arm->opt.say(arm->opt.say_arg, text);
}

unsigned wh_arm_requests(const struct wh_arm *arm)
{
	return arm->requests;
}

const char *wh_arm_api_version(const struct wh_arm *arm)
{
	return arm->opt.api_version ? arm->opt.api_version : "2023-09-01";
}

static bool loopback_http(const char *url)
{
	static const char *const hosts[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
		size_t n = strlen(hosts[i]);
		if (!strncmp(url, hosts[i], n) && (!url[n] || url[n] == ':' || url[n] == '/'))
			return true;
	}
	return false;
}

static void wipe(char *secret)
{
	if (secret)
		explicit_bzero(secret, strlen(secret));
	free(secret);
}

static int fetch_token(struct wh_arm *arm, struct wh_error *err)
{
	char *text = NULL;
	size_t len;
	wipe(arm->token);
	arm->token = NULL;
	if (arm->opt.token_command) {
		int rc = wh_command_output("the token command", arm->opt.token_command, 64 << 10, TOKEN_SECONDS, &text, &len,
		                           err);
		if (rc)
			return rc;
		text[strcspn(text, "\r\n")] = 0;
	} else if (arm->opt.token) {
		text = strdup(arm->opt.token);
	}
	if (!text || !*text || strpbrk(text, " \t\"\r\n")) {
		wipe(text);
		return wh_fail_input(err, -EACCES,
		                     "no Azure token: set WHITTLE_AZURE_TOKEN, or azure: {token-command: …} in whittle.yaml");
	}
	arm->token = text;
	return 0;
}

int wh_arm_open(const struct wh_arm_options *opt, struct wh_arm **out, struct wh_error *err)
{
	const char *endpoint = opt->endpoint ? opt->endpoint : WH_AZURE_ENDPOINT;
	if (strncmp(endpoint, "https://", 8) && !loopback_http(endpoint))
		return wh_fail_input(err, -EINVAL, "'%s' is not an https address: a token is never sent unencrypted", endpoint);
	struct wh_arm *arm = calloc(1, sizeof *arm);
	if (!arm)
		return wh_fail(err, -ENOMEM, "out of memory");
	arm->opt = *opt;
	arm->endpoint = strdup(endpoint);
	int rc = wh_https_ready(err);
	if (!rc && !arm->endpoint)
		rc = wh_fail(err, -ENOMEM, "out of memory");
	if (rc) {
		wh_arm_close(arm);
		return rc;
	}
	size_t n = strlen(arm->endpoint);
	while (n && arm->endpoint[n - 1] == '/')
		arm->endpoint[--n] = 0;
	rc = fetch_token(arm, err);
	if (rc) {
		wh_arm_close(arm);
		return rc;
	}
	*out = arm;
	return 0;
}

void wh_arm_close(struct wh_arm *arm)
{
	if (!arm)
		return;
	wipe(arm->token);
	free(arm->endpoint);
	free(arm);
}

/* A path becomes a URL below the endpoint; a URL must be the endpoint's own host. NULL if it is another host's. */
static char *resolve(const struct wh_arm *arm, const char *path_or_url)
{
	char *url = NULL;
	if (*path_or_url == '/')
		return asprintf(&url, "%s%s", arm->endpoint, path_or_url) < 0 ? NULL : url;
	return wh_https_below(arm->endpoint, path_or_url) ? strdup(path_or_url) : NULL;
}

void wh_arm_hide_token(const struct wh_arm *arm, char *text)
{
	size_t n = arm->token ? strlen(arm->token) : 0;
	for (char *p = text; n && (p = strstr(p, arm->token)); p += n)
		memset(p, '*', n);
}

static int send_once(struct wh_arm *arm, const char *method, const char *url, const char *if_match, const char *body,
                     struct wh_https_reply *r, struct wh_error *err)
{
	const struct wh_https_request q = {.method = method,
	                                   .url = url,
	                                   .token = arm->token,
	                                   .if_match = if_match,
	                                   .body = body,
	                                   .ca_file = arm->opt.ca_file};
	wh_https_reply_free(r);
	arm->requests++;
	const int64_t begun = wh_monotonic_us();
	int rc = wh_https_exchange(&q, r, err);
	arm->last_ms = (wh_monotonic_us() - begun) / 1000;
	if (rc && err)
		wh_arm_hide_token(arm, err->text); /* the service may have included it, in a URL to poll */
	return rc;
}

int wh_arm_wait(struct wh_arm *arm, int64_t ms, struct wh_error *err)
{
	int64_t limit = arm->opt.max_wait_ms ? arm->opt.max_wait_ms : 300000;
	if (ms > limit)
		return wh_fail(err, -ETIMEDOUT,
		               "Azure asks to retry after %lld s, but a change waits for %lld s at most: raise --wait",
		               (long long)(ms / 1000), (long long)(limit / 1000));
	if (arm->waited_ms + ms > limit)
		return wh_fail(err, -ETIMEDOUT, "Azure did not finish within %lld second%s", (long long)(limit / 1000),
		               limit / 1000 == 1 ? "" : "s");
	arm->waited_ms += ms;
	struct timespec ts = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	while (nanosleep(&ts, &ts) && errno == EINTR)
		;
	return 0;
}

void wh_arm_count(struct wh_arm *arm)
{
	arm->waited_ms += arm->last_ms;
}

void wh_arm_more_time(struct wh_arm *arm)
{
	arm->waited_ms = 0;
}

int wh_arm_request(struct wh_arm *arm, const char *method, const char *path_or_url, const char *if_match, const char *body,
                   struct wh_https_reply *r, struct wh_error *err)
{
	char *url = resolve(arm, path_or_url);
	unsigned tries = arm->opt.max_tries ? arm->opt.max_tries : 6;
	bool put = !strcmp(method, "PUT"), renewed = false;
	int64_t backoff = 500;
	if (!url)
		return wh_fail(err, -EPERM,
		               "Azure named another host to ask for the result: refused, because that host would get the token");
	int rc = 0;
	for (unsigned i = 0;; i++) {
		rc = send_once(arm, method, url, if_match, body, r, err);
		if (rc && put && r->cut) {
			rc = 0; /* the caller checks whether it took effect */
			break;
		}
		if (!rc && r->status == 401 && arm->opt.token_command && !renewed) {
			renewed = true;
			if ((rc = fetch_token(arm, err)))
				break;
			continue;
		}
		bool again = rc || r->status == 409 || r->status == 429 || r->status >= 500;
		if (!again || i + 1 >= tries)
			break;
		int64_t ms = !rc && r->retry_after_ms >= 0 ? r->retry_after_ms : backoff;
		if (put && !rc && r->status >= 500)
			break; /* it may still have taken effect: the caller checks before it sends again */
		if (rc)
			wh_arm_say(arm, "no answer; trying again in %lld ms", (long long)ms);
		else
			wh_arm_say(arm, "Azure says %ld; trying again in %lld ms", r->status, (long long)ms);
		wh_arm_count(arm);
		struct wh_error wait_err;
		int w = wh_arm_wait(arm, ms, &wait_err);
		if (w) {
			if (err)
				*err = wait_err;
			rc = w;
			break;
		}
		backoff = backoff < 16000 ? backoff * 2 : backoff;
	}
	free(url);
	return rc;
}

const char *wh_arm_reason(const struct wh_arm *arm, const struct wh_https_reply *r, char buf[static 256])
{
	bool inexact;
	json_t *o = r->body ? wh_json_load(r->body, r->len, 0, &inexact, NULL) : NULL, *e = json_object_get(o, "error");
	const char *code = json_string_value(json_object_get(e, "code")),
		   *message = json_string_value(json_object_get(e, "message"));
	char *words = NULL;
	if (code && asprintf(&words, "%s: %s", code, message ? message : "") >= 0) {
		wh_arm_hide_token(arm, words); /* before it is cut */
		snprintf(buf, 256, "%ld %.220s", r->status, words);
		free(words);
	} else {
		snprintf(buf, 256, "status %ld", r->status);
	}
	json_decref(o);
	return buf;
}
