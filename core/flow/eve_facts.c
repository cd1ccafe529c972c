/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Protocol records of EVE. The scanner has proved that the line is one well-formed object; its members are gone through here once more, so that flow
 * records cost nothing. Traps of the real records, per type:
 *
 *   tls   up to 1.2 a version counts only with the server's certificate or a resumed session: a handshake that was refused leaves "TLSv1"
 *   smb   "2.??" is an upgrade, "unknown" an answer that never came: no dialect
 *   krb5  requests say "<none>"; over TCP they are written the wrong way round: the server is where port 88 is
 *   dns   version 2 writes rrname beside type, and answers as the client's; version 3 has queries[] and writes answers as the server's
 *   ldap  (Suricata 8) a simple bind names a user and has no sasl
 *   stats counters since the start; none of a capture where packets are read from a file
 */
#include "flow/json_scan.h"
#include "whittle/fact.h"

const char *const wh_fact_words[] = {"tls", "ssh", "smb", "ntlm", "kerberos", "ldap", "dns", "dns-name", "dns-domain", "dns-failed", "dns-dangling", "capture", NULL};

bool wh_fact_by_day(enum wh_fact_kind kind)
{
	return kind == WH_FACT_DNS_DOMAIN || kind == WH_FACT_DNS_FAILED || kind == WH_FACT_CAPTURE;
}

/* ---- texts and numbers ---- */

/* Exactly, and as it stands: keys and words of Suricata's own have no escapes. */
static bool is(struct js_text t, const char *word)
{
	return strlen(word) == t.len && !memcmp(t.p, word, t.len);
}

/* Where the value at p ends; *text is a string's text, empty for any other value. NULL at the end of what can be read. */
static const char *value_of(const char *p, const char *end, struct js_text *text)
{
	const char *wrong;
	*text = (struct js_text){p, 0};
	return *p == '"' ? js_string(p, end, text) : js_skip(p, end, &wrong);
}

static uint64_t number_at(const char *p, const char *end)
{
	uint64_t v = 0;
	for (; p < end && *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) || __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return UINT64_MAX;
	return v;
}

/* One character of a JSON string; an escape is one, and none that a name has. */
static char next_char(const char **p, const char *end)
{
	char c = *(*p)++;
	if (c == '\\' && *p < end)
		*p += **p == 'u' && end - *p >= 5 ? 5 : 1;
	return c == '\\' || c < 0x20 || c >= 0x7f ? '?' : c;
}

/* The text in printable ASCII and lower case, cut at what `out` holds. Returns its whole length. */
static size_t plain(struct js_text t, char *out, size_t size)
{
	const char *p = t.p, *end = t.len ? t.p + t.len : t.p;
	size_t n = 0;
	while (p < end) {
		char c = next_char(&p, end);
		if (n + 1 < size)
			out[n] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
		n++;
	}
	out[n < size ? n : size - 1] = 0;
	return n;
}

static uint64_t hash_of(const char *text)
{
	uint64_t h = UINT64_C(0x9e3779b97f4a7c15);
	for (const char *p = text; *p; p++) {
		h = (h ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
		h ^= h >> 29;
	}
	h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return (h ^ h >> 32) | 1;
}

/* ---- what the object of a protocol holds ---- */

enum { QUESTIONS = 4 };
struct object {
	struct js_text version, subject, dialect, status, type, rcode, name, encryption, message, error_code, operation;
	bool resumed, weak, ntlmssp, sasl, named, version3;
	struct js_text server_proto, client_proto, ntlm_version;
	struct js_text question[QUESTIONS]; unsigned n_questions;
	struct js_text alias;               /* the last CNAME's target */
	uint64_t text_bytes;                /* in answers that are no addresses */
	uint64_t uptime, packets, drops; bool has_capture;
	unsigned answers;
};

typedef void (*member_fn)(struct object *o, struct js_text key, struct js_text text, const char *p, const char *end);

/* Calls `each` for each member of the object at p. */
static void members(const char *p, const char *end, struct object *o, member_fn each)
{
	struct js_text key, text;
	const char *q;
	bool done;
	if (p == end || *p != '{')
		return;
	while ((p = js_member(p, end, &key, &done)) && !done) {
		if (!(q = value_of(p, end, &text)))
			return;
		each(o, key, text, p, q);
		p = q;
	}
}

static void elements(const char *p, const char *end, struct object *o, void (*each)(struct object *o, const char *p, const char *end))
{
	struct js_text text;
	const char *q;
	bool done;
	if (p == end || *p != '[')
		return;
	while ((p = js_element(p, end, &done)) && !done) {
		if (!(q = value_of(p, end, &text)))
			return;
		each(o, p, q);
		p = q;
	}
}

static void tls(struct object *o, struct js_text key, struct js_text text, const char *p, const char *end)
{
	if (is(key, "version"))
		o->version = text;
	else if (is(key, "subject"))
		o->subject = text;
	else if (is(key, "session_resumed"))
		o->resumed = p < end && *p == 't';
}

static void ssh_server(struct object *o, struct js_text key, struct js_text text, const char *p, const char *end)
{
	(void)p, (void)end;
	if (is(key, "proto_version"))
		o->server_proto = text;
}

static void ssh_client(struct object *o, struct js_text key, struct js_text text, const char *p, const char *end)
{
	(void)p, (void)end;
	if (is(key, "proto_version"))
		o->client_proto = text;
}

static void ssh(struct object *o, struct js_text key, struct js_text text, const char *p, const char *end)
{
	(void)text;
	if (is(key, "server"))
		members(p, end, o, ssh_server);
	else if (is(key, "client"))
		members(p, end, o, ssh_client);
}

static void ntlmssp(struct object *o, struct js_text key, struct js_text text, const char *p, const char *end)
{
	(void)p, (void)end;
	if (is(key, "version"))
		o->ntlm_version = text;
}

static void smb(struct object *o, struct js_text key, struct js_text text, const char *p, const char *end)
{
	if (is(key, "dialect"))
		o->dialect = text;
	else if (is(key, "status"))
		o->status = text;
	else if (is(key, "ntlmssp")) {
		o->ntlmssp = true;
		members(p, end, o, ntlmssp);
	}
}

static void krb5(struct object *o, struct js_text key, struct js_text text, const char *p, const char *end)
{
	if (is(key, "msg_type"))
		o->message = text;
	else if (is(key, "encryption"))
		o->encryption = text;
	else if (is(key, "error_code"))
		o->error_code = text;
	else if (is(key, "weak_encryption"))
		o->weak = p < end && *p == 't';
}

static void ldap_bind(struct object *o, struct js_text key, struct js_text text, const char *p, const char *end)
{
	(void)end;
	if (is(key, "sasl"))
		o->sasl = *p == '{';
	else if (is(key, "name"))
		o->named = text.len > 0;
}

static void ldap_request(struct object *o, struct js_text key, struct js_text text, const char *p, const char *end)
{
	if (is(key, "operation"))
		o->operation = text;
	else if (is(key, "bind_request"))
		members(p, end, o, ldap_bind);
}

static void ldap_result(struct object *o, struct js_text key, struct js_text text, const char *p, const char *end)
{
	(void)p, (void)end;
	if (is(key, "result_code"))
		o->status = text;
}

static void ldap_response(struct object *o, struct js_text key, struct js_text text, const char *p, const char *end)
{
	(void)text;
	if (is(key, "bind_response"))
		members(p, end, o, ldap_result);
}

static void ldap_response_at(struct object *o, const char *p, const char *end)
{
	members(p, end, o, ldap_response);
}

static void ldap(struct object *o, struct js_text key, struct js_text text, const char *p, const char *end)
{
	(void)text;
	if (is(key, "request"))
		members(p, end, o, ldap_request);
	else if (is(key, "responses"))
		elements(p, end, o, ldap_response_at);
}

static void question(struct object *o, struct js_text key, struct js_text text, const char *p, const char *end)
{
	(void)p, (void)end;
	if (is(key, "rrname") && o->n_questions < QUESTIONS)
		o->question[o->n_questions++] = text;
}

static void question_at(struct object *o, const char *p, const char *end)
{
	members(p, end, o, question);
}

static void answer(struct object *o, struct js_text key, struct js_text text, const char *p, const char *end)
{
	(void)p, (void)end;
	if (is(key, "rrtype"))
		o->type = text;
	else if (is(key, "rdata"))
		o->name = text;
}

/* `type` and `name` stand for one answer's type and data meanwhile. */
static void answer_at(struct object *o, const char *p, const char *end)
{
	struct js_text type = o->type, name = o->name;
	o->type = o->name = (struct js_text){p, 0};
	members(p, end, o, answer);
	o->answers++;
	if (is(o->type, "CNAME"))
		o->alias = o->name;
	if (!is(o->type, "A") && !is(o->type, "AAAA"))
		o->text_bytes += o->name.len;
	o->type = type;
	o->name = name;
}

static void dns(struct object *o, struct js_text key, struct js_text text, const char *p, const char *end)
{
	if (is(key, "version"))
		o->version3 = number_at(p, end) >= 3;
	else if (is(key, "type"))
		o->type = text;
	else if (is(key, "rrname"))
		o->name = text;
	else if (is(key, "rcode"))
		o->rcode = text;
	else if (is(key, "queries"))
		elements(p, end, o, question_at);
	else if (is(key, "answers"))
		elements(p, end, o, answer_at);
}

static void capture(struct object *o, struct js_text key, struct js_text text, const char *p, const char *end)
{
	(void)text;
	if (is(key, "kernel_packets")) {
		o->has_capture = true;
		o->packets = number_at(p, end);
	} else if (is(key, "kernel_drops")) {
		o->drops = number_at(p, end);
	}
}

static void stats(struct object *o, struct js_text key, struct js_text text, const char *p, const char *end)
{
	(void)text;
	if (is(key, "uptime"))
		o->uptime = number_at(p, end);
	else if (is(key, "capture"))
		members(p, end, o, capture);
}

/* ---- facts ---- */

struct facts { struct wh_fact like, *out; unsigned n; };

static struct wh_fact *fact(struct facts *f, enum wh_fact_kind kind, const char *value)
{
	if (f->n == WH_FACTS_MAX)
		return NULL;
	struct wh_fact *x = &f->out[f->n++];
	*x = f->like;
	x->kind = kind;
	snprintf(x->value, sizeof x->value, "%s", value);
	return x;
}

static void count(struct facts *f, enum wh_fact_kind kind, const char *value, bool failed)
{
	struct wh_fact *x = fact(f, kind, value);
	if (x) {
		x->count = 1;
		x->failed = failed;
	}
}

static void swap_ends(struct facts *f, uint16_t port)
{
	struct wh_addr a = f->like.client;
	f->like.client = f->like.server;
	f->like.server = a;
	f->like.port = port;
}

static void tls_facts(struct facts *f, const struct object *o)
{
	static const struct { const char *text, *value; bool sure; } versions[] = {
		{"SSLv2", "ssl2", false}, {"SSLv3", "ssl3", false}, {"TLSv1", "1.0", false}, {"TLS 1.0", "1.0", false}, {"TLS 1.1", "1.1", false},
		{"TLS 1.2", "1.2", false}, {"TLS 1.3", "1.3", true}};
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		if (is(o->version, versions[i].text) && (versions[i].sure || o->subject.len || o->resumed))
			count(f, WH_FACT_TLS, versions[i].value, false);
}

static void ssh_facts(struct facts *f, const struct object *o)
{
	char value[16];
	struct js_text t = o->server_proto.len ? o->server_proto : o->client_proto;
	if (t.len && plain(t, value, sizeof value) < sizeof value)
		count(f, WH_FACT_SSH, value, false);
}

static void smb_facts(struct facts *f, const struct object *o)
{
	char value[32];
	bool refused = is(o->status, "STATUS_LOGON_FAILURE");
	if (is(o->dialect, "NT LM 0.12"))
		count(f, WH_FACT_SMB, "1", refused);
	else if (o->dialect.len && o->dialect.p[0] >= '2' && o->dialect.p[0] <= '9' && !memchr(o->dialect.p, '?', o->dialect.len) && plain(o->dialect, value, sizeof value) < 8)
		count(f, WH_FACT_SMB, value, refused);
	if (o->ntlmssp) {
		size_t n = plain(o->ntlm_version, value, sizeof value);
		count(f, WH_FACT_NTLM, n ? value : "unknown", refused);
	}
}

static void krb5_facts(struct facts *f, const struct object *o, uint16_t src_port)
{
	char value[WH_FACT_VALUE], name[48];
	bool refused = is(o->message, "KRB_ERROR");
	if (src_port == 88)
		swap_ends(f, 88);
	if (refused && is(o->error_code, "KDC_ERR_PREAUTH_FAILED"))
		count(f, WH_FACT_KERBEROS, "refused", true);
	if (refused || !o->encryption.len || o->encryption.p[0] == '<')
		return;
	plain(o->encryption, name, sizeof name);
	snprintf(value, sizeof value, "%s %s", o->weak ? "weak" : "strong", name);
	count(f, WH_FACT_KERBEROS, value, false);
}

static void ldap_facts(struct facts *f, const struct object *o)
{
	if (is(o->operation, "bind_request"))
		count(f, WH_FACT_LDAP, o->sasl ? "sasl" : o->named ? "simple" : "anonymous", o->status.len && !is(o->status, "Success") && !is(o->status, "success") &&
		      !is(o->status, "SaslBindInProgress"));
}

static void stats_facts(struct facts *f, const struct object *o)
{
	char run[32];
	if (!o->has_capture)
		return;
	snprintf(run, sizeof run, "run %lld", (long long)(f->like.time_us / 1000000 - (int64_t)(o->uptime & INT32_MAX)) / 60);
	memset(&f->like.client, 0, sizeof f->like.client);
	memset(&f->like.server, 0, sizeof f->like.server);
	f->like.port = f->like.proto = 0;
	struct wh_fact *x = fact(f, WH_FACT_CAPTURE, run);
	x->up = o->packets;
	x->down = o->drops;
}

/* One name that was asked for, or answered. */
static void name_facts(struct facts *f, const struct object *o, struct js_text raw, bool asked)
{
	char name[256], alias[WH_FACT_VALUE];
	struct wh_fact *x;
	size_t len = plain(raw, name, sizeof name);
	if (!len || len >= sizeof name)
		return;
	if (name[len - 1] == '.')
		name[--len] = 0;
	const char *domain = wh_registered_domain(name);
	if (asked && len < WH_FACT_VALUE)
		count(f, WH_FACT_DNS_NAME, name, false);
	bool none = !asked && is(o->rcode, "NXDOMAIN");
	if (none && o->alias.len && plain(o->alias, alias, sizeof alias) < sizeof alias)
		count(f, WH_FACT_DNS_DANGLING, alias, false);
	if (!*domain || strlen(domain) >= WH_FACT_VALUE)
		return;
	if (none) {
		if ((x = fact(f, WH_FACT_DNS_FAILED, ""))) {
			x->count = 1;
			x->hash = hash_of(domain);
		}
	} else if ((asked || o->text_bytes) && (x = fact(f, WH_FACT_DNS_DOMAIN, domain))) {
		x->count = asked;
		x->up = asked ? (uint64_t)(domain - name) : 0;
		x->down = asked ? 0 : o->text_bytes;
		x->hash = asked ? hash_of(name) : 0;
	}
}

static void dns_facts(struct facts *f, const struct object *o, uint16_t src_port)
{
	bool answers = is(o->type, "answer") || is(o->type, "response"), asked = is(o->type, "query") || is(o->type, "request");
	if (!answers && !asked)
		return;
	bool from_server = answers && o->version3;
	if ((from_server && f->like.port != 53) || (src_port == 53 && f->like.port != 53))
		swap_ends(f, src_port);
	if (asked)
		count(f, WH_FACT_DNS, "", false);
	if (o->name.len)
		name_facts(f, o, o->name, asked);
	for (unsigned i = 0; i < o->n_questions; i++)
		name_facts(f, o, o->question[i], asked);
}

/* ---- the record ---- */

struct top { struct js_text src, dst, proto, object; uint64_t src_port, dst_port; };

static bool read_top(const char *line, size_t len, const char *type, struct top *t)
{
	const char *p = line, *end = line + len, *q;
	struct js_text key, text;
	bool done;
	memset(t, 0, sizeof *t);
	p = js_space(p, end);
	if (p == end || *p != '{')
		return false;
	while ((p = js_member(p, end, &key, &done)) && !done) {
		if (!(q = value_of(p, end, &text)))
			return false;
		if (is(key, "src_ip"))
			t->src = text;
		else if (is(key, "dest_ip"))
			t->dst = text;
		else if (is(key, "proto"))
			t->proto = text;
		else if (is(key, "src_port"))
			t->src_port = number_at(p, q);
		else if (is(key, "dest_port"))
			t->dst_port = number_at(p, q);
		else if (is(key, type))
			t->object = (struct js_text){p, (size_t)(q - p)};
		p = q;
	}
	return t->object.len;
}

unsigned wh_eve_facts(const char *line, size_t len, const struct wh_record *rec, struct wh_fact out[static WH_FACTS_MAX])
{
	static const struct { const char *type; member_fn members; bool ends; } types[] = {
		{"dns", dns, true}, {"tls", tls, true}, {"ssh", ssh, true}, {"smb", smb, true}, {"krb5", krb5, true}, {"ldap", ldap, true}, {"stats", stats, false}};
	struct facts f = {.like = {.time_us = rec->time_us}, .out = out};
	struct object o;
	struct top t;
	unsigned i = 0;
	uint8_t proto = 0;
	while (i < sizeof types / sizeof *types && strcmp(types[i].type, rec->event_type))
		i++;
	if (i == sizeof types / sizeof *types || !rec->time_us || !read_top(line, len, types[i].type, &t))
		return 0;
	if (types[i].ends && (wh_addr_parse(t.src.p, t.src.len, &f.like.client) || wh_addr_parse(t.dst.p, t.dst.len, &f.like.server) || t.src_port > UINT16_MAX ||
	                      t.dst_port > UINT16_MAX))
		return 0;
	if (types[i].ends && (is(t.proto, "TCP") || is(t.proto, "UDP")))
		proto = is(t.proto, "TCP") ? WH_PROTO_TCP : WH_PROTO_UDP;
	else if (types[i].ends)
		return 0;
	f.like.port = (uint16_t)t.dst_port;
	f.like.proto = proto;
	memset(&o, 0, sizeof o);
	members(t.object.p, t.object.p + t.object.len, &o, types[i].members);
	switch (i) {
	case 0: dns_facts(&f, &o, (uint16_t)t.src_port); break;
	case 1: tls_facts(&f, &o); break;
	case 2: ssh_facts(&f, &o); break;
	case 3: smb_facts(&f, &o); break;
	case 4: krb5_facts(&f, &o, (uint16_t)t.src_port); break;
	case 5: ldap_facts(&f, &o); break;
	default: stats_facts(&f, &o); break;
	}
	return f.n;
}
