/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include "base/notify.h"
#include "cli/cli.h"
#include "whittle/serve.h"

static const char help[] =
	"usage: whittle serve [--listen ADDR:PORT|unix:PATH]… [--tls-cert FILE --tls-key FILE] [--insecure-loopback] [--workers N]\n"
	"       whittle serve token add NAME [--role reader|operator] [--expires TIME]\n"
	"       whittle serve token list [--json]\n"
	"       whittle serve token revoke NAME\n"
	"\n"
	"Serves the console, the API that clients of Microsoft.Security speak, an API of its own below /api/v1 (its description: /api/v1/openapi.json),\n"
	"/metrics for Prometheus and /healthz, until it is stopped.\n"
	"\n"
	"  --listen WHERE        127.0.0.1:8443, [::1]:8443, or unix:/run/whittle/serve.sock; up to four times. Default: 127.0.0.1:8443\n"
	"  --tls-cert, --tls-key a certificate and its key, in PEM. Without them a pair is made on the first start and kept in the state directory;\n"
	"                        its fingerprint is printed\n"
	"  --insecure-loopback   plain HTTP instead of TLS, on addresses of the loopback alone\n"
	"  --workers N           processes that answer (2)\n"
	"\n"
	"Each request carries a token: `Authorization: Bearer whittle_…`. A reader may read, and request just-in-time access. An operator may also\n"
	"change alerts, review rules, apply the reviewed rules, confirm them and roll them back, and approve such requests. `token add` prints the\n"
	"token once, alone on its line; the state directory holds its hash. A token ends by --expires (30d, 12h) or `token revoke`.\n"
	"A Unix socket needs no token: root and the user who runs the server are operators, members of the group whittle are readers.\n"
	"\n"
	"The process that speaks HTTP runs as nobody, without files and without the ledger. The processes that read the ledger have no privilege. Only\n"
	"this program's own `enforce`, `confirm`, `rollback` and `jit` change the firewall: a small process runs them with fixed arguments, and asks for\n"
	"an operator's token each time. The journal records each change, and refused logins by address and minute. The service whittle-serve runs it.\n"
	"\n"
	"Example: whittle serve token add laptop --role operator; whittle serve\n";

/* Results of prepare(), for run(). */
static struct {
	struct wh_serve_options o;
	bool token;
	int status;
	char secret[WH_TOKEN_SECRET];
	struct wh_tokens *list;
} serve = {.o = {.workers = 2}};

static volatile bool stop;
static void on_signal(int sig)
{
	(void)sig;
	stop = true;
}

/* ---- tokens: with the rights over the state directory, before they are given up ---- */

static int add_token(struct cli *c, int argc, char **argv, struct wh_error *err)
{
	static const struct option longs[] = {{"role", 1, 0, 'r'}, {"expires", 1, 0, 'e'}, {0}};
	enum wh_serve_role role = WH_SERVE_READER;
	int64_t length = 0;
	int o;
	while ((o = cli_getopt(c, argc, argv, "", longs)) != -1) {
		if (o != 'r' && o != 'e')
			return CLI_USAGE;
		if (o == 'r' && strcmp(optarg, wh_serve_roles[0]) && strcmp(optarg, wh_serve_roles[1]))
			return cli_usage(c, "'%.40s' is not a role; use reader or operator", optarg);
		if (o == 'r')
			role = !strcmp(optarg, wh_serve_roles[1]);
		else if (wh_duration_parse(optarg, &length) || length < 1 || length > INT64_C(86400) * 3660)
			return cli_usage(c, "'%.40s' is not a time such as 12h or 30d", optarg);
	}
	if (optind + 1 != argc)
		return cli_usage(c, "token add takes one name");
	return wh_token_add(c->state_dir, argv[optind], role, length ? wh_now_us() + length * 1000000 : 0, serve.secret, err)
	               ? cli_error(err)
	               : CLI_OK;
}

static int do_tokens(struct cli *c, int argc, char **argv, struct wh_error *err)
{
	const char *verb = argc > 2 ? argv[2] : "";
	optind = 0;
	serve.token = true;
	if (!*c->state_dir)
		return cli_usage(c, "there is no state directory for tokens; set $WHITTLE_STATE");
	if (!strcmp(verb, "add"))
		return add_token(c, argc - 2, argv + 2, err);
	if (!strcmp(verb, "list") && argc == 3)
		return !(serve.list = calloc(1, sizeof *serve.list)) || wh_tokens_load(c->state_dir, serve.list, err)
		               ? cli_error(err)
		               : CLI_OK;
	if (!strcmp(verb, "revoke") && argc == 4)
		return wh_token_revoke(c->state_dir, argv[3], err) ? cli_error(err) : CLI_OK;
	return cli_usage(c, "token takes add NAME, list, or revoke NAME");
}

static int print_tokens(const struct cli *c)
{
	char made[WH_TIME_STRLEN], ends[WH_TIME_STRLEN];
	json_t *list = json_array();
	for (size_t i = 0; i < serve.list->n; i++) {
		const struct wh_token *t = &serve.list->list[i];
		bool over = t->expires_us && t->expires_us <= wh_now_us();
		wh_time_text(t->created_us, made);
		const char *until = t->expires_us ? wh_time_text(t->expires_us, ends) : NULL;
		json_array_append_new(list,
		                      json_pack("{s:s, s:s, s:s, s:s?, s:b}", "name", t->name, "role", wh_serve_roles[t->role],
		                                "created", made, "expires", until, "expired", over));
		if (!c->json)
			printf("%-20s %-8s made %.10s  %s%s\n", t->name, wh_serve_roles[t->role], made,
			       until ? over ? "expired " : "until " : "does not expire", until ? until : "");
	}
	if (!serve.list->n && !c->json)
		puts("There is no token. `whittle serve token add NAME` makes one.");
	free(serve.list);
	if (c->json)
		return cli_print_json(json_pack("{s:o}", "tokens", list));
	json_decref(list);
	return CLI_OK;
}

/* ---- the server ---- */

static int read_options(struct cli *c, int argc, char **argv)
{
	static const struct option longs[] = {{"listen", 1, 0, 'l'},  {"tls-cert", 1, 0, 'c'},
	                                      {"tls-key", 1, 0, 'k'}, {"insecure-loopback", 0, 0, 'i'},
	                                      {"workers", 1, 0, 'w'}, {0}};
	struct wh_serve_options *s = &serve.o;
	int o;
	optind = 0;
	while ((o = cli_getopt(c, argc, argv, "", longs)) != -1) {
		switch (o) {
		case 'l':
			if (s->n_listen == WH_SERVE_LISTENERS)
				return cli_usage(c, "--listen can be given %d times at most", WH_SERVE_LISTENERS);
			s->listen[s->n_listen++] = optarg;
			break;
		case 'c': s->cert = optarg; break;
		case 'k': s->key = optarg; break;
		case 'i': s->insecure_loopback = true; break;
		case 'w':
			if (strlen(optarg) != 1 || *optarg < '1' || *optarg > '0' + WH_SERVE_WORKERS)
				return cli_usage(c, "'%.20s' is not a number of workers from 1 to %d", optarg, WH_SERVE_WORKERS);
			s->workers = (unsigned)(*optarg - '0');
			break;
		default: return CLI_USAGE;
		}
	}
	if (optind != argc)
		return cli_usage(c, "unknown word '%.40s'; the only subcommand is token", argv[optind]);
	if (!s->cert != !s->key)
		return cli_usage(c, "--tls-cert and --tls-key go together");
	return CLI_OK;
}

static int prepare(struct cli *c, int argc, char **argv, uid_t uid, gid_t gid, struct wh_error *err)
{
	(void)uid;
	(void)gid;
	if (argc > 1 && !strcmp(argv[1], "token")) {
		serve.status = do_tokens(c, argc, argv, err);
		return 0;
	}
	serve.status = read_options(c, argc, argv);
	if (serve.status)
		return 0;
	if (!serve.o.n_listen)
		serve.o.listen[serve.o.n_listen++] = "127.0.0.1:8443";
	serve.o.state_dir = c->state_dir;
	serve.o.store_url = c->store_url;
	serve.o.config_path = c->config_path;
	if (!*c->state_dir)
		return wh_fail_input(err, -ENOENT,
		                     "there is no state directory for tokens and the certificate; set $WHITTLE_STATE");
	return wh_serve_prepare(&serve.o, err);
}

static void ready(void *arg)
{
	(void)arg;
	fputs(wh_serve_banner(), stdout);
	fflush(stdout);
	wh_notify("READY=1");
}

static int run(struct cli *c, int argc, char **argv)
{
	const struct wh_app a = cli_app(c);
	struct wh_error err = {0};
	(void)argc;
	(void)argv;
	if (serve.status)
		return serve.status;
	if (serve.list)
		return print_tokens(c);
	if (serve.token) {
		if (*serve.secret)
			puts(serve.secret);
		explicit_bzero(serve.secret, sizeof serve.secret);
		return CLI_OK;
	}
	struct sigaction sa = {.sa_handler = on_signal};
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	int rc = wh_serve_run(&a, &stop, ready, NULL, &err);
	wh_notify("STOPPING=1");
	return rc ? cli_error(&err) : CLI_OK;
}

static bool serves(int argc, char **argv)
{
	return argc < 2 || strcmp(argv[1], "token") != 0;
}

const struct cli_command cli_serve = {.confined = true,
                                      .lasts = serves,
                                      .prepare = prepare,
                                      .name = "serve",
                                      .summary = "serve the console, Azure's API and our own, over TLS",
                                      .help = help,
                                      .run = run};
