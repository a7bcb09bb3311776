/* Names that speak of a secret, such as "password" and "API_KEY_PROD", and how one stands in its line.
 *
 * Pure functions on borrowed text; any thread may ask.
 */
#ifndef LSP_SECRETS_SECRET_NAMES_H
#define LSP_SECRETS_SECRET_NAMES_H

#include <stdbool.h>

#include "lsp/secrets/passage.h"

struct secret_name {
    const struct passage *passage;
    const char *start, *end;
    bool
        is_strong; /* speaks of a password; else of a key or a token, which other things are called, too */
    bool is_constant; /* in capitals */
    bool is_quoted;   /* a quote closes behind it */
    char quote;       /* that is open before it, 0 for none */
};

/* Whether a stretch ends in the name of a secret. */
bool secret_name_ends(struct stretch stretch);

/* The name that begins at `at`; false where none does, or one that speaks of no secret. */
bool secret_name_read(struct secret_name *name, const struct passage *passage, const char *at);

/* Whether it asks for a value rather than takes one, as getPassword("a") does. */
bool secret_name_asks(const struct secret_name *name);

/* Whether it takes one, as setToken("a") does. */
bool secret_name_takes(const struct secret_name *name);

/* Whether it is the first argument of a call, or an option of a program. */
bool secret_name_is_argument(const struct secret_name *name);
bool secret_name_is_option(const struct secret_name *name);

/* Whether a line of a configuration begins with it: blanks, '-', "export" and what its name is in may come before. */
bool secret_name_is_entry(const struct secret_name *name);

#endif
