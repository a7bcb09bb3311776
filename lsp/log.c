/* Each line is put together in a buffer and written by one fputs, under the stream's lock, so that lines of two threads never
 * mix. A log never holds up the server: what a reader leaves no room for is left out. */
#include "lsp/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A pipe that can be written to takes so much without blocking: pipe(7). */
_Static_assert(LOG_LINE_BYTES + 2 <= PIPE_BUF, "a line fits a pipe that has room");

static FILE *log_file; /* NULL: standard error */
static enum settings_log_level log_level = LOG_LEVEL_INFO;

bool log_open(const char *path, enum settings_log_level level, struct error *error)
{
    log_level = level;
    if (!path)
        return true;

    /* a pipe that nobody reads must not block */
    const int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    log_file = file < 0 ? NULL : fdopen(file, "a");
    if (log_file)
        return true;
    error_set(error, ERROR_SYSTEM, "cannot write the log %s: %s", path, strerror(errno));
    if (file >= 0)
        close(file);
    return false;
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

static bool has_room(FILE *file)
{
    struct pollfd state = {.fd = fileno(file), .events = POLLOUT};
    return poll(&state, 1, 0) == 1 && (state.revents & POLLOUT);
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
    flockfile(file);
    if (has_room(file)) {
        fputs(line, file);
        fflush(file);
    }
    funlockfile(file);
}
