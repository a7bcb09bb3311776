/* What programs log in with, known by the form of what stands before it: the password in an address, the word that a header
 * authorizes with, options such as "-u user:password" and "mysql -ppassword", SQL's IDENTIFIED BY.
 *
 * Pure functions on borrowed text; any thread may ask.
 */
#ifndef LSP_SECRETS_LOGINS_H
#define LSP_SECRETS_LOGINS_H

#include <stddef.h>

#include "lsp/secrets/passage.h"

/* The secret of the login that begins at *at, a place in the passage before its end: its bytes, and *at moves to it; 0 where
 * none does. */
size_t login_at(const struct passage *passage, const char **at);

#endif
