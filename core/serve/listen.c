/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "base/replace_file.h"
#include "base/trusted_path.h"
#include "serve/listen.h"

enum { BACKLOG = 256 };
union place { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; struct sockaddr_un local; };

static bool is_loopback(const struct wh_addr *a)
{
	struct wh_addr six = wh_addr_of_halves(0, 1);
	return wh_addr_is_v4(a) ? wh_addr_to_v4(a) >> 24 == 127 : wh_addr_eq(a, &six);
}

/* "1.2.3.4:8443" or "[::1]:8443". */
static int parse(const char *where, struct wh_addr *addr, uint16_t *port, struct wh_error *err)
{
	const char *colon = strrchr(where, ':');
	size_t n = colon ? (size_t)(colon - where) : 0;
	bool six = n > 2 && *where == '[' && where[n - 1] == ']';
	char *end = NULL;
	unsigned long p = colon ? strtoul(colon + 1, &end, 10) : 0;
	if (!n || !p || p > 65535 || *end || strspn(colon + 1, "0123456789") != strlen(colon + 1) ||
	    wh_addr_parse(where + six, n - 2 * six, addr) || six == wh_addr_is_v4(addr))
		return wh_fail_input(
			err, -EINVAL,
			"'%.80s' is not an address to listen on, such as 127.0.0.1:8443, [::1]:8443 or unix:/run/whittle/serve.sock",
			where);
	*port = (uint16_t)p;
	return 0;
}

/* An earlier server's socket is removed; another program's file is not. The directory is one where nobody else can put a link or
 * a socket of theirs in its place. */
static int free_path(const char *path, struct wh_error *err)
{
	struct stat st;
	char buf[PATH_MAX], real[PATH_MAX];
	const char *name, *dir = wh_directory_of(path, buf, sizeof buf, &name);
	if (!dir || !realpath(dir, real))
		return wh_fail_input(err, -ENOENT, "%s: the socket's directory: %s", path, strerror(dir ? errno : ENAMETOOLONG));
	struct wh_error why;
	int rc = wh_trusted_dir(real, true, &why);
	if (rc)
		return wh_fail_input(err, rc, "%s", why.text);
	if (lstat(path, &st))
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return wh_fail_input(err, -EEXIST, "%s: exists, and is not a socket", path);
	return unlink(path) ? wh_fail(err, -errno, "%s: %s", path, strerror(errno)) : 0;
}

static int open_socket(union place *at, socklen_t len, const char *where, struct wh_error *err)
{
	int on = 1, fd = socket(at->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && at->any.sa_family != AF_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (fd >= 0 && at->any.sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (fd >= 0 && !bind(fd, &at->any, len) && !listen(fd, BACKLOG))
		return fd;
	int rc = wh_fail(err, -errno, "%s: cannot be listened on: %s", where, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

static int listen_local(const char *path, struct wh_listener *out, struct wh_error *err)
{
	union place at = {.local = {.sun_family = AF_UNIX}};
	if (*path != '/' || strlen(path) >= sizeof at.local.sun_path)
		return wh_fail_input(err, -EINVAL, "unix:%.80s: a socket's path begins with / and has up to %zu characters", path,
		                     sizeof at.local.sun_path - 1);
	strcpy(at.local.sun_path, path);
	int rc = free_path(path, err);
	mode_t was = umask(0111); /* anybody may connect: the kernel identifies the peer, which decides */
	out->fd = rc ? rc : open_socket(&at, sizeof at.local, path, err);
	umask(was);
	out->kind = WH_LISTEN_SOCKET;
	snprintf(out->base, sizeof out->base, "unix:%s", path);
	return out->fd < 0 ? out->fd : 0;
}

static int listen_net(const char *where, bool insecure, struct wh_listener *out, struct wh_error *err)
{
	union place at = {.v6 = {.sin6_family = AF_INET6}};
	char text[WH_ADDR_STRLEN];
	uint16_t port = 0;
	int rc = parse(where, &out->addr, &port, err);
	if (rc)
		return rc;
	bool v4 = wh_addr_is_v4(&out->addr);
	if (insecure && !is_loopback(&out->addr))
		return wh_fail_input(err, -EPERM,
		                     "%s: plain HTTP is for this machine's loopback alone: leave --insecure-loopback out", where);
	if (v4) {
		at.v4 = (struct sockaddr_in){
			.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(wh_addr_to_v4(&out->addr))};
	} else {
		at.v6.sin6_port = htons(port);
		memcpy(&at.v6.sin6_addr, out->addr.b, 16);
	}
	out->kind = insecure ? WH_LISTEN_PLAIN : WH_LISTEN_TLS;
	snprintf(out->base, sizeof out->base, v4 ? "%s://%s:%u" : "%s://[%s]:%u", insecure ? "http" : "https",
	         wh_addr_text(&out->addr, text), port);
	out->fd = open_socket(&at, v4 ? sizeof at.v4 : sizeof at.v6, where, err);
	return out->fd < 0 ? out->fd : 0;
}

int wh_listen(const struct wh_serve_options *o, struct wh_listener out[static WH_SERVE_LISTENERS], struct wh_error *err)
{
	int rc = 0;
	for (size_t i = 0; i < o->n_listen && !rc; i++) {
		const char *where = o->listen[i];
		out[i] = (struct wh_listener){.fd = -1};
		rc = !strncmp(where, "unix:", 5) ? listen_local(where + 5, &out[i], err)
		                                 : listen_net(where, o->insecure_loopback, &out[i], err);
		for (size_t k = 0; k < i && rc; k++)
			close(out[k].fd);
	}
	return rc;
}
