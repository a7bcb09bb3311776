/* The tools that look before anything is computed: what a checkpoint holds, what this machine would do with it, and what a
 * card that is not here would. All three tell of a GPU's memory with the same lines. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer/inspect.h"
#include "infer/placement.h"
#include "lsp/context.h"
#include "lsp/tools.h"
#include "lsp/tools/tool_io.h"

/* --- memory of a GPU -------------------------------------------------------------------------------------------------- */

static double mib(int64_t bytes)
{
    return (double)bytes / (double)(1 << 20);
}

static json_t *need_json(const struct placement_need *need)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "matrices",
                     (json_int_t)need->weights.matrices, "sidecars",
                     (json_int_t)need->weights.sidecars, "head", (json_int_t)need->weights.head,
                     "vectors", (json_int_t)need->weights.vectors, "cache", (json_int_t)need->cache,
                     "scratch", (json_int_t)need->scratch, "driver", (json_int_t)need->driver,
                     "total", (json_int_t)need->total);
}

/* The plan as an object; null where there is no GPU to plan for. `refusal` NULL: the placement stands. */
static json_t *placement_json(const struct placement *placement, const char *refusal)
{
    const struct placement_device *device = &placement->device;

    if (!placement->is_weighed)
        return json_null();
    return json_pack("{s:s, s:b, s:I, s:I, s:i, s:o, s:b, s:s, s:i, s:I, s:s}", "name",
                     device->name, "supposed", device->is_supposed, "total_bytes",
                     (json_int_t)device->total_bytes, "available_bytes",
                     (json_int_t)device->available_bytes, "asked_context_tokens",
                     placement->asked_tokens, "needed_bytes", need_json(&placement->need), "fits",
                     placement->need.total <= device->available_bytes, "device",
                     refusal             ? "none"
                     : placement->on_gpu ? "cuda"
                                         : "cpu",
                     "context_tokens", placement->context_tokens, "bytes",
                     (json_int_t)(placement->on_gpu ? placement->chosen.total : 0), "reason",
                     refusal ? refusal : placement->reason);
}

/* The plan in lines that begin with `margin` blanks; nothing where there is no GPU to plan for. */
static void print_placement(const struct placement *placement, const char *refusal, int margin)
{
    const struct placement_need *need = &placement->need;
    const struct {
        const char *what, *of;
        int64_t bytes;
    } rows[] = {
        {"matrices", "indices and codebooks", need->weights.matrices},
        {"sidecars", "exact outliers", need->weights.sidecars},
        {"head", "embedding and output head", need->weights.head},
        {"vectors", "norms and biases", need->weights.vectors},
        {"cache", "keys and values", need->cache},
        {"scratch", "activations, angles, workspace", need->scratch},
        {"driver", placement->device.is_supposed ? "supposed" : "has its share already",
         need->driver},
    };

    if (!placement->is_weighed)
        return;
    printf("%*smemory of %s for a context of %d tokens\n", margin, "", placement->device.name,
           placement->asked_tokens);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        printf("%*s  %-10s %9.1f MiB  %s\n", margin, "", rows[i].what, mib(rows[i].bytes),
               rows[i].of);
    printf("%*s  %-10s %9.1f MiB  of %.1f MiB that are available: %s\n", margin, "", "total",
           mib(need->total), mib(placement->device.available_bytes),
           need->total <= placement->device.available_bytes ? "fits" : "does not fit");
    if (refusal)
        printf("%*s  refused: %s\n", margin, "", refusal);
    else
        printf("%*s  computes on %s, context %d (%s)\n", margin, "",
               placement->on_gpu ? "the GPU" : "the CPU", placement->context_tokens,
               placement->reason);
}

/* --- inspect ---------------------------------------------------------------------------------------------------------- */

static void print_shape(char *out, size_t size, const struct inspected_module *module)
{
    size_t at = 0;

    out[0] = '\0';
    for (int i = 0; i < module->rank && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, i ? " x %lld" : "%lld",
                               (long long)module->shape[i]);
}

static void print_inspection(const char *directory, const struct inspection *inspection)
{
    struct inspection_totals totals;
    char shape[200];

    printf("%-48s %-8s %-16s %6s %8s %12s\n", "module", "storage", "shape", "codes", "sidecar",
           "bytes");
    for (int i = 0; i < inspection_count(inspection); i++) {
        const struct inspected_module *module = inspection_at(inspection, i);
        print_shape(shape, sizeof shape, module);
        printf("%-48s %-8s %-16s %6d %8lld %12lld\n", module->name, module->storage, shape,
               module->codebook_size, (long long)module->sidecar_count, (long long)module->bytes);
    }
    inspection_total(inspection, &totals);
    printf("\n%s\n", directory);
    printf("compressed tensors  %d, %lld bytes\n", totals.compressed_count,
           (long long)totals.compressed_bytes);
    printf("exact tensors       %d, %lld bytes\n", totals.exact_count,
           (long long)totals.exact_bytes);
    printf("numbers             %lld\n", (long long)totals.numbers);
    printf("files               %lld bytes, %.3f x smaller than 16 bits a number\n",
           (long long)totals.file_bytes, (double)totals.dense_bytes / (double)totals.file_bytes);
}

/* `plan` is stolen; NULL: none was asked for. */
static json_t *inspection_json(const char *directory, const struct inspection *inspection,
                               json_t *plan)
{
    struct inspection_totals totals;
    json_t *modules = json_array();

    for (int i = 0; i < inspection_count(inspection); i++) {
        const struct inspected_module *module = inspection_at(inspection, i);
        json_t *shape = json_array();
        for (int d = 0; d < module->rank; d++)
            json_array_append_new(shape, json_integer(module->shape[d]));
        json_array_append_new(modules, json_pack("{s:s, s:s, s:o, s:i, s:I, s:I}", "name",
                                                 module->name, "storage", module->storage, "shape",
                                                 shape, "codebook_size", module->codebook_size,
                                                 "sidecar", (json_int_t)module->sidecar_count,
                                                 "bytes", (json_int_t)module->bytes));
    }
    inspection_total(inspection, &totals);
    return json_pack("{s:s, s:o, s:i, s:i, s:I, s:I, s:I, s:I, s:f, s:o*}", "directory", directory,
                     "modules", modules, "compressed_tensors", totals.compressed_count,
                     "exact_tensors", totals.exact_count, "numbers", (json_int_t)totals.numbers,
                     "compressed_bytes", (json_int_t)totals.compressed_bytes, "exact_bytes",
                     (json_int_t)totals.exact_bytes, "file_bytes", (json_int_t)totals.file_bytes,
                     "ratio", (double)totals.dense_bytes / (double)totals.file_bytes, "gpu", plan);
}

/* Whether a plan for a GPU's memory is wanted. */
static bool wants_plan(const struct settings *settings)
{
    return settings->device == ENGINE_DEVICE_CUDA || settings->gpu_memory_bytes > 0;
}

/* Plans for a card of the size that was given, else for this machine's. False with an error where there is none to plan for, or
 * the checkpoint cannot be weighed; a card that is too small is an answer, with the reason in `refusal`. */
static bool plan(const char *directory, const struct settings *settings,
                 struct placement *placement, struct error *refusal, struct error *error)
{
    const struct engine_options options = {
        .model = directory,
        .device = settings->device,
        .context_tokens = settings->context_tokens,
        .gpu_memory_bytes = settings->gpu_memory_bytes,
        .no_fallback = !settings->gpu_fallback,
    };

    if (placement_find(placement, &options, settings->gpu_memory_bytes > 0, refusal) ||
        placement->is_weighed)
        return true;
    return error_set(error, refusal->code, "%s%s", refusal->text,
                     refusal->code == ERROR_DEVICE
                         ? "; for a card that is not here, give its size: --gpu-memory 4G"
                         : "");
}

bool tool_inspect(const struct command_line *line, struct error *error)
{
    const bool planned = wants_plan(&line->settings);
    struct placement placement = {0};
    struct error refusal = {0};
    char *directory =
        line->operand ? strdup(line->operand) : settings_model_path(&line->settings, error);
    struct inspection *inspection = directory ? inspection_open(directory, error) : NULL;
    bool done = inspection != NULL;

    if (inspection && planned)
        done = plan(directory, &line->settings, &placement, &refusal, error);
    const char *refused = refusal.code != ERROR_NONE ? refusal.text : NULL;
    if (done && line->settings.json)
        done =
            tool_print_json(inspection_json(directory, inspection,
                                            planned ? placement_json(&placement, refused) : NULL),
                            error);
    else if (done) {
        print_inspection(directory, inspection);
        if (planned)
            putchar('\n');
        print_placement(&placement, refused, 0);
    }
    inspection_close(inspection);
    free(directory);
    return done;
}

/* --- doctor ----------------------------------------------------------------------------------------------------------- */

static const char *model_reason(const struct settings *settings)
{
    return settings->model ? "from --model or $HXQD_MODEL" : "the built-in default model";
}

static json_t *grammar_names(void)
{
    json_t *names = json_array();

    for (size_t i = 0; i < language_count(); i++)
        json_array_append_new(names, json_string(language_name(language_at(i))));
    return names;
}

static bool doctor_json(const struct settings *settings, const struct engine *engine,
                        const struct engine_info *info, struct error *error)
{
    return tool_print_json(
        json_pack(
            "{s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:s, s:I, s:I, s:i, s:b, s:b, s:f, s:o, s:o}",
            "version", HXQD_VERSION, "device", info->device, "device_reason", info->device_reason,
            "hardware", info->hardware, "isa", info->isa, "threads", info->threads, "model",
            info->model, "model_reason", model_reason(settings), "architecture", info->architecture,
            "parameters", (json_int_t)info->parameters, "weight_bytes",
            (json_int_t)info->weight_bytes, "context_tokens", info->context_tokens, "tokenizer",
            info->has_tokenizer, "fill_in_the_middle", info->has_fim, "load_ms", info->load_ms,
            "grammars", grammar_names(), "gpu", placement_json(engine_placement(engine), NULL)),
        error);
}

/* What the kernels were asked to be, where that is not to be had. */
static void print_isa_wanted(const char *isa)
{
    const char *wanted = getenv("HXQD_ISA");

    if (wanted && *wanted && strcmp(wanted, isa) != 0)
        printf(" (HXQD_ISA asks for %s, which is not to be had here)", wanted);
}

static void doctor_text(const struct settings *settings, const struct engine *engine,
                        const struct engine_info *info)
{
    printf("hxqd " HXQD_VERSION "\n");
    printf("device     %s (%s)\n", info->device, info->device_reason);
    print_placement(engine_placement(engine), NULL, 11);
    printf("kernels    %s", info->isa);
    if (info->threads > 0)
        printf(", %d threads", info->threads);
    print_isa_wanted(info->isa);
    putchar('\n');
    printf("model      %s (%s)\n", info->model, model_reason(settings));
    printf("           %s, %d layers, %.1f M parameters, %.1f MB of weights, loaded in %.0f ms\n",
           info->architecture, info->layers, (double)info->parameters * 1e-6,
           (double)info->weight_bytes * 1e-6, info->load_ms);
    printf("context    %d tokens\n", info->context_tokens);
    printf("tokenizer  %s\n",
           info->has_tokenizer ? "tokenizer.json" : "MISSING: no text without it");
    printf("fill       %s\n", info->has_fim ? "fill-in-the-middle markers found"
                                            : "NO fill-in-the-middle markers: cannot complete");
    printf("grammars  ");
    for (size_t i = 0; i < language_count(); i++)
        printf(" %s", language_name(language_at(i)));
    printf("; other files are completed as plain text\n");
}

bool tool_doctor(const struct command_line *line, struct error *error)
{
    struct engine *engine = tool_open_engine(&line->settings, error);
    struct engine_info info;
    bool done = engine != NULL;

    if (!engine)
        return false;
    engine_describe(engine, &info);
    if (line->settings.json)
        done = doctor_json(&line->settings, engine, &info, error);
    else
        doctor_text(&line->settings, engine, &info);
    engine_close(engine);
    return done;
}
