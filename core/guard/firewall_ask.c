/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program's requests to the process that changes the firewall, one function each. */
#include <stdlib.h>
#include <string.h>
#include "guard/firewall_message.h"
#include "whittle/filter.h"

static int ask(const struct wh_request *r, struct wh_firewall_answer *a, struct wh_error *err)
{
	struct wh_bytes more;
	int fd, rc = wh_firewall_ask(r, a, &more, &fd, err);
	free(more.p);
	return rc;
}

/* Asks for an answer that may have a text; free() it. */
static int ask_text(const struct wh_request *r, struct wh_firewall_answer *a, char **text, struct wh_error *err)
{
	struct wh_bytes more;
	memset(a, 0, sizeof *a);
	int fd, rc = wh_firewall_ask(r, a, &more, &fd, err);
	*text = a->has_text ? (char *)more.p : NULL;
	if (!*text)
		free(more.p);
	return rc;
}

static void *list_of(const uint8_t *bytes, size_t n, size_t size, struct wh_arena *mem)
{
	void *list = wh_arena_array(mem, n + 1, size);
	if (n)
		memcpy(list, bytes, n * size);
	return list;
}

int wh_firewall_state(struct wh_nft_state *out, struct wh_error *err)
{
	struct wh_firewall_answer a = {0};
	int rc = ask(&(struct wh_request){.what = WH_ASK_STATE}, &a, err);
	*out = a.state;
	return rc;
}

int wh_firewall_missing_features(char *what, size_t size, struct wh_error *err)
{
	struct wh_firewall_answer a;
	char *text;
	int rc = ask_text(&(struct wh_request){.what = WH_ASK_MISSING_FEATURES}, &a, &text, err);
	snprintf(what, size, "%s", text ? text : "");
	free(text);
	return rc;
}

int wh_firewall_compare(enum wh_firewall_stored which, struct wh_nft_state *state, char **difference, struct wh_error *err)
{
	struct wh_firewall_answer a;
	int rc = ask_text(&(struct wh_request){.what = WH_ASK_COMPARE, .which = which}, &a, difference, err);
	if (state)
		*state = a.state;
	return rc;
}

int64_t wh_firewall_confirmed_us(void)
{
	struct wh_firewall_answer a;
	struct wh_error ignored;
	return ask(&(struct wh_request){.what = WH_ASK_CONFIRMED}, &a, &ignored) ? 0 : a.number;
}

void wh_firewall_connections(struct wh_arena *mem, struct wh_open_list *out)
{
	struct wh_firewall_answer a;
	struct wh_bytes more;
	struct wh_error err;
	int fd, rc = wh_firewall_ask(&(struct wh_request){.what = WH_ASK_CONNECTIONS}, &a, &more, &fd, &err);
	memset(out, 0, sizeof *out);
	if (rc) {
		snprintf(out->unread, sizeof out->unread, "%.250s", err.text);
	} else {
		out->n = a.open.n;
		out->more = a.open.more;
		memcpy(out->unread, a.open.unread, sizeof out->unread);
		out->c = list_of(more.p, out->n, sizeof *out->c, mem);
	}
	free(more.p);
}

int wh_firewall_counts(struct wh_arena *mem, struct wh_nft_counts *out, struct wh_error *err)
{
	struct wh_firewall_answer a;
	struct wh_bytes more;
	int fd, rc = wh_firewall_ask(&(struct wh_request){.what = WH_ASK_COUNTS}, &a, &more, &fd, err);
	memset(out, 0, sizeof *out);
	if (!rc) {
		out->present = a.counts.present;
		out->n = a.counts.n;
		out->ports = list_of(more.p, out->n, sizeof *out->ports, mem);
	}
	free(more.p);
	return rc;
}

int wh_firewall_judge(const struct wh_nft_question *q, struct wh_arena *mem, struct wh_nft_judged *out, struct wh_error *err)
{
	const struct wh_request r = {
		.what = WH_ASK_JUDGE,
		.flag = q->direction == WH_OUTBOUND,
		.number = q->index,
		.to = wh_prefix_of(&q->local, 128),
		.opening = {.resource = q->interface, .proto = q->proto, .port = q->port, .from = wh_prefix_of(&q->peer, 128)}};
	struct wh_firewall_answer a;
	struct wh_bytes more;
	int fd, rc = wh_firewall_ask(&r, &a, &more, &fd, err);
	*out = (struct wh_nft_judged){.n = 0};
	if (!rc) {
		out->verdict = a.judged.verdict;
		out->n = a.judged.n;
		out->chains = list_of(more.p, out->n, sizeof *out->chains, mem);
	}
	free(more.p);
	return rc;
}

int wh_firewall_present(const char *interface, uint32_t index, enum wh_direction d, struct wh_arena *mem,
                        const struct wh_filter *const **out, size_t *n, bool *legacy, struct wh_error *err)
{
	const struct wh_request r = {
		.what = WH_ASK_PRESENT, .flag = d == WH_OUTBOUND, .number = index, .interface = interface};
	struct wh_firewall_answer a;
	struct wh_bytes more;
	int fd, rc = wh_firewall_ask(&r, &a, &more, &fd, err);
	*n = 0;
	if (!rc) {
		struct wh_taking t = {.p = more.p, .n = more.n};
		*n = wh_take_filters(&t, mem, out);
		*legacy = a.legacy;
		rc = t.failed || t.n ? wh_fail(err, -EPROTO, "the rules of this machine came in pieces") : 0;
	}
	free(more.p);
	return rc;
}

int wh_firewall_published(bool all, struct wh_arena *mem, struct wh_nft_published_list *out, struct wh_error *err)
{
	struct wh_firewall_answer a;
	struct wh_bytes more;
	int fd, rc = wh_firewall_ask(&(struct wh_request){.what = WH_ASK_PUBLISHED, .flag = all}, &a, &more, &fd, err);
	memset(out, 0, sizeof *out);
	if (!rc) {
		out->n = a.published.n;
		memcpy(out->unread, a.published.unread, sizeof out->unread);
		out->p = list_of(more.p, out->n, sizeof *out->p, mem);
	}
	free(more.p);
	return rc;
}

int wh_firewall_openings(struct wh_arena *mem, struct wh_nft_openings *out, struct wh_nft_way **ways, size_t *n_ways,
                         struct wh_error *err)
{
	struct wh_firewall_answer a;
	struct wh_bytes more;
	int fd, rc = wh_firewall_ask(&(struct wh_request){.what = WH_ASK_OPENINGS}, &a, &more, &fd, err);
	*out = (struct wh_nft_openings){.n = 0};
	*n_ways = 0;
	if (!rc) {
		*out = a.openings.is;
		*n_ways = a.openings.n_ways;
		*ways = list_of(more.p, *n_ways, sizeof **ways, mem);
		out->o = list_of(more.p + *n_ways * sizeof **ways, out->n, sizeof *out->o, mem);
	}
	free(more.p);
	return rc;
}

bool wh_firewall_watched(void)
{
	struct wh_firewall_answer a;
	return !ask(&(struct wh_request){.what = WH_ASK_WATCHED}, &a, &(struct wh_error){0}) && a.number;
}

int wh_firewall_jit_live(struct wh_arena *mem, struct wh_jit_live *out, struct wh_error *err)
{
	struct wh_firewall_answer a;
	struct wh_bytes more;
	int fd, rc = wh_firewall_ask(&(struct wh_request){.what = WH_ASK_JIT_LIVE}, &a, &more, &fd, err);
	memset(out, 0, sizeof *out);
	if (!rc) {
		out->present = a.live.present;
		out->n_closed = a.live.n_closed;
		out->n_open = a.live.n_open;
		out->closed = list_of(more.p, out->n_closed, sizeof *out->closed, mem);
		out->open = list_of(more.p + out->n_closed * sizeof *out->closed, out->n_open, sizeof *out->open, mem);
	}
	free(more.p);
	return rc;
}

int wh_firewall_jit_differs(char **difference, struct wh_error *err)
{
	struct wh_firewall_answer a;
	return ask_text(&(struct wh_request){.what = WH_ASK_JIT_DIFFERS}, &a, difference, err);
}

int wh_firewall_apply(const struct wh_nft_ruleset *rs, const struct wh_enforce_options *opt, bool force,
                      struct wh_enforce_result *out, int64_t *expires_us, char **unstored, struct wh_error *err)
{
	struct wh_nft_ruleset copy = *rs;
	struct wh_firewall_answer a;
	int rc = ask_text(
		&(struct wh_request){
			.what = WH_ASK_APPLY, .rs = &copy, .flag = opt->audit, .force = force, .number = opt->confirm_within_s},
		&a, unstored, err);
	*out = a.applied;
	*expires_us = a.expires_us;
	return rc;
}

int wh_firewall_confirm(struct wh_confirmed *out, struct wh_error *err)
{
	struct wh_firewall_answer a = {0};
	int rc = ask(&(struct wh_request){.what = WH_ASK_CONFIRM}, &a, err);
	*out = a.confirmed;
	return rc;
}

int wh_firewall_rollback(bool all, struct wh_rolled_back *out, struct wh_error *err)
{
	struct wh_firewall_answer a = {0};
	int rc = ask(&(struct wh_request){.what = WH_ASK_ROLLBACK, .flag = all}, &a, err);
	*out = a.back;
	return rc;
}

int wh_firewall_repair(char **was, struct wh_error *err)
{
	struct wh_firewall_answer a;
	return ask_text(&(struct wh_request){.what = WH_ASK_REPAIR}, &a, was, err);
}

int wh_firewall_restore(struct wh_restored *out, struct wh_error *err)
{
	struct wh_firewall_answer a = {0};
	int rc = ask(&(struct wh_request){.what = WH_ASK_RESTORE}, &a, err);
	*out = a.restored;
	return rc;
}

int wh_firewall_uninstall(bool verify, struct wh_uninstalled *out, struct wh_error *err)
{
	struct wh_firewall_answer a = {0};
	int rc = ask(&(struct wh_request){.what = WH_ASK_UNINSTALL, .flag = verify}, &a, err);
	*out = a.uninstalled;
	return rc;
}

int wh_firewall_adopt(const struct wh_nft_ruleset *rs, struct wh_error *err)
{
	struct wh_nft_ruleset copy = rs ? *rs : (struct wh_nft_ruleset){0};
	struct wh_firewall_answer a;
	return ask(&(struct wh_request){.what = WH_ASK_ADOPT, .rs = rs ? &copy : NULL}, &a, err);
}

int wh_firewall_jit_on(const struct wh_jit_port *ports, size_t n, int64_t confirm_within_s, struct wh_error *err)
{
	struct wh_jit_port copy[WH_ASK_MAX_PORTS];
	struct wh_firewall_answer a;
	if (n > WH_ASK_MAX_PORTS)
		return wh_fail_input(err, -E2BIG, "more than %d ports", WH_ASK_MAX_PORTS);
	memcpy(copy, ports, n * sizeof *ports);
	return ask(&(struct wh_request){.what = WH_ASK_JIT_ON, .ports = copy, .n_ports = n, .number = confirm_within_s}, &a, err);
}

int wh_firewall_jit_confirm(struct wh_error *err)
{
	struct wh_firewall_answer a;
	return ask(&(struct wh_request){.what = WH_ASK_JIT_CONFIRM}, &a, err);
}

int wh_firewall_jit_off(struct wh_error *err)
{
	struct wh_firewall_answer a;
	return ask(&(struct wh_request){.what = WH_ASK_JIT_OFF}, &a, err);
}

int wh_firewall_jit_open(const struct wh_jit_grant *g, int64_t timeout_ms, struct wh_error *err)
{
	struct wh_firewall_answer a;
	return ask(&(struct wh_request){.what = WH_ASK_JIT_OPEN, .opening = *g, .number = timeout_ms}, &a, err);
}

int wh_firewall_jit_close(const struct wh_jit_grant *g, struct wh_error *err)
{
	struct wh_firewall_answer a;
	return ask(&(struct wh_request){.what = WH_ASK_JIT_CLOSE, .opening = *g}, &a, err);
}

const struct wh_jit_kernel wh_firewall_jit_kernel = {
	.open = wh_firewall_jit_open, .close = wh_firewall_jit_close, .live = wh_firewall_jit_live};

static int hear(struct wh_request r)
{
	struct wh_firewall_answer a;
	struct wh_bytes more;
	struct wh_error err;
	int fd, rc = wh_firewall_ask(&r, &a, &more, &fd, &err);
	free(more.p);
	return rc ? rc : fd >= 0 ? fd : -EIO;
}

int wh_firewall_hear_drops(void)
{
	return hear((struct wh_request){.what = WH_ASK_HEAR_DROPS});
}

int wh_firewall_hear_events(void)
{
	return hear((struct wh_request){.what = WH_ASK_HEAR_EVENTS});
}

int wh_firewall_hear_tracked(int64_t buffer, bool count)
{
	return hear((struct wh_request){.what = WH_ASK_HEAR_TRACKED, .flag = count, .number = buffer});
}

int wh_firewall_dump_tracked(void)
{
	return hear((struct wh_request){.what = WH_ASK_DUMP_TRACKED});
}

void wh_firewall_tracks(int *v4, int *v6)
{
	struct wh_firewall_answer a;
	int rc = ask(&(struct wh_request){.what = WH_ASK_TRACKS}, &a, &(struct wh_error){0});
	*v4 = rc ? rc : a.tracks.v4;
	*v6 = rc ? rc : a.tracks.v6;
}
