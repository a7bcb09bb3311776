/* The model's words reach the loop as they are, and are trimmed there only when somebody wants to see them: trimming parses,
 * and most texts are finished before anybody asks. */
#include "lsp/completion/flight.h"

#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "lsp/completion/attempt.h"
#include "lsp/completion/graft.h"
#include "lsp/completion/trim.h"

/* On the worker thread. */
static void flight_run(struct worker_job *job, struct engine *engine)
{
    struct flight *flight = (struct flight *)job;
    uint64_t begun_ns = uv_hrtime();
    atomic_store(&flight->has_begun, true);
    if (flight->must_parse)
        context_parse(&flight->context);
    const struct candidates_request request = {
        .wanted = flight->wanted,
        .max_tokens = flight->max_tokens,
        .budget_ms = flight->budget_ms,
        .min_probability = flight->min_probability,
        .cancel = &job->is_cancelled,
        .relay = flight->relay,
    };
    candidates_generate(&flight->candidates, engine, &flight->context, &request, &job->error);
    flight->taken_ms = (double)(uv_hrtime() - begun_ns) / 1e6;
}

static void flight_done(struct worker_job *job)
{
    struct flight *flight = (struct flight *)job;
    flight->events.on_done(flight->events.user, flight);
}

/* On the loop's thread. */
static void on_text(void *user, const char *text, size_t bytes)
{
    struct flight *flight = user;
    char *said = realloc(flight->said, bytes + 1);
    if (!said)
        return;

    memcpy(said, text, bytes);
    said[bytes] = '\0';
    flight->said = said;
    flight->said_bytes = bytes;
    flight->events.on_text(flight->events.user, flight);
}

/* With its context still to be filled in. */
static struct flight *flight_allocate(struct client *client, const char *uri, int wanted,
                                      const struct flight_events *events)
{
    const struct settings *settings = client_settings(client, uri);
    struct flight *flight = calloc(1, sizeof *flight);
    if (!flight)
        return NULL;

    flight->job.class = WORKER_COMPLETION;
    flight->job.run = flight_run;
    flight->job.done = flight_done;
    atomic_init(&flight->job.is_cancelled, false);
    atomic_init(&flight->has_begun, false);
    flight->uri = strdup(uri);
    flight->wanted = wanted;
    flight->max_tokens = settings->max_tokens;
    flight->budget_ms = settings->budget_ms;
    flight->min_probability = settings->min_probability;
    flight->events = *events;
    flight->relay = relay_create(client->loop, on_text, flight);
    return flight;
}

/* Fills in the context and what follows from it. Gives the flight up when memory is exhausted. */
static struct flight *flight_place(struct flight *flight, const struct context *context,
                                   const struct place_text *text)
{
    if (flight && flight->uri &&
        context_advance(&flight->context, context, text->text, text->bytes, text->replaced_bytes)) {
        place_init(&flight->place, flight->uri, &flight->context);
        return flight;
    }
    flight_destroy(flight);
    return NULL;
}

struct flight *flight_create(struct client *client, const char *uri, const struct context *context,
                             int wanted, const struct flight_events *events)
{
    return flight_place(flight_allocate(client, uri, wanted, events), context,
                        &(struct place_text){.text = ""});
}

struct flight *flight_foresee(struct client *client, const char *uri, const struct context *context,
                              const struct place_text *text, const struct flight_events *events)
{
    struct flight *flight = flight_place(flight_allocate(client, uri, 1, events), context, text);
    if (flight) {
        flight->is_foreseen = flight->must_parse = true;
        flight->job.class = WORKER_PREFETCH;
    }
    return flight;
}

void flight_destroy(struct flight *flight)
{
    if (!flight)
        return;

    relay_destroy(flight->relay);
    context_finish(&flight->context);
    candidates_finish(&flight->candidates);
    free(flight->uri);
    free(flight->said);
    free(flight);
}

void flight_submit(struct flight *flight, struct worker *worker)
{
    flight->is_submitted = true;
    worker_submit(worker, &flight->job);
}

void flight_claim(struct flight *flight, struct worker *worker)
{
    if (flight->is_foreseen)
        worker_promote(worker, &flight->job);
    flight->is_foreseen = false;
}

void flight_drop(struct flight *flight)
{
    if (flight->is_submitted)
        worker_drop(&flight->job);
    else
        flight_destroy(flight);
}

/* The first `bytes` of what was said, trimmed. */
static char *said_trim(const struct flight *flight, size_t bytes)
{
    char *text = bytes > 0 ? trim_finish(&flight->context, flight->said, bytes) : NULL;
    if (text && *text)
        return text;
    free(text);
    return NULL;
}

char *flight_text(const struct flight *flight)
{
    return said_trim(flight, flight->said_bytes);
}

char *flight_preview(const struct flight *flight)
{
    return flight->said ? attempt_preview(&flight->context, flight->said, flight->said_bytes)
                        : NULL;
}

/* How a character changes the number of open brackets. */
static int bracket_depth(char character)
{
    if (character != '\0' && strchr("([{", character))
        return 1;
    return character != '\0' && strchr(")]}", character) ? -1 : 0;
}

char *flight_statements(const struct flight *flight)
{
    int depth = 0;
    size_t end = 0;
    char last = '\n'; /* on its line, white space left out */
    for (size_t i = 0; i < flight->said_bytes; i++) {
        char character = flight->said[i];
        depth += bracket_depth(character);
        if (character == '\n' && depth <= 0 && last != '\n' && !strchr(":,\\=+-*/&|", last))
            end = i;
        if (character == '\n' || !strchr(" \t\r", character))
            last = character;
    }

    /* as of every text, the parser has its say */
    char *text = said_trim(flight, end);
    struct graft *graft = text ? graft_create(&flight->context) : NULL;
    if (graft && graft_is_sound(graft, 0, text, strlen(text))) {
        graft_destroy(graft);
        return text;
    }
    graft_destroy(graft);
    free(text);
    return NULL;
}
