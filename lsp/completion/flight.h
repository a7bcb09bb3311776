/* A completion while it is being written: a job for the worker, and what the loop has heard of it so far.
 *
 * Belongs to the loop's thread, which makes it, hands it to the worker once and gets it back through `on_done`; in between it
 * may be told to stop and asked what it has to say. It may outlive the request that it was made for: a newer request whose
 * text only went along with it can be answered by it too.
 */
#ifndef LSP_COMPLETION_FLIGHT_H
#define LSP_COMPLETION_FLIGHT_H

#include "lsp/client.h"
#include "lsp/completion/candidates.h"
#include "lsp/completion/place.h"
#include "lsp/context.h"
#include "lsp/relay.h"

struct flight;

/* Told on the loop's thread. */
struct flight_events {
    void (*on_text)(void *user, struct flight *flight); /* the text has grown */
    void (*on_done)(void *user, struct flight *flight); /* once; ownership returns with it */
    void *user;
};

struct flight {
    struct worker_job job; /* first: the worker knows only this part */

    /* Constant once submitted. */
    char *uri;
    struct place place;
    int wanted, max_tokens;
    int budget_ms;         /* 0: none */
    float min_probability; /* what is less probable is not told before it is complete */
    bool must_parse;       /* its extent is not known yet */

    /* The loop's. */
    struct flight_events events;
    struct relay *relay;
    bool is_foreseen;  /* nobody has asked for it yet */
    bool is_submitted; /* to the worker; before that, it may wait for its time */
    char *said; /* by the model so far, untrimmed, up to the last code point; NULL: nothing */
    size_t said_bytes;

    /* Whoever has the job. */
    struct context context;
    atomic_bool has_begun;
    struct candidates candidates; /* complete in on_done, unless job.error says what went wrong */
    double taken_ms;              /* from beginning to end */
};

/* `context` is copied. NULL when memory is exhausted. */
struct flight *flight_create(struct client *client, const char *uri, const struct context *context,
                             int wanted, const struct flight_events *events);

/* One that nobody has asked for: what follows once `text` has been accepted. */
struct flight *flight_foresee(struct client *client, const char *uri, const struct context *context,
                              const struct place_text *text, const struct flight_events *events);

/* Frees one that was never submitted, or that is done. NULL is accepted. */
void flight_destroy(struct flight *flight);

void flight_submit(struct flight *flight, struct worker *worker);

/* Somebody has asked for one that was foreseen. */
void flight_claim(struct flight *flight, struct worker *worker);

/* Lets go of one that is not wanted any more: it stops within a layer and comes back through `on_done`, or is destroyed at
 * once if it was never submitted. */
void flight_drop(struct flight *flight);

/* How what would be shown of the text so far begins, NUL-terminated, owned by the caller; NULL when there is nothing. */
char *flight_text(const struct flight *flight);

/* All that would be shown of it, likewise. Costs a parse. */
char *flight_preview(const struct flight *flight);

/* The same up to the last statement that has been written to its end: a line with no bracket left open, which nothing at its
 * end continues. NULL when there is none. */
char *flight_statements(const struct flight *flight);

#endif
