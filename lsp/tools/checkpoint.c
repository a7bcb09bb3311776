/* The tools that weigh and make checkpoints: perplexity and compress. Both take minutes on large models, so a bar on
 * standard error shows how far they are, where somebody is looking. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "infer/compress.h"
#include "infer/perplexity.h"
#include "lsp/tools.h"
#include "lsp/tools/tool_io.h"

enum { BAR_COLUMNS = 40 };

/* --- progress --------------------------------------------------------------------------------------------------------- */

struct bar {
    const char *what;
    bool visible; /* standard error is a terminal */
    int per_mille;
    struct timespec started;
};

static void bar_start(struct bar *bar, const char *what)
{
    *bar = (struct bar){.what = what, .visible = isatty(STDERR_FILENO), .per_mille = -1};
    clock_gettime(CLOCK_MONOTONIC, &bar->started);
}

static double bar_seconds(const struct bar *bar)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - bar->started.tv_sec) +
           (double)(now.tv_nsec - bar->started.tv_nsec) * 1e-9;
}

/* Redraws the line when there is something new to see. */
static void bar_show(void *user, double fraction)
{
    static const char full[BAR_COLUMNS + 1] = "########################################";
    struct bar *bar = user;
    const int per_mille = (int)(fraction * 1000.0), columns = (int)(fraction * BAR_COLUMNS);

    if (!bar->visible || per_mille == bar->per_mille)
        return;
    bar->per_mille = per_mille;
    fprintf(stderr, "\r%s [%-*.*s] %5.1f %% %4.0f s", bar->what, BAR_COLUMNS, columns, full,
            fraction * 100.0, bar_seconds(bar));
}

/* Leaves the line clean for what follows. */
static void bar_end(const struct bar *bar)
{
    if (bar->visible && bar->per_mille >= 0)
        fputs("\r\033[K", stderr);
}

/* --- perplexity ------------------------------------------------------------------------------------------------------- */

bool tool_perplexity(const struct command_line *line, struct error *error)
{
    struct settings settings = line->settings; /* borrows its strings */
    struct perplexity result;
    struct engine *engine = NULL;
    struct bar bar;
    size_t bytes;
    char *text = tool_read_input(line->operand, &bytes, error);
    bool done = false;

    if (!text)
        return false;
    if (line->window > 0)
        settings.context_tokens = line->window;
    engine = tool_open_engine(&settings, error);
    if (!engine)
        goto done;

    bar_start(&bar, "perplexity");
    done = perplexity_measure(
        engine, text, bytes,
        &(struct perplexity_options){
            .window = line->window, .stride = line->stride, .on_progress = bar_show, .user = &bar},
        &result, error);
    bar_end(&bar);
    if (done && line->settings.json)
        done =
            tool_print_json(json_pack("{s:f, s:I, s:I, s:i, s:i, s:f}", "perplexity", result.value,
                                      "tokens", (json_int_t)result.tokens, "scored_tokens",
                                      (json_int_t)result.scored, "window", result.window, "stride",
                                      result.stride, "nats_per_token", result.nats_per_token),
                            error);
    else if (done)
        printf(
            "perplexity %.6f (%.6f nats a token), %zu tokens, %zu scored, window %d, stride %d\n",
            result.value, result.nats_per_token, result.tokens, result.scored, result.window,
            result.stride);

done:
    engine_close(engine);
    free(text);
    return done;
}

/* --- compress --------------------------------------------------------------------------------------------------------- */

static json_t *summary_json(const struct command_line *line, const struct compress_summary *summary,
                            double seconds)
{
    return json_pack("{s:s, s:i, s:i, s:i, s:I, s:I, s:f, s:f, s:f}", "directory",
                     line->destination, "compressed_tensors", summary->compressed_count,
                     "exact_tensors", summary->exact_count, "resumed_tensors",
                     summary->resumed_count, "source_bytes", (json_int_t)summary->source_bytes,
                     "bytes", (json_int_t)summary->bytes, "ratio",
                     (double)summary->source_bytes / (double)summary->bytes, "relative_error",
                     summary->relative_error, "seconds", seconds);
}

static void print_summary(const struct command_line *line, const struct compress_summary *summary,
                          double seconds)
{
    printf("%s\n", line->destination);
    printf("compressed tensors  %d", summary->compressed_count);
    if (summary->resumed_count > 0)
        printf(", %d of them fitted by an earlier run", summary->resumed_count);
    printf("\nexact tensors       %d\n", summary->exact_count);
    printf("weights             %lld bytes, were %lld: %.3f x smaller\n", (long long)summary->bytes,
           (long long)summary->source_bytes,
           (double)summary->source_bytes / (double)summary->bytes);
    printf("relative error      %.6f of the compressed matrices\n", summary->relative_error);
    printf("time                %.1f s; sha256 sums are in receipt.json\n", seconds);
}

bool tool_compress(const struct command_line *line, struct error *error)
{
    struct compress_summary summary;
    struct bar bar;

    bar_start(&bar, "compress");
    const bool done = compress_run(&(struct compress_options){.source = line->operand,
                                                              .destination = line->destination,
                                                              .sidecar = line->sidecar,
                                                              .threads = line->settings.threads,
                                                              .on_progress = bar_show,
                                                              .user = &bar},
                                   &summary, error);
    bar_end(&bar);
    if (!done)
        return false;
    if (line->settings.json)
        return tool_print_json(summary_json(line, &summary, bar_seconds(&bar)), error);
    print_summary(line, &summary, bar_seconds(&bar));
    return true;
}
