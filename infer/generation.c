/* One request: text becomes a prompt, the session evaluates it, tokens are chosen, recorded and shown until something says
 * stop. */
#include "infer/engine_parts.h"

#include <stdlib.h>
#include <string.h>

#include "infer/heal.h"
#include "infer/sample.h"
#include "infer/transcript.h"

_Static_assert((int)DRAFT_MAX <= (int)SESSION_DRAFTED_MAX, "whatever is drafted can be verified");

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
    struct halt halt; /* the caller's flag, and the budget's end */
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
                          engine_can_show(engine) ? &request->shown : NULL, budget, &run->tokens,
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
        run->result->first_token_ms = halt_now_ms() - run->started;
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
    if (halt_left_ms(&run->halt) <= 0)
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
                    run->held_bytes, &run->halt, &run->tokens, log_probabilities, &beyond, error))
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

/* Chooses the token after the last one. */
static bool choose_token(struct generation *run, int32_t *id, float *log_probability,
                         struct error *error)
{
    const struct engine *engine = run->engine;
    const int vocab = tokenizer_size(engine->tokenizer);

    if (run->request->temperature <= 0.0f)
        return session_likeliest(engine->model, engine->session, run->tokens.count, vocab, id,
                                 log_probability, error);
    const float *logits =
        session_logits_after(engine->model, engine->session, run->tokens.count, error);
    if (!logits)
        return false;
    *id = sampler_next(&run->sampler, logits);
    *log_probability = logits[*id] - sampler_log_sum(logits, vocab);
    return true;
}

/* Takes the token after the last one, then one more for every drafted token that is the one chosen. A draft decides only
 * which logits exist already: each token is chosen from the model's own, in order and with the same random numbers, so
 * completions, greedy or sampled, are those of a run without drafts. */
static bool take_tokens(struct generation *run, const int32_t *drafted, int count,
                        struct error *error)
{
    for (int i = 0; i <= count && !run->has_ended; i++) {
        if (i > 0 && halt_is_cancelled(&run->halt))
            return halt_error(&run->halt, error);
        int32_t id;
        float log_probability;
        if (!choose_token(run, &id, &log_probability, error) ||
            !take_token(run, id, log_probability, error))
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
                             limit < DRAFT_SHORT ? limit : DRAFT_SHORT, &run->halt, drafted, count,
                             error))
        return false;
    if (!token_list_append(&run->tokens, drafted, (size_t)*count))
        return error_set(error, ERROR_MEMORY, "not enough memory for the completion");
    const bool evaluated = session_verify(engine->model, engine->session, run->tokens.ids,
                                          run->tokens.count, *count, &run->halt, NULL, error);
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

/* Evaluates the prompt and writes. Once the time is spent that is no failure: there is what there is until then. */
static bool evaluate(struct generation *run, struct error *error)
{
    struct engine *engine = run->engine;
    struct engine_result *result = run->result;
    struct error problem = {0};
    size_t reused = 0;

    result->prompt_tokens = (int)run->tokens.count;
    const bool is_read = session_sync(engine->model, engine->session, run->tokens.ids,
                                      run->tokens.count, &run->halt, &reused, &problem);
    result->reused_tokens = (int)reused;
    if (is_read && generate(run, &problem))
        return true;
    if (problem.code != ERROR_EXPIRED)
        return error_set(error, problem.code, "%s", problem.text);
    result->stop = ENGINE_STOP_TIME;
    return true;
}

/* Does all that a request asks for; the result's counts, text and tokens are filled on success. */
static bool run_request(struct generation *run, struct error *error)
{
    struct engine_result *result = run->result;

    const bool begun = transcript_init(&run->transcript, run->engine->tokenizer, error);
    show_transcript(run);
    if (!begun || !build_prompt(run, error) || !tell_prompt(run, error) || !evaluate(run, error))
        return false;

    /* an unfinished code point at the end, then the completion's ids out of the whole list */
    if (!transcript_end(&run->transcript, error))
        return false;
    show_transcript(run);
    memmove(run->tokens.ids, run->tokens.ids + result->prompt_tokens,
            (size_t)result->completion_tokens * sizeof *run->tokens.ids);
    result->tokens = run->tokens.ids;
    result->total_ms = halt_now_ms() - run->started;
    return true;
}

bool engine_complete(struct engine *engine, const struct engine_request *request,
                     struct engine_result *result, struct error *error)
{
    struct generation run = {
        .engine = engine,
        .request = request,
        .result = result,
        .started = halt_now_ms(),
        .halt.cancel = request->cancel,
    };
    bool completed = false;

    if (request->budget_ms > 0)
        run.halt.deadline_ms = run.started + request->budget_ms;

    *result = (struct engine_result){0};
    if (!engine_need_tokenizer(engine, error))
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
