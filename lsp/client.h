/* The editor at the other end: what it said about itself, and how it is answered.
 *
 * The state that the handlers share. A client lives as long as the conversation, on the loop's thread; the server owns it
 * and gives it a door through which it can be reached. Handlers answer every request exactly once, with client_reply or
 * client_fail, at once or later.
 */
#ifndef LSP_CLIENT_H
#define LSP_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <uv.h>

#include "lsp/documents.h"
#include "lsp/preferences.h"
#include "lsp/protocol/rpc.h"
#include "lsp/settings.h"
#include "lsp/worker.h"

enum client_phase {
    CLIENT_STARTED,     /* `initialize` has not come yet */
    CLIENT_INITIALIZED, /* at work */
    CLIENT_SHUT_DOWN,   /* only `exit` may follow */
};

enum client_model {
    CLIENT_MODEL_UNASKED, /* the settings are not known yet */
    CLIENT_MODEL_OFF,     /* nothing is switched on */
    CLIENT_MODEL_LOADING,
    CLIENT_MODEL_READY,
    CLIENT_MODEL_FAILED,
};

/* A progress bar in the editor; the editor must agree to its token first. */
enum client_progress { CLIENT_PROGRESS_NONE, CLIENT_PROGRESS_ASKED, CLIENT_PROGRESS_SHOWN };

/* What the server does for its client. */
struct client_door {
    void (*send)(void *user, const json_t *message);
    void (*watch)(void *user, int64_t process_id); /* stop when that process is gone */
    void (*stop)(void *user);
    void *user;
};

enum { CLIENT_LATENCIES = 512 };

/* Counts for hxqd.debug.stats, of inline completion requests. */
struct client_counts {
    int64_t requests, answered, cancelled, superseded;
    /* Answers out of what was known or under way, answers that were only a beginning; completions begun at all, those in
     * advance of any request, and how many of them were asked for later. */
    int64_t cache_hits, adopted, early, started, prefetched, prefetched_used;
    int64_t prompt_tokens, reused_tokens, completion_tokens, drafted_tokens, accepted_tokens;
    double latencies_ms[CLIENT_LATENCIES]; /* of the last answers, a ring */
    int64_t latencies;                     /* ever written to it */
};

struct completer;
struct surroundings;
struct hover;
struct errand;

/* What the editor said it can do, beyond what every editor can. */
struct client_abilities {
    bool hover_markdown;  /* textDocument.hover.contentFormat */
    bool action_literals; /* textDocument.codeAction.codeActionLiteralSupport */
    bool resolves_edits;  /* textDocument.codeAction.resolveSupport has "edit" */
    bool versioned_edits; /* workspace.workspaceEdit.documentChanges */
};

struct client {
    struct client_door door;
    uv_loop_t *loop;          /* the server's */
    struct worker *worker;    /* the server's */
    struct settings settings; /* what all sources come to; ask client_settings for a document's */

    /* configure.c's; from `initialize` on, NULL when memory is exhausted */
    struct preferences *preferences;
    char *workspace_file;      /* of settings; NULL: none */
    bool can_configure;        /* workspace.configuration */
    bool can_register_changes; /* workspace.didChangeConfiguration.dynamicRegistration */
    bool has_started;          /* `initialized` has come */

    enum client_phase phase;
    bool can_show_progress;
    struct client_abilities abilities;
    struct documents *documents; /* from `initialize` on */

    enum client_model model;
    enum client_progress progress;
    int progress_percent, progress_serial;
    bool is_device_lost; /* and the CPU takes its place */
    char *wanted_model;  /* loading.c's: what was loaded last, in words; NULL: nothing */
    /* The worker's; NULL until the model is ready. Facts stay while its memory is released. */
    const struct engine_info *engine;

    /* surroundings.c's; from `initialize` on, NULL when memory is exhausted */
    struct surroundings *surroundings;
    struct completer *completer; /* complete.c's; NULL before the first request */
    struct client_counts counts;

    struct hover *hover;      /* hover.c's; NULL before the first request */
    struct errand *errands;   /* errand.c's list */
    json_int_t errand_serial; /* of the next one */
};

/* `settings` is copied. False when memory is exhausted; finish it all the same. */
bool client_init(struct client *client, const struct settings *settings, uv_loop_t *loop,
                 struct worker *worker, const struct client_door *door);
void client_finish(struct client *client);

/* Replies to a request; `result` is stolen. NULL stands for exhausted memory, after which the daemon stops rather than leave
 * a request unanswered. */
void client_reply(struct client *client, const json_t *id, json_t *result);
void client_fail(struct client *client, const json_t *id, enum rpc_code code, const char *text);

/* `params` is stolen. */
void client_notify(struct client *client, const char *method, json_t *params);
void client_ask(struct client *client, json_int_t id, const char *method, json_t *params);

/* Takes away a progress bar that the editor has agreed to after the work's end: some show one as soon as they have agreed,
 * until they hear that it is over. `token` is stolen. */
void client_withdraw_progress(struct client *client, json_t *token);

/* The settings for a document's language, the general ones for NULL and what is not open; valid until they change. */
const struct settings *client_settings(const struct client *client, const char *uri);

/* Reads `capabilities` of `initialize`. */
void client_read_abilities(struct client *client, const json_t *capabilities);

/* The open document that "textDocument" names and, in bytes, the "range" or the "position" in it; NULL where `params` has them
 * not. */
struct document *client_locate(struct client *client, const json_t *params, struct span *range);

/* LSP Range of bytes of a document; a new reference. */
json_t *client_range(const struct client *client, const struct document *document,
                     struct span range);

/* LSP Position; false for anything that is none. */
bool position_parse(const json_t *value, struct text_position *position);
json_t *position_write(struct text_position position);

/* LSP MessageType. */
enum client_message { CLIENT_ERROR = 1, CLIENT_WARNING = 2, CLIENT_INFO = 3 };

/* Shows a sentence to the user (window/showMessage) or in the editor's log (window/logMessage). */
void client_tell(struct client *client, const char *method, enum client_message type,
                 const char *sentence);

#endif
