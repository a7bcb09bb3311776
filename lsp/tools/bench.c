/* The tool that measures: every speed stands beside the machine's own limit, so that figures of different machines can be
 * compared. */
#include <stdio.h>
#include <stdlib.h>

#include "infer/bench.h"
#include "infer/fill_bench.h"
#include "lsp/tools.h"
#include "lsp/tools/tool_io.h"

enum { DEFAULT_PROMPT_TOKENS = 512, DEFAULT_DECODE_TOKENS = 64, DEFAULT_RUNS = 5 };

static bool print_object(const struct bench_result *result, struct error *error)
{
    json_t *verify = json_array();

    for (int i = 0; i < BENCH_VERIFIED; i++)
        json_array_append_new(verify, json_real(result->verify_ms[i]));
    return tool_print_json(
        json_pack(
            "{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:o, s:f, s:f, s:i, s:i, s:b, s:I, s:I, s:I, "
            "s:s, s:s, s:s, s:s, s:b, s:i}",
            "prompt_tokens_per_second", result->prompt_tokens_per_second,
            "decode_tokens_per_second", result->decode_tokens_per_second, "decode_bytes_per_second",
            result->decode_bytes_per_second, "decode_share", result->decode_share,
            "read_bandwidth_bytes_per_second", result->read_bandwidth_bytes_per_second,
            "peak_bytes_per_second", result->peak_bytes_per_second, "load_ms", result->load_ms,
            "verify_ms", verify, "keystroke_p50_ms", result->keystroke_p50_ms, "keystroke_max_ms",
            result->keystroke_max_ms, "keystroke_tokens_max", result->keystroke_tokens_max,
            "typing_prompt_tokens", result->typing_prompt_tokens, "typed_equals_cold",
            result->typed_equals_cold, "peak_rss_bytes", (json_int_t)result->peak_rss_bytes,
            "weight_bytes", (json_int_t)result->weight_bytes, "device_bytes",
            (json_int_t)result->device_bytes, "device", result->device, "device_reason",
            result->device_reason, "hardware", result->hardware, "isa", result->isa, "exact",
            result->is_exact, "threads", result->threads),
        error);
}

static void print_text(const struct bench_result *result)
{
    const double bandwidth = result->read_bandwidth_bytes_per_second;
    const double peak = result->peak_bytes_per_second;

    printf("device     %s (%s), %s, %s products", result->device, result->device_reason,
           result->isa, result->is_exact ? "exact" : "fast");
    if (result->threads > 0)
        printf(", %d threads", result->threads);
    putchar('\n');
    if (result->device_bytes > 0)
        printf("memory     %.2f GB of the device's\n", (double)result->device_bytes * 1e-9);
    printf("load       %.0f ms, %.2f GB of weights, %.2f GB resident at most\n", result->load_ms,
           (double)result->weight_bytes * 1e-9, (double)result->peak_rss_bytes * 1e-9);
    printf("prompt     %.1f tokens/s\n", result->prompt_tokens_per_second);
    printf("decode     %.2f tokens/s: %.1f GB/s of the %.1f GB/s that memory delivers, %.0f %%\n",
           result->decode_tokens_per_second, result->decode_bytes_per_second * 1e-9,
           bandwidth * 1e-9, 100.0 * result->decode_share);
    if (peak > 0.0)
        printf(
            "peak       %.1f GB/s on paper: %.0f %% of it in decoding, %.0f %% in plain reading\n",
            peak * 1e-9, 100.0 * result->decode_bytes_per_second / peak, 100.0 * bandwidth / peak);
    printf("verify    ");
    for (int i = 0; i < BENCH_VERIFIED; i++)
        printf(" %d: %.2f x", i + 1, result->verify_ms[i] / result->verify_ms[0]);
    printf(" of one token's time\n");
    printf("typing     %.1f ms to the first token of a completion, %.1f ms at most: %d tokens "
           "known, up to %d "
           "new; %s a cold run's\n",
           result->keystroke_p50_ms, result->keystroke_max_ms, result->typing_prompt_tokens,
           result->keystroke_tokens_max,
           result->typed_equals_cold ? "what follows equals" : "WHAT FOLLOWS DIFFERS FROM");
}

static json_t *fill_object(const struct fill_bench *fill)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:f, s:f}", "problems", fill->problems, "same",
                     fill->same, "tokens", fill->tokens, "drafted_tokens", fill->drafted,
                     "accepted_tokens", fill->accepted, "plain_ms", fill->plain_ms, "drafted_ms",
                     fill->drafted_ms);
}

static void print_fill_text(const struct fill_bench *fill)
{
    const int passes = fill->tokens - fill->accepted;

    printf("drafts     %d problems, %d tokens: %d guessed, %d right (%.0f %%), %.2f tokens to a "
           "pass\n",
           fill->problems, fill->tokens, fill->drafted, fill->accepted,
           fill->drafted > 0 ? 100.0 * fill->accepted / fill->drafted : 0.0,
           passes > 0 ? (double)fill->tokens / passes : 0.0);
    printf("           %.0f ms without, %.0f ms with: %.2f x as fast; %d of %d texts the same\n",
           fill->plain_ms, fill->drafted_ms, fill->plain_ms / fill->drafted_ms, fill->same,
           fill->problems);
}

/* What drafts are worth on the problems of a file. */
static bool bench_drafts(const struct command_line *line, const char *model, int runs,
                         struct error *error)
{
    const struct settings *settings = &line->settings;
    const struct engine_options options = settings_engine_options(settings, model);
    struct fill_bench fill;

    if (!fill_bench_run(&fill, &options, line->problems, runs, error))
        return false;
    if (settings->json)
        return tool_print_json(fill_object(&fill), error);
    print_fill_text(&fill);
    return true;
}

/* How fast the model is. */
static bool bench_speed(const struct command_line *line, const char *model, int runs,
                        struct error *error)
{
    const struct bench_options options = {
        .model = model,
        .device = line->settings.device,
        .gpu_memory_bytes = line->settings.gpu_memory_bytes,
        .threads = line->settings.threads,
        .exact = line->settings.exact,
        .prompt_tokens = line->prompt_tokens ? line->prompt_tokens : DEFAULT_PROMPT_TOKENS,
        .decode_tokens = line->decode_tokens ? line->decode_tokens : DEFAULT_DECODE_TOKENS,
        .runs = runs,
    };
    struct bench_result result;

    if (!bench_run(&result, &options, error))
        return false;
    if (line->settings.json)
        return print_object(&result, error);
    print_text(&result);
    return true;
}

bool tool_bench(const struct command_line *line, struct error *error)
{
    const int runs = line->runs ? line->runs : DEFAULT_RUNS;
    char *model = settings_model_path(&line->settings, error);
    bool done = false;

    if (model)
        done = line->problems ? bench_drafts(line, model, runs, error)
                              : bench_speed(line, model, runs, error);
    free(model);
    return done;
}
