/* An errand passes three stages: the model writes, the editor applies (only ERRAND_APPLY), done. It may be answered earlier,
 * when it is cancelled; then it only waits for its job to come back. Each stage ends in errand_reply or errand_fail, which
 * answer once, and errand_release, which frees what neither the worker nor the editor still holds. */
#include "lsp/errand.h"

#include <stdlib.h>
#include <string.h>

#include "lsp/completion/surroundings.h"
#include "lsp/errand/edits.h"
#include "lsp/log.h"
#include "lsp/protocol/partial.h"

/* Ids of our requests to the editor: two for each errand. */
enum { ERRAND_REQUEST_FIRST = 1000, ERRAND_REQUESTS = 2, REQUEST_CREATE = 0, REQUEST_APPLY = 1 };

struct errand {
    struct worker_job job; /* first: the worker knows only this part */
    struct errand *next;   /* in the client's list */

    /* The loop's thread only. */
    struct client *client;
    json_t *id, *params;
    enum errand_end end;
    json_int_t serial;
    char *uri;
    uint64_t stamp; /* of the document as it was */
    char *before;   /* [before_bytes]: the document as it was; NULL where nothing is inserted */
    size_t before_bytes;
    json_t *token; /* of its progress; NULL: none */
    bool is_shown; /* the progress has begun */
    bool is_at_work, is_answered;

    /* Whoever has the job. */
    struct task task;
    struct partial *partial;
    char *text;
};

/* --- progress ---------------------------------------------------------------------------------------------------------- */

static const char *title_of(enum writing_kind kind)
{
    static const char *const titles[WRITING_KINDS] = {
        [WRITING_EXPLAIN] = "Explaining",    [WRITING_DOCUMENT] = "Documenting",
        [WRITING_GENERATE] = "Writing code", [WRITING_FIX] = "Correcting",
        [WRITING_TEST] = "Writing a test",
    };

    return titles[kind];
}

static void progress_send(struct errand *errand, json_t *value)
{
    client_notify(errand->client, "$/progress",
                  json_pack("{s:O, s:o}", "token", errand->token, "value", value));
}

static void progress_begin(struct errand *errand)
{
    errand->is_shown = true;
    progress_send(errand, json_pack("{s:s, s:s, s:b}", "kind", "begin", "title",
                                    title_of(errand->task.writing.kind), "cancellable", true));
}

static void progress_end(struct errand *errand)
{
    if (errand->is_shown)
        progress_send(errand, json_pack("{s:s}", "kind", "end"));
    errand->is_shown = false;
}

static json_t *progress_token(json_int_t serial)
{
    return json_sprintf("hxqd/errand/%" JSON_INTEGER_FORMAT, serial);
}

/* With the token that the request brought, else with one of ours, if the editor can show it and agrees. */
static void progress_prepare(struct errand *errand)
{
    json_t *token = json_object_get(errand->params, "workDoneToken");

    if (json_is_string(token) || json_is_integer(token)) {
        errand->token = json_incref(token);
        progress_begin(errand);
    } else if (errand->client->can_show_progress) {
        errand->token = progress_token(errand->serial);
        client_ask(errand->client,
                   ERRAND_REQUEST_FIRST + ERRAND_REQUESTS * errand->serial + REQUEST_CREATE,
                   "window/workDoneProgress/create", json_pack("{s:O}", "token", errand->token));
    }
}

/* --- answering --------------------------------------------------------------------------------------------------------- */

static void errand_destroy(struct errand *errand)
{
    partial_destroy(errand->partial);
    task_finish(&errand->task);
    json_decref(errand->id);
    json_decref(errand->params);
    json_decref(errand->token);
    free(errand->uri);
    free(errand->before);
    free(errand->text);
    free(errand);
}

/* Frees what has been answered and is not at work. */
static void errand_release(struct errand *errand)
{
    if (!errand->is_answered || errand->is_at_work)
        return;
    struct errand **place = &errand->client->errands;
    while (*place && *place != errand)
        place = &(*place)->next;
    if (*place)
        *place = errand->next;
    errand_destroy(errand);
}

/* `result` is stolen. */
static void errand_reply(struct errand *errand, json_t *result)
{
    partial_end(errand->partial);
    progress_end(errand);
    client_reply(errand->client, errand->id, result);
    errand->is_answered = true;
}

static void errand_fail(struct errand *errand, enum rpc_code code, const char *sentence)
{
    partial_end(errand->partial);
    progress_end(errand);
    client_fail(errand->client, errand->id, code, sentence);
    errand->is_answered = true;
}

static void errand_stop(struct errand *errand, const char *reason)
{
    worker_drop(&errand->job);
    errand_fail(errand, RPC_REQUEST_CANCELLED, reason);
}

/* The text with what stands around it; NULL on exhausted memory. */
static char *inserted_text(const struct errand *errand)
{
    char *text = NULL;

    return asprintf(&text, "%s%s%s", errand->task.lead, errand->text, errand->task.trail) < 0
               ? NULL
               : text;
}

/* The edit for the document as it is now; NULL with a sentence that says why there is none. */
static json_t *errand_edit(struct errand *errand, const char **sentence)
{
    struct client *client = errand->client;
    const struct document *document = documents_find(client->documents, errand->uri);
    struct span range = errand->task.range;
    char *text = inserted_text(errand);
    const char *inserted = text;
    json_t *edit = NULL;

    *sentence = "no memory for an edit";
    if (!document) {
        *sentence = "the document has been closed in the meantime";
    } else if (text) {
        const struct text *now = document_text(document);
        size_t bytes = strlen(text);
        *sentence = "the text has changed there in the meantime";
        if (document_stamp(document) == errand->stamp ||
            edits_rebase(errand->before, errand->before_bytes, text_bytes(now), text_size(now),
                         &range)) {
            edits_narrow(text_bytes(now), &range, &inserted, &bytes);
            const bool is_change = bytes > 0 || range.end > range.start;
            *sentence = is_change ? "no memory for an edit" : "nothing would change";
            if (is_change)
                edit = edits_write(client, document, range, inserted, bytes);
        }
    }
    free(text);
    return edit;
}

/* Asks the editor to insert; its answer is awaited. */
static void errand_apply(struct errand *errand)
{
    const char *sentence;
    json_t *edit = errand_edit(errand, &sentence);

    if (!edit) {
        client_tell(errand->client, "window/showMessage", CLIENT_WARNING, sentence);
        errand_reply(errand, json_pack("{s:s, s:b}", "text", errand->text, "applied", false));
        return;
    }
    client_ask(errand->client,
               ERRAND_REQUEST_FIRST + ERRAND_REQUESTS * errand->serial + REQUEST_APPLY,
               "workspace/applyEdit",
               json_pack("{s:s, s:o}", "label", title_of(errand->task.writing.kind), "edit", edit));
}

static void errand_resolve(struct errand *errand)
{
    const char *sentence;
    json_t *edit = errand_edit(errand, &sentence);
    json_t *action = edit ? json_copy(errand->params) : NULL;

    if (!edit) {
        errand_fail(errand, RPC_CONTENT_MODIFIED, sentence);
        return;
    }
    if (json_object_set_new(action, "edit", edit) < 0) {
        json_decref(action);
        action = NULL;
    }
    errand_reply(errand, action);
}

/* The model wrote nothing: what that means here, as a sentence for the user. */
static void errand_fail_empty(struct errand *errand)
{
    static const char *const sentences[WRITING_KINDS] = {
        [WRITING_EXPLAIN] = "the model has nothing to say about",
        [WRITING_DOCUMENT] = "the model found no comment for",
        [WRITING_GENERATE] = "the model wrote no code here; say more precisely what is wanted",
        [WRITING_FIX] = "the model wrote no correction",
        [WRITING_TEST] = "the model wrote no test of",
    };
    const struct writing *writing = &errand->task.writing;
    const bool is_about = writing->kind != WRITING_GENERATE && writing->kind != WRITING_FIX;
    const char *name = writing->subject.name;
    struct error error = {0};

    if (is_about)
        error_set(&error, ERROR_INPUT, "%s %s", sentences[writing->kind],
                  name && *name ? name : "this");
    errand_fail(errand, RPC_REQUEST_FAILED, is_about ? error.text : sentences[writing->kind]);
}

/* What the model wrote is there. */
static void errand_finish(struct errand *errand)
{
    if (errand->job.error.code == ERROR_CANCELLED) {
        errand_fail(errand, RPC_REQUEST_CANCELLED, "cancelled");
    } else if (errand->job.error.code != ERROR_NONE) {
        log_write(LOG_LEVEL_ERROR, "%s failed: %s", task_name(errand->task.writing.kind),
                  errand->job.error.text);
        errand_fail(errand, RPC_REQUEST_FAILED, errand->job.error.text);
    } else if (!errand->text || !*errand->text) {
        errand_fail_empty(errand);
    } else if (errand->end == ERRAND_APPLY) {
        errand_apply(errand);
    } else if (errand->end == ERRAND_RESOLVE) {
        errand_resolve(errand);
    } else {
        if (errand->end == ERRAND_SHOW)
            client_tell(errand->client, "window/showMessage", CLIENT_INFO, errand->text);
        errand_reply(errand, json_pack("{s:s}", "text", errand->text));
    }
}

/* --- the job ----------------------------------------------------------------------------------------------------------- */

/* On the worker thread, as the text grows. */
static void on_progress(void *user, const char *text, size_t bytes)
{
    const struct errand *errand = user;

    partial_push(errand->partial, text, bytes);
}

/* On the worker thread. */
static void errand_run(struct worker_job *job, struct engine *engine)
{
    struct errand *errand = (struct errand *)job;

    writing_run(&errand->task.writing, engine, &job->is_cancelled,
                errand->partial ? on_progress : NULL, errand, &errand->text, &job->error);
}

/* Back on the loop's thread. */
static void errand_done(struct worker_job *job)
{
    struct errand *errand = (struct errand *)job;

    errand->is_at_work = false;
    surroundings_record(errand->client, task_name(errand->task.writing.kind),
                        &errand->task.writing.given, NULL);
    if (!errand->is_answered)
        errand_finish(errand);
    errand_release(errand);
}

/* --- the list ---------------------------------------------------------------------------------------------------------- */

static size_t count_errands(const struct client *client)
{
    size_t count = 0;

    for (const struct errand *errand = client->errands; errand; errand = errand->next)
        count++;
    return count;
}

/* `task` is stolen; NULL on exhausted memory. */
static struct errand *errand_create(struct client *client, const struct rpc_message *message,
                                    enum errand_end end, struct task *task,
                                    const struct document *document)
{
    const struct text *text = document_text(document);
    struct errand *errand = calloc(1, sizeof *errand);
    const bool is_inserted = end == ERRAND_APPLY || end == ERRAND_RESOLVE;

    if (!errand) {
        task_finish(task);
        return NULL;
    }
    errand->job.run = errand_run;
    errand->job.done = errand_done;
    errand->job.class = WORKER_WRITING;
    atomic_init(&errand->job.is_cancelled, false);
    errand->client = client;
    errand->id = json_copy((json_t *)(uintptr_t)message->id);
    errand->params = json_incref((json_t *)(uintptr_t)message->params);
    errand->end = end;
    errand->serial = client->errand_serial++;
    errand->uri = strdup(document_uri(document));
    errand->stamp = document_stamp(document);
    errand->task = *task;
    *task = (struct task){0};
    errand->before_bytes = is_inserted ? text_size(text) : 0;
    errand->before = malloc(errand->before_bytes + 1);
    if (!errand->uri || !errand->before) {
        errand_destroy(errand);
        return NULL;
    }
    memcpy(errand->before, text_bytes(text), errand->before_bytes);
    return errand;
}

/* `task` is stolen. */
static void errand_begin(struct client *client, const struct rpc_message *message,
                         enum errand_end end, struct task *task, const struct document *document)
{
    struct errand *errand = errand_create(client, message, end, task, document);

    if (!errand) {
        client_fail(client, message->id, RPC_REQUEST_FAILED, "no memory for this request");
        return;
    }
    errand->partial = partial_create(client, message->params, NULL, NULL);
    errand->next = client->errands;
    client->errands = errand;
    errand->is_at_work = true;
    progress_prepare(errand);
    worker_submit(client->worker, &errand->job);
}

void errand_start(struct client *client, const struct rpc_message *message, enum writing_kind kind,
                  const json_t *arguments, enum errand_end end)
{
    const json_t *wanted =
        kind == WRITING_FIX ? json_object_get(json_object_get(arguments, "diagnostic"), "message")
                            : json_object_get(arguments, "instruction");
    struct span range;
    struct document *document = client_locate(client, arguments, &range);
    struct error error = {0};
    struct task task;

    if (kind == WRITING_KINDS || !document) {
        client_fail(client, message->id, RPC_INVALID_PARAMS,
                    "expected an object with an open textDocument and a position or a range");
        return;
    }
    if (!client_settings(client, document_uri(document))->enabled)
        error_set(&error, ERROR_INPUT, "hxqd is switched off for this language");
    else if (client->model == CLIENT_MODEL_FAILED)
        error_set(&error, ERROR_INPUT, "there is no model");
    else if (client->model != CLIENT_MODEL_READY)
        error_set(&error, ERROR_INPUT, "the model is still being loaded; try again in a moment");
    else if (count_errands(client) >= ERRANDS_MAX)
        error_set(&error, ERROR_LIMIT, "the model is busy with other requests; try again later");
    else if (task_init(&task, kind, client, document, range, json_string_value(wanted), &error))
        errand_begin(client, message, end, &task, document);
    if (error.code != ERROR_NONE)
        client_fail(client, message->id, RPC_REQUEST_FAILED, error.text);
}

bool errand_cancel(struct client *client, const json_t *id)
{
    for (struct errand *errand = client->errands; errand; errand = errand->next) {
        if (errand->is_answered || !json_equal(errand->id, id))
            continue;
        /* an edit that the editor is applying cannot be called back */
        if (errand->is_at_work)
            errand_stop(errand, "cancelled");
        return true;
    }
    return false;
}

void errand_cancel_progress(struct client *client, const json_t *token)
{
    for (struct errand *errand = client->errands; errand; errand = errand->next) {
        if (!errand->is_answered && errand->is_at_work && errand->token &&
            json_equal(errand->token, token)) {
            errand_stop(errand, "cancelled");
            return;
        }
    }
}

bool errand_answer(struct client *client, const struct rpc_message *message)
{
    const json_int_t id = json_integer_value(message->id);

    if (!json_is_integer(message->id) || id < ERRAND_REQUEST_FIRST)
        return false;
    const json_int_t serial = (id - ERRAND_REQUEST_FIRST) / ERRAND_REQUESTS;
    const bool is_apply = (id - ERRAND_REQUEST_FIRST) % ERRAND_REQUESTS == REQUEST_APPLY;
    struct errand *errand = client->errands;
    while (errand && (errand->serial != serial || errand->is_answered))
        errand = errand->next;
    if (is_apply && errand && !errand->is_at_work) {
        errand_reply(errand, json_pack("{s:s, s:b}", "text", errand->text, "applied",
                                       json_is_true(json_object_get(message->result, "applied"))));
        errand_release(errand);
    } else if (!is_apply && errand && message->result) {
        progress_begin(errand);
    } else if (!is_apply && message->result && client->can_show_progress) {
        client_withdraw_progress(client, progress_token(serial));
    }
    return true;
}

void errands_abandon(struct client *client)
{
    struct errand *next;

    for (struct errand *errand = client->errands; errand; errand = next) {
        next = errand->next;
        if (!errand->is_answered)
            errand_stop(errand, "the server is stopping");
        errand_release(errand);
    }
}
