/* The bytes between editor and daemon: standard input and output, or a Unix socket.
 *
 * Hides what kind of thing stands behind a descriptor (pipe, socket, terminal, regular file) and how writes are queued.
 * A channel belongs to one loop and its thread. It is closed exactly once, by its owner, also after `on_end`; its memory goes
 * when the loop has run the last of its callbacks.
 */
#ifndef LSP_PROTOCOL_CHANNEL_H
#define LSP_PROTOCOL_CHANNEL_H

#include <stddef.h>

#include <uv.h>

#include "infer/error.h"

enum {
    CHANNEL_BACKLOG_BYTES = 64 * 1024 * 1024, /* unread by the editor; more ends the channel */
    CHANNEL_DRAIN_MS = 1000, /* how long a closing channel waits for an editor that reads nothing */
};

/* Called on the loop's thread. */
struct channel_events {
    void (*on_bytes)(void *user, const char *bytes, size_t count);
    /* The editor hung up (`reason` NULL) or the channel failed. Called at most once, then nothing more arrives. */
    void (*on_end)(void *user, const char *reason);
    void *user;
};

struct channel;

/* Standard input and output. */
struct channel *channel_open_stdio(uv_loop_t *loop, const struct channel_events *events,
                                   struct error *error);

/* Makes a Unix socket that only this user may open, serves the first connection and then removes it. One that is left over at
 * that path, where nobody listens any more, is replaced. */
struct channel *channel_listen(uv_loop_t *loop, const char *path,
                               const struct channel_events *events, struct error *error);

/* Connects to a Unix socket; a refusal arrives as `on_end`. */
struct channel *channel_connect(uv_loop_t *loop, const char *path,
                                const struct channel_events *events, struct error *error);

/* Queues bytes, which are stolen; never blocks on a pipe or socket. After the editor has hung up they
 * are still sent, in case it reads on; they are dropped once that has failed. */
void channel_write(struct channel *channel, char *bytes, size_t count);

/* Stops reading, and closes as soon as everything queued has been written, or the editor has read nothing for
 * CHANNEL_DRAIN_MS. */
void channel_close(struct channel *channel);

#endif
