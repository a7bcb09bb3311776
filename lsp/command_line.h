/* The command line as a value: which command, on what, with which settings.
 *
 * Knows the words and their limits, nothing of what the commands do. Strings not owned by the settings are borrowed from
 * argv.
 */
#ifndef LSP_COMMAND_LINE_H
#define LSP_COMMAND_LINE_H

#include <stdio.h>

#include "lsp/server.h"
#include "lsp/settings.h"

enum command {
    COMMAND_SERVE,
    COMMAND_COMPLETE,
    COMMAND_GENERATE,
    COMMAND_TOKENIZE,
    COMMAND_LOGITS,
    COMMAND_PERPLEXITY,
    COMMAND_BENCH,
    COMMAND_COMPRESS,
    COMMAND_INSPECT,
    COMMAND_DOCTOR,
    COMMAND_HELP,
    COMMAND_VERSION,
};

struct command_line {
    enum command command;
    struct settings settings;
    struct server_transport transport; /* serve */
    const char *operand;               /* FILE:LINE:COL, FILE or DIR; NULL where none was given */
    const char *destination;           /* compress: the second operand */
    const char *prompt;                /* generate --prompt */
    const char *file;                  /* generate --file */
    const char *tokens;                /* logits --tokens */
    const char *output;                /* logits --output */
    bool decode;                       /* tokenize --decode */
    float temperature, top_p;
    uint64_t seed;
    int prompt_tokens, decode_tokens, runs; /* bench */
    const char *problems;                   /* bench: fill-in problems to draft for; NULL: none */
    int window, stride;                     /* perplexity; 0: its defaults */
    int sidecar; /* compress --sidecar: exact outliers per matrix at most */
};

/* Parses argv, in which the command may be moved to the front. False with an error (code ERROR_INPUT) whose text tells a user
 * what is wrong; finish it all the same. */
bool command_line_parse(struct command_line *line, int argc, char **argv, struct error *error);
void command_line_finish(struct command_line *line);

/* Prints how to use the program. */
void command_line_help(FILE *out);

#endif
