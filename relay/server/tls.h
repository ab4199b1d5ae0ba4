/*
 * server/tls.h: the certificate of a server that runs.
 */
#ifndef RELAY_TLS_H
#define RELAY_TLS_H

#include <openssl/ssl.h>
#include <stdbool.h>

void		tls_harden(SSL_CTX *context);
bool		tls_reload(SSL_CTX *context, const char *cert_file, const char *key_file);

#endif							/* RELAY_TLS_H */
