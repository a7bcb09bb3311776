/* The log: one line per event, to standard error or a file.
 *
 * A single log of process lifetime; lines may be written from any thread once it is open. Users' text never goes into a
 * line: messages of the protocol are named by method and size. Lines longer than LOG_LINE_BYTES are cut.
 */
#ifndef LSP_LOG_H
#define LSP_LOG_H

#include <stdbool.h>

#include "infer/error.h"
#include "lsp/settings.h"

enum { LOG_LINE_BYTES = 1024 };

/* Appends to `path`; NULL means standard error, which is also what the log uses before it is opened. Called before other
 * threads start. */
bool log_open(const char *path, enum settings_log_level level, struct error *error);
void log_close(void);

/* Writes "TIME LEVEL text", TIME in UTC with milliseconds, unless the level is above the log's. */
void log_write(enum settings_log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
