/* Why something failed: a code for the program, a sentence for the user.
 *
 * The caller owns a `struct error`, zero-initialised, and passes it down. The first write wins, so the cause is never
 * overwritten by its consequences. NULL is accepted everywhere and means that the caller does not want to know.
 */
#ifndef INFER_ERROR_H
#define INFER_ERROR_H

#include <stdbool.h>

enum error_code {
    ERROR_NONE,
    ERROR_INPUT,     /* a file or value from outside is wrong */
    ERROR_SYSTEM,    /* the operating system refused (missing file, full disk) */
    ERROR_MEMORY,    /* memory exhausted */
    ERROR_LIMIT,     /* more than a named limit allows */
    ERROR_CANCELLED, /* the caller's flag was raised */
    ERROR_EXPIRED,   /* the caller's time is spent */
    ERROR_DEVICE,    /* the computing device failed */
};

enum { ERROR_TEXT_BYTES = 512 };

struct error {
    enum error_code code;
    char text[ERROR_TEXT_BYTES]; /* one line: what, where, what to do */
};

/* Fills an error that is still empty. Always returns false, so that `return error_set(...)` reads well. */
bool error_set(struct error *error, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same for what the system refused, by errno: "PATH: cannot WHAT: No such file or directory". */
bool error_set_system(struct error *error, const char *path, const char *what);

#endif
