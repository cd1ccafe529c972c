/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "base/json.h"
#include "base/replace_file.h"
#include "base/state_dir.h"
#include "base/trusted_path.h"
#include "serve/certificate.h"
#include "serve/library.h"

#define CERT "serve-cert.pem"
#define KEY "serve-key.pem"
enum { MAX_PEM = 1 << 20, DAYS = 3650 };

void wh_certificate_free(struct wh_certificate *c)
{
	if (c->key)
		explicit_bzero(c->key, strlen(c->key));
	free(c->key);
	free(c->cert);
	*c = (struct wh_certificate){.cert = NULL};
}

static int tls_failed(struct wh_error *err, const char *what, int rc)
{
	return wh_fail(err, -EPROTO, "%s: %s", what, wh_tls.gnutls_strerror(rc));
}

/* ---- reading ---- */

static int read_pem(const char *path, bool secret, char **out, struct wh_error *err)
{
	struct stat st;
	size_t len;
	int fd = wh_trusted_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0), rc;
	if (fd < 0)
		return wh_fail_input(err, fd, "%s: cannot be read: %s", path, strerror(-fd));
	if (secret && (fstat(fd, &st) || st.st_mode & 007))
		rc = wh_fail_input(
			err, -EPERM,
			"%s: everybody may read this key: chmod o= it, and make a new one where others may have read it", path);
	else
		rc = wh_read_descriptor(fd, path, MAX_PEM, out, &len, err);
	close(fd);
	return rc;
}

static int inspect(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const char *name, struct wh_certificate *c,
                   struct wh_error *err)
{
	uint8_t of_crt[64], of_key[64], print[32];
	size_t n_crt = sizeof of_crt, n_key = sizeof of_key, n = sizeof print;
	int rc = wh_tls.gnutls_x509_crt_get_key_id(crt, GNUTLS_KEYID_USE_SHA256, of_crt, &n_crt);
	rc = rc ? rc : wh_tls.gnutls_x509_privkey_get_key_id(key, GNUTLS_KEYID_USE_SHA256, of_key, &n_key);
	rc = rc ? rc : wh_tls.gnutls_x509_crt_get_fingerprint(crt, GNUTLS_DIG_SHA256, print, &n);
	if (rc)
		return tls_failed(err, name, rc);
	if (n_crt != n_key || memcmp(of_crt, of_key, n_crt))
		return wh_fail_input(err, -EINVAL, "%s: the key is not this certificate's", name);
	for (size_t i = 0; i < n; i++)
		snprintf(c->fingerprint + 3 * i, 4, "%02X%s", print[i], i + 1 < n ? ":" : "");
	c->expires_us = (int64_t)wh_tls.gnutls_x509_crt_get_expiration_time(crt) * 1000000;
	return 0;
}

/* Checks the pair of texts; the first certificate counts, others are its issuers'. */
static int check(const char *name, struct wh_certificate *c, struct wh_error *err)
{
	gnutls_datum_t crt_text = {(unsigned char *)c->cert, (unsigned)strlen(c->cert)},
		       key_text = {(unsigned char *)c->key, (unsigned)strlen(c->key)};
	gnutls_x509_crt_t *list = NULL;
	gnutls_x509_privkey_t key = NULL;
	unsigned n = 0;
	int rc = wh_tls.gnutls_x509_crt_list_import2(&list, &n, &crt_text, GNUTLS_X509_FMT_PEM, 0), done;
	if (rc < 0 || !n)
		return wh_fail_input(err, -EINVAL, "%s: no certificate in PEM: %s", name, wh_tls.gnutls_strerror(rc));
	rc = wh_tls.gnutls_x509_privkey_init(&key);
	rc = rc ? rc : wh_tls.gnutls_x509_privkey_import(key, &key_text, GNUTLS_X509_FMT_PEM);
	done = rc ? wh_fail_input(err, -EINVAL, "%s: its key is no private key in PEM: %s", name, wh_tls.gnutls_strerror(rc))
	          : inspect(list[0], key, name, c, err);
	for (unsigned i = 0; i < n; i++)
		wh_tls.gnutls_x509_crt_deinit(list[i]);
	(*wh_tls.gnutls_free)(list);
	if (key)
		wh_tls.gnutls_x509_privkey_deinit(key);
	return done;
}

static int load(const char *cert, const char *key, struct wh_certificate *c, struct wh_error *err)
{
	int rc = read_pem(cert, false, &c->cert, err);
	rc = rc ? rc : read_pem(key, true, &c->key, err);
	return rc ? rc : check(cert, c, err);
}

/* ---- making ---- */

static int name_it(gnutls_x509_crt_t crt, const struct wh_addr *addresses, size_t n)
{
	char host[HOST_NAME_MAX + 1] = "", dn[HOST_NAME_MAX + 16];
	gethostname(host, HOST_NAME_MAX);
	for (char *p = host; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.", *p))
			*p = '-';
	snprintf(dn, sizeof dn, "CN=%.60s", *host ? host : "whittle");
	int rc = wh_tls.gnutls_x509_crt_set_dn(crt, dn, NULL);
	if (!rc && *host)
		rc = wh_tls.gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, host, (unsigned)strlen(host),
		                                                 GNUTLS_FSAN_APPEND);
	rc = rc ? rc : wh_tls.gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, "localhost", 9, GNUTLS_FSAN_APPEND);
	for (size_t i = 0; i < n && !rc; i++) {
		bool v4 = wh_addr_is_v4(&addresses[i]);
		rc = wh_tls.gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, addresses[i].b + (v4 ? 12 : 0),
		                                                 v4 ? 4 : 16, GNUTLS_FSAN_APPEND);
	}
	return rc;
}

static int fill(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key, const struct wh_addr *addresses, size_t n)
{
	time_t now = time(NULL);
	uint8_t serial[16];
	if (getrandom(serial, sizeof serial, 0) != sizeof serial)
		return GNUTLS_E_RANDOM_FAILED;
	serial[0] = (serial[0] & 0x7f) | 1; /* a positive number */
	int rc = wh_tls.gnutls_x509_crt_set_version(crt, 3);
	rc = rc ? rc : wh_tls.gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
	rc = rc ? rc : wh_tls.gnutls_x509_crt_set_activation_time(crt, now - 3600);
	rc = rc ? rc : wh_tls.gnutls_x509_crt_set_expiration_time(crt, now + (time_t)DAYS * 86400);
	rc = rc ? rc : name_it(crt, addresses, n);
	rc = rc ? rc : wh_tls.gnutls_x509_crt_set_key(crt, key);
	rc = rc ? rc : wh_tls.gnutls_x509_crt_set_basic_constraints(crt, 0, -1);
	rc = rc ? rc : wh_tls.gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
	rc = rc ? rc : wh_tls.gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
	return rc ? rc : wh_tls.gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
}

static int keep(const char *dir, const gnutls_datum_t *cert, const gnutls_datum_t *key, struct wh_error *err)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	mode_t was = umask(077);
	int rc = fd < 0 ? -errno : wh_replace_file(fd, KEY, (const char *)key->data, key->size);
	rc = rc ? rc : wh_replace_file(fd, CERT, (const char *)cert->data, cert->size);
	umask(was);
	if (fd >= 0)
		close(fd);
	return rc ? wh_fail(err, rc, "%s: the certificate cannot be stored: %s", dir, strerror(-rc)) : 0;
}

static int make(const char *dir, const struct wh_addr *addresses, size_t n, struct wh_error *err)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t crt = NULL;
	gnutls_datum_t crt_text = {NULL, 0}, key_text = {NULL, 0};
	int rc = wh_tls.gnutls_x509_privkey_init(&key), done;
	rc = rc ? rc
	        : wh_tls.gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	rc = rc ? rc : wh_tls.gnutls_x509_crt_init(&crt);
	rc = rc ? rc : fill(crt, key, addresses, n);
	rc = rc ? rc : wh_tls.gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &crt_text);
	rc = rc ? rc : wh_tls.gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &key_text);
	done = rc ? tls_failed(err, "a certificate cannot be made", rc) : keep(dir, &crt_text, &key_text, err);
	if (key_text.data)
		explicit_bzero(key_text.data, key_text.size);
	(*wh_tls.gnutls_free)(key_text.data);
	(*wh_tls.gnutls_free)(crt_text.data);
	if (crt)
		wh_tls.gnutls_x509_crt_deinit(crt);
	if (key)
		wh_tls.gnutls_x509_privkey_deinit(key);
	return done;
}

int wh_certificate_load(const char *dir, const char *cert, const char *key, const struct wh_addr *addresses, size_t n,
                        struct wh_certificate *out, struct wh_error *err)
{
	char own_cert[PATH_MAX], own_key[PATH_MAX];
	*out = (struct wh_certificate){.cert = NULL};
	if (cert)
		return load(cert, key, out, err);
	int rc = wh_state_dir_check(dir, true, err);
	if (rc)
		return rc;
	if (snprintf(own_cert, sizeof own_cert, "%s/" CERT, dir) >= PATH_MAX ||
	    snprintf(own_key, sizeof own_key, "%s/" KEY, dir) >= PATH_MAX)
		return wh_fail(err, -ENAMETOOLONG, "%s: the path is too long", dir);
	if (!access(own_cert, F_OK) && !access(own_key, F_OK)) {
		rc = load(own_cert, own_key, out, err);
		if (rc || out->expires_us > wh_now_us())
			return rc;
		wh_certificate_free(out);
	}
	rc = make(dir, addresses, n, err);
	rc = rc ? rc : load(own_cert, own_key, out, err);
	out->made = !rc;
	return rc;
}
