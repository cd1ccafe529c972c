/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `whittle alerts respond`, and the processes that it needs: one runs the command, one connects to the webhook. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/json.h"
#include "base/program.h"
#include "base/trusted_path.h"
#include "cli/alerts.h"
#include "net/https.h"
#include "whittle/app_alerts.h"

static volatile sig_atomic_t stop;
static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

/* ---- before privileges are given up ---- */

/* The webhook's scheme, host and port; false if the URL may not be used. Plain HTTP is allowed only to this machine. */
static bool origin_of(const char *url, char *out, size_t size)
{
	static const char *const clear[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
	size_t head = !strncmp(url, "https://", 8)  ? 8
	              : !strncmp(url, "http://", 7) ? 7
	                                            : 0,
	       n = head ? head + strcspn(url + head, "/?#") : 0;
	bool good = n > head && n < size && n < strlen(url) && !memchr(url, '@', n) && !strpbrk(url, " \t\r\n#");
	if (!good)
		return false;
	snprintf(out, size, "%.*s", (int)n, url);
	for (size_t i = 0; head == 7; i++) {
		if (i == sizeof clear / sizeof *clear)
			return false;
		size_t len = strlen(clear[i]);
		if (!strncmp(out, clear[i], len) && (!out[len] || out[len] == ':'))
			break;
	}
	return true;
}

/* Reads a file that only this process's user and root may read, without its final newline. */
static int take_secret(const char *path, struct wh_error *err)
{
	char secret[300];
	struct stat st;
	int fd = wh_trusted_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	if (fd < 0)
		return wh_fail_input(err, fd, "%s: cannot be read: %s", path, strerror(-fd));
	ssize_t n = fstat(fd, &st) ? -1 : read(fd, secret, sizeof secret);
	int rc = n < 0 ? -errno : 0;
	close(fd);
	if (rc)
		return wh_fail_input(err, rc, "%s: cannot be read: %s", path, strerror(-rc));
	if (!S_ISREG(st.st_mode) || st.st_mode & 077 || (st.st_uid && st.st_uid != geteuid()))
		return wh_fail_input(err, -EPERM, "%s: other users can read this secret: chmod 600", path);
	while (n > 0 && (secret[n - 1] == '\n' || secret[n - 1] == '\r'))
		n--;
	rc = wh_https_sign_with(secret, (size_t)n, err);
	explicit_bzero(secret, sizeof secret);
	return rc;
}

int cli_start_responders(const struct cli *c, int argc, char **argv, struct wh_error *err)
{
	const struct wh_alert_config *a = &c->config->alerts;
	char origin[512];
	int rc = 0;
	if (argc < 2 || strcmp(argv[0], "alerts") || strcmp(argv[1], "respond"))
		return 0;
	if (a->n_command)
		rc = wh_program_start(a->command, a->n_command, err);
	if (rc || !a->webhook)
		return rc;
	if (!origin_of(a->webhook, origin, sizeof origin))
		return wh_fail_input(err, -EINVAL, "the webhook must be an https URL with a path; http only for this machine");
	if (!a->secret_file)
		return wh_fail_input(
			err, -EINVAL,
			"a webhook needs 'secret-file': its key proves to the receiver that whittle sent the message");
	rc = take_secret(a->secret_file, err);
	return rc ? rc : wh_https_start(origin, err);
}

/* ---- the command ---- */

static int run_command(void *arg, const char *body, size_t len, struct wh_error *err)
{
	(void)arg;
	return wh_program_run(body, len, err);
}

static int post(void *arg, const char *body, size_t len, struct wh_error *err)
{
	const struct cli *c = arg;
	struct wh_https_request q = {
		.method = "POST", .url = c->config->alerts.webhook, .body = body, .ca_file = c->config->alerts.ca_file};
	struct wh_https_reply r = {.status = 0};
	(void)len;
	int rc = wh_https_exchange(&q, &r, err);
	long status = r.status;
	wh_https_reply_free(&r);
	return rc                              ? rc
	       : status >= 200 && status < 300 ? 0
	                                       : wh_fail(err, -EIO, "the webhook answered with HTTP status %ld", status);
}

static void told(void *arg, const char *alert, const char *why, bool given_up)
{
	char text[600];
	(void)arg;
	snprintf(text, sizeof text, "%s: %s%s", alert, why, given_up ? "; given up" : "; it is tried again");
	wh_text_make_printable(text);
	fprintf(stderr, "whittle: %s\n", text);
}

static int once(const struct cli *c, struct wh_error *err)
{
	const struct wh_app a = cli_app(c);
	const struct wh_alert_config *config = &c->config->alerts;
	const struct wh_app_respond r = {.command = config->n_command ? run_command : NULL,
	                                 .webhook = config->webhook ? post : NULL,
	                                 .told = told,
	                                 .arg = (void *)(uintptr_t)c,
	                                 .least = config->least ? (enum wh_severity)(config->least - 1) : WH_MEDIUM,
	                                 .now_us = wh_now_us()};
	struct wh_app_responded n;
	int rc = wh_app_alerts_respond(&a, &r, &n, err);
	if (rc)
		return rc;
	if (c->json)
		printf("{\"queued\":%zu,\"delivered\":%zu,\"waiting\":%zu,\"failed\":%zu}\n", n.queued, n.delivered, n.waiting,
		       n.failed);
	else if (n.queued || n.delivered || n.waiting || n.failed)
		printf("%zu queued, %zu delivered, %zu waiting, %zu given up\n", n.queued, n.delivered, n.waiting, n.failed);
	fflush(stdout);
	return 0;
}

int cli_alerts_respond(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{"every", 1, 0, 'e'}, {"for", 1, 0, 'f'}, {0}};
	int64_t every = 0, length = 0, until;
	struct wh_error err = {0};
	int o, rc;
	while ((o = cli_getopt(c, argc, argv, "", longs)) != -1) {
		if (o != 'e' && o != 'f')
			return CLI_USAGE;
		if (wh_duration_parse(optarg, o == 'e' ? &every : &length) || (o == 'e' ? every : length) < 1)
			return cli_usage(c, "'%.40s' is not a time such as 30s or 3h", optarg);
	}
	if (optind < argc)
		return cli_usage(c, "respond takes no word");
	if (!c->config->alerts.n_command && !c->config->alerts.webhook)
		return cli_usage(
			c,
			"whittle.yaml names no response: alerts: {respond-command: [/path/of/program], webhook: https://…, secret-file: FILE}");
	struct sigaction sa = {.sa_handler = on_signal};
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	until = length ? wh_now_us() + length * 1000000 : INT64_MAX;
	for (;;) {
		rc = once(c, &err);
		if (rc && !every)
			return cli_error(&err);
		if (rc)
			cli_error(&err); /* the ledger may be busy or away for a while */
		for (int64_t left = every * 10; left > 0 && !stop && wh_now_us() < until; left--)
			nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
		if (!every || stop || wh_now_us() >= until)
			return CLI_OK;
	}
}
