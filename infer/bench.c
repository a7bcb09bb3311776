/* Every figure is the median of several runs on one loaded model. Runs begin with another first token, so that nothing is
 * reused that a user would have to wait for. Decoding alternates with plain reading, since what memory delivers changes
 * from second to second where machines are shared. */
#include "infer/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "infer/config.h"
#include "infer/halt.h"
#include "infer/median.h"
#include "infer/model.h"
#include "infer/session.h"

enum {
    RUNS_MAX = 100,
    TYPING_ROOM = BENCH_KEYSTROKES + BENCH_TYPED_ON,
    SLICE_TOKENS = 16, /* decoded between two readings of memory */
    SLICES_MAX = 1000,
};

/* The things a measurement works on. */
struct bench {
    const struct bench_options *options;
    struct model *model;
    struct session *session;
    int32_t *tokens;   /* [positions] */
    int positions;     /* of the session */
    int typing_prompt; /* tokens before the keystrokes */
    int slices;        /* of decoding, so far */
    double readings[SLICES_MAX],
        shares[SLICES_MAX]; /* bytes per second after each; decoded of it */
    struct error *error;
};

static void fill_tokens(struct bench *bench, int run)
{
    uint32_t random = (uint32_t)run * 2654435761u + 1;

    for (int i = 0; i < bench->positions; i++) {
        random = random * 1664525 + 1013904223;
        bench->tokens[i] = (int32_t)((random >> 8) % (uint32_t)bench->model->config.vocab_size);
    }
}

/* Milliseconds to bring the session to `count` tokens; negative on failure. */
static double sync_ms(struct bench *bench, int count)
{
    const double started = halt_now_ms();

    return session_sync(bench->model, bench->session, bench->tokens, (size_t)count, NULL, NULL,
                        bench->error)
               ? halt_now_ms() - started
               : -1.0;
}

/* Reads memory after `count` tokens took `ms`. */
static void note_slice(struct bench *bench, int count, double ms)
{
    struct backend *backend = bench->model->backend;

    if (bench->slices == SLICES_MAX)
        return;
    const double reading = backend->ops->read_bandwidth(backend);
    const double decoded = count * (double)bench->model->decode_bytes * 1e3 / ms;
    bench->readings[bench->slices] = reading;
    bench->shares[bench->slices++] = reading > 0.0 ? decoded / reading : 0.0;
}

/* One cold prompt and the tokens after it; milliseconds. */
static bool run_once(struct bench *bench, int run, double *prompt_ms, double *decode_ms)
{
    const int prompt = bench->options->prompt_tokens, decode = bench->options->decode_tokens;
    double slice_ms = 0.0;
    int slice = 0;

    fill_tokens(bench, run);
    *prompt_ms = sync_ms(bench, prompt);
    *decode_ms = 0.0;
    for (int i = 1; i <= decode && *prompt_ms >= 0.0; i++) {
        const double ms = sync_ms(bench, prompt + i);
        if (ms < 0.0)
            return false;
        *decode_ms += ms;
        slice_ms += ms;
        if (++slice < SLICE_TOKENS && i < decode)
            continue;
        note_slice(bench, slice, slice_ms);
        slice_ms = slice = 0;
    }
    return *prompt_ms >= 0.0;
}

/* Milliseconds to evaluate `count` tokens together after the prompt. */
static bool run_verification(struct bench *bench, int count, double *ms)
{
    double times[RUNS_MAX];

    for (int run = 0; run < bench->options->runs; run++) {
        if (sync_ms(bench, bench->options->prompt_tokens) < 0.0)
            return false;
        times[run] = sync_ms(bench, bench->options->prompt_tokens + count);
        if (times[run] < 0.0)
            return false;
    }
    *ms = median(times, bench->options->runs);
    return true;
}

/* Decodes BENCH_TYPED_ON tokens after the first `count` into `decoded`. */
static bool decode_on(struct bench *bench, int count, int32_t decoded[BENCH_TYPED_ON])
{
    for (int i = 0; i < BENCH_TYPED_ON; i++) {
        if (sync_ms(bench, count + i) < 0.0 ||
            !session_likeliest(bench->model, bench->session, (size_t)(count + i),
                               bench->model->config.vocab_size, &decoded[i], NULL, bench->error))
            return false;
        bench->tokens[count + i] = decoded[i];
    }
    return true;
}

/* Types at the end of a prompt that the session knows, and sees that nothing but time has been saved. */
static bool measure_typing(struct bench *bench, struct bench_result *result)
{
    double times[BENCH_KEYSTROKES];
    int32_t warm[BENCH_TYPED_ON], cold[BENCH_TYPED_ON];
    int count = bench->typing_prompt;

    fill_tokens(bench, RUNS_MAX);
    if (sync_ms(bench, count) < 0.0)
        return false;
    for (int key = 0; key < BENCH_KEYSTROKES; key++) {
        size_t reused = 0;
        count += key % 2;
        bench->tokens[count - 1] = (bench->tokens[count - 1] + 1) % bench->model->config.vocab_size;
        const double started = halt_now_ms();
        if (!session_sync(bench->model, bench->session, bench->tokens, (size_t)count, NULL, &reused,
                          bench->error))
            return false;
        times[key] = halt_now_ms() - started;
        if (count - (int)reused > result->keystroke_tokens_max)
            result->keystroke_tokens_max = count - (int)reused;
    }
    result->typing_prompt_tokens = bench->typing_prompt;
    result->keystroke_p50_ms = median(times, BENCH_KEYSTROKES);
    result->keystroke_max_ms = times[BENCH_KEYSTROKES - 1];

    if (!decode_on(bench, count, warm))
        return false;
    /* another first token makes the session forget all */
    const int32_t first = bench->tokens[0];
    bench->tokens[0] = (first + 1) % bench->model->config.vocab_size;
    if (sync_ms(bench, 1) < 0.0)
        return false;
    bench->tokens[0] = first;
    if (!decode_on(bench, count, cold))
        return false;
    result->typed_equals_cold = memcmp(warm, cold, sizeof warm) == 0;
    return true;
}

static int64_t peak_rss_bytes(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (int64_t)usage.ru_maxrss * 1024;
}

static bool measure(struct bench *bench, struct bench_result *result)
{
    const struct bench_options *options = bench->options;
    double prompt_ms[RUNS_MAX], decode_ms[RUNS_MAX];

    /* first: reading memory takes memory of its own, which is none of the model's */
    if (!measure_typing(bench, result))
        return false;
    result->peak_rss_bytes = peak_rss_bytes();
    for (int run = 0; run < options->runs; run++)
        if (!run_once(bench, run, &prompt_ms[run], &decode_ms[run]))
            return false;
    for (int count = 1; count <= BENCH_VERIFIED; count++)
        if (!run_verification(bench, count, &result->verify_ms[count - 1]))
            return false;

    result->prompt_tokens_per_second =
        options->prompt_tokens * 1e3 / median(prompt_ms, options->runs);
    result->decode_tokens_per_second =
        options->decode_tokens * 1e3 / median(decode_ms, options->runs);
    result->decode_bytes_per_second =
        result->decode_tokens_per_second * (double)bench->model->decode_bytes;
    result->read_bandwidth_bytes_per_second = median(bench->readings, bench->slices);
    result->decode_share = median(bench->shares, bench->slices);
    return true;
}

/* Room for both kinds of runs; a model with less room for typing gets a shorter prompt. */
static bool plan_positions(struct bench *bench)
{
    const struct bench_options *options = bench->options;
    const int needed = options->prompt_tokens + options->decode_tokens + BENCH_VERIFIED;
    const int wished = BENCH_TYPING_PROMPT + TYPING_ROOM;
    struct config config;

    if (!config_read(&config, options->model, bench->error))
        return false;
    bench->positions = wished < config.max_positions ? wished : config.max_positions;
    bench->typing_prompt = bench->positions - TYPING_ROOM;
    if (bench->positions < needed)
        bench->positions = needed;
    return bench->typing_prompt > 0 ||
           error_set(bench->error, ERROR_LIMIT, "bench: a context of %d tokens is too small",
                     config.max_positions);
}

static bool check_options(const struct bench_options *options, struct error *error)
{
    if (options->prompt_tokens < 1 || options->decode_tokens < 1 || options->runs < 1 ||
        options->runs > RUNS_MAX)
        return error_set(error, ERROR_INPUT, "bench: at least one token and one run are needed");
    return true;
}

/* The model where it would be used, with exactly the context that is measured: a smaller one is of no use here. */
static struct model *load(const struct bench_options *options, int positions,
                          struct placement *placement, struct error *error)
{
    struct model_options model_options = {0};
    const struct engine_options wish = {
        .model = options->model,
        .device = options->device,
        .threads = options->threads,
        .context_tokens = positions,
        .gpu_memory_bytes = options->gpu_memory_bytes,
        .no_fallback = options->device == ENGINE_DEVICE_CUDA,
        .exact = options->exact,
    };

    if (!placement_find(placement, &wish, false, error))
        return NULL;
    if (placement->context_tokens < positions)
        placement_turn_to_cpu(placement, placement->reason);
    model_options.backend = placement_open(placement, &wish, error);
    return model_options.backend ? model_load(options->model, &model_options, error) : NULL;
}

static void describe(struct bench_result *result, const struct model *model,
                     const struct placement *placement)
{
    struct backend_info info;

    backend_describe(model->backend, &info);
    result->weight_bytes = model->weight_bytes;
    snprintf(result->device, sizeof result->device, "%s", info.device);
    snprintf(result->isa, sizeof result->isa, "%s", info.kernels);
    snprintf(result->hardware, sizeof result->hardware, "%s", info.hardware);
    snprintf(result->device_reason, sizeof result->device_reason, "%s", placement->reason);
    result->peak_bytes_per_second = info.peak_bytes_per_second;
    result->device_bytes = info.memory_bytes;
    result->is_exact = info.is_exact;
    result->threads = info.threads;
}

bool bench_run(struct bench_result *result, const struct bench_options *options,
               struct error *error)
{
    const double started = halt_now_ms();
    struct bench bench = {.options = options, .error = error};
    struct placement placement;
    bool done = false;

    *result = (struct bench_result){0};
    if (!check_options(options, error))
        return false;
    if (!plan_positions(&bench))
        return false;
    bench.model = load(options, bench.positions, &placement, error);
    if (!bench.model)
        return false;
    result->load_ms = halt_now_ms() - started;

    bench.tokens = malloc((size_t)bench.positions * sizeof *bench.tokens);
    bench.session = session_create(bench.model, bench.positions, error);
    if (!bench.tokens || !bench.session) {
        error_set(error, ERROR_MEMORY, "bench: not enough memory");
        goto done;
    }
    done = measure(&bench, result);
    describe(result, bench.model, &placement);

done:
    session_destroy(bench.model, bench.session);
    free(bench.tokens);
    model_destroy(bench.model);
    return done;
}
