/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Alerts as lines for other programs. "eve" is JSON in the form of Suricata's eve.json (event_type "alert", the first source as
 * src_ip, the whole document under "whittle"); its severities are 1 to 4, the gravest first. "syslog" is RFC 5424: facility 13
 * (log audit), structured data under the documentation's private enterprise number of RFC 5612, text in UTF-8 with its mark.
 */
#include <stdlib.h>
#include <string.h>
#include "alert/document.h"

static char *eve(const json_t *alert)
{
	const json_t *w = json_object_get(alert, "whittle"), *source = json_array_get(json_object_get(w, "sources"), 0);
	json_t *line = json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:i}, s:O}", "timestamp", wh_alert_property(alert, "endTimeUtc"),
	                         "event_type", "alert", "alert", "signature", wh_alert_property(alert, "alertDisplayName"),
	                         "category", wh_alert_property(alert, "intent"), "action", "allowed", "severity",
	                         4 - (int)wh_alert_severity(alert), "whittle", (json_t *)alert);
	if (source)
		json_object_set(line, "src_ip", json_object_get(source, "address"));
	if (json_integer_value(json_object_get(w, "port"))) {
		json_object_set(line, "dest_port", json_object_get(w, "port"));
		json_object_set(line, "proto", json_object_get(w, "protocol"));
	}
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
	json_decref(line);
	return text;
}

/* A value of structured data: ", \ and ] are escaped; unprintable characters are left out. */
static void param(FILE *out, const char *name, const char *value)
{
	fprintf(out, " %s=\"", name);
	for (const char *c = value; *c; c++) {
		if (*c == '"' || *c == '\\' || *c == ']')
			fputc('\\', out);
		if ((unsigned char)*c >= ' ' && *c != 127)
			fputc(*c, out);
	}
	fputc('"', out);
}

/* A name of the header: printable US-ASCII without blanks, at most `max`; "-" for none. */
static void header(FILE *out, const char *text, size_t max)
{
	size_t n = 0;
	for (const char *c = text; *c && n < max; c++)
		if (*c > ' ' && *c < 127) {
			fputc(*c, out);
			n++;
		}
	fputs(n ? " " : "- ", out);
}

static char *syslog_line(const json_t *alert)
{
	static const int levels[] = {6, 5, 4, 2}; /* informational, notice, warning, critical */
	const json_t *w = json_object_get(alert, "whittle"), *source = json_array_get(json_object_get(w, "sources"), 0);
	const char *address = json_string_value(json_object_get(source, "address"));
	char *text = NULL, port[24];
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	if (!out)
		return NULL;
	fprintf(out, "<%d>1 ", 13 * 8 + levels[wh_alert_severity(alert)]);
	header(out, wh_alert_property(alert, "endTimeUtc"), 40);
	header(out, wh_alert_property(alert, "compromisedEntity"), 255);
	fputs("whittle - ", out);
	header(out, wh_alert_property(alert, "alertType"), 32);
	fputs("[alert@32473", out);
	param(out, "name", json_string_value(json_object_get(alert, "name")));
	param(out, "severity", wh_alert_property(alert, "severity"));
	param(out, "intent", wh_alert_property(alert, "intent"));
	param(out, "status", wh_alert_property(alert, "status"));
	snprintf(port, sizeof port, "%lld", (long long)json_integer_value(json_object_get(w, "port")));
	if (*port != '0')
		param(out, "port", port);
	if (address)
		param(out, "src", address);
	fputs("] \xef\xbb\xbf", out);
	for (const char *c = wh_alert_property(alert, "description"); *c; c++)
		fputc((unsigned char)*c < ' ' || *c == 127 ? ' ' : *c, out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

const char *const wh_alert_line_formats[] = {"eve", "syslog", NULL};

char *wh_alert_line(const json_t *alert, int format)
{
	return format ? syslog_line(alert) : eve(alert);
}
