/* Opens the parts of an engine and ties them together: text becomes tokens, the session evaluates them, tokens become text. */
#include "infer/engine_parts.h"

#include <stdlib.h>
#include <string.h>

#include "infer/file.h"
#include "infer/transcript.h"

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
    const double started = halt_now_ms();
    struct engine *engine = calloc(1, sizeof *engine);

    if (!engine) {
        error_set(error, ERROR_MEMORY, "not enough memory");
        return NULL;
    }
    if (!open_parts(engine, options, error)) {
        engine_close(engine);
        return NULL;
    }
    engine->load_ms = halt_now_ms() - started;
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

bool engine_can_show(const struct engine *engine)
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
        .can_show = engine_can_show(engine),
    };
}

const struct placement *engine_placement(const struct engine *engine)
{
    return &engine->placement;
}

bool engine_need_tokenizer(const struct engine *engine, struct error *error)
{
    return engine->tokenizer ||
           error_set(error, ERROR_INPUT,
                     "%s: tokenizer.json is missing; copy it beside the weights",
                     engine->directory);
}

const char *engine_stop_name(enum engine_stop stop)
{
    static const char *const names[] = {"end", "caller", "max_tokens", "context", "time"};

    return names[stop];
}

/* --- tokens and logits ------------------------------------------------------------------------------------------------ */

bool engine_tokenize(const struct engine *engine, const char *text, size_t bytes, bool special,
                     int32_t **ids, size_t *count, struct error *error)
{
    struct token_list list = {0};

    if (!engine_need_tokenizer(engine, error) ||
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
    return engine_need_tokenizer(engine, error) &&
           transcript_text(engine->tokenizer, ids, count, text, bytes, error);
}

bool engine_logits(struct engine *engine, const int32_t *tokens, size_t count,
                   const atomic_bool *cancel, bool (*on_row)(void *user, const float *logits),
                   void *user, struct error *error)
{
    const struct halt halt = {.cancel = cancel};

    return session_each(engine->model, engine->session, tokens, count, &halt, on_row, user, error);
}
