/* The daemon: one conversation with one editor, from the first byte to the exit status.
 *
 * Owns the event loop and wires its parts together: channel (bytes) → frame (messages) → dispatch (handlers), the worker
 * that computes, the watch over the editor's process. Everything runs on the calling thread except the worker's jobs.
 * Standard output belongs to the protocol: nothing else may write there while `server_run` is at work.
 */
#ifndef LSP_SERVER_H
#define LSP_SERVER_H

#include <stdint.h>

#include "lsp/settings.h"

enum server_transport_kind {
    SERVER_STDIO, /* standard input and output: pipes, sockets, terminals or files */
    SERVER_LISTEN, /* a Unix socket made at `path`; the first editor to connect is served, no second one */
    SERVER_CONNECT, /* a Unix socket or named pipe at `path` on which the editor listens */
};

struct server_transport {
    enum server_transport_kind kind;
    const char *path; /* SERVER_LISTEN, SERVER_CONNECT */
    int64_t
        client_process_id; /* stop when this process is gone; 0: only the one that `initialize` names */
};

/* Serves until the editor says `exit`, hangs up or dies, or a signal asks to stop. Returns the process's exit status as the
 * protocol wants it: 0 after a `shutdown` request, else 1, with the reason in the log. */
int server_run(const struct settings *settings, const struct server_transport *transport);

#endif
