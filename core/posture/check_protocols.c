/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of protocol records: insecure versions in use, resolvers in use, names that were looked
 * up.
 *
 * A resource is unhealthy if one fact of the window is bad, whatever the sensor lost. It is healthy only where facts of that
 * protocol were seen, all are fine, and the sensor is fit; else there is no evidence. A server is responsible for what it
 * accepts, a client for its requests to servers that are not ours.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "posture/checks.h"

struct seen {
	uint64_t good, bad, doubtful; /* doubtful: how many of the bad ones only may be */
	bool fine;                    /* its other doubtful values are known to be fine */
	const char *worst;
	struct wh_addr peer;
	uint16_t port;
	enum wh_direction direction;
	uint64_t peers;
};
struct walk {
	struct wh_run *run;
	const struct wh_sensor *sensor;
	struct seen *of;                 /* by the resource's place in the estate */
	bool (*bad)(struct walk *w, const struct wh_fact_key *k, const struct wh_fact_row *r);
	const char **values; size_t n_values;
	const char **fine; size_t n_fine;         /* that clear the doubtful values */
	const char **may_be; size_t n_may_be;     /* doubtful: can't be decided */
	const struct wh_ranges *trusted;
	int64_t limit, bytes;
};

/* A value of the list, or one that begins as it does where it ends in a star. */
static bool listed(const char *const *list, size_t n, const char *value)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(list[i]);
		if (len && list[i][len - 1] == '*' ? !strncasecmp(list[i], value, len - 1) : !strcasecmp(list[i], value))
			return true;
	}
	return false;
}

static int see(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	struct walk *w = arg;
	const struct wh_estate *e = w->run->in->estate;
	const struct wh_resource *res = wh_run_fact_of(w->run, w->sensor, k, r);
	if (!res || !strcmp(k->value, "refused"))
		return 0;
	struct seen *s = &w->of[res - e->resources];
	bool offer = wh_fact_is_offer((enum wh_fact_kind)k->kind, k->value), bad = w->bad(w, k, r);
	bool doubtful = !bad && listed(w->may_be, w->n_may_be, k->value) && !listed(w->fine, w->n_fine, k->value);
	if (offer && k->direction == WH_INBOUND)
		return 0; /* the client's own row has it */
	s->fine |= listed(w->fine, w->n_fine, k->value);
	if (!bad && !doubtful) {
		s->good += r->count;
		return 0;
	}
	if (!offer && k->direction == WH_OUTBOUND && k->kind <= WH_FACT_LDAP && wh_estate_by_addr(e, &k->peer))
		return 0; /* the server's own row has it */
	if (!s->bad || (s->bad == s->doubtful && bad)) { /* certainly bad facts come first */
		s->worst = wh_arena_strdup(w->run->mem, k->value);
		s->peer = k->peer;
		s->port = k->port;
		s->direction = (enum wh_direction)k->direction;
	}
	s->bad += r->count ? r->count : 1;
	s->doubtful += !doubtful ? 0 : r->count ? r->count : 1;
	s->peers++;
	return 0;
}

/* "TLS 1.0 with 203.0.113.9 at port 443 (12 times; 3 peers)" */
static const char *words(struct walk *w, const struct seen *s, const char *what)
{
	char addr[WH_ADDR_STRLEN], n[WH_NUMBER_STRLEN];
	static const struct wh_addr none;
	if (wh_addr_eq(&s->peer, &none))
		return wh_arena_printf(w->run->mem, "%s%s%s (%s)", what, *s->worst ? " " : "", s->worst,
		                       wh_number_text(s->bad, n));
	return wh_arena_printf(w->run->mem, "%s%s%s with %s%s at port %u (%s time%s%s)", what, *s->worst ? " " : "", s->worst,
	                       s->direction == WH_INBOUND ? "the client " : "the server ", wh_addr_text(&s->peer, addr), s->port,
	                       wh_number_text(s->bad, n), s->bad == 1 ? "" : "s",
	                       s->peers > 1 ? wh_arena_printf(w->run->mem, ", %llu peers", (unsigned long long)s->peers) : "");
}

static void judge(struct walk *w, const char *what, const char *nothing)
{
	const struct wh_estate *e = w->run->in->estate;
	for (size_t i = 0; i < e->n_resources; i++) {
		const struct seen *s = &w->of[i];
		const char *id = wh_resource_label(&e->resources[i]),
			   *type = wh_resource_type(&e->resources[i]);
		if (s->bad > s->doubtful)
			wh_run_add(w->run, id, type, WH_POSTURE_UNHEALTHY, "%s", words(w, s, what));
		else if (s->doubtful && !s->fine)
			wh_run_add(
				w->run, id, type, WH_POSTURE_NO_EVIDENCE,
				"%s: the sensor's records don't show which version answered; rules/suricata/whittle.rules does",
				words(w, s, what));
		else if (!s->good)
			wh_run_add(w->run, id, type, WH_POSTURE_NO_EVIDENCE, "%s", nothing);
		else if (w->sensor->unfit)
			wh_run_add(w->run, id, type, WH_POSTURE_NO_EVIDENCE, "%s", w->sensor->unfit);
		else
			wh_run_add(w->run, id, type, WH_POSTURE_HEALTHY, "%llu seen, none of them insecure",
			           (unsigned long long)s->good);
	}
}

static int begin(struct wh_run *run, struct walk *w,
                 bool (*bad)(struct walk *, const struct wh_fact_key *, const struct wh_fact_row *), struct wh_error *err)
{
	*w = (struct walk){.run = run, .bad = bad};
	int rc = wh_run_sensor(run, &w->sensor, err);
	if (!rc && run->in->estate)
		w->of = wh_arena_array(run->mem, run->in->estate->n_resources + 1, sizeof *w->of);
	return rc;
}

/* ---- versions ---- */

static bool is_fine(struct walk *w, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	(void)w, (void)k, (void)r;
	return false;
}

/* By the list that alerts go by, where the assessment has none of its own. */
static bool is_listed(struct walk *w, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	(void)r;
	return w->n_values ? listed(w->values, w->n_values, k->value) : wh_alert_insecure(k) != NULL;
}

static int kind_of(struct wh_run *run, const char *key, struct wh_error *err)
{
	const char **kind;
	int at = wh_run_texts(run, key, &kind) ? wh_key_choice(wh_fact_words, kind[0]) : WH_FACT_KINDS;
	return at >= 0 ? at
	               : wh_fail_input(err, -EINVAL, "%s:%d: there is no kind of evidence '%s'", run->of->file, run->of->line,
	                               kind[0]);
}

/* Settings: `kind` of evidence (whittle evidence), the `bad` values, if others than alerts are raised for, their name in `words`;
 * `doubtful` values, which may be bad, unless one of the `fine` is seen; another kind `among` whose records are traffic of that
 * kind, too. */
int wh_check_protocol(struct wh_run *run, struct wh_error *err)
{
	const char **said;
	struct walk w;
	int rc = begin(run, &w, is_fine, err), kind = rc ? rc : kind_of(run, "kind", err),
	    among = kind < 0 ? kind : kind_of(run, "among", err);
	size_t n_said = wh_run_texts(run, "words", &said);
	if (rc || kind < 0 || among < 0)
		return rc ? rc : kind < 0 ? kind : among;
	if (!wh_run_has_traffic(run, w.sensor))
		return 0;
	if (among < WH_FACT_KINDS)
		rc = wh_store_facts(run->in->ledger->store, (enum wh_fact_kind)among, see, &w, err);
	w.bad = is_listed;
	w.n_values = wh_run_texts(run, "bad", &w.values);
	w.n_may_be = wh_run_texts(run, "doubtful", &w.may_be);
	w.n_fine = wh_run_texts(run, "fine", &w.fine);
	rc = rc ? rc : wh_store_facts(run->in->ledger->store, (enum wh_fact_kind)kind, see, &w, err);
	if (!rc)
		judge(&w, n_said ? said[0] : wh_fact_words[kind],
		      wh_arena_printf(run->mem, "no %s record of it was seen",
		                      wh_fact_words[among < WH_FACT_KINDS ? among : kind]));
	return rc;
}

/* ---- resolvers ---- */

static bool is_untrusted(struct walk *w, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	(void)r;
	return k->direction == WH_OUTBOUND && wh_run_is_strange(w->run, *w->trusted, &k->peer);
}

/* Trusted are those of the setting `trusted`, those that the networks name, private ones and our own. */
int wh_check_resolvers_used(struct wh_run *run, struct wh_error *err)
{
	struct walk w;
	int rc = begin(run, &w, is_untrusted, err);
	if (rc || !wh_run_has_traffic(run, w.sensor))
		return rc;
	struct wh_ranges set = wh_run_resolvers(run);
	w.trusted = &set;
	rc = wh_store_facts(run->in->ledger->store, WH_FACT_DNS, see, &w, err);
	if (!rc)
		judge(&w, "a resolver that is not trusted", "it was not seen asking for names");
	return rc;
}

/* ---- names ---- */

static bool is_tunnel(struct walk *w, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	(void)k;
	return wh_fact_distinct(r) >= (double)w->limit && (int64_t)(r->up > r->down ? r->up : r->down) >= w->bytes;
}

/* Settings: `names` below one domain a day, and `bytes` in them or in their answers. */
int wh_check_domains(struct wh_run *run, struct wh_error *err)
{
	struct walk w;
	int rc = begin(run, &w, is_tunnel, err);
	w.limit = wh_run_number(run, "names", 150);
	w.bytes = wh_run_number(run, "bytes", 20000);
	if (rc || !wh_run_has_traffic(run, w.sensor))
		return rc;
	rc = wh_store_facts(run->in->ledger->store, WH_FACT_DNS_DOMAIN, see, &w, err);
	if (!rc)
		judge(&w, "names that carry data below", "it was not seen asking for names");
	return rc;
}

static bool is_generated(struct walk *w, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	(void)k;
	return wh_fact_distinct(r) >= (double)w->limit;
}

static bool is_bad(struct walk *w, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	(void)w, (void)k, (void)r;
	return true;
}

/* Looked-up names are the traffic of its kind; those with one kind of failure are bad. */
static int among_names(struct wh_run *run, enum wh_fact_kind kind,
                       bool (*bad)(struct walk *, const struct wh_fact_key *, const struct wh_fact_row *), int64_t limit,
                       const char *what, struct wh_error *err)
{
	struct walk w;
	int rc = begin(run, &w, is_fine, err);
	if (rc || !wh_run_has_traffic(run, w.sensor))
		return rc;
	rc = wh_store_facts(run->in->ledger->store, WH_FACT_DNS, see, &w, err);
	w.bad = bad;
	w.limit = limit;
	rc = rc ? rc : wh_store_facts(run->in->ledger->store, kind, see, &w, err);
	if (!rc)
		judge(&w, what, "it was not seen asking for names");
	return rc;
}

/* Setting: `domains` that don't exist, looked up on one day. */
int wh_check_failed_names(struct wh_run *run, struct wh_error *err)
{
	return among_names(run, WH_FACT_DNS_FAILED, is_generated, wh_run_number(run, "domains", 100),
	                   "names of many domains that don't exist", err);
}

int wh_check_dangling_names(struct wh_run *run, struct wh_error *err)
{
	return among_names(run, WH_FACT_DNS_DANGLING, is_bad, 0, "an alias led to a name that does not exist:", err);
}
