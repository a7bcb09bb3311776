/* textDocument/inlineCompletion: a request becomes a job, the job's texts become a reply.
 *
 * Latest wins. A cursor is in one place, so a newer request makes an older one pointless: the older one is answered as
 * cancelled in that moment, and its job, running or waiting, is told to stop. Hence at most one request is unanswered at any
 * time: `client->latest`. A job that comes back and is not the latest has been answered already and is only counted.
 *
 * An answer is for the text that was asked about. If the document has changed since, ghost text would repeat what the user
 * has typed in the meantime, so nothing is offered; the editor is going to ask again. */
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "lsp/candidates.h"
#include "lsp/context.h"
#include "lsp/handlers.h"
#include "lsp/log.h"

enum { TRIGGER_INVOKED = 1 }; /* LSP InlineCompletionTriggerKind */

struct completion {
    struct worker_job job; /* first: the worker knows only this part */

    /* The loop's thread only. */
    struct client *client;
    json_t *id;
    json_t *range; /* what the texts replace, as sent to the editor */
    char *uri;
    int64_t version; /* of the document that was asked about */
    char
        *lead; /* what every text begins with: the selected entry of the editor's own list, or "" */
    uint64_t started_ns;

    /* Whoever has the job. */
    struct context context;
    int wanted, max_tokens;
    struct candidates candidates;
    struct error error;
};

/* Where a completion goes: the text range it replaces, and the text that it must begin with. */
struct target {
    size_t start, end; /* equal to the cursor unless an entry is selected */
    const char *lead;
    size_t lead_bytes;
};

static void completion_destroy(struct completion *completion)
{
    json_decref(completion->id);
    json_decref(completion->range);
    free(completion->uri);
    free(completion->lead);
    context_finish(&completion->context);
    candidates_finish(&completion->candidates);
    free(completion);
}

/* On the worker thread. */
static void completion_run(struct worker_job *job, struct engine *engine)
{
    struct completion *completion = (struct completion *)job;
    const struct candidates_request request = {
        .wanted = completion->wanted,
        .max_tokens = completion->max_tokens,
        .cancel = &job->is_cancelled,
    };
    candidates_generate(&completion->candidates, engine, &completion->context, &request,
                        &completion->error);
}

/* The client forgets the request that it has now answered. */
static void latest_cancel(struct client *client, const char *reason)
{
    atomic_store(&client->latest->job.is_cancelled, true);
    client_fail(client, client->latest->id, RPC_REQUEST_CANCELLED, reason);
    client->latest = NULL;
}

/* What a text replaces: the target, and closers behind it, which take one unit each in every encoding. */
static json_t *completion_range(const struct completion *completion, size_t replaced_bytes)
{
    json_t *range = json_deep_copy(completion->range);
    json_t *end = json_object_get(range, "end");
    json_int_t character = json_integer_value(json_object_get(end, "character"));

    json_object_set_new(end, "character", json_integer(character + (json_int_t)replaced_bytes));
    return range;
}

/* The reply's items. Text that is not UTF-8 cannot be sent and is left out. */
static json_t *completion_items(const struct completion *completion)
{
    json_t *items = json_array();
    for (size_t i = 0; i < completion->candidates.count; i++) {
        const struct candidates *candidates = &completion->candidates;
        json_t *text = json_sprintf("%s%s", completion->lead, candidates->texts[i]);
        if (text)
            json_array_append_new(
                items,
                json_pack("{s:o, s:o}", "insertText", text, "range",
                          completion_range(completion, candidates->facts[i].replaced_bytes)));
    }
    return items;
}

static bool completion_is_current(const struct completion *completion)
{
    const struct document *document =
        documents_find(completion->client->documents, completion->uri);
    return document && document_version(document) == completion->version;
}

static void completion_count(const struct completion *completion)
{
    struct client_counts *counts = &completion->client->counts;
    counts->prompt_tokens += completion->candidates.prompt_tokens;
    counts->reused_tokens += completion->candidates.reused_tokens;
    counts->completion_tokens += completion->candidates.completion_tokens;
    counts->drafted_tokens += completion->candidates.drafted_tokens;
    counts->accepted_tokens += completion->candidates.accepted_tokens;
}

/* Back on the loop's thread: answers, unless that has been done. */
static void completion_done(struct worker_job *job)
{
    struct completion *completion = (struct completion *)job;
    struct client *client = completion->client;
    completion_count(completion);
    if (completion->error.code != ERROR_NONE && completion->error.code != ERROR_CANCELLED)
        log_write(LOG_LEVEL_ERROR, "completion failed: %s", completion->error.text);

    if (client->latest == completion) {
        struct client_counts *counts = &client->counts;
        uint64_t taken_ns = uv_hrtime() - completion->started_ns;
        counts->latencies_ms[counts->latencies++ % CLIENT_LATENCIES] = (double)taken_ns / 1e6;
        counts->answered++;
        client->latest = NULL;
        bool is_current = completion_is_current(completion);
        client_reply(client, completion->id,
                     is_current ? completion_items(completion) : json_array());
    }
    completion_destroy(completion);
}

/* The entry selected in the editor's own list stands for what is typed: its text replaces its range, and ours must begin with
 * it (LSP, SelectedCompletionInfo). One that does not hold the cursor within one line is not taken into account. */
static void target_select(struct target *target, const struct document *document,
                          enum text_encoding encoding, const json_t *selected, size_t cursor)
{
    const struct text *text = document_text(document);
    const json_t *range = json_object_get(selected, "range");
    const json_t *lead = json_object_get(selected, "text");
    struct text_position start, end;
    if (!position_parse(json_object_get(range, "start"), &start) ||
        !position_parse(json_object_get(range, "end"), &end) || !json_is_string(lead))
        return;

    size_t first = text_offset(text, encoding, start);
    size_t last = text_offset(text, encoding, end);
    bool is_plain = strlen(json_string_value(lead)) == json_string_length(lead);
    if (start.line == end.line && first <= cursor && cursor <= last && is_plain)
        *target = (struct target){first, last, json_string_value(lead), json_string_length(lead)};
}

/* The context as it would be if the target had been replaced by its lead already. */
static bool target_context(const struct target *target, struct document *document,
                           struct context *context)
{
    const struct text *text = document_text(document);
    const char *bytes = text_bytes(text);
    size_t size = text_size(text);
    const struct language *language = document_language(document);
    if (target->lead_bytes == 0 && target->start == target->end)
        return context_init(context, language, document_syntax(document), bytes, size,
                            target->start);

    /* the tree does not know the lead: the context does without it */
    char *changed = malloc(size - (target->end - target->start) + target->lead_bytes + 1);
    if (!changed)
        return false;
    size_t cursor = target->start + target->lead_bytes;
    memcpy(changed, bytes, target->start);
    memcpy(changed + target->start, target->lead, target->lead_bytes);
    memcpy(changed + cursor, bytes + target->end, size - target->end);
    bool is_made =
        context_init(context, language, NULL, changed, cursor + size - target->end, cursor);
    free(changed);
    return is_made;
}

/* A job for the cursor in a document, still without a request; NULL when memory is exhausted. */
static struct completion *completion_create(struct client *client, struct document *document,
                                            const struct target *target)
{
    struct completion *completion = calloc(1, sizeof *completion);
    if (!completion)
        return NULL;

    enum text_encoding encoding = documents_encoding(client->documents);
    const struct text *text = document_text(document);
    completion->job.run = completion_run;
    completion->job.done = completion_done;
    atomic_init(&completion->job.is_cancelled, false);
    completion->client = client;
    completion->uri = strdup(document_uri(document));
    completion->lead = strndup(target->lead, target->lead_bytes);
    completion->version = document_version(document);
    completion->started_ns = uv_hrtime();
    completion->max_tokens = client->settings.max_tokens;
    completion->range = json_pack(
        "{s:o, s:o}", "start", position_write(text_position_at(text, encoding, target->start)),
        "end", position_write(text_position_at(text, encoding, target->end)));
    if (completion->uri && completion->lead && completion->range &&
        target_context(target, document, &completion->context))
        return completion;

    completion_destroy(completion);
    return NULL;
}

/* Nothing to offer. */
static void answer_nothing(struct client *client, const json_t *id)
{
    client->counts.answered++;
    client_reply(client, id, json_array());
}

void complete_request(struct client *client, const struct rpc_message *message)
{
    const json_t *params = message->params;
    const json_t *circumstances = json_object_get(params, "context");
    const char *uri =
        json_string_value(json_object_get(json_object_get(params, "textDocument"), "uri"));
    struct text_position position;
    if (!uri || !position_parse(json_object_get(params, "position"), &position)) {
        client_fail(client, message->id, RPC_INVALID_PARAMS,
                    "a document and a position are needed");
        return;
    }

    client->counts.requests++;
    if (client->latest) {
        client->counts.superseded++;
        latest_cancel(client, "a newer request has come");
    }
    struct document *document = documents_find(client->documents, uri);
    if (!document || client->model != CLIENT_MODEL_READY) {
        answer_nothing(client, message->id);
        return;
    }

    enum text_encoding encoding = documents_encoding(client->documents);
    size_t cursor = text_offset(document_text(document), encoding, position);
    struct target target = {cursor, cursor, "", 0};
    target_select(&target, document, encoding,
                  json_object_get(circumstances, "selectedCompletionInfo"), cursor);
    struct completion *completion = completion_create(client, document, &target);
    if (!completion) {
        log_write(LOG_LEVEL_ERROR, "no memory for a completion");
        answer_nothing(client, message->id);
        return;
    }
    completion->id = json_copy((json_t *)(uintptr_t)message->id);
    completion->wanted =
        json_integer_value(json_object_get(circumstances, "triggerKind")) == TRIGGER_INVOKED
            ? client->settings.candidates
            : 1;
    client->latest = completion;
    worker_submit(client->worker, &completion->job);
}

void complete_cancel(struct client *client, const struct rpc_message *message)
{
    /* a request that has been answered, or never was, needs nothing */
    const json_t *id = json_object_get(message->params, "id");
    if (!client->latest || !json_equal(client->latest->id, id))
        return;

    client->counts.cancelled++;
    latest_cancel(client, "cancelled");
}

void complete_abandon(struct client *client)
{
    if (!client->latest)
        return;

    client->counts.cancelled++;
    latest_cancel(client, "the server is stopping");
}
