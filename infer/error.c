/* The first write wins: see error.h. What is quoted may hold anything, line ends too; a sentence is one line all the same. */
#include "infer/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool error_set(struct error *error, enum error_code code, const char *format, ...)
{
    if (!error || error->code != ERROR_NONE)
        return false;

    error->code = code;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    for (char *at = error->text; *at; at++)
        *at = (unsigned char)*at < ' ' ? ' ' : *at;
    return false;
}

bool error_set_system(struct error *error, const char *path, const char *what)
{
    return error_set(error, ERROR_SYSTEM, "%s: cannot %s: %s", path, what, strerror(errno));
}
