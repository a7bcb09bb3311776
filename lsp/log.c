/* Each line is put together in a buffer and written by one fputs, so that lines of two threads never mix: stdio locks the
 * stream for the length of a call. */
#include "lsp/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static FILE *log_file; /* NULL: standard error */
static enum settings_log_level log_level = LOG_LEVEL_INFO;

bool log_open(const char *path, enum settings_log_level level, struct error *error)
{
    log_level = level;
    if (!path)
        return true;

    log_file = fopen(path, "a");
    if (!log_file)
        return error_set(error, ERROR_SYSTEM, "cannot write the log %s: %s", path, strerror(errno));
    return true;
}

void log_close(void)
{
    if (log_file)
        fclose(log_file);
    log_file = NULL;
}

/* "2026-11-24T06:40:00.123Z info " */
static size_t line_begin(char *line, size_t capacity, enum settings_log_level level)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    struct timespec now;
    struct tm utc;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);

    size_t length = strftime(line, capacity, "%Y-%m-%dT%H:%M:%S", &utc);
    length += (size_t)snprintf(line + length, capacity - length, ".%03ldZ %s ",
                               now.tv_nsec / 1000000, names[level]);
    return length;
}

void log_write(enum settings_log_level level, const char *format, ...)
{
    if (level > log_level)
        return;

    char line[LOG_LINE_BYTES + 2];
    size_t length = line_begin(line, LOG_LINE_BYTES, level);
    va_list arguments;
    va_start(arguments, format);
    int text = vsnprintf(line + length, LOG_LINE_BYTES - length, format, arguments);
    va_end(arguments);

    /* a line stays one line, whatever the editor put into a name */
    length = text < 0 ? length : strnlen(line, LOG_LINE_BYTES);
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)line[i] < ' ')
            line[i] = ' ';
    }
    line[length] = '\n';
    line[length + 1] = '\0';
    FILE *file = log_file ? log_file : stderr;
    fputs(line, file);
    fflush(file);
}
