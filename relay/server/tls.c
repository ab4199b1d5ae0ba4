/*
 * server/tls.c: the certificate of a server that runs. Connections that are there
 * keep the one they began with.
 */
#include "server/tls.h"

#include <openssl/err.h>

/* Take no protocol older than TLS 1.2. */
void
tls_harden(SSL_CTX *context)
{
	SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
}

/* Load a certificate chain and its key. */
static bool
load(SSL_CTX *context, const char *cert_file, const char *key_file)
{
	return SSL_CTX_use_certificate_chain_file(context, cert_file) == 1 &&
		SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) == 1 &&
		SSL_CTX_check_private_key(context) == 1;
}

/* Load them anew, if they belong together: that is tried where nobody is served from. */
bool
tls_reload(SSL_CTX *context, const char *cert_file, const char *key_file)
{
	SSL_CTX    *trial = SSL_CTX_new(TLS_server_method());
	bool		good = trial != NULL && load(trial, cert_file, key_file) && load(context, cert_file, key_file);

	SSL_CTX_free(trial);
	ERR_clear_error();
	return good;
}
