/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The version that a session negotiated, and the login method. Traps of the real records:
 *
 *   tls   up to 1.2 a version counts only with the server's certificate or a resumed session: a handshake that was refused leaves
 *         "TLSv1". The certificate is in clear up to 1.2, and its members are there with `extended` alone
 *   smb   "2.??" is an upgrade, "unknown" an answer that never came: no dialect
 *   krb5  requests say "<none>"; over TCP they are written the wrong way round: the server is where port 88 is
 *   ldap  (Suricata 8) a simple bind names a user and has no sasl
 */
#include "flow/eve_facts.h"

static bool is_true(struct js_value v)
{
	return v.p && *v.p == 't';
}

static bool is_same(struct js_text a, struct js_text b)
{
	return a.len == b.len && !memcmp(a.p, b.p, a.len);
}

/* Its last day, "2027-01-01" of "2027-01-01T00:00:00". */
static void certificate(struct eve_facts *f, struct js_text until, bool self_signed)
{
	static const char form[] = "dddd-dd-ddT";
	char value[WH_FACT_VALUE];
	for (size_t i = 0; form[i]; i++)
		if (until.len <= i || (form[i] == 'd' ? until.p[i] < '0' || until.p[i] > '9' : until.p[i] != form[i]))
			return;
	snprintf(value, sizeof value, "until %.10s%s", until.p, self_signed ? ", self-signed" : "");
	eve_fact_count(f, WH_FACT_CERTIFICATE, value, false);
}

void eve_facts_tls(struct eve_facts *f, struct js_value object)
{
	static const struct { const char *text, *value; bool sure;
	} versions[] = {{"SSLv2", "ssl2", false},  {"SSLv3", "ssl3", false},  {"TLSv1", "1.0", false}, {"TLS 1.0", "1.0", false},
	                {"TLS 1.1", "1.1", false}, {"TLS 1.2", "1.2", false}, {"TLS 1.3", "1.3", true}};
	enum { VERSION, SUBJECT, RESUMED, ISSUER, NOT_AFTER, MEMBERS };
	static const char *const names[] = {"version", "subject", "session_resumed", "issuerdn", "notafter", NULL};
	struct js_value v[MEMBERS];
	js_members(object, names, v);
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++)
		if (js_equals(v[VERSION].text, versions[i].text) &&
		    (versions[i].sure || v[SUBJECT].text.len || is_true(v[RESUMED])))
			eve_fact_count(f, WH_FACT_TLS, versions[i].value, false);
	if (v[SUBJECT].text.len)
		certificate(f, v[NOT_AFTER].text, is_same(v[SUBJECT].text, v[ISSUER].text));
}

void eve_facts_ssh(struct eve_facts *f, struct js_value object)
{
	static const char *const names[] = {"server", "client", NULL};
	struct js_value v[2];
	char value[16];
	js_members(object, names, v);
	struct js_text t = js_member_text(v[0], "proto_version");
	if (!t.len)
		t = js_member_text(v[1], "proto_version");
	if (t.len && eve_plain(t, value, sizeof value) < sizeof value)
		eve_fact_count(f, WH_FACT_SSH, value, false);
}

void eve_facts_smb(struct eve_facts *f, struct js_value object)
{
	enum { DIALECT, STATUS, NTLMSSP, MEMBERS };
	static const char *const names[] = {"dialect", "status", "ntlmssp", NULL};
	struct js_value v[MEMBERS];
	char value[32];
	js_members(object, names, v);
	struct js_text dialect = v[DIALECT].text;
	bool refused = js_equals(v[STATUS].text, "STATUS_LOGON_FAILURE");
	if (js_equals(dialect, "NT LM 0.12"))
		eve_fact_count(f, WH_FACT_SMB, "1", refused);
	else if (dialect.len && dialect.p[0] >= '2' && dialect.p[0] <= '9' && !memchr(dialect.p, '?', dialect.len) &&
	         eve_plain(dialect, value, sizeof value) < 8)
		eve_fact_count(f, WH_FACT_SMB, value, refused);
	if (v[NTLMSSP].p)
		eve_fact_count(f, WH_FACT_NTLM,
		               eve_plain(js_member_text(v[NTLMSSP], "version"), value, sizeof value) ? value : "unknown",
		               refused);
}

void eve_facts_krb5(struct eve_facts *f, struct js_value object)
{
	enum { MESSAGE, ENCRYPTION, ERROR, WEAK, MEMBERS };
	static const char *const names[] = {"msg_type", "encryption", "error_code", "weak_encryption", NULL};
	struct js_value v[MEMBERS];
	char value[WH_FACT_VALUE], name[48];
	js_members(object, names, v);
	bool refused = js_equals(v[MESSAGE].text, "KRB_ERROR");
	if (f->src_port == 88)
		eve_facts_swap(f, 88);
	if (refused && js_equals(v[ERROR].text, "KDC_ERR_PREAUTH_FAILED"))
		eve_fact_count(f, WH_FACT_KERBEROS, "refused", true);
	if (refused || !v[ENCRYPTION].text.len || v[ENCRYPTION].text.p[0] == '<')
		return;
	eve_plain(v[ENCRYPTION].text, name, sizeof name);
	snprintf(value, sizeof value, "%s %s", is_true(v[WEAK]) ? "weak" : "strong", name);
	eve_fact_count(f, WH_FACT_KERBEROS, value, false);
}

/* The result of a bind, from its last answer; empty if there is none. */
static struct js_text bind_result(struct js_value responses)
{
	static const char *const names[] = {"bind_response", NULL};
	struct js_text result = {0};
	struct js_value response, bind[1];
	for (const char *p = responses.p; js_next(&p, responses.end, &response);) {
		js_members(response, names, bind);
		if (bind[0].p)
			result = js_member_text(bind[0], "result_code");
	}
	return result;
}

void eve_facts_ldap(struct eve_facts *f, struct js_value object)
{
	static const char *const names[] = {"request", "responses", NULL}, *const request[] = {"operation", "bind_request", NULL},
				 *const bind[] = {"sasl", "name", NULL};
	struct js_value v[2], r[2], b[2];
	js_members(object, names, v);
	js_members(v[0], request, r);
	js_members(r[1], bind, b);
	if (!js_equals(r[0].text, "bind_request"))
		return;
	struct js_text result = bind_result(v[1]);
	bool refused = result.len && !js_is(result, "success") && !js_equals(result, "SaslBindInProgress");
	eve_fact_count(f, WH_FACT_LDAP, b[0].p && *b[0].p == '{' ? "sasl" : b[1].text.len ? "simple" : "anonymous", refused);
}
