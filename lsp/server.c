/* The loop and what hangs on it. There is one way to stop: server_stop. Since the reason may be found deep inside a handler,
 * the work is left to a turn of the loop of its own: completions are answered as cancelled, the channel closes (which first
 * lets the last replies leave), the worker and the timers end, the loop runs out of handles and `server_run` returns. */
#include "lsp/server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <uv.h>

#include "lsp/client.h"
#include "lsp/completion/surroundings.h"
#include "lsp/dispatch.h"
#include "lsp/errand.h"
#include "lsp/handlers.h"
#include "lsp/log.h"
#include "lsp/protocol/channel.h"
#include "lsp/protocol/frame.h"

enum {
    WATCH_PERIOD_MS = 1000,
    WATCHED_MAX = 2, /* the editor's process of the command line and of `initialize` */
    SIGNALS = 3,
};

struct server {
    uv_loop_t loop;
    struct channel *channel;
    struct frame_reader reader;
    struct worker *worker;
    struct client client;

    uv_timer_t timer; /* watches processes, then stops the server */
    int64_t watched[WATCHED_MAX];
    int watched_count;
    uv_signal_t signals[SIGNALS];

    bool is_stopping;
    int status; /* the process's, once stopping */
};

static void on_stop(uv_timer_t *timer)
{
    struct server *server = timer->data;
    complete_abandon(&server->client);
    hover_abandon(&server->client);
    errands_abandon(&server->client);
    channel_close(server->channel);
    worker_destroy(server->worker);
    complete_close(&server->client);
    surroundings_destroy(server->client.surroundings);
    server->client.surroundings = NULL;
    hover_close(&server->client);
    uv_close((uv_handle_t *)&server->timer, NULL);
    for (int i = 0; i < SIGNALS; i++)
        uv_close((uv_handle_t *)&server->signals[i], NULL);
}

static void server_stop(struct server *server)
{
    if (server->is_stopping)
        return;

    server->is_stopping = true;
    server->status = server->client.phase == CLIENT_SHUT_DOWN ? 0 : 1;
    uv_timer_start(&server->timer, on_stop, 0, 0);
}

/* The client's door. */
static void door_send(void *user, const json_t *message)
{
    struct server *server = user;
    size_t framed_bytes = 0;
    char *body = json_dumps(message, JSON_COMPACT);
    char *framed = body ? frame_write(body, strlen(body), &framed_bytes) : NULL;
    free(body);
    if (framed) {
        channel_write(server->channel, framed, framed_bytes);
    } else {
        log_write(LOG_LEVEL_ERROR, "no memory for a message to the editor");
        server_stop(server);
    }
}

static void door_stop(void *user)
{
    server_stop(user);
}

static void on_watch(uv_timer_t *timer)
{
    struct server *server = timer->data;
    for (int i = 0; i < server->watched_count; i++) {
        /* a process that exists but is not ours to signal gives EPERM */
        if (kill((pid_t)server->watched[i], 0) < 0 && errno == ESRCH) {
            log_write(LOG_LEVEL_WARN, "the editor's process %lld is gone",
                      (long long)server->watched[i]);
            server_stop(server);
            return;
        }
    }
}

static void door_watch(void *user, int64_t process_id)
{
    struct server *server = user;
    bool is_process = process_id > 0 && process_id <= INT32_MAX;
    if (!is_process || server->watched_count == WATCHED_MAX || server->is_stopping)
        return;

    server->watched[server->watched_count++] = process_id;
    uv_timer_start(&server->timer, on_watch, WATCH_PERIOD_MS, WATCH_PERIOD_MS);
}

static void on_signal(uv_signal_t *handle, int number)
{
    log_write(LOG_LEVEL_INFO, "stopping on signal %d", number);
    server_stop(handle->data);
}

/* Bytes from the editor: as many messages as they complete. */
static void on_bytes(void *user, const char *bytes, size_t count)
{
    struct server *server = user;
    if (!frame_reader_push(&server->reader, bytes, count)) {
        log_write(LOG_LEVEL_ERROR, "no memory for a message from the editor");
        server_stop(server);
    }
    while (!server->is_stopping) {
        struct error error = {0};
        char *body = NULL;
        size_t body_bytes = 0;
        switch (frame_reader_next(&server->reader, &body, &body_bytes, &error)) {
        case FRAME_MESSAGE:
            dispatch_message(&server->client, body, body_bytes);
            break;
        case FRAME_REFUSED:
            dispatch_refuse(&server->client, RPC_INVALID_REQUEST, error.text);
            break;
        case FRAME_BROKEN:
            log_write(LOG_LEVEL_ERROR, "%s", error.text);
            server_stop(server);
            server->status = 1;
            break;
        case FRAME_NEED_MORE:
            return;
        }
    }
}

static void on_end(void *user, const char *reason)
{
    struct server *server = user;
    if (reason)
        log_write(LOG_LEVEL_ERROR, "the connection to the editor failed: %s", reason);
    else if (server->client.phase != CLIENT_SHUT_DOWN)
        log_write(LOG_LEVEL_WARN, "the editor hung up without shutdown");
    server_stop(server);
}

static struct channel *server_connect(struct server *server,
                                      const struct server_transport *transport, struct error *error)
{
    struct channel_events events = {on_bytes, on_end, server};
    switch (transport->kind) {
    case SERVER_LISTEN:
        return channel_listen(&server->loop, transport->path, &events, error);
    case SERVER_CONNECT:
        return channel_connect(&server->loop, transport->path, &events, error);
    default:
        if (isatty(STDIN_FILENO))
            fputs("hxqd: waiting for an editor, which speaks LSP on standard input; see hxqd "
                  "--help\n",
                  stderr);
        return channel_open_stdio(&server->loop, &events, error);
    }
}

/* Whether whoever started us, nohup for one, wants us to stay. */
static bool is_ignored(int number)
{
    struct sigaction action;
    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* Everything but the channel. libuv's own set-up of timers and signals cannot fail on a working loop. */
static bool server_init(struct server *server, const struct settings *settings, struct error *error)
{
    static const int numbers[SIGNALS] = {SIGINT, SIGTERM, SIGHUP};
    frame_reader_init(&server->reader);
    uv_timer_init(&server->loop, &server->timer);
    server->timer.data = server;
    for (int i = 0; i < SIGNALS; i++) {
        uv_signal_init(&server->loop, &server->signals[i]);
        server->signals[i].data = server;
        if (!is_ignored(numbers[i]))
            uv_signal_start(&server->signals[i], on_signal, numbers[i]);
    }

    /* a reader that goes away shows as a failed write, not as a signal */
    signal(SIGPIPE, SIG_IGN);
    struct client_door door = {door_send, door_watch, door_stop, server};
    server->worker = worker_create(&server->loop, error);
    return client_init(&server->client, settings, &server->loop, server->worker, &door) &&
           server->worker;
}

/* The conversation, from connecting to the last handle closed. */
static int server_serve(struct server *server, const struct settings *settings,
                        const struct server_transport *transport)
{
    struct error error = {0};
    if (server_init(server, settings, &error))
        server->channel = server_connect(server, transport, &error);
    if (server->channel) {
        log_write(LOG_LEVEL_INFO, "hxqd " HXQD_VERSION " serves");
        door_watch(server, transport->client_process_id);
    } else {
        log_write(LOG_LEVEL_ERROR, "%s", error.code ? error.text : "no memory for the server");
        server_stop(server);
    }

    /* runs until server_stop has closed all handles */
    uv_run(&server->loop, UV_RUN_DEFAULT);
    client_finish(&server->client);
    frame_reader_finish(&server->reader);
    uv_loop_close(&server->loop);
    return server->status;
}

/* Closed standard descriptors become /dev/null, lest the loop's own take their numbers and meet what goes there. */
static void standard_descriptors_fill(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", O_RDWR); /* takes the lowest number free: this one */
    }
}

int server_run(const struct settings *settings, const struct server_transport *transport)
{
    struct error error = {0};
    standard_descriptors_fill();
    if (!log_open(settings->log_path, settings->log_level, &error))
        log_write(LOG_LEVEL_ERROR, "%s", error.text);

    int status = 1;
    struct server *server = calloc(1, sizeof *server);
    const int problem = server ? uv_loop_init(&server->loop) : UV_ENOMEM;
    if (problem == 0)
        status = server_serve(server, settings, transport);
    else
        log_write(LOG_LEVEL_ERROR, "the server cannot begin: %s", uv_strerror(problem));
    free(server);
    log_close();
    return status;
}
