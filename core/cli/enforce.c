/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cli/apply.h"
#include "cli/azure.h"
#include "cli/cli.h"
#include "cli/earlier.h"
#include "cli/own_rules.h"
#include "whittle/firewall.h"

static const char enforce_help[] =
	"usage: whittle enforce [--resource NAME]… [--confirm-within 60s] [--audit] [--dry-run] [--force] [--force-all-addresses] [--json]\n"
	"       whittle enforce --repair [--json]\n"
	"       whittle enforce --to azure [RESOURCE…] [--nsg NAME|ID] [--dry-run] [--force] [--token-command COMMAND] [--json]\n"
	"\n"
	"Applies the recommended rules, as they were reviewed, to this machine's firewall: into a table of its own, in one\n"
	"transaction, after proving once more that they only narrow. A packet that whittle does not drop goes on to the rules that\n"
	"you already have; established connections, loopback and ICMP are never touched.\n"
	"\n"
	"A rule judges the addresses of its resource that something was learned of: packets to them, and outbound from them. A port that this\n"
	"machine publishes or redirects (Docker, Podman, DNAT) is judged by the address and port that the peer asked for. Other addresses, such as\n"
	"a VPN's, a bridge's or the other family's, stay as they are, and are listed as not covered; what is only forwarded is never judged.\n"
	"\n"
	"Nothing lasts until you say so: when `whittle confirm` does not come in time, the kernel itself drops the new rules, even if\n"
	"whittle, your shell or your connection is gone by then. What was confirmed before holds again.\n"
	"\n"
	"  --resource NAME        which resource this machine is, several times where it is several; by default those that have its addresses\n"
	"  --confirm-within TIME  how long the rules stay without a confirmation (60s)\n"
	"  --audit                count and log what would be dropped; drop nothing\n"
	"  --dry-run              print what would be applied, apply nothing\n"
	"  --force                apply even what would keep you from connecting again by SSH, or a connection that is open now and is older than the\n"
	"                         ledger's memory or has moved 16 MiB. From where you are connected is read from\n"
	"                         $SSH_CONNECTION, also behind sudo, and from the sockets of your SSH sessions\n"
	"  --force-all-addresses  let each rule judge whichever address of this machine a packet is for, also those of which nothing was learned\n"
	"  --repair               put back what `whittle drift` found changed: what was confirmed stays confirmed, and what waits for\n"
	"                         its confirmation has as long as it had\n"
	"\n"
	"--to azure writes the rules into the network security groups that protect the resources, through Azure Resource Manager. Each group is\n"
	"read first, and must be what was imported or what whittle itself wrote last; the plan is proved, held against Azure's limits and shown as\n"
	"rules added (+), removed (-) and moved (~). Then it is written by one PUT that fails when somebody else was faster, waited for, read back\n"
	"and compared; when that fails the former group is put back, and so are the groups changed before it. There is no confirmation:\n"
	"`whittle rollback --to azure` takes it back.\n"
	"\n"
	"  RESOURCE               only these resources (names, ids or addresses); all of the estate without\n"
	"  --nsg NAME|ID          only this group\n"
	"  --dry-run              read, plan and show; write nothing\n"
	"  --force                plan upon a group that somebody else changed since its import\n"
	"  --keep-original DAY    keep the narrowed rule below until that day, as `whittle export --help` says; after it, remove it\n"
	"  --nsg-scope SCOPE      nic, subnet or both: which groups of a resource, as `whittle export --help` says\n"
	"  --token-command CMD    prints a bearer token (azure: {token-command: …} in whittle.yaml); else it is in $WHITTLE_AZURE_TOKEN\n"
	"  --endpoint URL         https://management.azure.com, or another cloud's; --ca-file FILE where its certificate needs it\n"
	"  --wait TIME            how long to wait for Azure in all (5m)\n"
	"\n"
	"Example: whittle enforce --confirm-within 2m, try a new connection, whittle confirm\n"
	"         whittle enforce --to azure vm1 --dry-run --token-command 'az account get-access-token --query accessToken -o tsv'\n";

/* Other processes' sockets are root's alone to see. */
static void find_sessions(struct cli *c)
{
	c->n_sessions = wh_sessions("/proc", getpid(), wh_operator_uid("/proc"), c->sessions, sizeof c->sessions / sizeof *c->sessions);
}

struct job {
	struct cli *c;
	struct wh_arena *mem;
	struct wh_enforce_options opt;
	struct cli_own own;
	bool dry, force;
	json_t *open;      /* connections that are open now and could not come back; for --json */
};

static int leave_to_jit(struct wh_nft_ruleset *rs, struct wh_arena *mem, struct wh_error *err)
{
	struct wh_jit_live now;
	int rc = wh_firewall_jit_live(mem, &now, err);
	if (rc) /* a dry run without the right to ask; an apply fails by itself */
		return rc == -EPERM ? 0 : rc;
	const char *left = wh_jit_leave_out(rs, &now, mem);
	if (left)
		fprintf(stderr, "whittle: port %s is left to just-in-time access, which keeps it closed (whittle jit)\n", left);
	return 0;
}

static int check_own_sessions(const struct job *j, const struct wh_nft_ruleset *rs, struct wh_error *err)
{
	const struct wh_session *cut = wh_session_cut(rs, j->c->sessions, j->c->n_sessions);
	char client[WH_ADDR_STRLEN];
	if (cut && !j->force)
		return wh_fail_input(err, -EPERM, "refused: you are connected from %s, which could not connect to port %u again after this; "
		                     "add it with `whittle rules edit`, or use --force", wh_addr_text(&cut->client, client), cut->port);
	if (cut)
		fprintf(stderr, "whittle: your own address %s will not be able to connect again to port %u\n", wh_addr_text(&cut->client, client), cut->port);
	return 0;
}

/* Rules for addresses that are on no interface stop nobody. A machine without any address yet can't be asked. */
static int check_addresses(const struct job *j, struct wh_error *err)
{
	struct wh_nft_host host;
	wh_nft_host_read("", j->mem, &host);
	int rc = wh_nft_check(j->own.rs, &host, err);
	char *unchecked = rc ? NULL : wh_nft_unchecked(j->own.rs, &host, j->mem);
	if (unchecked)
		fprintf(stderr, "whittle: %s\n", unchecked);
	if (rc || cli_own_is_met(&j->own))
		return rc;
	if (j->own.n_covered && !j->dry)
		return wh_fail_input(err, -EADDRNOTAVAIL, "no packet would meet the rules of %s: none of the addresses that they judge is this machine's (it has %s); "
		                     "add the right one to the estate, or use --force-all-addresses", j->own.names[0], wh_nft_not_covered(j->own.covered, j->own.n_covered, j->mem));
	fprintf(stderr, "whittle: none of the addresses that the rules judge is this machine's now: no packet meets them\n");
	return 0;
}

static json_t *open_json(const struct wh_open_cut *cut)
{
	const struct wh_open *o = cut->c;
	char addr[WH_ADDR_STRLEN], proto[8], t[WH_TIME_STRLEN];
	json_t *j = json_pack("{s:s,s:s,s:s,s:i,s:b}", "peer", wh_addr_text(&o->peer, addr), "direction", wh_direction_text(o->direction), "protocol",
	                      wh_proto_text(o->proto, proto), "port", (int)o->port, "refused", cut->why != WH_OPEN_OTHER);
	if (o->start_us)
		json_object_set_new(j, "since", json_string(wh_time_text(o->start_us, t)));
	if (o->idle_us >= 0)
		json_object_set_new(j, "idleSeconds", json_integer(o->idle_us / 1000000));
	if (o->has_bytes)
		json_object_set_new(j, "bytes", json_integer((json_int_t)(o->bytes_in + o->bytes_out)));
	return j;
}

/* Lists what is open now and could not come back, and refuses where it is too old for the ledger to know it, or large. */
static int check_open(struct job *j, const struct wh_nft_ruleset *rs, struct wh_error *err)
{
	enum { SHOWN = 20, SHOWN_JSON = 1000 };
	struct wh_open_list l;
	size_t n, refused;
	char text[200];
	int64_t now = wh_now_us();
	struct wh_error unnoted;
	wh_firewall_connections(j->mem, &l);
	if (*l.unread)
		fprintf(stderr, "whittle: not all connections that are open now can be judged: %s\n", l.unread);
	if (!j->dry && wh_open_note(j->c->store_url, j->c->config->estate.discover, &l, now, &unnoted))
		fprintf(stderr, "whittle: the connections that are open now do not become evidence: %s\n", unnoted.text);
	const struct wh_open_cut *cuts = wh_open_cuts(rs, &l, j->own.memory_us, now, j->mem, &n, &refused);
	j->open = json_array();
	for (size_t i = 0; i < n && i < SHOWN_JSON; i++)
		json_array_append_new(j->open, open_json(&cuts[i]));
	for (size_t i = 0; i < n && i < SHOWN; i++)
		fprintf(stderr, "whittle: open now, and could not come back: %s%s\n", wh_open_text(cuts[i].c, now, text),
		        cuts[i].why == WH_OPEN_OLD ? ": older than the ledger's memory" : "");
	if (n > SHOWN || l.more)
		fprintf(stderr, "whittle: and %s%zu more\n", l.more ? "at least " : "", n > SHOWN ? n - SHOWN : 0);
	if (refused && !j->force)
		return wh_fail_input(err, -EPERM, "refused: %s, the first %s, could not come back once %s; add what belongs with `whittle rules edit`, or use --force",
		                     refused == 1 ? "a connection that is open now, and that the ledger can't know or that is large" :
		                     wh_arena_printf(j->mem, "%zu connections that are open now, and that the ledger can't know or that are large", refused),
		                     wh_open_text(cuts[0].c, now, text), refused == 1 ? "it ends" : "they end");
	return 0;
}

/* What the kernel and the session have to say about the rules, asked with few privileges. */
static int check(struct job *j, struct wh_nft_ruleset *rs, struct wh_error *err)
{
	int rc = leave_to_jit(rs, j->mem, err);
	if (!rc && !rs->n_ports)
		rc = wh_fail(err, -ENODATA, "there is nothing to enforce: no rule is recommended for this machine (`whittle status` says why)");
	rs->audit = j->opt.audit;
	rc = rc ? rc : check_addresses(j, err);
	rc = rc ? rc : check_own_sessions(j, rs, err);
	return rc ? rc : check_open(j, rs, err);
}

static int print_repair(const struct cli *c, const char *was)
{
	if (c->json)
		return cli_print_json(json_pack("{s:b,s:s}", "repaired", was != NULL, "was", was ? was : ""));
	if (was)
		printf("Put back and read back. What was changed:\n%s\n", was);
	else
		puts("There is nothing to repair: the kernel holds what was applied.");
	return CLI_OK;
}

static int repair(struct cli *c)
{
	struct wh_error err;
	char *was = NULL;
	int rc = wh_firewall_ready(&err);
	if (!rc)
		cli_adopt_earlier(c, &(struct wh_error){0});
	rc = rc ? rc : wh_firewall_repair(&was, &err);
	int status = rc ? cli_error(&err) : print_repair(c, was);
	if (!rc && was)
		cli_journal(c, "enforce.repair", json_pack("{s:s}", "was", was));
	free(was);
	return status;
}

static int print_dry(const struct job *j, const struct wh_nft_ruleset *rs)
{
	char *text = wh_nft_text(rs, j->opt.confirm_within_s);
	int status = CLI_OK;
	if (j->c->json)
		status = cli_print_json(json_pack("{s:b,s:b,s:I,s:o,s:s}", "applied", 0, "audit", rs->audit, "ports", (json_int_t)rs->n_ports, "addresses",
		                                  cli_coverage_json(j->own.covered, j->own.n_covered), "ruleset", text ? text : ""));
	else
		fputs(text ? text : "", stdout);
	if (!j->c->json)
		fprintf(stderr, "%s\n", cli_coverage_line(j->own.covered, j->own.n_covered, j->mem));
	free(text);
	return status;
}

static int print_applied_json(const struct job *j, const struct wh_enforce_result *res, const char *until)
{
	json_t *o = json_pack("{s:b,s:b,s:b,s:b,s:I,s:I,s:I,s:I,s:f}", "applied", 1, "verified", res->verified, "unchanged", res->unchanged, "audit", j->opt.audit, "ports",
	                      (json_int_t)res->ports, "prefixes", (json_int_t)res->prefixes, "messages", (json_int_t)res->messages, "bytes", (json_int_t)res->bytes, "seconds",
	                      res->apply_seconds);
	json_object_set_new(o, "addresses", cli_coverage_json(j->own.covered, j->own.n_covered));
	if (!res->unchanged) {
		json_object_set_new(o, "confirmWithin", json_integer(j->opt.confirm_within_s));
		json_object_set_new(o, "confirmBefore", json_string(until));
		json_object_set_new(o, "confirmCommand", json_string(cli_confirm_command(j->c)));
	}
	json_object_set(o, "openConnections", j->open);
	return cli_print_json(o);
}

static int print_applied(const struct job *j, const struct wh_nft_ruleset *rs, const struct wh_enforce_result *res, const char *until)
{
	if (j->c->json)
		return print_applied_json(j, res, until);
	printf("Applied and read back: %zu port%s narrowed to %zu prefix%s%s.\n", res->ports, res->ports == 1 ? "" : "s", res->prefixes, res->prefixes == 1 ? "" : "es",
	       j->opt.audit ? " (audit: nothing is dropped)" : "");
	cli_print_rules(rs);
	printf("%s.\n", cli_coverage_line(j->own.covered, j->own.n_covered, j->mem));
	if (res->unchanged)
		puts("That is what was confirmed before: nothing has changed, and nothing is left to confirm.");
	else
		printf("The kernel takes them back in %lld seconds, at %s, unless this is run from any terminal:\n    %s\nTry a new connection first. `whittle rollback` takes them away at once.\n",
		       (long long)j->opt.confirm_within_s, until, cli_confirm_command(j->c));
	return CLI_OK;
}

static int apply(struct job *j, const struct wh_nft_ruleset *rs, struct wh_error *err)
{
	struct wh_enforce_result res;
	char until[WH_TIME_STRLEN], *unkept;
	int64_t expires_us;
	if (wh_firewall_apply(rs, &j->opt, j->force, &res, &expires_us, &unkept, err))
		return cli_error(err);
	if (unkept) /* confirm will say so once more */
		fprintf(stderr, "whittle: %s\n", unkept);
	free(unkept);
	wh_time_text(expires_us, until);
	int status = print_applied(j, rs, &res, until);
	cli_journal(j->c, "enforce.apply", json_pack("{s:I,s:I,s:b,s:I}", "ports", (json_int_t)res.ports, "prefixes", (json_int_t)res.prefixes, "audit", j->opt.audit,
	                                             "confirmWithin", (json_int_t)j->opt.confirm_within_s));
	return status;
}

static int enforce(struct cli *c, int argc, char **argv)
{
	static const struct option opts[] = {{"resource", 1, 0, 'r'}, {"confirm-within", 1, 0, 'c'}, {"audit", 0, 0, 'a'}, {"dry-run", 0, 0, 'n'},
	                                     {"force", 0, 0, 'f'}, {"force-all-addresses", 0, 0, 'A'}, {"repair", 0, 0, 'm'}, {"to", 1, 0, 't'}, {0}};
	struct job j = {.c = c, .opt = {.confirm_within_s = 60}};
	struct wh_nft_ruleset *rs;
	struct wh_error err;
	bool mend = false;
	int o;
	if (cli_is_azure(argc, argv))
		return cli_azure(c, argc, argv, false);
	while ((o = cli_getopt(c, argc, argv, "", opts)) != -1) {
		switch (o) {
		case 'r':
			if (j.own.n == sizeof j.own.names / sizeof *j.own.names)
				return cli_usage(c, "too many resources");
			j.own.names[j.own.n++] = optarg;
			break;
		case 'c':
			if (wh_duration_parse(optarg, &j.opt.confirm_within_s) || j.opt.confirm_within_s < 1 || j.opt.confirm_within_s > 86400)
				return cli_usage(c, "'%s' is not a time from 1s to 24h", optarg);
			break;
		case 'a': j.opt.audit = true; break;
		case 'n': j.dry = true; break;
		case 'f': j.force = true; break;
		case 'A': j.own.all_addresses = true; break;
		case 'm': mend = true; break;
		case 't':
			if (strcmp(optarg, "nft"))
				return cli_usage(c, "unknown target '%s'; there are nft and azure", optarg);
			break;
		default: return CLI_USAGE;
		}
	}
	if (optind != argc)
		return cli_usage(c, "takes no further words");
	j.mem = wh_arena_new();
	if (mend) {
		o = repair(c);
		wh_arena_free(j.mem);
		return o;
	}
	int rc = j.dry ? 0 : wh_firewall_ready(&err);
	if (!rc)
		rc = cli_own_rules(c, &j.own, j.mem, &err);
	rs = j.own.rs;
	if (!rc)
		rc = check(&j, rs, &err);
	rc = rc ? cli_error(&err) : j.dry ? print_dry(&j, rs) : apply(&j, rs, &err);
	json_decref(j.open);
	wh_arena_free(j.mem);
	return rc;
}

static unsigned may_now(const struct cli *c, int argc, char **argv)
{
	(void)c;
	if (cli_has_option(argc, argv, "--repair"))
		return WH_MAY_LOOK | WH_MAY_PUT_BACK | WH_MAY_ADOPT;
	return cli_has_option(argc, argv, "--dry-run") ? WH_MAY_LOOK : WH_MAY_LOOK | WH_MAY_APPLY;
}

const struct cli_command cli_enforce = {.may = WH_MAY_LOOK | WH_MAY_APPLY | WH_MAY_PUT_BACK | WH_MAY_ADOPT, .may_now = may_now, .confined = true, .name = "enforce", .summary = "apply the rules to this machine, until confirmed for a minute only", .help = enforce_help, .run = enforce, .before = find_sessions};
