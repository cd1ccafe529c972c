/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "cli/jit.h"
#include "whittle/app_jit.h"
#include "whittle/firewall.h"

static const char help[] =
	"usage: whittle jit on [--confirm-within 60s] [--force]\n"
	"       whittle jit confirm | off\n"
	"       whittle jit open RESOURCE PORT --from ADDRESS|PREFIX [--for 1h] [--why TEXT] [--to nft|nsg]\n"
	"       whittle jit request RESOURCE PORT --from ADDRESS|PREFIX [--for 1h] [--why TEXT] [--to nft|nsg]\n"
	"       whittle jit approve ID\n"
	"       whittle jit refuse ID [--why TEXT]\n"
	"       whittle jit list [--json]\n"
	"       whittle jit close ID [--why TEXT]\n"
	"       whittle jit log [--json]\n"
	"       whittle jit policy [--json]\n"
	"       whittle jit policy set RESOURCE --ports 22,3389/tcp [--from PREFIX,…] [--who NAME,…] [--longest 3h]\n"
	"       whittle jit policy delete RESOURCE\n"
	"       whittle jit nsg NAME [-o FILE | --output FILE]\n"
	"       whittle jit nsg [NAME] --to azure [--until-closed] [--endpoint URL] [--token-command CMD] [--ca-file FILE] [--wait 5m]\n"
	"\n"
	"Just-in-time access keeps ports closed, and opens them on request for one source and a limited time. The policy is in whittle.yaml:\n"
	"\n"
	"  jit:\n"
	"    - {resource: vm1, ports: [22, 3389], from: [203.0.113.0/24], who: [ada, bob], longest: 3h}\n"
	"\n"
	"Without `from` a port may be opened for any source; without `who`, by root alone; `longest` is 3h by default. An opening that the\n"
	"policy does not allow is refused with the reason: resource, port, source, user or time.\n"
	"\n"
	"  on       closes the ports of the policy on this machine. Unless `jit confirm` follows in time, the kernel opens them again.\n"
	"           Open connections stay. It is refused without --force if it would lock you out: open the port for yourself first\n"
	"  open     opens a port for one source. On this machine the kernel closes it again, even if no process of whittle runs\n"
	"  request  asks for an opening, if you may not open the port yourself. It waits 24 hours for approval; one person may have 8 that wait\n"
	"  approve  opens what was requested, for the requested time from now on. The policy's `who` must name the person who approves\n"
	"  refuse   ends a request\n"
	"  close    closes an opening early; connections that were made stay\n"
	"  list     prints what is open now in the kernel, with user and reason, and the requests that wait\n"
	"  log      prints all openings, closings, requests and refusals, with user, time and reason\n"
	"  policy   lists the policies. `set` and `delete` make and remove policies for resources that have none in whittle.yaml; they are kept\n"
	"           in the state directory. The user '*' is everybody who may run `jit open`\n"
	"  off      opens all ports again and deletes the table\n"
	"  nsg      writes a network security group as it should be now: the ports denied, and before that an allow for each opening that has not\n"
	"           ended. It is for resources other than this machine (open --to nsg, which is the default for them). With --to azure it\n"
	"           changes the group at Azure itself, or all groups of the policy, as `enforce --to azure` does. Azure has no time-outs: an\n"
	"           ended opening is removed when the command runs again (from a timer), or at its end with --until-closed, which waits until\n"
	"           nothing is open. For the token see `whittle enforce --help`\n"
	"\n"
	"A line of sudoers may give users `whittle jit open` and `close`. What would give them more is refused, unless whittle.yaml has\n"
	"`jit-sudo-options: yes`: --config, --store, -o, --endpoint, --token-command, --ca-file, `off` and changes of policies.\n"
	"\n"
	"`whittle enforce` leaves out the ports that are closed here.\n"
	"\n"
	"Example: whittle jit open vm1 22 --from 203.0.113.7 --for 3h --why 'the disk is full'\n";

/* ---- on, confirm, off ---- */

static int on(struct cli *c, struct wh_arena *mem, int argc, char **argv)
{
	static const struct option opts[] = {{"confirm-within", 1, 0, 'c'}, {"force", 0, 0, 'f'}, {0}};
	const struct wh_app a = cli_app(c);
	struct wh_app_ports closed;
	struct wh_error err;
	int64_t within = 60;
	bool force = false;
	int o;
	while ((o = cli_getopt(c, argc, argv, "", opts)) != -1) {
		if (o == 'f')
			force = true;
		else if (o != 'c')
			return CLI_USAGE;
		else if (wh_duration_parse(optarg, &within) || within < 1 || within > 86400)
			return cli_usage(c, "'%s' is not a time from 1s to 24h", optarg);
	}
	if (optind != argc)
		return cli_usage(c, "on takes no further words");
	if (wh_app_jit_on(&a, within, force, mem, &closed, &err))
		return cli_app_error(c, &err);
	printf("%zu port%s closed. Open connections stay. `whittle jit open` opens a port for one source.\n", closed.n,
	       closed.n == 1 ? " is" : "s are");
	printf("The kernel opens the newly closed ports again in %lld seconds unless you run `whittle jit confirm`.\n",
	       (long long)within);
	return CLI_OK;
}

struct said { struct wh_arena *mem; int status; };

/* A confirmation keeps the closed ports. Ports that the policy also closes but that are open again, since their time was up, are
 * listed: it is too late for them. */
static void print_confirmed(void *arg, const struct wh_app_jit_confirmed *x)
{
	struct said *s = arg;
	s->status = CLI_FAILED;
	if (x->not_compared.code) {
		fprintf(stderr,
		        "whittle: closed ports stay closed; can't check whether these are all ports of the policy: %s\n",
		        x->not_compared.text);
	} else if (x->unread.code) {
		s->status = cli_error(&x->unread);
	} else if (x->open.n) {
		fprintf(stderr,
		        "whittle: Too late: the time of %s is over, and the kernel has opened %s again. Only the ports confirmed earlier are closed: %s. "
		        "`whittle jit on` closes all of them.\n",
		        wh_jit_ports_text(x->open.list, x->open.n, s->mem), x->open.n == 1 ? "it" : "them",
		        wh_jit_ports_text(x->closed.list, x->closed.n, s->mem));
	} else {
		puts("Confirmed: the ports stay closed. `whittle jit off` opens them again.");
		s->status = CLI_OK;
	}
}

static int confirm(struct cli *c, struct wh_arena *mem, int argc, char **argv)
{
	(void)argc, (void)argv;
	const struct wh_app a = cli_app(c);
	struct said s = {mem, CLI_OK};
	struct wh_error err;
	return wh_app_jit_confirm(&a, mem, print_confirmed, &s, &err) ? cli_error(&err) : s.status;
}

static void print_off(void *arg, const struct wh_app_jit_off *x)
{
	struct said *s = arg;
	if (!x->was_there) {
		puts("Just-in-time access is off: its table was not there, so no port was closed by it.");
		return;
	}
	puts("Just-in-time access is off: its table is gone, nothing else was touched.");
	if (x->closed.n)
		printf("This opens %s to all peers that this machine's other rules let in. `whittle enforce` narrows %s where rules are recommended.\n",
		       wh_jit_ports_text(x->closed.list, x->closed.n, s->mem), x->closed.n == 1 ? "it" : "them");
}

static int off(struct cli *c, struct wh_arena *mem, int argc, char **argv)
{
	(void)argc, (void)argv;
	const struct wh_app a = cli_app(c);
	struct said s = {mem, CLI_OK};
	struct wh_error err;
	if (cli_held_by_sudo(c)) {
		fprintf(stderr,
		        "whittle: refused (off): a line of sudoers opens ports within the policies, and this would open them to all. Root may run it: by "
		        "`sudo env -u SUDO_UID whittle jit off`, or with `jit-sudo-options: yes` in " WH_DEFAULT_CONFIG "\n");
		return CLI_USAGE;
	}
	return wh_app_jit_off(&a, mem, print_off, &s, &err) ? cli_error(&err) : CLI_OK;
}

/* ---- others ---- */

static int log_of(struct cli *c, struct wh_arena *mem, int argc, char **argv)
{
	(void)argc, (void)argv, (void)mem;
	return cli_jit_log(c);
}

static int nsg(struct cli *c, struct wh_arena *mem, int argc, char **argv)
{
	(void)mem;
	return cli_jit_nsg(c, argc, argv);
}

static int policy(struct cli *c, struct wh_arena *mem, int argc, char **argv)
{
	(void)argc, (void)argv, (void)mem;
	return cli_jit_policy(c);
}

static const struct verb {
	const char *name;
	int (*run)(struct cli *c, struct wh_arena *mem, int argc, char **argv);
	unsigned may; /* besides read access */
	bool alone;   /* no words follow it */
	bool keeps_user;
} verbs[] = {
	{"on", on, WH_MAY_CLOSE, false, false},
	{"confirm", confirm, WH_MAY_CONFIRM_CLOSED, true, true},
	{"off", off, WH_MAY_STOP_CLOSING, true, true},
	{"open", cli_jit_open, WH_MAY_OPEN, false, false},
	{"request", cli_jit_request, 0, false, false},
	{"approve", cli_jit_approve, WH_MAY_OPEN, false, false},
	{"refuse", cli_jit_refuse, 0, false, false},
	{"list", cli_jit_list, 0, true, false},
	{"close", cli_jit_close, WH_MAY_CLOSE, false, false},
	{"nsg", nsg, 0, false, false},
	{"log", log_of, 0, true, false},
	{"policy", policy, 0, false, false},
	{0},
};

/* The one that the words name; NULL: none. */
static const struct verb *verb_of(int argc, char **argv)
{
	const struct verb *v = verbs;
	while (argc > 1 && v->name && strcmp(v->name, argv[1]))
		v++;
	return argc > 1 && v->name ? v : NULL;
}

static int run(struct cli *c, int argc, char **argv)
{
	const struct verb *v = verb_of(argc, argv);
	if (argc > 1 && argv[1][0] == '-')
		return cli_getopt(c, argc, argv, "", (const struct option[]){{0}}), CLI_USAGE;
	if (!v)
		return cli_usage(
			c,
			"name a subcommand: on, confirm, off, open, request, approve, refuse, list, close, log, policy or nsg");
	if (v->alone && argc > 2)
		return cli_usage(c, "%s takes no further words", v->name);
	struct wh_arena *mem = wh_arena_new();
	int rc = v->run(c, mem, argc - 1, argv + 1);
	wh_arena_free(mem);
	return rc;
}

static unsigned may_now(const struct cli *c, int argc, char **argv)
{
	const struct verb *v = verb_of(argc, argv);
	(void)c;
	return WH_MAY_LOOK | (v ? v->may : 0);
}

static bool keeps_user(int argc, char **argv)
{
	const struct verb *v = verb_of(argc, argv);
	return v && v->keeps_user;
}

const struct cli_command cli_jit = {
	.keeps_user = keeps_user,
	.name = "jit",
	.summary = "open closed ports on request, for one source and a limited time",
	.help = help,
	.run = run,
	.may = WH_MAY_LOOK | WH_MAY_CLOSE | WH_MAY_CONFIRM_CLOSED | WH_MAY_STOP_CLOSING | WH_MAY_OPEN,
	.may_now = may_now,
	.confined = true,
	.sudo_opens = true,
	.prepare = cli_jit_prepare,
};
