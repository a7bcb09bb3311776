/* Ties the room together: text becomes tokens, the session evaluates them, tokens become text. */
#include "infer/engine.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "infer/chat.h"
#include "infer/draft.h"
#include "infer/draft_model.h"
#include "infer/file.h"
#include "infer/fim.h"
#include "infer/heal.h"
#include "infer/model.h"
#include "infer/placement.h"
#include "infer/sample.h"
#include "infer/session.h"
#include "infer/tokenizer.h"
#include "infer/transcript.h"

_Static_assert((int)DRAFT_MAX <= (int)SESSION_DRAFTED_MAX, "whatever is drafted can be verified");

struct engine {
    char *directory;
    struct placement placement;
    struct model *model;
    struct tokenizer *tokenizer; /* NULL where the checkpoint has none */
    bool has_fim;
    struct fim_markers markers;
    bool has_chat;
    struct chat_markers chat_markers;
    struct session *session;
    struct draft *draft;         /* follows the session's tokens */
    int draft_tokens;            /* below 1: none */
    struct draft_model *drafter; /* asked where the text proposes nothing; NULL: none */
    double load_ms;
};

static double now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

/* --- opening ---------------------------------------------------------------------------------------------------------- */

/* A missing tokenizer.json is no error: such a checkpoint gives logits, but no text. */
static bool open_tokenizer(struct engine *engine, struct error *error)
{
    char *path = file_path(engine->directory, "tokenizer.json", error);
    bool opened = path != NULL;

    if (path && file_exists(path)) {
        engine->tokenizer = tokenizer_open(path, error);
        opened = engine->tokenizer != NULL;
        engine->has_fim = opened && fim_markers_find(&engine->markers, engine->tokenizer);
        engine->has_chat = opened && chat_markers_find(&engine->chat_markers, engine->tokenizer,
                                                       &engine->model->config, engine->directory);
    }
    if (engine->tokenizer && tokenizer_size(engine->tokenizer) > engine->model->config.vocab_size)
        opened =
            error_set(error, ERROR_INPUT, "%s: has %d tokens, the model only %d", path,
                      (int)tokenizer_size(engine->tokenizer), engine->model->config.vocab_size);
    free(path);
    return opened;
}

/* Everything that lives on the device that was chosen. */
static bool open_model(struct engine *engine, const struct engine_options *options,
                       struct error *error)
{
    const int context_tokens = engine->placement.context_tokens;
    struct model_options model_options = {
        .cancel = options->cancel,
        .on_progress = options->on_progress,
        .user = options->user,
    };

    model_options.backend = placement_open(&engine->placement, options, error);
    if (!model_options.backend)
        return false;
    engine->model = model_load(options->model, &model_options, error);
    if (engine->model)
        engine->session = session_create(engine->model, context_tokens, error);
    return engine->session != NULL;
}

static void close_model(struct engine *engine)
{
    session_destroy(engine->model, engine->session);
    model_destroy(engine->model);
    engine->session = NULL;
    engine->model = NULL;
}

/* The GPU where it works; the CPU instead, when it fails in spite of its promises and the options allow it. */
static bool open_placed(struct engine *engine, const struct engine_options *options,
                        struct error *error)
{
    const bool may_fall_back = options->device == ENGINE_DEVICE_AUTO && !options->no_fallback;
    struct error problem = {0};

    if (!placement_find(&engine->placement, options, false, error))
        return false;
    if (open_model(engine, options, &problem))
        return true;
    if (problem.code != ERROR_DEVICE || !may_fall_back)
        return error_set(error, problem.code, "%s", problem.text);
    close_model(engine);
    placement_turn_to_cpu(&engine->placement, problem.text);
    return open_model(engine, options, error);
}

static bool open_drafter(struct engine *engine, const struct engine_options *options,
                         struct error *error)
{
    const struct model_options model_options = {
        .threads = options->threads,
        .exact = options->exact,
        .cancel = options->cancel,
    };

    if (!options->draft_model || engine->draft_tokens < 1)
        return true;
    engine->drafter =
        draft_model_open(options->draft_model, &model_options, engine->model->config.vocab_size,
                         engine->placement.context_tokens, error);
    return engine->drafter != NULL;
}

static bool open_parts(struct engine *engine, const struct engine_options *options,
                       struct error *error)
{
    engine->draft_tokens = options->draft_tokens == 0 ? DRAFT_MAX : options->draft_tokens;
    engine->directory = strdup(options->model);
    if (!engine->directory)
        return error_set(error, ERROR_MEMORY, "not enough memory");
    if (!open_placed(engine, options, error) || !open_tokenizer(engine, error))
        return false;
    engine->draft = draft_create((size_t)engine->placement.context_tokens, error);
    return engine->draft && open_drafter(engine, options, error);
}

struct engine *engine_open(const struct engine_options *options, struct error *error)
{
    const double started = now_ms();
    struct engine *engine = calloc(1, sizeof *engine);

    if (!engine) {
        error_set(error, ERROR_MEMORY, "not enough memory");
        return NULL;
    }
    if (!open_parts(engine, options, error)) {
        engine_close(engine);
        return NULL;
    }
    engine->load_ms = now_ms() - started;
    return engine;
}

void engine_close(struct engine *engine)
{
    if (!engine)
        return;
    draft_destroy(engine->draft);
    draft_model_close(engine->drafter);
    tokenizer_close(engine->tokenizer);
    close_model(engine);
    free(engine->directory);
    free(engine);
}

/* Whether pieces of other files may stand in a prompt. */
static bool can_show(const struct engine *engine)
{
    return engine->has_fim && engine->markers.file >= 0 &&
           session_context(engine->session) >= ENGINE_SHOWN_CONTEXT_TOKENS;
}

void engine_describe(const struct engine *engine, struct engine_info *info)
{
    const struct config *config = &engine->model->config;
    struct backend_info backend;

    backend_describe(engine->model->backend, &backend);
    *info = (struct engine_info){
        .model = engine->directory,
        .architecture = "qwen2",
        .device = backend.device,
        .device_reason = engine->placement.reason,
        .hardware = backend.hardware,
        .device_bytes = backend.memory_bytes,
        .is_exact = backend.is_exact,
        .isa = backend.kernels,
        .threads = backend.threads,
        .layers = config->layers,
        .hidden_size = config->hidden_size,
        .vocab_size = config->vocab_size,
        .context_tokens = session_context(engine->session),
        .parameters = engine->model->parameters,
        .weight_bytes = engine->model->weight_bytes,
        .load_ms = engine->load_ms,
        .has_tokenizer = engine->tokenizer != NULL,
        .has_fim = engine->has_fim,
        .has_chat = engine->has_chat,
        .can_show = can_show(engine),
    };
}

const struct placement *engine_placement(const struct engine *engine)
{
    return &engine->placement;
}

static bool need_tokenizer(const struct engine *engine, struct error *error)
{
    return engine->tokenizer ||
           error_set(error, ERROR_INPUT,
                     "%s: tokenizer.json is missing; copy it beside the weights",
                     engine->directory);
}

/* --- completing ------------------------------------------------------------------------------------------------------- */

const char *engine_stop_name(enum engine_stop stop)
{
    static const char *const names[] = {"end", "caller", "max_tokens", "context", "time"};

    return names[stop];
}

/* One request under way. */
struct generation {
    struct engine *engine;
    const struct engine_request *request;
    struct engine_result *result;
    struct token_list tokens; /* prompt, then completion */
    struct prompt_counts counts;
    struct transcript transcript; /* its arrays are the result's */
    struct sampler sampler;
    size_t held_bytes; /* at the prefix's end, to be covered by the first tokens */
    bool has_ended;    /* result->stop says why */
    double started;
};

/* What the prompt may take, so that the completion finds room; half the context when even that is not enough. */
static size_t prompt_budget(const struct engine *engine, const struct engine_request *request)
{
    const int context = session_context(engine->session);
    const int wanted = request->max_tokens + (request->heal ? HEAL_BYTES_MAX : 0);

    return (size_t)(wanted < context / 2 ? context - wanted : context / 2);
}

/* The last `budget` tokens of a plain prompt are what it continues. */
static void keep_last(struct token_list *tokens, size_t budget)
{
    if (tokens->count <= budget)
        return;
    memmove(tokens->ids, tokens->ids + tokens->count - budget, budget * sizeof *tokens->ids);
    tokens->count = budget;
}

static bool build_prompt(struct generation *run, struct error *error)
{
    const struct engine *engine = run->engine;
    const struct engine_request *request = run->request;
    const size_t budget = prompt_budget(engine, request);

    if (request->chat) {
        if (!engine->has_chat || budget < CHAT_MIN_BUDGET)
            return error_set(error, ERROR_INPUT,
                             "%s: follows no instructions; use an instruct model, such as "
                             "Qwen2.5-Coder-Instruct",
                             engine->directory);
        return chat_encode(engine->tokenizer, &engine->chat_markers, request->chat, budget,
                           &run->tokens, error);
    }
    if (request->fill) {
        if (!engine->has_fim)
            return error_set(error, ERROR_INPUT,
                             "%s: the tokenizer has no fill-in-the-middle markers; use a "
                             "Qwen2.5-Coder model",
                             engine->directory);
        if (request->heal)
            run->held_bytes =
                heal_held_bytes(engine->tokenizer, request->prefix, request->prefix_bytes);
        const struct fim_text text = {request->prefix, request->prefix_bytes - run->held_bytes,
                                      request->suffix, request->suffix_bytes};
        return fim_encode(engine->tokenizer, &engine->markers, &text,
                          can_show(engine) ? &request->shown : NULL, budget, &run->tokens,
                          &run->counts, error);
    }
    if (!tokenizer_encode(engine->tokenizer, request->prefix, request->prefix_bytes,
                          request->special, &run->tokens, error))
        return false;
    if (run->tokens.count == 0)
        return error_set(error, ERROR_INPUT, "the prompt is empty");
    keep_last(&run->tokens, budget);
    return true;
}

/* Ends of text are the ids that the config names and every special token: none of them belongs into a buffer. */
static bool is_end(const struct engine *engine, int32_t id)
{
    const struct config *config = &engine->model->config;

    for (int i = 0; i < config->end_token_count; i++)
        if (config->end_tokens[i] == id)
            return true;
    return tokenizer_is_special(engine->tokenizer, id);
}

/* Gives the result what has been written so far. */
static void show_transcript(const struct generation *run)
{
    struct engine_result *result = run->result;

    result->text = run->transcript.text;
    result->bytes = run->transcript.bytes;
    result->log_probabilities = run->transcript.log_probabilities;
    result->ends = run->transcript.ends;
    result->completion_tokens = run->transcript.count;
}

/* Records a token that is in the list already, and its text less the first `skipped` bytes; that of an end is none. */
static bool record_token(struct generation *run, int32_t id, float log_probability, size_t skipped,
                         struct error *error)
{
    size_t bytes;

    tokenizer_token_text(run->engine->tokenizer, id, &bytes);
    const bool added = transcript_add(
        &run->transcript, id, is_end(run->engine, id) ? bytes : skipped, log_probability, error);
    show_transcript(run);
    if (run->result->completion_tokens == 1)
        run->result->first_token_ms = now_ms() - run->started;
    return added;
}

/* Shows the text, which had `before` bytes until the latest token `id` came, and sees whether that was the last. */
static void judge_token(struct generation *run, int32_t id, size_t before)
{
    const struct engine_request *request = run->request;
    struct engine_result *result = run->result;

    run->has_ended = true;
    result->stop = ENGINE_STOP_END;
    if (is_end(run->engine, id))
        return;
    result->stop = ENGINE_STOP_CALLER;
    if (request->on_text && result->bytes > before &&
        !request->on_text(request->user, result->text, result->bytes))
        return;
    result->stop = ENGINE_STOP_MAX_TOKENS;
    if (result->completion_tokens >= request->max_tokens)
        return;
    result->stop = ENGINE_STOP_TIME;
    if (request->budget_ms > 0 &&
        now_ms() - run->started - result->first_token_ms >= request->budget_ms)
        return;
    result->stop = ENGINE_STOP_CONTEXT;
    run->has_ended = run->tokens.count >= (size_t)session_context(run->engine->session);
}

/* Covers the held bytes. */
static bool heal(struct generation *run, struct error *error)
{
    const struct engine_request *request = run->request;
    struct engine *engine = run->engine;
    const char *held = request->prefix + request->prefix_bytes - run->held_bytes;
    const size_t prompt = run->tokens.count;
    float log_probabilities[HEAL_BYTES_MAX];
    size_t beyond;

    if (!heal_cover(engine->model, engine->session, engine->tokenizer, &run->sampler, held,
                    run->held_bytes, request->cancel, &run->tokens, log_probabilities, &beyond,
                    error))
        return false;

    /* of the cover only what goes beyond is new text */
    for (size_t i = prompt; i < run->tokens.count; i++) {
        size_t bytes;
        tokenizer_token_text(engine->tokenizer, run->tokens.ids[i], &bytes);
        const size_t skipped = i + 1 < run->tokens.count ? bytes : bytes - beyond;
        if (!record_token(run, run->tokens.ids[i], log_probabilities[i - prompt], skipped, error))
            return false;
    }
    judge_token(run, run->tokens.ids[run->tokens.count - 1], 0);
    return true;
}

/* Takes a token after the last one: records it, shows its text, sees whether it was the last. */
static bool take_token(struct generation *run, int32_t id, float log_probability,
                       struct error *error)
{
    const size_t before = run->result->bytes;

    if (!token_list_append(&run->tokens, &id, 1))
        return error_set(error, ERROR_MEMORY, "not enough memory for the completion");
    draft_observe(run->engine->draft, id);
    if (!record_token(run, id, log_probability, 0, error))
        return false;
    judge_token(run, id, before);
    return true;
}

/* Takes the token after the last one, then one more for every drafted token that is the one chosen. A draft decides only
 * which logits exist already: each token is chosen from the model's own, in order and with the same random numbers, so
 * completions, greedy or sampled, are those of a run without drafts. */
static bool take_tokens(struct generation *run, const int32_t *drafted, int count,
                        struct error *error)
{
    const struct engine *engine = run->engine;
    const atomic_bool *cancel = run->request->cancel;
    const int vocab = tokenizer_size(engine->tokenizer);

    for (int i = 0; i <= count && !run->has_ended; i++) {
        if (i > 0 && cancel && atomic_load(cancel))
            return error_set(error, ERROR_CANCELLED, "cancelled");
        const float *logits = session_logits_after(engine->session, run->tokens.count);
        const int32_t id = sampler_next(&run->sampler, logits);
        if (!take_token(run, id, logits[id] - sampler_log_sum(logits, vocab), error))
            return false;
        run->result->accepted_tokens += i > 0;
        if (i < count && id != drafted[i])
            break;
    }
    return true;
}

/* Guesses as many tokens as can still be of use, and evaluates them together with the tokens not evaluated yet. */
static bool evaluate_drafted(struct generation *run, int32_t *drafted, int *count,
                             struct error *error)
{
    const struct engine_result *result = run->result;
    struct engine *engine = run->engine;
    const size_t known = run->tokens.count;
    const int wanted = run->request->max_tokens - result->completion_tokens - 1;
    const int room = session_context(engine->session) - (int)known - 1;
    int limit = engine->draft_tokens;

    limit = wanted < limit ? wanted : limit;
    limit = room < limit ? room : limit;
    *count = draft_propose(engine->draft, limit, drafted);
    if (*count == 0 && engine->drafter &&
        !draft_model_propose(engine->drafter, run->tokens.ids, (int)known,
                             limit < DRAFT_SHORT ? limit : DRAFT_SHORT, run->request->cancel,
                             drafted, count, error))
        return false;
    if (!token_list_append(&run->tokens, drafted, (size_t)*count))
        return error_set(error, ERROR_MEMORY, "not enough memory for the completion");
    const bool evaluated =
        session_verify(engine->model, engine->session, run->tokens.ids, run->tokens.count, *count,
                       run->request->cancel, NULL, error);
    run->tokens.count = known;
    run->result->drafted_tokens += *count;
    return evaluated;
}

/* Chooses, records and shows tokens until something says stop. */
static bool generate(struct generation *run, struct error *error)
{
    int32_t drafted[DRAFT_MAX];
    int count = 0;

    if (run->held_bytes > 0 && !heal(run, error))
        return false;
    draft_sync(run->engine->draft, run->tokens.ids, run->tokens.count);
    if (run->held_bytes > 0 && !run->has_ended && !evaluate_drafted(run, drafted, &count, error))
        return false;
    for (;;) {
        if (!take_tokens(run, drafted, count, error))
            return false;
        if (run->has_ended)
            return true;
        if (!evaluate_drafted(run, drafted, &count, error))
            return false;
    }
}

/* Tells whoever wants to know what the model is given. */
static bool tell_prompt(const struct generation *run, struct error *error)
{
    const struct engine_request *request = run->request;
    char *text;
    size_t bytes;

    if (!request->on_prompt)
        return true;
    if (!engine_detokenize(run->engine, run->tokens.ids, run->tokens.count, &text, &bytes, error))
        return false;
    request->on_prompt(request->user, text, bytes, &run->counts);
    free(text);
    return true;
}

/* Evaluates the prompt and generates; the result's counts, text and tokens are filled on success. */
static bool run_request(struct generation *run, struct error *error)
{
    struct engine *engine = run->engine;
    struct engine_result *result = run->result;
    size_t reused;

    const bool begun = transcript_init(&run->transcript, engine->tokenizer, error);
    show_transcript(run);
    if (!begun || !build_prompt(run, error) || !tell_prompt(run, error) ||
        !session_sync(engine->model, engine->session, run->tokens.ids, run->tokens.count,
                      run->request->cancel, &reused, error))
        return false;
    result->prompt_tokens = (int)run->tokens.count;
    result->reused_tokens = (int)reused;
    if (!generate(run, error))
        return false;

    /* an unfinished code point at the end, then the completion's ids out of the whole list */
    if (!transcript_end(&run->transcript, error))
        return false;
    show_transcript(run);
    memmove(run->tokens.ids, run->tokens.ids + result->prompt_tokens,
            (size_t)result->completion_tokens * sizeof *run->tokens.ids);
    result->tokens = run->tokens.ids;
    result->total_ms = now_ms() - run->started;
    return true;
}

bool engine_complete(struct engine *engine, const struct engine_request *request,
                     struct engine_result *result, struct error *error)
{
    struct generation run = {
        .engine = engine,
        .request = request,
        .result = result,
        .started = now_ms(),
    };
    bool completed = false;

    *result = (struct engine_result){0};
    if (!need_tokenizer(engine, error))
        return false;
    if (request->max_tokens < 1)
        return error_set(error, ERROR_INPUT, "at least one token must be asked for");

    if (!sampler_init(&run.sampler, tokenizer_size(engine->tokenizer), request->temperature,
                      request->top_p, request->seed))
        error_set(error, ERROR_MEMORY, "not enough memory for sampling");
    else
        completed = run_request(&run, error);

    sampler_finish(&run.sampler);
    if (!completed) {
        token_list_finish(&run.tokens);
        result->tokens = NULL;
        engine_result_finish(result);
    }
    return completed;
}

void engine_result_finish(struct engine_result *result)
{
    free(result->text);
    free(result->tokens);
    free(result->log_probabilities);
    free(result->ends);
    *result = (struct engine_result){0};
}

/* --- tokens and logits ------------------------------------------------------------------------------------------------ */

bool engine_tokenize(const struct engine *engine, const char *text, size_t bytes, bool special,
                     int32_t **ids, size_t *count, struct error *error)
{
    struct token_list list = {0};

    if (!need_tokenizer(engine, error) ||
        !tokenizer_encode(engine->tokenizer, text, bytes, special, &list, error)) {
        token_list_finish(&list);
        return false;
    }
    *ids = list.ids;
    *count = list.count;
    return true;
}

bool engine_detokenize(const struct engine *engine, const int32_t *ids, size_t count, char **text,
                       size_t *bytes, struct error *error)
{
    return need_tokenizer(engine, error) &&
           transcript_text(engine->tokenizer, ids, count, text, bytes, error);
}

bool engine_logits(struct engine *engine, const int32_t *tokens, size_t count,
                   const atomic_bool *cancel, bool (*on_row)(void *user, const float *logits),
                   void *user, struct error *error)
{
    return session_each(engine->model, engine->session, tokens, count, cancel, on_row, user, error);
}
