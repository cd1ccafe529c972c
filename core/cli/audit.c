/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/options.h"
#include "whittle/app_firewall.h"
#include "whittle/audit.h"

enum { MOST_PEERS = 4096 };

static const char help[] =
	"usage: whittle audit [--follow] [--for TIME] [--json]\n"
	"\n"
	"Lists what rules in audit mode (`whittle enforce --audit`) would have dropped: for each port, by the kernel's counters, since the rules\n"
	"were applied. With --follow it also lists each packet that opens a connection, with its peer, as the kernel reports it to log group 5,\n"
	"and at the end each peer once. Only one program can listen to this group: stop `whittle watch` for that time.\n"
	"\n"
	"  --follow    list packets as they come, until Ctrl-C\n"
	"  --for TIME  the same until this time is over, such as 10m\n"
	"  --json      as JSON; with --follow, one line for each packet\n"
	"\n"
	"`whittle replay` prints what the same rules would have done to past traffic.\n"
	"\n"
	"Example: whittle enforce --audit && whittle confirm, then whittle audit --for 1h\n";

static volatile bool stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = true;
}

/* ---- by the counters ---- */

static json_t *counted_json(const struct wh_nft_counts *c)
{
	json_t *list = json_array();
	char proto[8];
	for (size_t i = 0; i < c->n; i++)
		if (c->ports[i].audit)
			json_array_append_new(list,
			                      json_pack("{s:s, s:s, s:i, s:I, s:I}", "direction",
			                                wh_direction_text(c->ports[i].direction), "protocol",
			                                wh_proto_text(c->ports[i].proto, proto), "port", (int)c->ports[i].port,
			                                "wouldBeDropped", (json_int_t)c->ports[i].dropped, "letThrough",
			                                (json_int_t)c->ports[i].passed));
	return list;
}

static void print_counted(const struct wh_nft_counts *c)
{
	struct cli_table *t = cli_table_new("Port|>Would be dropped|>Let through");
	char proto[8];
	for (size_t i = 0; i < c->n; i++) {
		const struct wh_nft_port_count *p = &c->ports[i];
		if (!p->audit)
			continue;
		cli_table_cell(t, "%u/%s%s", p->port, wh_proto_text(p->proto, proto), p->direction == WH_OUTBOUND ? " out" : "");
		cli_table_number(t, p->dropped);
		cli_table_number(t, p->passed);
	}
	cli_table_print(t);
}

/* ---- as they come ---- */

struct heard { struct wh_audited first; uint64_t packets; };
struct listening { const struct cli *c; struct heard *peers; size_t n; uint64_t beyond; };

static bool same(const struct wh_audited *a, const struct wh_audited *b)
{
	return a->port == b->port && a->proto == b->proto && a->direction == b->direction && wh_addr_eq(&a->peer, &b->peer);
}

static void print_packet(const struct cli *c, const struct wh_audited *a)
{
	char time[WH_TIME_STRLEN], address[WH_ADDR_STRLEN], protocol[8];
	const char *at = wh_time_text(a->time_us, time), *addr = wh_addr_text(&a->peer, address),
		   *proto = wh_proto_text(a->proto, protocol);
	if (c->json)
		printf("{\"version\":1,\"time\":\"%s\",\"direction\":\"%s\",\"peer\":\"%s\",\"protocol\":\"%s\",\"port\":%u}\n",
		       at, wh_direction_text(a->direction), addr, proto, a->port);
	else
		printf("%s  %s would be dropped on port %u/%s%s\n", at, addr, a->port, proto,
		       a->direction == WH_OUTBOUND ? " out" : "");
	fflush(stdout);
}

static void hear(void *arg, const struct wh_audited *a)
{
	struct listening *l = arg;
	size_t i = 0;
	print_packet(l->c, a);
	while (i < l->n && !same(&l->peers[i].first, a))
		i++;
	if (i == MOST_PEERS) {
		l->beyond++;
		return;
	}
	if (i == l->n)
		l->peers[l->n++] = (struct heard){.first = *a};
	l->peers[i].packets++;
}

static void print_heard(const struct listening *l, uint64_t lost)
{
	struct cli_table *t = !l->n ? NULL : cli_table_new("Peer|Port|>Packets");
	char addr[WH_ADDR_STRLEN], proto[8];
	for (size_t i = 0; i < l->n; i++) {
		const struct wh_audited *a = &l->peers[i].first;
		cli_table_text(t, wh_addr_text(&a->peer, addr));
		cli_table_cell(t, "%u/%s%s", a->port, wh_proto_text(a->proto, proto), a->direction == WH_OUTBOUND ? " out" : "");
		cli_table_number(t, l->peers[i].packets);
	}
	putchar('\n');
	if (t)
		cli_table_print(t);
	else
		puts("Nothing would have been dropped in this time.");
	if (l->beyond)
		printf("%llu more packets came from peers beyond the first %d.\n", (unsigned long long)l->beyond, MOST_PEERS);
	if (lost)
		puts("Some packets are not listed: they came faster than they were read. The counters include them.");
}

static int follow(const struct cli *c, int64_t seconds)
{
	struct listening l = {.c = c, .peers = calloc(MOST_PEERS, sizeof *l.peers)};
	const struct sigaction sa = {.sa_handler = on_signal};
	struct wh_error err = {0};
	uint64_t lost = 0;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	if (seconds)
		alarm((unsigned)seconds);
	int rc = l.peers ? wh_audit_hear(WH_NFLOG_GROUP, &stop, hear, &l, &lost, &err) : wh_fail(&err, -ENOMEM, "out of memory");
	if (!rc && !c->json)
		print_heard(&l, lost);
	free(l.peers);
	return rc ? cli_error(&err) : CLI_OK;
}

/* ---- both ---- */

static int show(const struct cli *c, bool following, int64_t seconds, const struct wh_nft_counts *counts)
{
	size_t audited = 0;
	for (size_t i = 0; i < counts->n; i++)
		audited += counts->ports[i].audit;
	if (!audited) {
		struct wh_error err;
		wh_fail(&err, -ENOENT, "%s: `whittle enforce --audit` applies rules that drop nothing",
		        counts->n ? "the rules in force are not in audit mode" : "nothing is enforced here");
		return cli_error(&err);
	}
	if (!c->json)
		print_counted(counts);
	else if (!following)
		return cli_print_json(json_pack("{s:o}", "ports", counted_json(counts)));
	if (!following)
		puts("\n`whittle audit --follow` lists the peers as they come; `whittle replay` judges past traffic.");
	return following ? follow(c, seconds) : CLI_OK;
}

static int run(struct cli *c, int argc, char **argv)
{
	const char *time = NULL;
	bool following = false;
	const struct cli_option options[] = {{"follow", .flag = &following}, {"for", .text = &time}, {0}};
	struct wh_nft_counts counts;
	struct wh_error err;
	int64_t seconds = 0;
	if (cli_read_options(c, argc, argv, options) || cli_no_word(c, argc, argv))
		return CLI_USAGE;
	if (time && (wh_duration_parse(time, &seconds) || seconds < 1 || seconds > INT64_C(366) * 86400))
		return cli_usage(c, "'%s' is not a time such as 30m or 3h", time);
	struct wh_arena *mem = wh_arena_new();
	int rc = wh_firewall_counts(mem, &counts, &err);
	rc = rc ? cli_error(&err) : show(c, following || time, seconds, &counts);
	wh_arena_free(mem);
	return rc;
}

const struct cli_command cli_audit = {
	.may = WH_MAY_LOOK | WH_MAY_HEAR,
	.confined = true,
	.name = "audit",
	.summary = "list what rules in audit mode would have dropped",
	.help = help,
	.run = run,
};
