/* workspace/executeCommand: what the model writes on demand, and the windows through which tests and curious users look
 * inside. PROTOCOL.md lists the commands for those who call them.
 *
 * Names carry the program's prefix because an editor keeps the commands of all its servers in one list. */
#include <stdlib.h>
#include <string.h>

#include "lsp/completion/surroundings.h"
#include "lsp/errand.h"
#include "lsp/handlers.h"

/* hxqd.debug.documentText [uri]: the server's copy of a document. */
static void document_text_run(struct client *client, const json_t *id, const json_t *arguments)
{
    const char *uri = json_string_value(json_array_get(arguments, 0));
    const struct document *document = uri ? documents_find(client->documents, uri) : NULL;
    if (!document) {
        client_fail(client, id, RPC_INVALID_PARAMS, "expected the uri of an open document");
        return;
    }

    /* a text that is not UTF-8 came from no editor: JSON could not have carried it here */
    const struct text *text = document_text(document);
    client_reply(client, id, json_stringn(text_bytes(text), text_size(text)));
}

static int number_compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The latency that `percent` of the answers did not exceed (nearest rank); 0 before the first answer. */
static double percentile(const double *sorted, size_t count, size_t percent)
{
    return count == 0 ? 0 : sorted[(count * percent + 99) / 100 - 1];
}

/* What is known of the model, in the words of hxqd.debug.stats. */
static const char *model_state(enum client_model model)
{
    static const char *const words[] = {
        [CLIENT_MODEL_UNASKED] = "unasked", [CLIENT_MODEL_OFF] = "off",
        [CLIENT_MODEL_LOADING] = "loading", [CLIENT_MODEL_READY] = "ready",
        [CLIENT_MODEL_FAILED] = "failed",
    };
    return words[model];
}

/* hxqd.debug.stats: counters since the start. */
static void stats_run(struct client *client, const json_t *id, const json_t *arguments)
{
    (void)arguments;
    const struct client_counts *counts = &client->counts;
    double sorted[CLIENT_LATENCIES];
    size_t count =
        counts->latencies < CLIENT_LATENCIES ? (size_t)counts->latencies : CLIENT_LATENCIES;
    memcpy(sorted, counts->latencies_ms, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, number_compare);

    const struct engine_info *engine = client->engine;
    const struct worker_counts *worker = worker_counts(client->worker);
    /* a name and its value to a line: */
    /* clang-format off */
    client_reply(client, id,
                 json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
                           "s:f, s:f, s:s, s:o, s:o, s:I, s:I, s:I, s:I}",
                           "requests", (json_int_t)counts->requests,
                           "answered", (json_int_t)counts->answered,
                           "cancelled", (json_int_t)counts->cancelled,
                           "superseded", (json_int_t)counts->superseded,
                           "cache_hits", (json_int_t)counts->cache_hits,
                           "adopted", (json_int_t)counts->adopted,
                           "early", (json_int_t)counts->early,
                           "started", (json_int_t)counts->started,
                           "prefetched", (json_int_t)counts->prefetched,
                           "prefetched_used", (json_int_t)counts->prefetched_used,
                           "prompt_tokens", (json_int_t)counts->prompt_tokens,
                           "reused_tokens", (json_int_t)counts->reused_tokens,
                           "completion_tokens", (json_int_t)counts->completion_tokens,
                           "drafted_tokens", (json_int_t)counts->drafted_tokens,
                           "accepted_tokens", (json_int_t)counts->accepted_tokens,
                           "latency_p50_ms", percentile(sorted, count, 50),
                           "latency_p95_ms", percentile(sorted, count, 95),
                           "state", model_state(client->model),
                           "model", engine ? rpc_text(engine->model) : json_null(),
                           "device", engine ? rpc_text(engine->device) : json_null(),
                           "documents", (json_int_t)documents_count(client->documents),
                           "jobs", (json_int_t)worker->jobs,
                           "loads", (json_int_t)worker->loads,
                           "releases", (json_int_t)worker->releases));
    /* clang-format on */
}

/* hxqd.showPrompt: what the last prompt held. */
static void show_prompt_run(struct client *client, const json_t *id, const json_t *arguments)
{
    (void)arguments;
    client_reply(client, id, surroundings_prompt(client));
}

/* What the model writes: hxqd.explain and the others, which take one object. */
static const char prefix[] = "hxqd."; /* before a task's name */

static void task_run(struct client *client, const struct rpc_message *message, const char *name)
{
    const json_t *arguments = json_array_get(json_object_get(message->params, "arguments"), 0);
    const bool is_shown = json_is_true(json_object_get(arguments, "show"));
    const enum writing_kind kind = task_kind(name);

    if (kind != WRITING_EXPLAIN)
        errand_start(client, message, kind, arguments, ERRAND_APPLY);
    else
        errand_start(client, message, kind, arguments, is_shown ? ERRAND_SHOW : ERRAND_TELL);
}

struct command {
    const char *name;
    void (*run)(struct client *client, const json_t *id, const json_t *arguments);
};

static const struct command commands[] = {
    {"hxqd.debug.documentText", document_text_run},
    {"hxqd.debug.stats", stats_run},
    {"hxqd.showPrompt", show_prompt_run},
};

json_t *commands_names(void)
{
    json_t *names = json_array();
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        json_array_append_new(names, json_string(commands[i].name));
    for (int kind = 0; kind < WRITING_KINDS; kind++)
        json_array_append_new(names,
                              json_sprintf("%s%s", prefix, task_name((enum writing_kind)kind)));
    return names;
}

void commands_execute(struct client *client, const struct rpc_message *message)
{
    const char *name = json_string_value(json_object_get(message->params, "command"));
    for (size_t i = 0; name && i < sizeof commands / sizeof *commands; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            commands[i].run(client, message->id, json_object_get(message->params, "arguments"));
            return;
        }
    }
    const size_t bytes = sizeof prefix - 1;
    if (name && strncmp(name, prefix, bytes) == 0 && task_kind(name + bytes) != WRITING_KINDS)
        task_run(client, message, name + bytes);
    else
        client_fail(client, message->id, RPC_INVALID_PARAMS, "unknown command");
}
