/* textDocument/hover: what syntax knows at once, what the model says about it when it is ready.
 *
 * A pointer rests in one place, so there is one hover: a newer request, or the editor's cancel, ends the older one. Its
 * explanation is written by a job of the lowest class, which completions pre-empt. An editor that asked for partial results
 * sees it grow behind the facts and is answered when it is whole. LSP has one answer for the others: when the explanation
 * takes longer than the deadline of the settings, the reply goes without it, the job goes on, and the next hover finds it
 * kept.
 *
 * Explanations are kept by a hash of the definition's name, place and text. A version of the file in which these are the same
 * would be explained the same, so edits elsewhere keep an explanation and edits of the definition drop it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "lsp/completion/surroundings.h"
#include "lsp/errand/task.h"
#include "lsp/handlers.h"
#include "lsp/log.h"
#include "lsp/protocol/partial.h"
#include "lsp/relay.h"

enum {
    KEPT_MAX = 64,
    GROWTH_STEP_MS =
        50, /* between two pieces at least: nobody reads faster, and editors draw anew */
};

/* An explanation under way. */
struct explanation {
    struct worker_job job; /* first: the worker knows only this part */
    struct client *client;
    uint64_t hash;       /* of the subject */
    struct relay *relay; /* of the text as it grows */

    /* Whoever has the job. */
    struct writing writing;
    char *text;
};

struct kept {
    uint64_t hash;
    char *text; /* "": the model had nothing to say */
};

struct hover {
    struct client *client;
    uv_timer_t timer;

    /* The request that waits, if any. */
    json_t *id;    /* NULL: none */
    json_t *range; /* of the name */
    char *facts;   /* what syntax knows */
    uint64_t hash; /* of the subject */

    json_t *token;     /* for pieces; NULL: it is not to grow */
    uint64_t piece_ms; /* when the last piece was sent, of the loop's clock */

    struct explanation *running; /* the worker's; NULL: none that is still wanted */

    struct kept kept[KEPT_MAX]; /* a ring */
    size_t kept_count;          /* ever written to it */
};

/* --- what is shown ----------------------------------------------------------------------------------------------------- */

/* Where the definition stands; a link in Markdown, so that it can be followed. */
static void write_place(FILE *out, const struct subject *subject, bool is_markdown)
{
    const char *slash = strrchr(subject->path, '/');
    const char *name = slash ? slash + 1 : subject->path;

    if (*subject->owner)
        fprintf(out, is_markdown ? "in `%s`, " : "in %s, ", subject->owner);
    if (is_markdown)
        fprintf(out, "[%s:%zu](%s#L%zu)\n", name, subject->line, subject->uri, subject->line);
    else
        fprintf(out, "%s:%zu\n", name, subject->line);
}

/* What syntax knows, as text in the format of the client; NULL on exhausted memory. */
static char *facts_write(const struct client *client, const struct subject *subject)
{
    const bool is_markdown = client->abilities.hover_markdown;
    const char *fence = strstr(subject->signature, "```") ? "~~~~" : "```";
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);

    if (!out)
        return NULL;
    if (is_markdown)
        fprintf(out, "%s%s\n%s\n%s\n\n", fence, language_name(subject->language),
                subject->signature, fence);
    else
        fprintf(out, "%s\n\n", subject->signature);
    if (*subject->doc)
        fprintf(out, "%s\n\n", subject->doc);
    write_place(out, subject, is_markdown);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

/* What a model says is told from what the source says. NULL on exhausted memory. */
static char *explained(const struct client *client, const char *facts, const char *explanation,
                       size_t bytes)
{
    const bool follows = client->engine && client->engine->has_chat;
    const char *label = follows ? "explained by the model" : "suggested by the model";
    char *text = NULL;
    const int written = asprintf(
        &text, client->abilities.hover_markdown ? "%s\n---\n\n%.*s\n\n*%s*\n" : "%s\n%.*s\n(%s)\n",
        facts, (int)bytes, explanation, label);

    return written < 0 ? NULL : text;
}

/* LSP Hover of the request that waits, with this much of an explanation; a new reference. */
static json_t *hover_write(const struct hover *hover, const char *explanation, size_t bytes)
{
    const struct client *client = hover->client;
    const char *kind = client->abilities.hover_markdown ? "markdown" : "plaintext";
    char *text = bytes > 0 ? explained(client, hover->facts, explanation, bytes) : NULL;
    json_t *value = json_pack("{s:{s:s, s:o}, s:O}", "contents", "kind", kind, "value",
                              rpc_text(text ? text : hover->facts), "range", hover->range);

    free(text);
    return value;
}

/* A piece: the whole hover so far. */
static void hover_show(struct hover *hover, const char *explanation, size_t bytes)
{
    json_t *value = hover_write(hover, explanation, bytes);

    hover->piece_ms = uv_now(hover->client->loop);
    if (value)
        partial_send(hover->client, hover->token, value);
}

/* Forgets the request that waits, which has been answered. */
static void hover_forget(struct hover *hover)
{
    uv_timer_stop(&hover->timer);
    json_decref(hover->id);
    json_decref(hover->range);
    json_decref(hover->token);
    free(hover->facts);
    hover->id = hover->range = hover->token = NULL;
    hover->facts = NULL;
}

/* Answers the request that waits; `explanation` may be NULL or empty: there is none. */
static void hover_reply(struct hover *hover, const char *explanation)
{
    client_reply(hover->client, hover->id,
                 hover_write(hover, explanation, explanation ? strlen(explanation) : 0));
    hover_forget(hover);
}

static void hover_drop(struct hover *hover, const char *reason)
{
    if (!hover->id)
        return;
    client_fail(hover->client, hover->id, RPC_REQUEST_CANCELLED, reason);
    hover_forget(hover);
}

/* The deadline: what syntax knows has waited long enough. */
static void on_deadline(uv_timer_t *timer)
{
    struct hover *hover = timer->data;

    if (hover->id)
        hover_reply(hover, NULL);
}

/* --- what is kept ------------------------------------------------------------------------------------------------------ */

static const char *kept_find(const struct hover *hover, uint64_t hash)
{
    for (size_t i = 0; i < KEPT_MAX && i < hover->kept_count; i++) {
        if (hover->kept[i].hash == hash)
            return hover->kept[i].text;
    }
    return NULL;
}

/* `text` is stolen. */
static void kept_add(struct hover *hover, uint64_t hash, char *text)
{
    struct kept *kept = &hover->kept[hover->kept_count++ % KEPT_MAX];

    free(kept->text);
    *kept = (struct kept){hash, text};
}

static void kept_clear(struct hover *hover)
{
    for (size_t i = 0; i < KEPT_MAX; i++)
        free(hover->kept[i].text);
    memset(hover->kept, 0, sizeof hover->kept);
    hover->kept_count = 0;
}

/* --- the explanation --------------------------------------------------------------------------------------------------- */

static void explanation_destroy(struct explanation *explanation)
{
    relay_destroy(explanation->relay);
    writing_finish(&explanation->writing);
    free(explanation->text);
    free(explanation);
}

/* On the worker thread, as the text grows. */
static void on_progress(void *user, const char *text, size_t bytes)
{
    const struct explanation *explanation = user;

    relay_push(explanation->relay, text, bytes);
}

/* On the loop's thread: shown where a request waits for this explanation and wants pieces. */
static void on_growth(void *user, const char *text, size_t bytes)
{
    const struct explanation *explanation = user;
    struct hover *hover = explanation->client->hover;
    const bool is_wanted = hover && hover->running == explanation && hover->token;

    if (is_wanted && uv_now(hover->client->loop) - hover->piece_ms >= GROWTH_STEP_MS)
        hover_show(hover, text, bytes);
}

/* On the worker thread. */
static void explanation_run(struct worker_job *job, struct engine *engine)
{
    struct explanation *explanation = (struct explanation *)job;

    writing_run(&explanation->writing, engine, &job->is_cancelled, on_progress, explanation,
                &explanation->text, &job->error);
}

/* Back on the loop's thread: kept, and shown to a request that still waits for it. */
static void explanation_done(struct worker_job *job)
{
    struct explanation *explanation = (struct explanation *)job;
    struct hover *hover = explanation->client->hover;
    const bool is_wanted = hover && hover->running == explanation;

    if (explanation->job.error.code != ERROR_NONE && explanation->job.error.code != ERROR_CANCELLED)
        log_write(LOG_LEVEL_ERROR, "explaining failed: %s", explanation->job.error.text);
    if (is_wanted) {
        hover->running = NULL;
        if (hover->id && hover->hash == explanation->hash)
            hover_reply(hover, explanation->text);
    }
    surroundings_record(explanation->client, "hover", &explanation->writing.given, NULL);
    if (hover && explanation->text) {
        kept_add(hover, explanation->hash, explanation->text);
        explanation->text = NULL;
    }
    explanation_destroy(explanation);
}

static void running_stop(struct hover *hover)
{
    if (hover->running)
        worker_drop(&hover->running->job);
    hover->running = NULL;
}

/* Whether the model can add anything: a base model only guesses the doc comment that a definition lacks. */
static bool can_explain(const struct client *client, const struct settings *settings,
                        const struct subject *subject)
{
    if (client->model != CLIENT_MODEL_READY || settings->hover_deadline_ms == 0 ||
        subject->is_secret)
        return false;
    return client->engine->has_chat || (subject->has_place && !*subject->doc);
}

/* Has a subject, which is moved, explained; false where that cannot begin. */
static bool explanation_start(struct hover *hover, struct subject *subject)
{
    struct client *client = hover->client;
    struct explanation *explanation = calloc(1, sizeof *explanation);

    if (!explanation)
        return false;
    explanation->job.run = explanation_run;
    explanation->job.done = explanation_done;
    explanation->job.class = WORKER_HOVER;
    atomic_init(&explanation->job.is_cancelled, false);
    explanation->client = client;
    explanation->hash = subject->hash;
    explanation->relay = relay_create(client->loop, on_growth, explanation);
    explanation->writing.kind = WRITING_EXPLAIN;
    explanation->writing.language = subject->language;
    explanation->writing.max_tokens = TASK_PROSE_TOKENS;
    explanation->writing.subject = *subject;
    *subject = (struct subject){0};
    hover->running = explanation;
    worker_submit(client->worker, &explanation->job);
    return true;
}

/* --- requests ---------------------------------------------------------------------------------------------------------- */

/* The client's hover, made at first use; NULL on exhausted memory. */
static struct hover *hover_of(struct client *client)
{
    if (client->hover)
        return client->hover;
    struct hover *hover = calloc(1, sizeof *hover);
    if (!hover)
        return NULL;
    hover->client = client;
    uv_timer_init(client->loop, &hover->timer);
    hover->timer.data = hover;
    client->hover = hover;
    return hover;
}

/* Has the request that waits answered: with what is kept, by the explanation that is being written, or as it is. One that
 * grows needs no deadline: its facts are there at once. */
static void hover_serve(struct hover *hover, const struct settings *settings,
                        struct subject *subject)
{
    const char *kept = kept_find(hover, subject->hash);
    const bool goes_on = hover->running && hover->running->hash == subject->hash;

    if (!goes_on)
        running_stop(hover);
    if (kept || !can_explain(hover->client, settings, subject) ||
        (!goes_on && !explanation_start(hover, subject)))
        hover_reply(hover, kept);
    else if (hover->token)
        hover_show(hover, NULL, 0);
    else
        uv_timer_start(&hover->timer, on_deadline, (uint64_t)settings->hover_deadline_ms, 0);
}

void hover_request(struct client *client, const struct rpc_message *message)
{
    struct span place;
    struct document *document = client_locate(client, message->params, &place);
    struct hover *hover = hover_of(client);
    struct subject subject;

    if (hover)
        hover_drop(hover, "a newer request has come");
    const struct settings *settings =
        document ? client_settings(client, document_uri(document)) : &client->settings;
    const bool is_wanted = settings->enabled && settings->hover;
    if (!hover || !document || !is_wanted ||
        !subject_find(&subject, client, document, place.start)) {
        if (hover)
            running_stop(hover);
        client_reply(client, message->id, json_null());
        return;
    }
    hover->facts = facts_write(client, &subject);
    hover->range = client_range(client, document, subject.asked);
    if (hover->facts && hover->range) {
        hover->id = json_copy((json_t *)(uintptr_t)message->id);
        hover->token = json_incref(partial_token(message->params));
        hover->hash = subject.hash;
        hover_serve(hover, settings, &subject);
    } else {
        hover_forget(hover);
        client_reply(client, message->id, NULL);
    }
    subject_finish(&subject);
}

bool hover_cancel(struct client *client, const json_t *id)
{
    struct hover *hover = client->hover;

    if (!hover || !hover->id || !json_equal(hover->id, id))
        return false;
    hover_drop(hover, "cancelled");
    running_stop(hover);
    return true;
}

void hover_abandon(struct client *client)
{
    if (!client->hover)
        return;
    hover_drop(client->hover, "the server is stopping");
    running_stop(client->hover);
}

void hover_reset(struct client *client)
{
    if (!client->hover)
        return;
    running_stop(client->hover);
    kept_clear(client->hover);
}

static void on_closed(uv_handle_t *handle)
{
    struct hover *hover = handle->data;

    kept_clear(hover);
    free(hover);
}

void hover_close(struct client *client)
{
    struct hover *hover = client->hover;

    client->hover = NULL;
    if (hover)
        uv_close((uv_handle_t *)&hover->timer, on_closed);
}
