/* Secrets never enter a prompt: which files hold them, and what looks like one in a text.
 *
 * Three rules, by whoever builds a prompt (the workspace's index, snippets, context, commands):
 *   - a file that by its name holds secrets is never read for another one's sake, and nothing is completed in it unless the
 *     setting "context.secretFiles" allows that;
 *   - a line of another file with a secret in it is left out of what is shown (secrets_clean);
 *   - in the text around the cursor every byte of a secret becomes an 'x' (secrets_mask), so that lengths, lines and syntax
 *     stay what they were. The daemon's own copy keeps the text; only the copy for the prompt is masked.
 *
 * What looks like one: blocks of private keys, the shapes of well-known tokens (AWS, GitHub, GitLab, Slack, Stripe, Google,
 * npm, JWT...), words of 20 bytes or more that look random, the password in an address, what a header authorizes with, options
 * such as "-u a:b", and what a name such as "password" or "api_key" is given, by a sign, a call, an element or an option,
 * in programs, JSON, YAML, XML, TOML, SQL and settings. Rather one word too many than one too few: what is masked costs a
 * completion a little, what is not cannot be taken back.
 *
 * What is not found: a short secret in plain words beside an ordinary name, or in a list; one of less than four bytes; a mere
 * word without quotes where a program could stand ("password = word").
 *
 * Pure functions; any thread may ask.
 */
#ifndef LSP_SECRETS_H
#define LSP_SECRETS_H

#include <stdbool.h>
#include <stddef.h>

/* Whether a file holds secrets by its name or that of a folder it is in; `path` may be a path or a decoded URI. */
bool secrets_path(const char *path);

/* Overwrites every secret in `text` with 'x' and returns how many bytes were. `text` should begin and end at line ends, else
 * what is cut off may not be known for what it is. */
size_t secrets_mask(char *text, size_t bytes);

/* A masked copy, of the same length also where the text holds NULs, for the caller to free; NULL when memory is exhausted. */
char *secrets_copy(const char *text, size_t bytes);

/* A copy of whole lines without those that hold a secret or a part of one, each ending in '\n', NUL-terminated too; the caller
 * frees it. `part` must lie in `text`, where secrets are looked for. NULL when memory is exhausted. */
char *secrets_clean_part(const char *text, size_t bytes, const char *part, size_t part_bytes,
                         size_t *kept);
char *secrets_clean(const char *text, size_t bytes, size_t *kept);

/* Whether there is one in a text. False only when there is none. */
bool secrets_has(const char *text, size_t bytes);

#endif
