/* An end of a channel is a libuv stream where the descriptor can be waited for, and a plain descriptor where it is a file
 * (or a device such as /dev/null), which is always ready: then an idle handle reads a piece in each turn of the loop, and
 * writes are made on the spot.
 *
 * Every handle in a channel is counted when it has been initialised and uncounted by its close callback; the last one frees
 * the channel, as libuv asks that a handle's memory stay until then. */
#include "lsp/protocol/channel.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_BYTES = 64 * 1024 };

/* Whatever an end turns out to be. */
union channel_handle {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_pipe_t pipe;
    uv_tcp_t tcp;
    uv_tty_t tty;
    uv_idle_t idle;
};

struct channel {
    uv_loop_t *loop;
    struct channel_events events;
    union channel_handle listener, input, output;
    uv_timer_t drain;  /* runs while closing */
    size_t drain_left; /* bytes that had not left when it was started */
    uv_connect_t connect;
    uv_stream_t *reader, *writer; /* NULL: a file, or not connected yet */
    int input_file, output_file;  /* -1: not a file */
    size_t backlog_bytes;         /* queued and not yet written */
    int open_handles;
    bool ended;        /* on_end has been called, or must not be any more */
    bool cannot_write; /* the output has failed; after the input's end it still works */
    bool closing;      /* channel_close has been called */
    char buffer[READ_BYTES];
};

struct channel_write {
    uv_write_t request;
    char *bytes;
    size_t count;
};

static void handle_closed(uv_handle_t *handle)
{
    struct channel *channel = handle->data;
    if (--channel->open_handles == 0)
        free(channel);
}

static void handle_close(uv_handle_t *handle)
{
    if (handle->data && !uv_is_closing(handle))
        uv_close(handle, handle_closed);
}

/* To be called once a handle has been initialised. */
static void handle_count(struct channel *channel, uv_handle_t *handle)
{
    handle->data = channel;
    channel->open_handles++;
}

/* Closes everything at once; queued writes are given up. */
static void channel_drop(struct channel *channel)
{
    handle_close(&channel->listener.handle);
    handle_close(&channel->input.handle);
    handle_close(&channel->output.handle);
    handle_close((uv_handle_t *)&channel->drain);
}

static void channel_end(struct channel *channel, const char *reason)
{
    if (channel->ended)
        return;

    channel->ended = true;
    channel->events.on_end(channel->events.user, reason);
}

/* The output failed, and with it the channel. */
static void channel_fail_output(struct channel *channel, const char *reason)
{
    channel->cannot_write = true;
    channel_end(channel, reason);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    struct channel *channel = handle->data;
    *buffer = uv_buf_init(channel->buffer, sizeof channel->buffer);
}

static void channel_received(struct channel *channel, ssize_t count)
{
    if (channel->ended)
        return;
    if (count > 0)
        channel->events.on_bytes(channel->events.user, channel->buffer, (size_t)count);
    else if (count < 0)
        channel_end(channel, count == UV_EOF ? NULL : uv_strerror((int)count));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    (void)buffer;
    channel_received(stream->data, count);
}

/* A file's turn: one piece. */
static void on_idle(uv_idle_t *idle)
{
    struct channel *channel = idle->data;
    ssize_t count = read(channel->input_file, channel->buffer, sizeof channel->buffer);
    if (count < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (count <= 0)
        uv_idle_stop(idle);
    channel_received(channel, count > 0 ? count : count == 0 ? UV_EOF : -errno);
}

/* Wraps standard descriptor `fd` in what it is. *stream stays NULL for files. */
static int handle_open(struct channel *channel, union channel_handle *end, int fd,
                       uv_stream_t **stream, int *file)
{
    int status = 0;
    switch (uv_guess_handle(fd)) {
    case UV_NAMED_PIPE:
        status = uv_pipe_init(channel->loop, &end->pipe, 0);
        break;
    case UV_TCP:
        status = uv_tcp_init(channel->loop, &end->tcp);
        break;
    case UV_TTY:
        status = uv_tty_init(channel->loop, &end->tty, fd, 0);
        break;
    case UV_FILE:
        *file = fd;
        return 0;
    default:
        return UV_EBADF;
    }
    if (status < 0)
        return status;

    handle_count(channel, &end->handle);
    *stream = &end->stream;
    if (end->handle.type == UV_NAMED_PIPE)
        return uv_pipe_open(&end->pipe, fd);
    return end->handle.type == UV_TCP ? uv_tcp_open(&end->tcp, fd) : 0;
}

/* A channel with nothing but its timer, so that it always has a handle whose closing frees it. */
static struct channel *channel_create(uv_loop_t *loop, const struct channel_events *events,
                                      struct error *error)
{
    struct channel *channel = calloc(1, sizeof *channel);
    if (!channel) {
        error_set(error, ERROR_MEMORY, "no memory for a channel to the editor");
        return NULL;
    }
    channel->loop = loop;
    channel->events = *events;
    channel->input_file = channel->output_file = -1;
    uv_timer_init(loop, &channel->drain); /* cannot fail */
    handle_count(channel, (uv_handle_t *)&channel->drain);
    return channel;
}

/* Starts reading from whatever the input is. */
static int channel_start(struct channel *channel)
{
    if (channel->reader)
        return uv_read_start(channel->reader, on_alloc, on_read);

    uv_idle_init(channel->loop, &channel->input.idle); /* cannot fail */
    handle_count(channel, &channel->input.handle);
    return uv_idle_start(&channel->input.idle, on_idle);
}

struct channel *channel_open_stdio(uv_loop_t *loop, const struct channel_events *events,
                                   struct error *error)
{
    struct channel *channel = channel_create(loop, events, error);
    if (!channel)
        return NULL;

    int status = handle_open(channel, &channel->output, STDOUT_FILENO, &channel->writer,
                             &channel->output_file);
    if (status < 0) {
        error_set(error, ERROR_SYSTEM, "cannot use standard output: %s", uv_strerror(status));
        goto failed;
    }
    status =
        handle_open(channel, &channel->input, STDIN_FILENO, &channel->reader, &channel->input_file);
    if (status == 0)
        status = channel_start(channel);
    if (status < 0) {
        error_set(error, ERROR_SYSTEM, "cannot use standard input: %s", uv_strerror(status));
        goto failed;
    }
    return channel;

failed:
    channel_drop(channel);
    return NULL;
}

/* Both directions over a connected socket. */
static void channel_use_socket(struct channel *channel)
{
    channel->reader = channel->writer = &channel->input.stream;
    int status = channel_start(channel);
    if (status < 0)
        channel_end(channel, uv_strerror(status));
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct channel *channel = listener->data;
    if (status == 0)
        status = uv_pipe_init(channel->loop, &channel->input.pipe, 0);
    if (status == 0) {
        handle_count(channel, &channel->input.handle);
        status = uv_accept(listener, &channel->input.stream);
    }

    /* closing the listener removes the socket from the file system */
    handle_close(&channel->listener.handle);
    if (status < 0)
        channel_end(channel, uv_strerror(status));
    else
        channel_use_socket(channel);
}

static void on_connect(uv_connect_t *request, int status)
{
    struct channel *channel = request->handle->data;
    if (status < 0)
        channel_end(channel, uv_strerror(status));
    else
        channel_use_socket(channel);
}

/* libuv cuts long paths silently. */
static bool path_fits(const char *path, struct error *error)
{
    struct sockaddr_un address;
    if (strlen(path) < sizeof address.sun_path)
        return true;
    return error_set(error, ERROR_INPUT, "%s: a socket's path may have at most %zu bytes", path,
                     sizeof address.sun_path - 1);
}

/* Removes a socket that a daemon left behind which did not end in order: one where connecting is refused. */
static bool stale_remove(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat status;
    int probe = lstat(path, &status) == 0 && S_ISSOCK(status.st_mode)
                    ? socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
                    : -1;
    if (probe < 0)
        return false;
    memcpy(address.sun_path, path, strlen(path) + 1);
    bool is_stale =
        connect(probe, (struct sockaddr *)&address, sizeof address) < 0 && errno == ECONNREFUSED;
    close(probe);
    return is_stale && unlink(path) == 0;
}

struct channel *channel_listen(uv_loop_t *loop, const char *path,
                               const struct channel_events *events, struct error *error)
{
    struct channel *channel = path_fits(path, error) ? channel_create(loop, events, error) : NULL;
    if (!channel)
        return NULL;

    uv_pipe_init(loop, &channel->listener.pipe, 0);
    handle_count(channel, &channel->listener.handle);

    /* only this user may connect */
    mode_t mask = umask(0177);
    int status = uv_pipe_bind(&channel->listener.pipe, path);
    if (status == UV_EADDRINUSE && stale_remove(path))
        status = uv_pipe_bind(&channel->listener.pipe, path);
    umask(mask);
    if (status == 0)
        status = uv_listen(&channel->listener.stream, 1, on_connection);
    if (status == 0)
        return channel;

    error_set(error, ERROR_SYSTEM, "cannot listen on %s: %s%s", path, uv_strerror(status),
              status == UV_EADDRINUSE ? "; something else is there, or another hxqd" : "");
    channel_drop(channel);
    return NULL;
}

struct channel *channel_connect(uv_loop_t *loop, const char *path,
                                const struct channel_events *events, struct error *error)
{
    struct channel *channel = path_fits(path, error) ? channel_create(loop, events, error) : NULL;
    if (!channel)
        return NULL;

    uv_pipe_init(loop, &channel->input.pipe, 0);
    handle_count(channel, &channel->input.handle);
    uv_pipe_connect(&channel->connect, &channel->input.pipe, path, on_connect);
    return channel;
}

/* Closes a channel that was only waiting for its last bytes to leave. */
static void channel_drain(struct channel *channel)
{
    if (channel->closing && channel->backlog_bytes == 0)
        channel_drop(channel);
}

static void on_written(uv_write_t *request, int status)
{
    struct channel_write *write = (struct channel_write *)request;
    struct channel *channel = request->handle->data;
    channel->backlog_bytes -= write->count;
    free(write->bytes);
    free(write);

    if (status == UV_EPIPE || status == UV_ECONNRESET)
        channel_fail_output(channel, NULL);
    else if (status < 0)
        channel_fail_output(channel, uv_strerror(status));
    channel_drain(channel);
}

/* Files take everything at once. */
static void file_write(struct channel *channel, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t written = write(channel->output_file, bytes, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            channel_fail_output(channel, strerror(errno));
            return;
        }
        bytes += written;
        count -= (size_t)written;
    }
}

static void stream_write(struct channel *channel, char *bytes, size_t count)
{
    struct channel_write *write = malloc(sizeof *write);
    if (!write) {
        free(bytes);
        channel_fail_output(channel, "no memory to write");
        return;
    }
    *write = (struct channel_write){.bytes = bytes, .count = count};
    channel->backlog_bytes += count;
    uv_buf_t buffer = uv_buf_init(bytes, (unsigned)count);
    int status = uv_write(&write->request, channel->writer, &buffer, 1, on_written);
    if (status < 0) {
        channel->backlog_bytes -= count;
        free(bytes);
        free(write);
        channel_fail_output(channel, uv_strerror(status));
    }
}

void channel_write(struct channel *channel, char *bytes, size_t count)
{
    bool is_usable = !channel->cannot_write && !channel->closing;
    if (is_usable && channel->backlog_bytes > CHANNEL_BACKLOG_BYTES) {
        channel_fail_output(channel, "the editor has stopped reading");
        is_usable = false;
    }
    if (is_usable && channel->writer) {
        stream_write(channel, bytes, count);
        return;
    }
    if (is_usable && channel->output_file >= 0)
        file_write(channel, bytes, count);
    free(bytes);
}

static void on_drain_over(uv_timer_t *timer);

/* Gives the editor time to take some of the `left` bytes. */
static void channel_wait(struct channel *channel, size_t left)
{
    channel->drain_left = left;
    uv_timer_start(&channel->drain, on_drain_over, CHANNEL_DRAIN_MS, 0);
}

/* Nothing more is waited for once the editor has taken nothing for the whole of the time. */
static void on_drain_over(uv_timer_t *timer)
{
    struct channel *channel = timer->data;
    const size_t left = channel->writer ? uv_stream_get_write_queue_size(channel->writer) : 0;

    if (left == 0 || left >= channel->drain_left)
        channel_drop(channel);
    else
        channel_wait(channel, left);
}

void channel_close(struct channel *channel)
{
    if (!channel || channel->closing)
        return;

    channel->closing = true;
    channel->ended = true;
    if (channel->reader)
        uv_read_stop(channel->reader);
    else if (channel->input_file >= 0)
        uv_idle_stop(&channel->input.idle);
    channel_wait(channel, SIZE_MAX);
    channel_drain(channel);
}
