/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Applies a ruleset from a plain file, for the tests and the bench of core/enforce:
 *   nft_tool apply FILE SECONDS [DIR] | confirm [DIR] | rollback | state | compare FILE [cpu] | text FILE SECONDS
 * and several of these, with "and" between them; the last one's status counts.
 * DIR: where what is known of the sets is kept from one to the next.
 * A line "port in|out tcp|udp N [ADDRESS…]" begins a port, for any address of ours or for these; the lines that follow are its
 * prefixes; "audit" drops nothing; "reject PREFIX" answers its refused peers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "guard/known_file.h"
#include "whittle/enforce.h"

/* The addresses behind a port, sorted. */
static void locals(struct wh_nft_port *p, char *words, struct wh_arena *mem)
{
	struct wh_addr *a = wh_arena_array(mem, 64, sizeof *a), swap;
	char *save, *word = strtok_r(words, " ", &save);
	for (int i = 0; word && i < 4; i++) /* port in tcp 22 */
		word = strtok_r(NULL, " ", &save);
	for (; word && p->n_locals < 64; word = strtok_r(NULL, " ", &save))
		if (!wh_addr_parse(word, strlen(word), &a[p->n_locals]))
			for (size_t i = p->n_locals++; i && wh_addr_cmp(&a[i - 1], &a[i]) > 0; i--)
				swap = a[i], a[i] = a[i - 1], a[i - 1] = swap;
	p->locals = a;
}

static struct wh_nft_ruleset *load(const char *path, struct wh_arena *mem)
{
	struct wh_nft_ruleset *rs = wh_arena_alloc(mem, sizeof *rs);
	struct wh_nft_port *p = NULL;
	FILE *f = fopen(path, "r");
	char line[1024], dir[8], proto[8], reject[1024] = "";
	struct wh_error err;
	size_t room4 = 0, room6 = 0;
	unsigned port;
	rs->ports = wh_arena_array(mem, 256, sizeof *rs->ports);
	rs->nflog_group = 5;
	while (f && fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = 0;
		struct wh_prefix x;
		if (!strcmp(line, "audit")) {
			rs->audit = true;
		} else if (!strncmp(line, "reject ", 7)) {
			snprintf(reject + strlen(reject), sizeof reject - strlen(reject), "%s,", line + 7);
		} else if (sscanf(line, "port %7s %7s %u", dir, proto, &port) == 3) {
			p = &rs->ports[rs->n_ports++];
			p->direction = !strcmp(dir, "out");
			wh_proto_parse(proto, &p->proto);
			p->port = (uint16_t)port;
			locals(p, line, mem);
			room4 = room6 = 0;
		} else if (p && !wh_prefix_parse(line, strlen(line), &x, NULL)) {
			bool v4 = wh_prefix_is_v4(&x);
			size_t *room = v4 ? &room4 : &room6, *n = v4 ? &p->n_v4 : &p->n_v6;
			struct wh_prefix **a = v4 ? &p->v4 : &p->v6;
			if (*n == *room) {
				size_t more = *room ? *room * 2 : 4096;
				struct wh_prefix *q = wh_arena_array(mem, more, sizeof *q);
				if (*n)
					memcpy(q, *a, *n * sizeof *q);
				*a = q;
				*room = more;
			}
			(*a)[(*n)++] = x;
		}
	}
	if (!f) {
		perror(path);
		exit(2);
	}
	fclose(f);
	if (*reject && wh_reject_parse(reject, mem, &rs->reject, &err)) {
		fprintf(stderr, "%s: %s\n", path, err.text);
		exit(2);
	}
	if (!wh_nft_in_order(rs)) {
		fprintf(stderr, "%s: two ports judge the same address\n", path);
		exit(2);
	}
	for (size_t i = 0; i < rs->n_ports; i++) {
		rs->ports[i].n_v4 = wh_prefix_merge(rs->ports[i].v4, rs->ports[i].n_v4);
		rs->ports[i].n_v6 = wh_prefix_merge(rs->ports[i].v6, rs->ports[i].n_v6);
	}
	return rs;
}

/* Seconds of this process since `began` seconds of it; what the kernel does for it counts. */
static double cpu_since(double began)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9 - began;
}

static int apply(int argc, char **argv, struct wh_arena *mem, struct wh_error *err)
{
	struct wh_nft_known sets = {.n = 0};
	struct wh_enforce_options opt = {.confirm_within_s = atoi(argv[2]), .known = &sets};
	struct wh_enforce_result res;
	struct wh_nft_ruleset *rs = load(argv[1], mem);
	int64_t began = wh_monotonic_us();
	double cpu = cpu_since(0);
	if (argc == 4)
		wh_known_load(argv[3], &sets);
	int rc = wh_nft_apply(rs, &opt, &res, err);
	if (argc == 4)
		wh_known_save(argv[3], &sets);
	if (argc == 4 && !rc)
		printf("%zu sets not read, %.4f s and %.4f s of CPU with the reading back; ", sets.spared,
		       (double)(wh_monotonic_us() - began) / 1e6, cpu_since(cpu));
	wh_nft_known_free(&sets);
	if (!rc)
		printf("%zu ports, %zu prefixes, %.3f s, verified %d, %zu messages, %zu bytes%s\n", res.ports, res.prefixes,
		       res.apply_seconds, res.verified, res.messages, res.bytes, res.unchanged ? ", unchanged" : "");
	return rc;
}

static int text(int argc, char **argv, struct wh_arena *mem, struct wh_error *err)
{
	(void)argc, (void)err;
	char *t = wh_nft_text(load(argv[1], mem), atoi(argv[2]));
	fputs(t, stdout);
	free(t);
	return 0;
}

static int compare(int argc, char **argv, struct wh_arena *mem, struct wh_error *err)
{
	struct wh_nft_ruleset *rs = load(argv[1], mem);
	double cpu = cpu_since(0);
	char *d = NULL;
	int rc = wh_nft_compare(rs, &d, err);
	if (argc == 3)
		printf("%.4f s of CPU; ", cpu_since(cpu));
	puts(rc == 1 && d ? d : rc ? "error" : "same");
	free(d);
	return rc;
}

static int confirm(int argc, char **argv, struct wh_arena *mem, struct wh_error *err)
{
	struct wh_nft_known sets = {.n = 0};
	int64_t began = wh_monotonic_us();
	double cpu = cpu_since(0);
	(void)mem;
	if (argc == 2)
		wh_known_load(argv[1], &sets);
	int rc = wh_nft_confirm(NULL, &sets, err);
	if (argc == 2)
		wh_known_save(argv[1], &sets);
	if (argc == 2 && !rc)
		printf("confirmed in %.4f s, %.4f s of CPU\n", (double)(wh_monotonic_us() - began) / 1e6, cpu_since(cpu));
	wh_nft_known_free(&sets);
	return rc;
}

static int rollback(int argc, char **argv, struct wh_arena *mem, struct wh_error *err)
{
	(void)argc, (void)argv, (void)mem;
	return wh_nft_rollback(err);
}

static int state(int argc, char **argv, struct wh_arena *mem, struct wh_error *err)
{
	struct wh_nft_state st;
	(void)argc, (void)argv, (void)mem;
	int rc = wh_nft_state(&st, err);
	printf("present %d confirmed %d ports %zu expires %d\n", st.present, st.confirmed, st.ports, st.expires_in_ms > 0);
	return rc;
}

static int run(int argc, char **argv)
{
	static const struct {
		const char *name;
		int least, most; /* words, with the name */
		int (*run)(int argc, char **argv, struct wh_arena *mem, struct wh_error *err);
	} commands[] = {{"apply", 3, 4, apply},     {"text", 3, 3, text},         {"compare", 2, 3, compare},
	                {"confirm", 1, 2, confirm}, {"rollback", 1, 1, rollback}, {"state", 1, 1, state}};
	struct wh_arena *mem = wh_arena_new();
	struct wh_error err = {.text = "this is no command"};
	int rc = -EINVAL;
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (argc && !strcmp(argv[0], commands[i].name) && argc >= commands[i].least && argc <= commands[i].most)
			rc = commands[i].run(argc, argv, mem, &err);
	if (rc < 0)
		fprintf(stderr, "nft_tool: %s\n", err.text);
	wh_arena_free(mem);
	return rc;
}

int main(int argc, char **argv)
{
	int rc = 0;
	for (int from = 1, to; from < argc || argc == 1; from = to + 1) {
		for (to = from; to < argc && strcmp(argv[to], "and") != 0; to++)
			;
		rc = run(to - from, argv + from);
		if (to >= argc)
			break;
	}
	return rc ? 1 : 0;
}
