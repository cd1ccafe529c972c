/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a resource has no rule for a port, port by port, as people would say it: what is said of many is said once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"

#define SHOWN 3 /* ports by name */

struct part { const char *port, *why; int port_len, why_len; bool told; };

/* "port 22/TCP is left alone: …"; port NULL where it is of no port. */
static struct part part_of(const char *at, size_t len)
{
	static const char start[] = "port ", is[] = " is ";
	const char *verb = memmem(at, len, is, sizeof is - 1);
	if (!verb || strncmp(at, start, sizeof start - 1))
		return (struct part){.why = at, .why_len = (int)len};
	const char *port = at + sizeof start - 1, *why = verb + sizeof is - 1;
	return (struct part){port, why, (int)(verb - port), (int)(at + len - why), false};
}

static bool same(const struct part *a, const struct part *b)
{
	return a->port && b->port && a->why_len == b->why_len && !memcmp(a->why, b->why, (size_t)a->why_len);
}

static void tell(FILE *f, struct part *p, size_t n, size_t i)
{
	size_t of = 0, shown = 0;

	for (size_t k = i; k < n; k++)
		of += same(&p[i], &p[k]);
	if (of < 2) {
		if (p[i].port)
			fprintf(f, "port %.*s is ", p[i].port_len, p[i].port);
		fprintf(f, "%.*s", p[i].why_len, p[i].why);
		return;
	}
	fprintf(f, "ports ");
	for (size_t k = i; k < n; k++) {
		if (!same(&p[i], &p[k]))
			continue;
		p[k].told = true;
		if (shown < SHOWN)
			fprintf(f, "%s%.*s", !shown ? "" : shown + 1 == of ? " and " : ", ", p[k].port_len, p[k].port);
		shown++;
	}
	if (of > SHOWN)
		fprintf(f, " and %zu more", of - SHOWN);
	fprintf(f, " are %.*s", p[i].why_len, p[i].why);
}

char *cli_reason(const char *reason)
{
	size_t n = 1, len = 0;
	char *text = NULL;

	for (const char *at = reason; at && (at = strstr(at, "; ")); at += 2)
		n++;
	struct part *p = reason ? calloc(n, sizeof *p) : NULL;
	FILE *f = p ? open_memstream(&text, &len) : NULL;
	if (!f) {
		free(p);
		return reason ? strdup(reason) : NULL;
	}
	n = 0;
	for (const char *at = reason; at;) {
		const char *end = strstr(at, "; ");
		p[n++] = part_of(at, end ? (size_t)(end - at) : strlen(at));
		at = end ? end + 2 : NULL;
	}
	for (size_t i = 0; i < n; i++)
		if (!p[i].told) {
			fputs(i ? "; " : "", f);
			tell(f, p, n, i);
		}
	free(p);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}
