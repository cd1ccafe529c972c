/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <cap-ng.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>
#include "app/app.h"
#include "app/jit.h"
#include "app/journal.h"
#include "app/ledger_apart.h"
#include "app/ledger_copy.h"
#include "base/helper.h"
#include "guard/rules_bytes.h"
#include "whittle/earlier.h"

/* A question is one of these in a byte, and for LOG the number of the entry that the head names 8, what is logged and its JSON,
 * each with its NUL. The answer is the negated code of an error in 4 bytes, then its text; or 0, and what was asked for: LOG the
 * marks of the last entry and of the head's, each number 8, hash 32; EARLIER whether ports were closed 1, whether there
 * are rules 1, the rules (guard/rules_bytes.h); JIT_PORTS how many 4, and for each protocol 1, port 2; COPY as ledger_copy.c
 * says. */
enum { ASK_LOG = 1, ASK_EARLIER, ASK_FORGET_EARLIER, ASK_JIT_PORTS, ASK_COPY, ASKS };
enum { MAX_QUESTION = 64 << 20, MAX_ANSWER = 64 << 20, LOG_MS = 3000, EARLIER_MS = 1000, JIT_PORTS_MS = 10000 };

static struct {
	bool started;
	int end, failed; /* failed: 0, or why no more requests are sent */
} apart;

/* ---- the process ---- */

static void put_mark(struct wh_bytes *b, const struct wh_journal_mark *m)
{
	wh_put_number(b, (uint64_t)m->seq, 8);
	wh_put(b, m->hash, sizeof m->hash);
}

static struct wh_journal_mark take_mark(struct wh_taking *t)
{
	struct wh_journal_mark m = {.seq = (int64_t)wh_take_number(t, 8, 0, INT64_MAX)};
	const uint8_t *hash = wh_take(t, sizeof m.hash);
	if (hash)
		memcpy(m.hash, hash, sizeof m.hash);
	return m;
}

static int log_line(const struct wh_app *a, struct wh_taking *t, struct wh_bytes *b, struct wh_error *err)
{
	struct wh_journal_mark tip = {.seq = 0}, at = tip;
	int64_t head = (int64_t)wh_take_number(t, 8, 0, INT64_MAX);
	const char *what = (const char *)t->p, *end = t->failed ? NULL : memchr(what, 0, t->n);
	struct wh_state *s;
	if (!end || !memchr(end + 1, 0, t->n - (size_t)(end + 1 - what)))
		return wh_fail(err, -EBADMSG, "not an entry of a journal");
	int rc = wh_ledger_state(a->store_url, WH_STATE_JOURNAL, &s, err);
	bool none = rc == -ENOENT || rc == -ENODATA; /* no ledger, no journal */
	rc = none || rc ? rc : wh_state_log(s, a->who, what, end + 1, err);
	if (!rc && (wh_state_journal_tip(s, &tip, &(struct wh_error){0}) ||
	            (head && wh_state_journal_mark(s, head, &at, &(struct wh_error){0}))))
		tip.seq = 0;
	wh_state_close(s);
	put_mark(b, &tip);
	put_mark(b, &at);
	return none ? 0 : rc;
}

static int earlier(const struct wh_app *a, struct wh_arena *mem, struct wh_bytes *b, struct wh_error *err)
{
	struct wh_nft_ruleset *rs;
	bool jit;
	int rc = *a->beside ? wh_earlier_load(a->beside, mem, &rs, &jit, err) : wh_fail(err, -ENOENT, "there is no directory");
	if (rc)
		return rc;
	wh_put_number(b, jit, 1);
	wh_put_number(b, rs != NULL, 1);
	if (rs)
		wh_put_rules_bytes(b, rs);
	return 0;
}

static int jit_ports(const struct wh_app *a, struct wh_arena *mem, struct wh_bytes *b, struct wh_error *err)
{
	struct wh_app_ledger l;
	struct wh_app_ports p = {.n = 0};
	int rc = wh_app_open(a, WH_STATE_READ, mem, &l, err);
	if (!rc)
		p = wh_app_jit_own_ports(a, l.estate, mem);
	wh_put_number(b, p.n, 4);
	for (size_t i = 0; i < p.n; i++) {
		wh_put_number(b, p.list[i].proto, 1);
		wh_put_number(b, p.list[i].port, 2);
	}
	wh_app_close(&l, NULL);
	return rc;
}

static int answer(const struct wh_app *a, const uint8_t *q, size_t n, struct wh_arena *mem, struct wh_bytes *b,
                  struct wh_error *err)
{
	struct wh_taking t = {.p = q, .n = n};
	switch (wh_take_number(&t, 1, 0, ASKS)) {
	case ASK_LOG: return log_line(a, &t, b, err);
	case ASK_EARLIER: return earlier(a, mem, b, err);
	case ASK_FORGET_EARLIER:
		if (*a->beside)
			wh_earlier_remove(a->beside);
		return 0;
	case ASK_JIT_PORTS: return jit_ports(a, mem, b, err);
	case ASK_COPY: return wh_ledger_copy_answer(a, &t, b, err);
	}
	return wh_fail(err, -EBADMSG, "invalid request");
}

static void answer_one(const struct wh_app *a, int from, const uint8_t *q, size_t n)
{
	struct wh_arena *mem = wh_arena_new();
	struct wh_bytes b = {0}, all = {0};
	struct wh_error err = {.text = ""};
	int rc = answer(a, q, n, mem, &b, &err);
	wh_put_number(&all, rc ? (uint64_t)-rc : 0, 4);
	wh_put(&all, rc ? (const void *)err.text : b.p, rc ? strlen(err.text) : b.n);
	if (b.failed || all.failed || wh_helper_send_message(from, all.p, all.n, -1))
		_exit(1);
	free(b.p);
	free(all.p);
	wh_arena_free(mem);
}

static int no_capabilities(void *arg, struct wh_error *err)
{
	(void)arg;
	capng_clear(CAPNG_SELECT_CAPS);
	return capng_apply(CAPNG_SELECT_CAPS)
	               ? wh_fail(err, -ENOTRECOVERABLE, "the privileges that are not needed cannot be given up")
	               : 0;
}

int wh_app_ledger_start(const struct wh_app *a, int (*become)(void *arg, struct wh_error *err), void *arg, struct wh_error *err)
{
	struct wh_app own = *a;
	uint8_t *q;
	size_t n;
	fflush(NULL); /* buffered output must be printed once */
	int end, rc = wh_helper_fork("whittle-ledger", &end, err);
	if (rc < 0)
		return rc;
	if (!rc) {
		wh_helper_kill_at_exit(apart.end = end);
		apart.started = true;
		return 0;
	}
	own.note = NULL;
	signal(SIGBUS, SIG_DFL);
	if (become(arg, &(struct wh_error){0}))
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!wh_helper_receive_message(end, MAX_QUESTION, &q, &n, NULL)) {
		answer_one(&own, end, q, n);
		free(q);
	}
	wh_ledger_copy_drop();
	_exit(0);
}

/* ---- the program's side ---- */

static int why_not(const struct wh_app *a, int rc, int ms, struct wh_error *err)
{
	if (rc == -ETIMEDOUT)
		return wh_fail(err, rc, "%s: the process that opens it did not answer within %d s", a->store_url, ms / 1000);
	return wh_fail(err, rc, "%s: the process that opens it %s", a->store_url,
	               rc == -EBADMSG     ? "sent an invalid answer"
	               : rc == -ECANCELED ? "was stopped by a signal, and then ended"
	                                  : "was ended");
}

/* The answer without its code: *t, of *bytes (free() it). A process that failed once gets no more requests. */
static int ask(const struct wh_app *a, const struct wh_bytes *q, int ms, uint8_t **bytes, struct wh_taking *t,
               struct wh_error *err)
{
	const bool once = !apart.started;
	size_t n = 0;
	*bytes = NULL;
	int rc = q->failed ? wh_fail(err, -ENOMEM, "out of memory")
	         : once    ? wh_app_ledger_start(a, no_capabilities, NULL, err)
	                   : 0;
	if (rc)
		return rc;
	rc = apart.failed ? apart.failed : wh_helper_ask(apart.end, q->p, q->n, ms, MAX_ANSWER, bytes, &n);
	if ((rc || once) && !apart.failed)
		wh_helper_end(apart.end);
	apart.started = !once;
	apart.failed = once ? 0 : rc;
	if (rc)
		return why_not(a, rc, ms, err);
	*t = (struct wh_taking){.p = *bytes, .n = n};
	int code = -(int)wh_take_number(t, 4, 0, 4095);
	if (t->failed || (code && (!t->n || t->n >= sizeof err->text || memchr(t->p, 0, t->n))))
		return why_not(a, -EBADMSG, ms, err);
	return code ? wh_fail(err, code, "%.*s", (int)t->n, (const char *)t->p) : 0;
}

static int ask_for(const struct wh_app *a, uint8_t what, int ms, uint8_t **bytes, struct wh_taking *t, struct wh_error *err)
{
	return ask(a, &(struct wh_bytes){.p = &what, .n = 1}, ms, bytes, t, err);
}

int wh_app_ledger_log(const struct wh_app *a, const char *what, const char *json, struct wh_error *err)
{
	struct wh_bytes q = {0};
	struct wh_taking t;
	struct wh_journal_mark head = wh_app_journal_head(a);
	uint8_t *bytes;
	wh_put_number(&q, ASK_LOG, 1);
	wh_put_number(&q, (uint64_t)head.seq, 8);
	wh_put(&q, what, strlen(what) + 1);
	wh_put(&q, json, strlen(json) + 1);
	int rc = ask(a, &q, LOG_MS, &bytes, &t, err);
	if (!rc) {
		const struct wh_journal_mark tip = take_mark(&t), at = take_mark(&t);
		rc = t.failed || t.n ? why_not(a, -EBADMSG, LOG_MS, err) : 0;
		if (!rc && tip.seq)
			wh_app_journal_hold(a, &head, &at, &tip);
	}
	free(bytes);
	free(q.p);
	return rc;
}

int wh_app_ledger_earlier(const struct wh_app *a, struct wh_arena *mem, struct wh_nft_ruleset **rs, bool *jit,
                          struct wh_error *err)
{
	struct wh_taking t;
	uint8_t *bytes;
	*rs = NULL;
	int rc = ask_for(a, ASK_EARLIER, EARLIER_MS, &bytes, &t, err);
	if (!rc) {
		*jit = wh_take_number(&t, 1, 0, 1);
		*rs = wh_take_number(&t, 1, 0, 1) ? wh_take_rules(&t, mem) : NULL;
		if (t.failed || t.n)
			rc = why_not(a, -EBADMSG, EARLIER_MS, err);
	}
	free(bytes);
	return rc;
}

void wh_app_ledger_forget_earlier(const struct wh_app *a)
{
	struct wh_taking t;
	uint8_t *bytes;
	ask_for(a, ASK_FORGET_EARLIER, EARLIER_MS, &bytes, &t, &(struct wh_error){0});
	free(bytes);
}

int wh_app_ledger_jit_ports(const struct wh_app *a, struct wh_arena *mem, struct wh_app_ports *out, struct wh_error *err)
{
	struct wh_taking t;
	uint8_t *bytes;
	*out = (struct wh_app_ports){.n = 0};
	int rc = ask_for(a, ASK_JIT_PORTS, JIT_PORTS_MS, &bytes, &t, err);
	if (!rc) {
		out->n = wh_take_count(&t, 3, WH_APP_JIT_PORTS);
		out->list = wh_arena_array(mem, out->n + 1, sizeof *out->list);
		for (size_t i = 0; i < out->n; i++)
			out->list[i] = (struct wh_jit_port){.proto = (uint8_t)wh_take_number(&t, 1, 0, 255),
			                                    .port = (uint16_t)wh_take_number(&t, 2, 0, 65535)};
		if (t.failed || t.n)
			rc = why_not(a, -EBADMSG, JIT_PORTS_MS, err);
	}
	free(bytes);
	return rc;
}

int wh_app_ledger_ask_copy(const struct wh_app *a, const struct wh_bytes *question, int ms, uint8_t **bytes, struct wh_taking *t,
                           struct wh_error *err)
{
	struct wh_bytes q = {0};
	*bytes = NULL;
	*t = (struct wh_taking){.failed = true};
	if (!apart.started)
		return wh_fail(err, -ENOTCONN, "%s: no process was started that opens it", a->store_url);
	wh_put_number(&q, ASK_COPY, 1);
	wh_put(&q, question->p, question->n);
	q.failed |= question->failed;
	int rc = ask(a, &q, ms, bytes, t, err);
	free(q.p);
	return rc;
}
