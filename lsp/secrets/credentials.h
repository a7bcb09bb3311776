/* What is secret because of what stands before it: a password in an address, what a header authorizes with, an option of a
 * program, and whatever a name such as "password" or "api_key" is given, in whichever language or format.
 *
 * Pure functions on borrowed text; any thread may ask.
 */
#ifndef LSP_SECRETS_CREDENTIALS_H
#define LSP_SECRETS_CREDENTIALS_H

#include <stddef.h>

#include "lsp/secrets/passage.h"

/* The credential that the name, option or sign at *at, a place in the passage before its end, is given: its bytes, and *at
 * moves to it; 0 where there is none. */
size_t credential_at(const struct passage *passage, const char **at);

#endif
