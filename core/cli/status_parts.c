/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules in force on this machine, and its environment: sensor, watcher, threat lists, addresses. */
#include "base/text.h"
#include "cli/status.h"

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* "3 minutes", "2 days". */
static const char *age_text(int64_t us, char buf[static 32])
{
	static const struct {
		int64_t seconds;
		const char *name;
	} units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
	int64_t s = us > 0 ? us / 1000000 : 0;
	size_t i = 0;
	while (i < 3 && s < units[i].seconds)
		i++;
	snprintf(buf, 32, "%lld %s%s", (long long)(s / units[i].seconds), units[i].name,
	         plural((uint64_t)(s / units[i].seconds)));
	return buf;
}

/* ---- this machine's firewall ---- */

static void mode_cell(struct cli_table *t, const struct wh_nft_port_count *p)
{
	char left[48] = "", mode[64];
	if (p->pending)
		snprintf(left, sizeof left, "pending, %lld s left", (long long)((p->expires_in_ms + 999) / 1000));
	snprintf(mode, sizeof mode, "%s%s", p->pending ? left : "confirmed", p->rejects ? ", reject" : "");
	if (p->reopened)
		cli_table_cell(t, "%s (no longer narrowed)", left);
	else if (p->audit)
		cli_table_cell(t, "audit%s%s", *left ? ", " : "", left);
	else
		cli_table_coloured(t, p->pending ? CLI_YELLOW : CLI_GREEN, mode);
}

static void port_row(struct cli_table *t, const struct wh_nft_port_count *p)
{
	char proto[8], addr[WH_ADDR_STRLEN];
	cli_table_cell(t, "%u/%s%s", p->port, wh_proto_text(p->proto, proto), p->direction == WH_OUTBOUND ? " out" : "");
	mode_cell(t, p);
	if (!p->n_locals)
		cli_table_text(t, "any address");
	else if (p->n_locals > 1)
		cli_table_cell(t, "%s and %zu more", wh_addr_text(&p->local, addr), p->n_locals - 1);
	else
		cli_table_text(t, wh_addr_text(&p->local, addr));
	if (p->counts_passed)
		cli_table_number(t, p->passed);
	else
		cli_table_text(t, p->reopened ? "" : "not counted");
	char n[32];
	if (p->reopened)
		cli_table_text(t, "");
	else
		cli_table_cell(t, p->audit ? "would be: %s" : "%s", wh_number_text(p->dropped, n));
}

static void headline(const struct wh_app_status *s)
{
	size_t pending = 0, audit = 0, n = s->firewall.n;
	int64_t left = 0;
	char at[WH_TIME_STRLEN];
	for (size_t i = 0; i < n; i++) {
		const struct wh_nft_port_count *p = &s->firewall.ports[i];
		pending += p->pending;
		audit += p->audit;
		if (p->pending && (!left || p->expires_in_ms < left))
			left = p->expires_in_ms;
	}
	if (pending)
		printf("On this machine new rules are pending: run `whittle confirm` within %lld s to keep them",
		       (long long)((left + 999) / 1000));
	else if (s->confirmed_us)
		printf("On this machine %zu port%s %s narrowed, confirmed at %s", n, plural(n), n == 1 ? "is" : "are",
		       wh_time_text(s->confirmed_us, at));
	else
		printf("On this machine %zu port%s %s narrowed", n, plural(n), n == 1 ? "is" : "are");
	puts(audit ? ".\nAudit: what would be dropped is counted and let through (`whittle audit` lists it)." : ".");
}

void cli_status_firewall(const struct wh_app_status *s)
{
	if (s->firewall_unknown.code) {
		printf("The rules in force on this machine are not known: %s.\n\n",
		       s->firewall_unknown.code == -EPERM ? "only root can read the rules in the kernel"
		                                          : s->firewall_unknown.text);
		return;
	}
	if (!s->firewall.n) {
		puts("Nothing is enforced on this machine.\n");
		return;
	}
	headline(s);
	struct cli_table *t = cli_table_new("Port|Mode|For|>Let through|>Dropped");
	for (size_t i = 0; i < s->firewall.n; i++)
		port_row(t, &s->firewall.ports[i]);
	cli_table_print(t);
	putchar('\n');
}

/* ---- its environment ---- */

static void print_sensor(const struct wh_app_sensor *s)
{
	char day[WH_TIME_STRLEN], lost[32], of[32];
	if (!s->last_us)
		return;
	const int ago = wh_day(wh_now_us()) - wh_day(s->last_us - 1); /* last_us: the end of the last day */
	wh_time_text(s->last_us - 1, day)[10] = 0;
	printf("The last flow was %s%s", ago > 0 ? "on " : "today, ", day);
	if (ago > 0)
		printf(", %d day%s ago", ago, plural((size_t)ago));
	printf("%s.\n", s->silent ? ": the sensor is silent, or its log is not read" : "");
	if (s->packets)
		printf("The sensor lost %s of %s packets in the last 64 days.\n", wh_number_text(s->packets_lost, lost),
		       wh_number_text(s->packets, of));
	if (s->lost)
		printf("The plugin lost %s of %s records since Suricata's start: set memory-limit higher.\n",
		       wh_number_text(s->lost, lost), wh_number_text(s->records, of));
}

static void print_watch(const struct wh_app_status *s)
{
	bool lasting = false;
	for (size_t i = 0; i < s->firewall.n; i++)
		lasting |= !s->firewall.ports[i].pending;
	if (s->watched)
		puts("The rules are watched.");
	else if (lasting)
		puts("Nothing watches the rules: systemctl enable --now whittle-watch");
}

static void print_list(const struct wh_app_list *l)
{
	char age[32], buf[WH_SHELL_WORD];
	const char *word = wh_shell_word(l->name, buf);
	if (!l->updated_us && !l->held)
		printf("Threat list %s was never read: whittle intel update %s\n", l->name, word);
	else if (l->held)
		printf("Threat list %s is held until you run: whittle intel confirm %s (`whittle intel update %s` names the peers that it would cut off)\n",
		       l->name, word, word);
	else
		printf("Threat list %s was read %s ago%s%s\n", l->name, age_text(wh_now_us() - l->updated_us, age),
		       l->stale ? ", and is stale: whittle intel update " : ".", l->stale ? word : "");
}

static void print_unlearned(const struct wh_covered *c)
{
	char addr[WH_ADDR_STRLEN];
	wh_addr_text(&c->addr, addr);
	if (c->kind == WH_UNCLAIMED)
		printf("Not learned: %s (%s), which no resource has; add it to the estate, or to `discover` in whittle.yaml.\n",
		       addr, c->interface);
	else
		printf("Not learned: %s (%s) of %s; the sensor has not heard its traffic.\n", addr, c->interface, c->resource);
}

void cli_status_around(const struct wh_app_status *s)
{
	print_sensor(&s->sensor);
	print_watch(s);
	for (size_t i = 0; i < s->n_lists; i++)
		print_list(&s->lists[i]);
	for (size_t i = 0; i < s->n_unlearned; i++)
		print_unlearned(&s->unlearned[i]);
}
