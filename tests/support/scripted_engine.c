/* An engine without a model, linked in the place of the real one: it writes what the environment says, as slowly as the
 * environment says, and can be cancelled like the real one. So sessions can race against it and know what to expect.
 *
 * HXQD_SCRIPTED_TEXT      what a greedy request gets (default "scripted();"); each space begins a new token, and
 *                         \n is a line end
 * HXQD_SCRIPTED_CHAT      makes it an instruct model: what an instruction gets, in the same form
 * HXQD_SCRIPTED_TOKEN_MS  time per token (default 0)
 * HXQD_SCRIPTED_PROMPT_MS time to read the prompt (default 0); what was read before a request's time was spent is read for all
 *                         further ones
 * HXQD_SCRIPTED_PROBABILITY  of every token (default 1)
 * HXQD_SCRIPTED_LOAD_MS   time to load (default 0), with progress in ten steps
 * HXQD_SCRIPTED_GPU       how many requests a GPU answers before it is lost; unset: there is none, as with --device cpu
 * HXQD_SCRIPTED_TOKENIZER a tokenizer.json: prompts of gaps are then built and told as the real engine's are, and what is
 *                         reused is what they have in common with the one before; without it each has 100 tokens, 90 of them
 *                         reused
 *
 * Sampled requests get the text followed by their seed, seed 1 excepted, which repeats the greedy text. A model whose
 * path does not exist fails to load. */
#include "infer/engine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "infer/fim.h"
#include "infer/tokenizer.h"

#include "infer/placement.h"

enum { LOAD_STEPS = 10, TEXT_BYTES = 4096, POLL_MS = 1 };

struct engine {
    char *model;
    int calls;
    long read_ms; /* of the time that the prompt takes */
    bool on_gpu;
    struct tokenizer *tokenizer; /* NULL: prompts are not built */
    struct fim_markers markers;
    struct token_list prompt; /* the last one */
};

static long environment_ms(const char *name)
{
    const char *value = getenv(name);
    return value ? strtol(value, NULL, 10) : 0;
}

/* Sleeps in short pieces; false when cancelled. */
static bool wait_ms(long duration_ms, const atomic_bool *cancel)
{
    const struct timespec piece = {.tv_nsec = POLL_MS * 1000000L};
    for (long i = 0; i < duration_ms; i += POLL_MS) {
        if (cancel && atomic_load(cancel))
            return false;
        nanosleep(&piece, NULL);
    }
    return !cancel || !atomic_load(cancel);
}

struct engine *engine_open(const struct engine_options *options, struct error *error)
{
    long step_ms = environment_ms("HXQD_SCRIPTED_LOAD_MS") / LOAD_STEPS;
    for (int i = 0; i < LOAD_STEPS; i++) {
        if (!wait_ms(step_ms, options->cancel)) {
            error_set(error, ERROR_CANCELLED, "cancelled while loading");
            return NULL;
        }
        if (options->on_progress)
            options->on_progress(options->user, (i + 1.0) / LOAD_STEPS);
    }
    if (access(options->model, F_OK) != 0) {
        error_set(error, ERROR_SYSTEM, "%s: no such checkpoint", options->model);
        return NULL;
    }
    struct engine *engine = calloc(1, sizeof *engine);
    const char *tokenizer = getenv("HXQD_SCRIPTED_TOKENIZER");
    if (engine) {
        engine->model = strdup(options->model);
        engine->on_gpu = getenv("HXQD_SCRIPTED_GPU") && options->device != ENGINE_DEVICE_CPU;
    }
    if (engine && tokenizer) {
        engine->tokenizer = tokenizer_open(tokenizer, error);
        if (!engine->tokenizer || !fim_markers_find(&engine->markers, engine->tokenizer)) {
            engine_close(engine);
            return NULL;
        }
    }
    return engine;
}

void engine_close(struct engine *engine)
{
    if (engine) {
        free(engine->model);
        tokenizer_close(engine->tokenizer);
        token_list_finish(&engine->prompt);
    }
    free(engine);
}

void engine_describe(const struct engine *engine, struct engine_info *info)
{
    *info = (struct engine_info){
        .model = engine->model,
        .architecture = "scripted",
        .device = engine->on_gpu ? "cuda" : "cpu",
        .device_reason = "scripted",
        .hardware = "",
        .isa = "none",
        .threads = 1,
        .context_tokens = ENGINE_DEFAULT_CONTEXT_TOKENS,
        .has_tokenizer = true,
        .has_fim = true,
        .has_chat = getenv("HXQD_SCRIPTED_CHAT") != NULL,
        .can_show = engine->tokenizer != NULL,
    };
}

const struct placement *engine_placement(const struct engine *engine)
{
    static const struct placement nowhere;

    (void)engine;
    return &nowhere;
}

const char *engine_stop_name(enum engine_stop stop)
{
    static const char *const names[] = {"end", "caller", "max_tokens", "context", "time"};
    return names[stop];
}

/* What will have been written in the end. */
static void script(const struct engine_request *request, char text[TEXT_BYTES])
{
    const char *wanted = getenv(request->chat ? "HXQD_SCRIPTED_CHAT" : "HXQD_SCRIPTED_TEXT");
    wanted = wanted ? wanted : "scripted();";
    if (request->temperature > 0 && request->seed > 1)
        snprintf(text, TEXT_BYTES, "%s%llu", wanted, (unsigned long long)request->seed);
    else
        snprintf(text, TEXT_BYTES, "%s", wanted);
    for (char *escape = text; (escape = strstr(escape, "\\n"));) {
        *escape++ = '\n';
        memmove(escape, escape + 1, strlen(escape));
    }
}

/* Builds and tells the prompt; counts what is reused. */
static bool prompt_build(struct engine *engine, const struct engine_request *request,
                         struct engine_result *result, struct error *error)
{
    const struct fim_text around = {request->prefix, request->prefix_bytes, request->suffix,
                                    request->suffix_bytes};
    struct token_list tokens = {0};
    struct prompt_counts counts;
    char *text = NULL;
    size_t bytes = 0, reused = 0;
    if (!fim_encode(engine->tokenizer, &engine->markers, &around, &request->shown,
                    ENGINE_DEFAULT_CONTEXT_TOKENS - (size_t)request->max_tokens, &tokens, &counts,
                    error))
        return false;

    for (size_t i = 0; i < tokens.count; i++) {
        size_t token_bytes;
        const char *token = tokenizer_token_text(engine->tokenizer, tokens.ids[i], &token_bytes);
        text = realloc(text, bytes + token_bytes + 1);
        memcpy(text + bytes, token, token_bytes);
        bytes += token_bytes;
        text[bytes] = '\0';
    }
    if (request->on_prompt)
        request->on_prompt(request->user, text, bytes, &counts);
    free(text);
    while (reused < tokens.count && reused < engine->prompt.count &&
           tokens.ids[reused] == engine->prompt.ids[reused])
        reused++;
    token_list_finish(&engine->prompt);
    engine->prompt = tokens;
    result->prompt_tokens = (int)tokens.count;
    result->reused_tokens = (int)reused;
    return true;
}

/* Tells an instruction as one text. */
static bool chat_tell(const struct engine_request *request, struct error *error)
{
    const struct prompt_counts counts = {0};
    char *text = NULL;
    const int bytes = asprintf(&text, "%s\n%s%s", request->chat->system, request->chat->user,
                               request->chat->reply ? request->chat->reply : "");
    if (bytes < 0)
        return error_set(error, ERROR_MEMORY, "no memory");
    if (request->on_prompt)
        request->on_prompt(request->user, text, (size_t)bytes, &counts);
    free(text);
    return true;
}

/* Room for the numbers of as many tokens as there can be. */
static bool reserve_tokens(struct engine_result *result)
{
    result->log_probabilities = calloc(TEXT_BYTES, sizeof *result->log_probabilities);
    result->ends = calloc(TEXT_BYTES, sizeof *result->ends);
    return result->log_probabilities && result->ends;
}

/* Reads the prompt, as far as there is time; false when cancelled. */
static bool read_prompt(struct engine *engine, const struct engine_request *request,
                        struct engine_result *result)
{
    long wanted_ms = environment_ms("HXQD_SCRIPTED_PROMPT_MS") - engine->read_ms;
    bool is_late = request->budget_ms > 0 && wanted_ms >= request->budget_ms;
    long taken_ms = is_late ? request->budget_ms : wanted_ms;

    if (!wait_ms(taken_ms, request->cancel))
        return false;
    engine->read_ms += taken_ms;
    if (is_late)
        result->stop = ENGINE_STOP_TIME;
    return true;
}

bool engine_complete(struct engine *engine, const struct engine_request *request,
                     struct engine_result *result, struct error *error)
{
    char text[TEXT_BYTES];
    script(request, text);
    long token_ms = environment_ms("HXQD_SCRIPTED_TOKEN_MS");
    *result = (struct engine_result){
        .prompt_tokens = 100,
        .reused_tokens = engine->calls++ > 0 ? 90 : 0,
        .stop = ENGINE_STOP_END,
    };
    if (engine->tokenizer && request->fill && !prompt_build(engine, request, result, error))
        return false;
    if (request->chat && !chat_tell(request, error))
        return false;

    const char *probability = getenv("HXQD_SCRIPTED_PROBABILITY");
    float log_probability = probability ? logf(strtof(probability, NULL)) : 0.0f;
    if (!reserve_tokens(result))
        return error_set(error, ERROR_MEMORY, "no memory");

    if (engine->on_gpu && engine->calls > environment_ms("HXQD_SCRIPTED_GPU")) {
        engine_result_finish(result);
        return error_set(error, ERROR_DEVICE,
                         "the request failed: Scripted GPU: it fell off the bus");
    }

    if (!read_prompt(engine, request, result)) {
        engine_result_finish(result);
        return error_set(error, ERROR_CANCELLED, "cancelled");
    }

    /* one token up to the next space at a time */
    size_t bytes = 0;
    while (text[bytes] && result->stop == ENGINE_STOP_END) {
        if (!wait_ms(token_ms, request->cancel)) {
            engine_result_finish(result);
            return error_set(error, ERROR_CANCELLED, "cancelled");
        }
        bytes += 1 + strcspn(text + bytes + 1, " ");
        result->log_probabilities[result->completion_tokens] = log_probability;
        result->ends[result->completion_tokens++] = bytes;
        if (request->on_text && !request->on_text(request->user, text, bytes))
            result->stop = ENGINE_STOP_CALLER;
        else if (result->completion_tokens >= request->max_tokens)
            result->stop = ENGINE_STOP_MAX_TOKENS;
        else if (request->budget_ms > 0 &&
                 result->completion_tokens * token_ms >= request->budget_ms)
            result->stop = ENGINE_STOP_TIME;
    }
    result->text = strndup(text, bytes);
    result->bytes = bytes;
    return result->text || error_set(error, ERROR_MEMORY, "no memory");
}

void engine_result_finish(struct engine_result *result)
{
    free(result->text);
    free(result->tokens);
    free(result->log_probabilities);
    free(result->ends);
    *result = (struct engine_result){0};
}

static bool no_tokens(struct error *error)
{
    return error_set(error, ERROR_INPUT, "the scripted engine knows no tokens");
}

bool engine_tokenize(const struct engine *engine, const char *text, size_t bytes, bool special,
                     int32_t **ids, size_t *count, struct error *error)
{
    (void)engine, (void)text, (void)bytes, (void)special, (void)ids, (void)count;
    return no_tokens(error);
}

bool engine_detokenize(const struct engine *engine, const int32_t *ids, size_t count, char **text,
                       size_t *bytes, struct error *error)
{
    (void)engine, (void)ids, (void)count, (void)text, (void)bytes;
    return no_tokens(error);
}

bool engine_logits(struct engine *engine, const int32_t *tokens, size_t count,
                   const atomic_bool *cancel, bool (*on_row)(void *user, const float *logits),
                   void *user, struct error *error)
{
    (void)engine, (void)tokens, (void)count, (void)cancel, (void)on_row, (void)user;
    return no_tokens(error);
}
