/* What a fill-in-the-middle prompt shows besides the file with the cursor, and what the prompt then consists of; and an
 * instruction, where the model follows those.
 *
 * Plain values of the engine's door, of request lifetime: a caller fills `struct prompt_shown` and owns all it points to; the
 * engine fills `struct prompt_counts`. Nothing here is interpreted: names, paths and texts are tokenized as plain text.
 */
#ifndef INFER_PROMPT_H
#define INFER_PROMPT_H

#include <stddef.h>

enum { PROMPT_FILES_MAX = 16 };

/* A piece of another file. */
struct prompt_file {
    const char *path; /* as the model is to read it, usually relative to the workspace */
    const char *text; /* [bytes] */
    size_t bytes;
};

/* Zero: nothing is shown, the prompt has the file-level form. */
struct prompt_shown {
    const char *repository;          /* its name; NULL stands for "" */
    const char *path;                /* of the file with the cursor; NULL stands for "" */
    const struct prompt_file *files; /* [count], in the order of the prompt */
    size_t count;                    /* <= PROMPT_FILES_MAX */
    size_t budget_tokens;            /* for the files and everything that names them */
};

/* An instruction; each text is one message or its beginning, NUL-terminated. */
struct prompt_chat {
    const char *system; /* what the model is to be; NULL: no such message */
    const char *user;   /* what is wanted; its end is cut off where it does not fit the context */
    const char *reply;  /* how the answer begins; the result lacks it; NULL stands for "" */
};

/* Tokens by part; their sum is the prompt's. Markers count with the part that they begin. */
struct prompt_counts {
    int files[PROMPT_FILES_MAX]; /* of each file shown; 0: it found no room */
    int repository; /* the repository's name and the path of the file with the cursor */
    int prefix, suffix, line;
};

#endif
