/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that changes the firewall, and the program's requests to it. */
#include <cap-ng.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/confine.h"
#include "base/helper.h"
#include "base/opener.h"
#include "guard/firewall_message.h"

static struct wh_firewall_grants grants;
static int process = -1; /* our end of the socket pair; -1: there is none */

/* ---- the process ---- */

static void serve_one(int from, const void *bytes, size_t n)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_bytes more = {0};
	struct wh_firewall_answer *a = calloc(1, sizeof *a);
	struct wh_request r;
	int fd = -1;
	if (!a)
		_exit(1);
	if (wh_take_request(bytes, n, mem, &r)) {
		a->rc = wh_fail(&a->err, -EBADMSG, "refused: invalid request");
		a->has_err = true;
	} else {
		wh_firewall_do(&grants, &r, mem, a, &more, &fd);
	}
	if (wh_helper_send(from, a, sizeof *a, fd) || (a->len && wh_helper_send(from, more.p, a->len, -1)))
		_exit(1);
	if (fd >= 0)
		close(fd);
	free(more.p);
	free(a);
	wh_arena_free(mem);
}

static int be_firewall(struct wh_error *err)
{
	wh_opener_forget();
	umask(077);
	int rc = wh_enforce_privileges(grants.state_dir, err);
	if (!rc && wh_confine(WH_CONFINE_FIREWALL, err) < 0)
		rc = -EPERM;
	return rc;
}

/* Runs until `program` (0: a service's peer) ends: later requests of other processes would have no reader. */
static void __attribute__((noreturn)) serve(int from, pid_t program)
{
	uint8_t *bytes;
	size_t n;
	while (!wh_helper_receive_message(from, WH_ASK_MAX_BYTES, &bytes, &n, NULL)) {
		if (program && getppid() != program)
			break;
		serve_one(from, bytes, n);
		free(bytes);
	}
	_exit(0);
}

int wh_firewall_start(const struct wh_firewall_grants *g, struct wh_error *err)
{
	grants = *g;
	if (capng_get_caps_process() || !capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN))
		return 0;
	const pid_t program = getpid();
	int end, rc = wh_helper_fork("whittle-nft", &end, err);
	if (rc == 1)
		be_firewall(&(struct wh_error){0}) ? _exit(1) : serve(end, program);
	if (!rc)
		process = end;
	return rc;
}

int wh_firewall_connect(const char *path, struct wh_error *err)
{
	return wh_helper_connect(path, &process, err);
}

int wh_firewall_serve(const struct wh_firewall_grants *g, int end, struct wh_error *err)
{
	grants = *g;
	int rc = wh_helper_trusted(end, err);
	rc = rc ? rc : be_firewall(err);
	if (rc)
		return rc;
	serve(end, 0);
}

int wh_firewall_ready(struct wh_error *err)
{
	if (process >= 0 || (!capng_get_caps_process() && capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN)))
		return 0;
	return wh_fail(err, -EPERM, "access to the firewall needs CAP_NET_ADMIN, which this process does not have: run as root");
}

/* ---- the program's side ---- */

static int gone(struct wh_error *err)
{
	process = -1;
	return wh_fail(err, -EPIPE, "the process that changes the firewall has ended; `whittle drift` shows what is in force");
}

static int exchange(const struct wh_request *r, struct wh_firewall_answer *a, struct wh_bytes *more, int *fd,
                    struct wh_error *err)
{
	struct wh_bytes b = {0};
	int ignored;
	wh_put_request(&b, r);
	int rc = b.failed                 ? wh_fail(err, -ENOMEM, "out of memory")
	         : b.n > WH_ASK_MAX_BYTES ? wh_fail(err, -EMSGSIZE, "the rules are larger than 64 MiB")
	                                  : 0;
	if (!rc && (wh_helper_send_message(process, b.p, b.n, -1) || wh_helper_receive(process, a, sizeof *a, fd)))
		rc = gone(err);
	free(b.p);
	more->p = rc ? NULL : malloc(a->len + 1);
	more->n = rc ? 0 : a->len;
	if (!rc && !more->p)
		rc = wh_fail(err, -ENOMEM, "out of memory");
	if (!rc && a->len && wh_helper_receive(process, more->p, a->len, &ignored))
		rc = gone(err);
	if (!rc)
		more->p[a->len] = 0;
	return rc;
}

int wh_firewall_ask(const struct wh_request *r, struct wh_firewall_answer *a, struct wh_bytes *more, int *fd,
                    struct wh_error *err)
{
	*more = (struct wh_bytes){0};
	*fd = -1;
	if (process >= 0) {
		int rc = exchange(r, a, more, fd, err);
		if (rc)
			return rc;
	} else {
		struct wh_arena *mem = wh_arena_new();
		wh_firewall_do(&grants, r, mem, a, more, fd);
		wh_arena_free(mem);
	}
	if (a->has_err && err)
		*err = a->err;
	return a->rc;
}
