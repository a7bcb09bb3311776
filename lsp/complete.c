/* textDocument/inlineCompletion: which text answers a request, and when.
 *
 * Latest wins. A cursor is in one place, so a newer request makes an older one pointless: the older one is answered as
 * cancelled in that moment, and at most one request, the `question`, is unanswered at any time. What is being written, the
 * `flight`, is another matter: it lives as long as it may still be of use.
 *
 *   asked ──> known already? ──yes──> answered at once
 *                  │no
 *             is the flight on its way there? ──yes──> it answers, unless it comes to say something else
 *                  │no
 *             the flight is dropped, a new one takes off: at once, or after a pause in typing
 *
 * A flight that nobody waits for goes on where its text has been answered in part, so that the rest is there when it is asked
 * for. When nothing is left to do, what follows the text just offered is written in advance, in case it is accepted.
 *
 * An answer is for the text that was asked about. If the document has changed since, ghost text would repeat what the user
 * has typed in the meantime, so nothing is offered; the editor is going to ask again, and then it is known already. */
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "lsp/completion/flight.h"
#include "lsp/completion/pace.h"
#include "lsp/completion/question.h"
#include "lsp/completion/recall.h"
#include "lsp/completion/surroundings.h"
#include "lsp/handlers.h"
#include "lsp/log.h"
#include "lsp/protocol/partial.h"

enum {
    /* A flight whose request is cancelled goes on for so long: editors cancel at each key, just before they ask again. */
    CANCELLED_GRACE_MS = 150,
    /* An answer stands for so long before the one after it is written: longer than keys lie apart. */
    FORESEE_REST_MS = 200,
};

struct completer {
    struct client *client;
    struct question question; /* not answered yet; id NULL: none */
    struct flight *flight;    /* being written or waiting for its time; NULL: none */
    struct recall *recall;
    struct pace pace;
    uv_timer_t timer; /* the flight's: when it is to take off, or to be dropped */
    bool is_stopping;
    struct place_cursor cursor; /* the question's */
};

static void on_text(void *user, struct flight *flight);
static void on_done(void *user, struct flight *flight);

/* The client's, made when it is needed first; NULL when memory is exhausted. */
static struct completer *completer_of(struct client *client)
{
    struct completer *completer = client->completer ? NULL : calloc(1, sizeof *completer);
    if (!completer)
        return client->completer;
    completer->recall = recall_create();
    if (!completer->recall) {
        free(completer);
        return NULL;
    }
    completer->client = client;
    completer->timer.data = completer;
    uv_timer_init(client->loop, &completer->timer);
    client->completer = completer;
    return completer;
}

/* --- the flight ------------------------------------------------------------------------------------------------------- */

static void flight_forget(struct completer *completer)
{
    uv_timer_stop(&completer->timer);
    if (completer->flight)
        flight_drop(completer->flight);
    completer->flight = NULL;
}

static void on_time(uv_timer_t *timer)
{
    struct completer *completer = timer->data;
    struct flight *flight = completer->flight;
    if (flight->is_submitted) {
        flight_forget(completer);
        return;
    }
    completer->client->counts.prefetched += flight->is_foreseen;
    flight_submit(flight, completer->client->worker);
}

/* `flight` takes the place of the one there may be, and takes off in `delay_ms`. */
static void flight_start(struct completer *completer, struct flight *flight, int delay_ms)
{
    flight_forget(completer);
    completer->flight = flight;
    if (delay_ms > 0)
        uv_timer_start(&completer->timer, on_time, (uint64_t)delay_ms, 0);
    else
        flight_submit(flight, completer->client->worker);
}

/* What follows `text` at `context` is going to be written, unless it is known or being written already, or `text` too
 * improbable to be accepted. */
static void flight_start_foreseen(struct completer *completer, const char *uri,
                                  const struct context *context, const struct place_text *text)
{
    struct client *client = completer->client;
    const struct flight_events events = {on_text, on_done, completer};
    const struct settings *settings = client_settings(client, uri);
    bool is_wanted = settings->prefetch && settings->response_cache &&
                     text->probability >= settings->min_probability;
    if (!is_wanted || completer->is_stopping)
        return;

    struct flight *flight = flight_foresee(client, uri, context, text, &events);
    if (!flight)
        return;
    bool is_there = completer->flight && place_equals(&completer->flight->place, &flight->place);
    if (is_there || recall_has(completer->recall, &flight->place))
        flight_destroy(flight);
    else
        flight_start(completer, flight, FORESEE_REST_MS);
}

/* Whether the flight may come to answer the question: its cursor has only moved along what is being written, or has not moved.
 * *step tells how far. */
static bool flight_follows(const struct completer *completer, const struct flight *flight,
                           struct place_step *step)
{
    if (flight->wanted < completer->question.wanted ||
        !place_step(&flight->place, &completer->cursor, step))
        return false;

    char *text = step->typed_bytes > 0 ? flight_text(flight) : NULL;
    bool may_agree = !text || place_may_agree(step, text, strlen(text));
    free(text);
    return may_agree;
}

/* --- the question ----------------------------------------------------------------------------------------------------- */

static const struct settings *question_settings(const struct completer *completer)
{
    return client_settings(completer->client, completer->question.uri);
}

/* How probable a text must be to be shown: to a user who asked, however little. */
static float least_probability(const struct completer *completer)
{
    return completer->question.is_invoked ? 0.0f : question_settings(completer)->min_probability;
}

/* Answers it, if that still makes sense, and leaves none. */
static void question_answer(struct completer *completer, const struct recall_answer *answer)
{
    struct client *client = completer->client;
    struct client_counts *counts = &client->counts;
    struct question *question = &completer->question;
    json_t *items = json_array();
    bool is_current = question_is_current(question, client);
    for (size_t i = 0; i < answer->count && (int)i < question->wanted && is_current; i++) {
        if (answer->texts[i].probability >= least_probability(completer))
            question_item(question, items, &answer->texts[i]);
    }

    uint64_t taken_ns = uv_hrtime() - question->asked_ns;
    counts->latencies_ms[counts->latencies++ % CLIENT_LATENCIES] = (double)taken_ns / 1e6;
    counts->answered++;
    client_reply(client, question->id, items);
    question_finish(question);
}

static void question_cancel(struct completer *completer, const char *reason)
{
    client_fail(completer->client, completer->question.id, RPC_REQUEST_CANCELLED, reason);
    question_finish(&completer->question);
}

/* A flight of its own; no answer when memory is exhausted. */
static void question_start(struct completer *completer, int delay_ms)
{
    const struct question *question = &completer->question;
    const struct flight_events events = {on_text, on_done, completer};
    struct flight *flight = flight_create(completer->client, question->uri, &question->context,
                                          question->wanted, &events);
    if (flight) {
        flight->budget_ms = question->is_invoked ? 0 : flight->budget_ms;
        flight_start(completer, flight, delay_ms);
        return;
    }
    log_write(LOG_LEVEL_ERROR, "no memory for a completion");
    question_answer(completer, &(struct recall_answer){0});
}

/* Answers from what is known; false where nothing is. A flight that the question follows goes on, for the same reason as
 * before; otherwise what follows the answer is next. */
static bool question_answer_known(struct completer *completer)
{
    struct client *client = completer->client;
    const struct question *question = &completer->question;
    struct recall_answer answer;
    struct place_step step;
    if (!question_settings(completer)->response_cache)
        return false;
    struct graft *graft = question_graft(question, client);
    const struct recall_terms terms = {least_probability(completer), graft};
    bool is_known =
        recall_find(completer->recall, &completer->cursor, question->wanted, &terms, &answer);
    graft_destroy(graft);
    if (!is_known)
        return false;

    client->counts.cache_hits++;
    client->counts.prefetched_used += answer.was_foreseen;
    struct flight *flight = completer->flight;
    bool goes_on = flight && flight->is_submitted && !flight->is_foreseen &&
                   flight_follows(completer, flight, &step);
    if (flight && !flight->is_foreseen && !goes_on)
        flight_forget(completer);
    if (!goes_on && answer.count > 0)
        flight_start_foreseen(completer, question->uri, &question->context, &answer.texts[0]);
    question_answer(completer, &answer);
    return true;
}

/* Leaves it to the flight under way; false where that goes elsewhere. One that still waits for its time may as well begin
 * where the cursor is now. */
static bool question_join(struct completer *completer)
{
    struct flight *flight = completer->flight;
    struct place_step step;
    if (!question_settings(completer)->response_cache || !flight || !flight->is_submitted ||
        !flight_follows(completer, flight, &step))
        return false;

    uv_timer_stop(&completer->timer);
    completer->client->counts.adopted++;
    completer->client->counts.prefetched_used += flight->is_foreseen;
    flight_claim(flight, completer->client->worker);
    on_text(completer, flight);
    return true;
}

/* --- news of the flight ----------------------------------------------------------------------------------------------- */

/* Shows an editor that asked for it how the answer grows, where it has grown. */
static void question_show(struct completer *completer, const struct flight *flight,
                          const struct place_step *step)
{
    struct question *question = &completer->question;
    char *text = flight_preview(flight);
    const struct place_text whole = {.text = text, .bytes = text ? strlen(text) : 0};
    struct place_text rest;
    if (!text || !place_rest(step, &whole, &rest) || rest.bytes == 0 ||
        rest.bytes == question->shown_bytes || !question_is_current(question, completer->client)) {
        free(text);
        return;
    }

    json_t *items = json_array();
    question_item(question, items, &rest);
    question->shown_bytes = rest.bytes;
    partial_send(completer->client, question->token, items);
    free(text);
}

/* Answers with the statements written so far, once the user has been waiting for long enough; the rest is for the next
 * request. */
static void question_answer_early(struct completer *completer, const struct flight *flight,
                                  const struct place_step *step)
{
    const int patience_ms = question_settings(completer)->patience_ms;
    uint64_t waited_ms = (uv_hrtime() - completer->question.asked_ns) / 1000000;
    bool is_due = patience_ms > 0 && completer->question.wanted == 1 && step->closed_bytes == 0 &&
                  waited_ms >= (uint64_t)patience_ms;
    char *text = is_due ? flight_statements(flight) : NULL;
    struct candidates written = {
        .texts = {text}, .facts = {{.errors = 1, .probability = 1.0f}}, .count = 1};
    struct graft *graft = text ? question_graft(&completer->question, completer->client) : NULL;
    const struct recall_terms terms = {.graft = graft};
    struct recall_answer answer;
    if (text && recall_rest(&written, step, &terms, &answer) && answer.count > 0) {
        completer->client->counts.early++;
        question_answer(completer, &answer);
    }
    graft_destroy(graft);
    free(text);
}

static void on_text(void *user, struct flight *flight)
{
    struct completer *completer = user;
    struct place_step step;
    if (flight != completer->flight || !completer->question.id)
        return;
    if (!flight_follows(completer, flight, &step)) {
        question_start(completer, 0);
        return;
    }
    if (completer->question.token)
        question_show(completer, flight, &step);
    else if (question_settings(completer)->response_cache)
        question_answer_early(completer, flight, &step);
}

static void flight_count(struct client *client, const struct flight *flight)
{
    struct client_counts *counts = &client->counts;
    counts->started += atomic_load(&flight->has_begun);
    counts->prompt_tokens += flight->candidates.prompt_tokens;
    counts->reused_tokens += flight->candidates.reused_tokens;
    counts->completion_tokens += flight->candidates.completion_tokens;
    counts->drafted_tokens += flight->candidates.drafted_tokens;
    counts->accepted_tokens += flight->candidates.accepted_tokens;
    if (flight->job.error.code != ERROR_NONE && flight->job.error.code != ERROR_CANCELLED)
        log_write(LOG_LEVEL_ERROR, "completion failed: %s", flight->job.error.text);
}

/* The flight is over: it answers the question. One that has come to say something else, or was stopped by others, is followed
 * by a flight from where the cursor is, which nothing can lead astray. */
static void question_land(struct completer *completer, const struct flight *flight)
{
    struct recall_answer answer = {0};
    struct place_step step;
    struct graft *graft = question_graft(&completer->question, completer->client);
    const struct recall_terms terms = {least_probability(completer), graft};
    bool is_stopped = flight->job.error.code == ERROR_CANCELLED;
    bool is_other = !place_step(&flight->place, &completer->cursor, &step) ||
                    !recall_rest(&flight->candidates, &step, &terms, &answer);
    graft_destroy(graft);
    if (is_stopped || (is_other && flight->job.error.code == ERROR_NONE))
        question_start(completer, 0);
    else
        question_answer(completer, &answer);
}

static void on_done(void *user, struct flight *flight)
{
    struct completer *completer = user;
    struct candidates *candidates = &flight->candidates;
    bool is_ours = flight == completer->flight;
    bool is_whole = flight->job.error.code == ERROR_NONE;
    /* time that was spent on reading says nothing of what follows: whoever asks again is to get farther */
    bool is_known = is_whole && (candidates->count > 0 || candidates->stop != ENGINE_STOP_TIME);
    flight_count(completer->client, flight);
    if (is_whole)
        pace_written(&completer->pace, flight->taken_ms);
    if (is_ours) {
        uv_timer_stop(&completer->timer);
        completer->flight = NULL;
    }
    if (is_ours && completer->question.id)
        question_land(completer, flight);

    bool is_next = is_ours && is_whole && !completer->flight && !flight->is_foreseen;
    if (is_next && candidates->count > 0) {
        const struct place_text text = {candidates->texts[0], strlen(candidates->texts[0]),
                                        candidates->facts[0].replaced_bytes,
                                        candidates->facts[0].probability};
        flight_start_foreseen(completer, flight->uri, &flight->context, &text);
    }
    surroundings_record(completer->client, flight->is_foreseen ? "prefetch" : "completion",
                        &candidates->given, &flight->context.shown);
    if (is_known && client_settings(completer->client, flight->uri)->response_cache)
        recall_store(completer->recall, &flight->place, candidates, flight->wanted,
                     flight->is_foreseen);
    flight_destroy(flight);
}

/* --- handlers --------------------------------------------------------------------------------------------------------- */

/* The question is new: known, under way, or to be written. */
static void question_ask(struct completer *completer)
{
    const struct question *question = &completer->question;
    place_cursor_init(&completer->cursor, question->uri, &question->context);
    int delay_ms = question->is_invoked
                       ? 0
                       : pace_asked(&completer->pace, (int64_t)(question->asked_ns / 1000000));
    if (!question_answer_known(completer) && !question_join(completer))
        question_start(completer, question_settings(completer)->debounce ? delay_ms : 0);
}

void complete_request(struct client *client, const struct rpc_message *message)
{
    const json_t *params = message->params;
    const char *uri =
        json_string_value(json_object_get(json_object_get(params, "textDocument"), "uri"));
    struct text_position position;
    if (!uri || !position_parse(json_object_get(params, "position"), &position)) {
        client_fail(client, message->id, RPC_INVALID_PARAMS,
                    "a document and a position are needed");
        return;
    }

    client->counts.requests++;
    loading_remind(client);
    struct completer *completer = completer_of(client);
    if (completer && completer->question.id) {
        client->counts.superseded++;
        question_cancel(completer, "a newer request has come");
    }
    struct document *document = documents_find(client->documents, uri);
    bool can_answer = completer && document && client->model == CLIENT_MODEL_READY &&
                      client_settings(client, uri)->enabled && surroundings_allow(client, uri);
    if (can_answer && question_init(&completer->question, client, message, document, position)) {
        enum text_encoding encoding = documents_encoding(client->documents);
        size_t cursor = text_offset(document_text(document), encoding, position);
        surroundings_show(client, document, cursor, &completer->question.context);
        question_ask(completer);
        return;
    }

    /* nothing to offer, and nothing that was asked before is of use here */
    if (can_answer)
        log_write(LOG_LEVEL_ERROR, "no memory for a completion");
    if (completer) {
        question_finish(&completer->question);
        flight_forget(completer);
    }
    client->counts.answered++;
    client_reply(client, message->id, json_array());
}

void complete_cancel(struct client *client, const struct rpc_message *message)
{
    /* a request that has been answered, or never was, needs nothing */
    struct completer *completer = client->completer;
    const json_t *id = json_object_get(message->params, "id");
    if (!completer || !completer->question.id || !json_equal(completer->question.id, id))
        return;

    client->counts.cancelled++;
    question_cancel(completer, "cancelled");
    struct flight *flight = completer->flight;
    if (flight && atomic_load(&flight->has_begun) &&
        client_settings(client, flight->uri)->response_cache)
        uv_timer_start(&completer->timer, on_time, CANCELLED_GRACE_MS, 0);
    else
        flight_forget(completer);
}

void complete_abandon(struct client *client)
{
    struct completer *completer = client->completer;
    if (!completer)
        return;

    completer->is_stopping = true;
    flight_forget(completer);
    if (completer->question.id) {
        client->counts.cancelled++;
        question_cancel(completer, "the server is stopping");
    }
}

void complete_reset(struct client *client)
{
    struct completer *completer = client->completer;
    if (!completer)
        return;

    /* what is being written follows the old settings too */
    recall_clear(completer->recall);
    flight_forget(completer);
    if (completer->question.id)
        question_start(completer, 0);
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void complete_close(struct client *client)
{
    struct completer *completer = client->completer;
    if (!completer)
        return;

    client->completer = NULL;
    recall_destroy(completer->recall);
    uv_close((uv_handle_t *)&completer->timer, on_closed);
}
