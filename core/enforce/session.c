/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The peers of the operator's connections. $SSH_CONNECTION in the operator's shell has it, but sudo removes the variable, and a
 * reattached tmux still has an old one. So three places are read, and every result is kept:
 *   the environment of this process and of each of its parents, which are of before sudo;
 *   the sockets of an SSH server's process that is one of these parents;
 *   and those of each such process that belongs to the operator: sshd becomes its user once he has logged in.
 * A session in another network namespace can't be cut by our rules. (utmp is not read: newer systems keep none.) All of it
 * comes from /proc, whose text others can influence: any process here may make us refuse, but no added text can make us cut a
 * session.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "nft/table.h"
#include "whittle/enforce.h"

enum { MAX_PARENTS = 64, MAX_ENVIRON = 1 << 20, MAX_FDS = 64 };

struct search {
	const char *proc;
	pid_t parents[MAX_PARENTS]; size_t n_parents;
	uid_t operator_uid;
	struct wh_session *out; size_t n, max;
};

static void found(struct search *s, const struct wh_addr *client, unsigned port, const struct wh_addr *server)
{
	for (size_t i = 0; i < s->n; i++)
		if (wh_addr_eq(&s->out[i].client, client) && s->out[i].port == port && s->out[i].has_server == (server != NULL) &&
		    (!server || wh_addr_eq(&s->out[i].server, server)))
			return;
	if (s->n < s->max && port > 0 && port < 65536)
		s->out[s->n++] = (struct wh_session){.client = *client,
		                                     .port = (uint16_t)port,
		                                     .has_server = server != NULL,
		                                     .server = server ? *server : *client};
}

/* At most `max` bytes of a process's file, NUL-terminated; free() it. NULL if it can't be read. */
static char *read_proc(const struct search *s, pid_t pid, const char *name, size_t max, size_t *len)
{
	char path[4096], *text = malloc(max + 1);
	snprintf(path, sizeof path, "%s/%d/%s", s->proc, (int)pid, name);
	FILE *f = text ? fopen(path, "re") : NULL;
	if (!f) {
		free(text);
		return NULL;
	}
	*len = fread(text, 1, max, f);
	text[*len] = 0;
	fclose(f);
	return text;
}

/* ---- environments ---- */

/* "client port server port" */
static void connection(struct search *s, const char *text)
{
	char client[64], server[64];
	unsigned cport, sport;
	struct wh_addr a, ours;
	if (sscanf(text, "%63s %u %63s %u", client, &cport, server, &sport) == 4 &&
	    !wh_addr_parse(client, strcspn(client, "%"), &a))
		found(s, &a, sport, wh_addr_parse(server, strcspn(server, "%"), &ours) ? NULL : &ours);
}

static void environment(struct search *s, pid_t pid)
{
	static const char name[] = "SSH_CONNECTION=";
	size_t len;
	char *text = read_proc(s, pid, "environ", MAX_ENVIRON, &len);
	for (char *p = text; p && p < text + len; p += strlen(p) + 1)
		if (!strncmp(p, name, sizeof name - 1))
			connection(s, p + sizeof name - 1);
	free(text);
}

/* ---- sockets ---- */

/* The inode behind "socket:[123]"; 0 for anything else. */
static unsigned long inode_of(const char *link)
{
	unsigned long inode = 0;
	return sscanf(link, "socket:[%lu]", &inode) == 1 ? inode : 0;
}

/* "0100007F", or four such words: each holds four bytes in the machine's own order. */
static bool address_of(const char *hex, struct wh_addr *out)
{
	size_t words = strlen(hex) / 8;
	uint8_t bytes[16];
	if (strlen(hex) % 8 || (words != 1 && words != 4))
		return false;
	for (size_t i = 0; i < words; i++) {
		char word[9] = {0};
		memcpy(word, hex + 8 * i, 8);
		uint32_t v = (uint32_t)strtoul(word, NULL, 16);
		memcpy(bytes + 4 * i, &v, 4);
	}
	if (words == 4) {
		memcpy(out->b, bytes, 16); /* an IPv4 client of an IPv6 socket is mapped, as ours are */
	} else {
		*out = wh_addr_v4(0);
		memcpy(out->b + 12, bytes, 4);
	}
	return true;
}

static void established(struct search *s, pid_t pid, const char *table, const unsigned long *inodes, size_t n)
{
	char path[4096], line[512], local[40], remote[40];
	unsigned port, rport, state;
	unsigned long inode;
	struct wh_addr a, ours;
	snprintf(path, sizeof path, "%s/%d/net/%s", s->proc, (int)pid, table);
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f)) {
		if (sscanf(line, " %*u: %39[0-9A-Fa-f]:%x %39[0-9A-Fa-f]:%x %x %*s %*s %*s %*u %*u %lu", local, &port, remote,
		           &rport, &state, &inode) != 6 ||
		    state != 1)
			continue;
		for (size_t i = 0; i < n; i++)
			if (inodes[i] == inode && address_of(remote, &a))
				found(s, &a, port, address_of(local, &ours) ? &ours : NULL);
	}
	if (f)
		fclose(f);
}

static void sockets(struct search *s, pid_t pid)
{
	unsigned long inodes[MAX_FDS];
	char path[4096], link[64];
	size_t n = 0;
	snprintf(path, sizeof path, "%s/%d/fd", s->proc, (int)pid);
	DIR *d = opendir(path);
	for (struct dirent *e; d && n < MAX_FDS && (e = readdir(d));) {
		ssize_t len = readlinkat(dirfd(d), e->d_name, link, sizeof link - 1);
		if (len <= 0)
			continue;
		link[len] = 0;
		if ((inodes[n] = inode_of(link)))
			n++;
	}
	if (d)
		closedir(d);
	if (n) {
		established(s, pid, "tcp", inodes, n);
		established(s, pid, "tcp6", inodes, n);
	}
}

/* ---- processes ---- */

/* "123 (name) S 1 …": the name may hold anything, so it ends at the last bracket. 0 if there is no such process. */
static pid_t parent_of(const struct search *s, pid_t pid, char name[static 32])
{
	size_t len;
	int parent = 0;
	char *text = read_proc(s, pid, "stat", 1024, &len), *from = text ? strchr(text, '(') : NULL,
	     *to = text ? strrchr(text, ')') : NULL;
	name[0] = 0;
	if (from && to && to > from) {
		snprintf(name, 32, "%.*s", (int)(to - from - 1), from + 1);
		if (sscanf(to + 1, " %*c %d", &parent) != 1)
			parent = 0;
	}
	free(text);
	return parent;
}

/* Whether a process is in our network namespace; also true if that is not known. */
static bool same_network(const struct search *s, pid_t self, pid_t pid)
{
	char path[4096], ours[64], theirs[64];
	snprintf(path, sizeof path, "%s/%d/ns/net", s->proc, (int)self);
	ssize_t n = readlink(path, ours, sizeof ours);
	snprintf(path, sizeof path, "%s/%d/ns/net", s->proc, (int)pid);
	ssize_t m = readlink(path, theirs, sizeof theirs);
	return n <= 0 || m <= 0 || (n == m && !memcmp(ours, theirs, (size_t)n));
}

static bool serves_ssh(const char *name)
{
	return !strcmp(name, "sshd") || !strcmp(name, "sshd-session") || !strcmp(name, "dropbear");
}

static bool of_operator(const struct search *s, pid_t pid)
{
	size_t len;
	unsigned real = 0;
	char *text = read_proc(s, pid, "status", 4096, &len), *uid = text ? strstr(text, "\nUid:") : NULL;
	bool is = uid && sscanf(uid, "\nUid: %u", &real) == 1 && real == s->operator_uid;
	free(text);
	for (size_t i = 0; i < s->n_parents; i++)
		is |= s->parents[i] == pid;
	return is;
}

size_t wh_sessions(const char *proc, pid_t self, uid_t operator_uid, struct wh_session *out, size_t max)
{
	struct search s = {.proc = proc, .operator_uid = operator_uid, .out = out, .max = max};
	char name[32];
	for (pid_t pid = self; pid > 1 && s.n_parents < MAX_PARENTS; pid = parent_of(&s, pid, name)) {
		s.parents[s.n_parents++] = pid;
		if (same_network(&s, self, pid))
			environment(&s, pid);
	}
	DIR *d = opendir(proc);
	for (struct dirent *e; d && (e = readdir(d));) {
		pid_t pid = isdigit((unsigned char)e->d_name[0]) ? atoi(e->d_name) : 0;
		if (pid <= 0)
			continue;
		parent_of(&s, pid, name);
		if (serves_ssh(name) && of_operator(&s, pid) && same_network(&s, self, pid))
			sockets(&s, pid);
	}
	if (d)
		closedir(d);
	return s.n;
}

uid_t wh_operator_uid(const char *proc)
{
	struct search s = {.proc = proc};
	size_t len;
	char *text = read_proc(&s, getpid(), "loginuid", 32, &len);
	unsigned long uid = text && isdigit((unsigned char)*text) ? strtoul(text, NULL, 10) : UINT32_MAX;
	const char *sudo = geteuid() == 0 ? getenv("SUDO_UID") : NULL;
	free(text);
	if (uid != UINT32_MAX) /* the user who logged in, whatever the process became since */
		return (uid_t)uid;
	return sudo && isdigit((unsigned char)*sudo) ? (uid_t)strtoul(sudo, NULL, 10) : getuid();
}

const struct wh_session *wh_session_cut(const struct wh_nft_ruleset *rs, const struct wh_session *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct wh_nft_packet p = {
			.direction = WH_INBOUND, .proto = WH_PROTO_TCP, .port = s[i].port, .peer = s[i].client, .opens = true};
		p.local = s[i].has_server ? &s[i].server : NULL;
		p.loopback = wh_nft_loopback(&s[i].client);
		if (!wh_nft_passes(rs, &p))
			return &s[i];
	}
	return NULL;
}
