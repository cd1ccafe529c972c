/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/cli.h"
#include "whittle/app_learning.h"

static const char help[] =
	"usage: whittle evidence [ADDRESS] [--kind KIND] [--json]\n"
	"\n"
	"Lists what Suricata's protocol records showed about the protected addresses: the versions of TLS, SSH, SMB and IKE that they used and with\n"
	"which peers, the methods of login, the domains that they looked up, and the packets that the sensor lost. `ingest` and the plugin read it from\n"
	"records of the types tls, ssh, smb, krb5, ldap, ike, dns and stats. Names of users, credentials and files are never stored. Flow records of any kind\n"
	"of log show the connections that a protected address attempted and nobody answered, and so does `watch` where it learns from the kernel.\n"
	"\n"
	"  ADDRESS       only this protected address\n"
	"  --kind KIND   only this kind: tls, ssh, smb, ntlm, kerberos, ldap, dns (the servers that were asked), dns-name, dns-domain and dns-failed (a row\n"
	"                a day), dns-dangling, capture, certificate (with its last day of validity), attempts (that nobody answered: a row a day and\n"
	"                port, with the number of targets and one of them), signatures (of the sensor: how many it loaded, and when) or ike (what\n"
	"                the ends of IPsec agreed on)\n"
	"\n"
	"Without --kind, all kinds but dns-name are listed. At most 1,024 rows are stored for one address, kind and day; a row with the value `...` counts\n"
	"the rest.\n"
	"\n"
	"Example: whittle evidence --kind tls --json | jq -r 'select(.value == \"1.0\").local'\n";

struct listing {
	bool json, all;
	const struct wh_addr *only;
	struct cli_table *table;
};

static const char *address(const struct wh_addr *a, char buf[static WH_ADDR_STRLEN])
{
	static const struct wh_addr none;
	return wh_addr_eq(a, &none) ? "" : wh_addr_text(a, buf);
}

static void row_cells(struct cli_table *t, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	char local[WH_ADDR_STRLEN], peer[WH_ADDR_STRLEN], proto[8], first[WH_TIME_STRLEN], last[WH_TIME_STRLEN];
	struct wh_addr target;
	cli_table_text(t, wh_fact_words[k->kind]);
	cli_table_text(t, address(&k->local, local));
	cli_table_text(t, k->kind == WH_FACT_CAPTURE || !strcmp(k->value, WH_FACT_MORE)
	                          ? ""
	                          : wh_direction_text((enum wh_direction)k->direction));
	cli_table_text(t, address(k->kind == WH_FACT_ATTEMPTS && wh_fact_target(r, &target) ? &target : &k->peer, peer));
	if (k->port)
		cli_table_cell(t, "%u/%s", k->port, wh_proto_text(k->proto, proto));
	else
		cli_table_text(t, "");
	if (k->kind == WH_FACT_ATTEMPTS && strcmp(k->value, WH_FACT_MORE) != 0)
		cli_table_cell(t, "%.0f %s", wh_fact_distinct(r), k->value);
	else
		cli_table_text(t, k->value);
	if (k->kind == WH_FACT_CAPTURE)
		cli_table_cell(t, "%llu lost", (unsigned long long)wh_fact_capture(r).drops);
	else
		cli_table_number(t, r->count);
	cli_table_text(t, wh_time_text(r->first_us, first));
	cli_table_text(t, wh_time_text(r->last_us, last));
}

static int each(void *arg, const struct wh_fact_key *k, const struct wh_fact_row *r)
{
	struct listing *l = arg;
	if ((l->all && k->kind == WH_FACT_DNS_NAME) || wh_fact_is_mark(k))
		return 0;
	if (l->only && !wh_addr_eq(l->only, &k->local))
		return 0;
	if (l->json) {
		json_t *o = wh_app_fact_json(k, r);
		char *line = o ? json_dumps(o, JSON_COMPACT) : NULL;
		if (line)
			puts(line);
		free(line);
		json_decref(o);
		return line ? 0 : -ENOMEM;
	}
	l->table = l->table ? l->table : cli_table_new("Kind|Local|Direction|Peer|Port|Value|>Count|First|Last");
	row_cells(l->table, k, r);
	return 0;
}

static int run(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{"kind", 1, 0, 'k'}, {0}};
	struct listing l = {.json = c->json};
	struct wh_ledger ledger = {NULL, NULL};
	struct wh_addr local;
	struct wh_error err;
	int o, kind = WH_FACT_KINDS;
	while ((o = cli_getopt(c, argc, argv, "", longs)) != -1) {
		if (o != 'k')
			return CLI_USAGE;
		if ((kind = wh_key_choice(wh_fact_words, optarg)) < 0)
			return cli_usage(
				c,
				"'%.40s' is not a kind of evidence; there are tls, ssh, smb, ntlm, kerberos, ldap, dns, dns-name, dns-domain, dns-failed, dns-dangling, capture, certificate, attempts, signatures, ike",
				optarg);
	}
	if (argc - optind > 1)
		return cli_usage(c, "takes one address at most");
	if (optind < argc && wh_addr_parse(argv[optind], strlen(argv[optind]), &local))
		return cli_usage(c, "'%.60s' is not an address", argv[optind]);
	l.only = optind < argc ? &local : NULL;
	l.all = kind == WH_FACT_KINDS;
	int rc = cli_open_ledger(c, WH_STATE_READ, &ledger);
	if (rc)
		return rc;
	rc = wh_store_facts(ledger.store, (enum wh_fact_kind)kind, each, &l, &err) ? cli_error(&err) : CLI_OK;
	if (l.table)
		cli_table_print(l.table);
	else if (!l.json && !rc)
		puts("No protocol evidence: no tls, ssh, smb, krb5, ldap, ike, dns or stats record was read yet. Add these to `types` of eve-log.");
	wh_ledger_close(&ledger);
	return rc;
}

const struct cli_command cli_evidence = {.confined = true,
                                         .name = "evidence",
                                         .only_reads = true,
                                         .summary = "list what protocol records showed",
                                         .help = help,
                                         .run = run};
