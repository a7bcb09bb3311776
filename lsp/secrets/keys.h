/* What is a secret by its own looks, wherever it stands: blocks of private keys, tokens that say whose they are, random words.
 *
 * Pure functions on borrowed text; any thread may ask.
 */
#ifndef LSP_SECRETS_KEYS_H
#define LSP_SECRETS_KEYS_H

#include <stddef.h>

#include "lsp/secrets/passage.h"

/* Bytes of the key that begins at `at`, a place in the passage before its end; 0 where none does. Linear in what it returns or
 * in the word at `at`. */
size_t key_at(const struct passage *passage, const char *at);

#endif
