/* What the encoder writes, read back by a decoder of this file's own: errors against the original encoder's, every form of
 * source, what must be refused, and runs that are interrupted. */
#include "tests/support/test.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "infer/compress.h"
#include "infer/engine.h"
#include "tests/support/checkpoint.h"
#include "tests/support/hxq.h"
#include "tests/support/place.h"

static const char dense[] = PLACE_DENSE, golden[] = "tests/golden/qwen2-tied";
#define Q "model.layers.0.self_attn.q_proj"

static bool compress(const struct place *place, int sidecar, struct compress_summary *summary,
                     struct error *error)
{
    *error = (struct error){0};
    return compress_run(&(struct compress_options){.source = place->source,
                                                   .destination = place->destination,
                                                   .sidecar = sidecar,
                                                   .threads = 2},
                        summary, error);
}

static void compress_or_fail(const struct place *place)
{
    struct compress_summary summary;
    struct error error;

    if (!compress(place, COMPRESS_SIDECAR_DEFAULT, &summary, &error))
        fail_msg("%s", error.text);
}

/* --- what is written -------------------------------------------------------------------------------------------------- */

/* Squared error of a module of a checkpoint against the dense weights. */
static double module_error(struct checkpoint *checkpoint, struct checkpoint *exact,
                           const char *module, size_t *outliers)
{
    const struct edited_tensor *weights = hxq_part(exact, module, ".weight");
    double sum = 0.0;
    size_t count;
    float *numbers = hxq_decode(checkpoint, module, &count, outliers);

    assert_int_equal(2 * count, weights->bytes);
    for (size_t i = 0; i < count; i++) {
        const double difference = (double)numbers[i] - (double)edited_tensor_bf16(weights, i);
        sum += difference * difference;
    }
    free(numbers);
    return sum;
}

static json_t *compressed_modules(const struct checkpoint *checkpoint)
{
    return json_object_get(json_object_get(checkpoint->config, "quantization_config"),
                           "compressed_modules");
}

/* Per module with no more outliers than the original spent on its poorest module. */
static void compressed_error_is_below_the_original_encoders(void **state)
{
    static const int sidecars[] = {14, 37, 512};
    struct compress_summary summary;
    struct checkpoint exact, original, ours;
    struct error error;
    struct place place;
    json_t *module;
    size_t i;

    (void)state;
    checkpoint_read(&exact, dense);
    checkpoint_read(&original, golden);
    for (size_t s = 0; s < sizeof sidecars / sizeof *sidecars; s++) {
        place_make(&place);
        place_fill(&place, NULL, 1);
        assert_true(compress(&place, sidecars[s], &summary, &error));
        checkpoint_read(&ours, place.destination);
        assert_int_equal(json_array_size(compressed_modules(&ours)), 21);
        json_array_foreach(compressed_modules(&original), i, module)
        {
            const char *name = json_string_value(module);
            size_t spent, allowed;
            const double theirs = module_error(&original, &exact, name, &allowed);
            const double error_here = module_error(&ours, &exact, name, &spent);
            assert_true(spent <= (size_t)sidecars[s]);
            if (spent <= allowed && !(error_here < theirs))
                fail_msg("%s, %zu outliers: %g, the original's %zu: %g", name, spent, error_here,
                         allowed, theirs);
        }
        checkpoint_finish(&ours);
        place_remove(&place);
    }
    checkpoint_finish(&exact);
    checkpoint_finish(&original);
}

/* Every index is that of the nearest code, and no number is farther from its code than an outlier. */
static void check_choices(struct checkpoint *ours, const struct edited_tensor *tensor,
                          const char *module)
{
    const struct edited_tensor *codebook = hxq_part(ours, module, ".codebook");
    const struct edited_tensor *indices = hxq_part(ours, module, ".indices");
    double worst = 0.0, least = INFINITY;
    size_t count, outliers;
    float *numbers = hxq_decode(ours, module, &count, &outliers);

    assert_int_equal(indices->shape[0], tensor->shape[0]);
    for (size_t i = 0; i < count; i++) {
        const float value = edited_tensor_bf16(tensor, i);
        double distance = INFINITY;
        int nearest = 0;
        for (int c = 0; c < codebook->shape[0]; c++) {
            float code;
            memcpy(&code, codebook->data + 4 * c, 4);
            if (fabs((double)code - (double)value) < distance) {
                distance = fabs((double)code - (double)value);
                nearest = c;
            }
        }
        assert_int_equal(indices->data[i], nearest);
        if (numbers[i] == value && distance > 0.0)
            least = fmin(least, distance);
        else
            worst = fmax(worst, distance);
    }
    assert_in_range(outliers, 1, count / 500);
    assert_true(worst <= least);
    free(numbers);
}

/* All that is not compressed is the source's. */
static void compressed_checkpoint_is_complete_and_loads(void **state)
{
    struct checkpoint exact, ours;
    struct error error = {0};
    struct place place;

    (void)state;
    place_make(&place);
    place_fill(&place, NULL, 1);
    FILE *settings = fopen(path_in(place.source, "generation_config.json"), "w");
    assert_non_null(settings);
    fclose(settings);
    compress_or_fail(&place);
    assert_int_equal(access(place.partial, F_OK), -1);
    assert_int_equal(access(path_in(place.destination, "generation_config.json"), F_OK), 0);
    assert_int_equal(access(path_in(place.destination, "fits"), F_OK), -1);

    checkpoint_read(&exact, dense);
    checkpoint_read(&ours, place.destination);
    for (size_t t = 0; t < exact.count; t++) {
        const struct edited_tensor *tensor = &exact.tensors[t];
        if (checkpoint_has(&ours, tensor->name)) {
            const struct edited_tensor *copy = checkpoint_find(&ours, tensor->name);
            assert_string_equal(copy->dtype, tensor->dtype);
            assert_int_equal(copy->bytes, tensor->bytes);
            assert_memory_equal(copy->data, tensor->data, tensor->bytes);
            continue;
        }
        char module[256];
        snprintf(module, sizeof module, "%.*s", (int)(strlen(tensor->name) - 7), tensor->name);
        check_choices(&ours, tensor, module);
    }
    checkpoint_finish(&exact);
    checkpoint_finish(&ours);

    struct engine *engine =
        engine_open(&(struct engine_options){.model = place.destination}, &error);
    assert_string_equal(error.text, "");
    engine_close(engine);
    place_remove(&place);
}

static void receipt_holds_what_sha256sum_says(void **state)
{
    char command[256], digest[65] = "";
    struct place place;
    const char *name;
    json_t *file;

    (void)state;
    place_make(&place);
    place_fill(&place, NULL, 1);
    compress_or_fail(&place);
    json_t *receipt = json_load_file(path_in(place.destination, "receipt.json"), 0, NULL);
    json_t *files = json_object_get(receipt, "files");
    assert_int_equal(json_object_size(files), 2);
    json_object_foreach(files, name, file)
    {
        snprintf(command, sizeof command, "sha256sum %s/%s", place.destination, name);
        FILE *pipe = popen(command, "r");
        assert_non_null(pipe);
        assert_int_equal(fread(digest, 1, 64, pipe), 64);
        pclose(pipe);
        assert_string_equal(json_string_value(json_object_get(file, "sha256")), digest);
    }
    json_decref(receipt);
    place_remove(&place);
}

/* --- forms of source -------------------------------------------------------------------------------------------------- */

static void widen(struct checkpoint *c)
{
    for (size_t t = 0; t < c->count; t++) {
        struct edited_tensor *tensor = &c->tensors[t];
        unsigned char *wide = calloc(tensor->bytes, 2);
        assert_non_null(wide);
        for (size_t i = 0; i < tensor->bytes / 2; i++)
            memcpy(wide + 4 * i + 2, tensor->data + 2 * i, 2);
        free(tensor->data);
        tensor->data = wide;
        tensor->bytes *= 2;
        strcpy(tensor->dtype, "F32");
    }
}

static void same_modules(const char *left, const char *right)
{
    struct checkpoint a, b;
    json_t *module;
    size_t i;

    checkpoint_read(&a, left);
    checkpoint_read(&b, right);
    json_array_foreach(compressed_modules(&a), i, module)
    {
        static const char *const suffixes[] = {".codebook", ".indices", ".sidecar_positions",
                                               ".sidecar_values"};
        for (size_t s = 0; s < 4; s++) {
            const struct edited_tensor *x = hxq_part(&a, json_string_value(module), suffixes[s]);
            const struct edited_tensor *y = hxq_part(&b, json_string_value(module), suffixes[s]);
            assert_int_equal(x->bytes, y->bytes);
            assert_memory_equal(x->data, y->data, x->bytes);
        }
    }
    checkpoint_finish(&a);
    checkpoint_finish(&b);
}

static void same_numbers_in_other_files_give_the_same_modules(void **state)
{
    static const struct {
        void (*edit)(struct checkpoint *checkpoint);
        int shards;
    } cases[] = {{NULL, 3}, {widen, 1}};
    struct place plain, other;

    (void)state;
    place_make(&plain);
    place_fill(&plain, NULL, 1);
    compress_or_fail(&plain);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        place_make(&other);
        place_fill(&other, cases[i].edit, cases[i].shards);
        compress_or_fail(&other);
        same_modules(plain.destination, other.destination);
        place_remove(&other);
    }
    place_remove(&plain);
}

static void set_numbers(struct checkpoint *c, int distinct)
{
    struct edited_tensor *tensor = checkpoint_find(c, Q ".weight");

    for (size_t i = 0; i < tensor->bytes / 2; i++) {
        const uint16_t pattern = (uint16_t)(0x3c00 + (int)(i % (size_t)distinct));
        memcpy(tensor->data + 2 * i, &pattern, 2);
    }
}

static void make_constant(struct checkpoint *c)
{
    set_numbers(c, 1);
}

static void make_seven(struct checkpoint *c)
{
    set_numbers(c, 7);
}

static void make_256(struct checkpoint *c)
{
    set_numbers(c, 256);
}

static void make_signed_zeros(struct checkpoint *c)
{
    struct edited_tensor *tensor = checkpoint_find(c, Q ".weight");

    for (size_t i = 0; i < tensor->bytes; i++)
        tensor->data[i] = i % 4 == 1 ? 0x80 : 0;
}

static void make_seven_wide(struct checkpoint *c)
{
    make_seven(c);
    widen(c);
}

static void few_values_are_kept_exactly(void **state)
{
    static const struct {
        void (*edit)(struct checkpoint *checkpoint);
        int codes;
    } cases[] = {{make_constant, 1},
                 {make_seven, 7},
                 {make_seven_wide, 7},
                 {make_256, 256},
                 {make_signed_zeros, 1}};
    struct checkpoint ours;
    struct place place;
    size_t count, outliers;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        place_make(&place);
        place_fill(&place, cases[i].edit, 1);
        compress_or_fail(&place);
        checkpoint_read(&ours, place.destination);
        assert_int_equal(hxq_part(&ours, Q, ".codebook")->shape[0], cases[i].codes);
        float *numbers = hxq_decode(&ours, Q, &count, &outliers);
        assert_int_equal(outliers, 0);
        for (size_t n = 0; n < count && cases[i].codes > 1; n++) {
            const uint32_t pattern = (uint32_t)(0x3c00 + (int)(n % (size_t)cases[i].codes)) << 16;
            assert_memory_equal(&numbers[n], &pattern, 4);
        }
        free(numbers);
        checkpoint_finish(&ours);
        place_remove(&place);
    }
}

/* --- refusals --------------------------------------------------------------------------------------------------------- */

static void spoil(struct checkpoint *c, const char *name, uint16_t pattern)
{
    memcpy(checkpoint_find(c, name)->data + 100, &pattern, 2);
}

static void spoil_matrix(struct checkpoint *c)
{
    spoil(c, Q ".weight", 0x7fc0);
}

static void spoil_wide(struct checkpoint *c)
{
    spoil(c, Q ".weight", 0xff80);
    widen(c);
}

static void spoil_norm(struct checkpoint *c)
{
    spoil(c, "model.norm.weight", 0x7f80);
}

static void quantize(struct checkpoint *c)
{
    json_object_set_new(c->config, "quantization_config", json_object());
}

static void add_codebook(struct checkpoint *c)
{
    struct edited_tensor *tensor = checkpoint_find(c, "model.norm.weight");

    free(tensor->name);
    tensor->name = strdup("model.norm.codebook");
}

static void leave_norms(struct checkpoint *c)
{
    for (size_t i = c->count; i-- > 0;)
        if (!strstr(c->tensors[i].name, "norm"))
            checkpoint_remove(c, c->tensors[i].name);
}

static void source_that_cannot_be_compressed_is_refused_by_name(void **state)
{
    static const struct {
        void (*edit)(struct checkpoint *checkpoint);
        const char *complaint;
    } cases[] = {
        {spoil_matrix, "tensor " Q ".weight: holds a number that is not finite"},
        {spoil_wide, "tensor " Q ".weight: holds a number that is not finite"},
        {spoil_norm, "tensor model.norm.weight: holds a number that is not finite"},
        {quantize, "config.json: quantization_config"},
        {add_codebook, "tensor model.norm.codebook: the checkpoint is in HXQ form already"},
        {leave_norms, "holds no matrix"},
    };
    struct compress_summary summary;
    struct error error;
    struct place place;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        place_make(&place);
        place_fill(&place, cases[i].edit, 1);
        assert_false(compress(&place, 512, &summary, &error));
        if (!strstr(error.text, cases[i].complaint))
            fail_msg("expected \"%s\", got \"%s\"", cases[i].complaint, error.text);
        assert_int_equal(access(place.destination, F_OK), -1);
        place_remove(&place);
    }
}

static void destination_that_is_not_empty_is_left_alone(void **state)
{
    struct compress_summary summary;
    struct error error;
    struct place place;

    (void)state;
    place_make(&place);
    place_fill(&place, NULL, 1);
    assert_int_equal(mkdir(place.destination, 0777), 0);
    fclose(fopen(path_in(place.destination, "mine"), "w"));
    assert_false(compress(&place, 512, &summary, &error));
    assert_non_null(strstr(error.text, "/out: exists and is not empty"));
    assert_int_equal(unlink(path_in(place.destination, "mine")), 0);
    compress_or_fail(&place);
    place_remove(&place);
}

/* --- interruptions ---------------------------------------------------------------------------------------------------- */

static void kill_at(void *user, double fraction)
{
    if (fraction >= *(const double *)user)
        kill(getpid(), SIGKILL);
}

/* Runs in a child that dies when the given part is done, or whose files may grow to so many bytes. */
static void run_interrupted(const struct place *place, double part_done, rlim_t file_bytes,
                            const char *complaint)
{
    const pid_t child = fork();
    int status;

    if (child == 0) {
        struct compress_summary summary;
        struct error error = {0};
        const struct compress_options options = {
            .source = place->source,
            .destination = place->destination,
            .sidecar = COMPRESS_SIDECAR_DEFAULT,
            .threads = 2,
            .on_progress = kill_at,
            .user = &part_done,
        };
        signal(SIGXFSZ, SIG_IGN);
        if (file_bytes != RLIM_INFINITY)
            setrlimit(RLIMIT_FSIZE, &(struct rlimit){file_bytes, file_bytes});
        const bool done = compress_run(&options, &summary, &error);
        _exit(!done && complaint && strstr(error.text, complaint) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (complaint)
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    else
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void assert_does_not_load(const char *directory)
{
    struct error error = {0};

    assert_null(engine_open(&(struct engine_options){.model = directory}, &error));
    assert_int_not_equal(error.code, ERROR_NONE);
}

static void same_files(const char *left, const char *right, const char *name)
{
    char command[256];

    snprintf(command, sizeof command, "cmp -s %s/%s %s/%s", left, name, right, name);
    assert_int_equal(system(command), 0);
}

static void interrupted_run_leaves_nothing_that_loads_and_goes_on(void **state)
{
    static const struct {
        double part_done;
        rlim_t file_bytes;
        const char *complaint;
    } cases[] = {
        {0.01, RLIM_INFINITY, NULL},
        {0.3, RLIM_INFINITY, NULL},
        {0.6, RLIM_INFINITY, NULL},
        {0.95, RLIM_INFINITY, NULL},
        {2.0, 4000, "out.partial/fits: cannot write: File too large"},
        {2.0, 500000, "out.partial/model.safetensors.partial: cannot grow: File too large"},
    };
    struct place whole, place;

    (void)state;
    place_make(&whole);
    place_fill(&whole, NULL, 1);
    compress_or_fail(&whole);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        place_make(&place);
        place_fill(&place, NULL, 1);
        run_interrupted(&place, cases[i].part_done, cases[i].file_bytes, cases[i].complaint);
        assert_int_equal(access(place.destination, F_OK), -1);
        assert_does_not_load(place.destination);
        assert_does_not_load(place.partial);
        fclose(fopen(path_in(place.partial, "stale"), "w"));
        compress_or_fail(&place);
        assert_int_equal(access(path_in(place.destination, "stale"), F_OK), -1);
        same_files(whole.destination, place.destination, "model.safetensors");
        same_files(whole.destination, place.destination, "config.json");
        same_files(whole.destination, place.destination, "receipt.json");
        place_remove(&place);
    }
    place_remove(&whole);
}

static void fits_of_an_interrupted_run_are_used_if_they_still_fit(void **state)
{
    struct compress_summary summary;
    struct error error;
    struct place place;

    (void)state;
    for (int damaged = 0; damaged < 3; damaged++) {
        place_make(&place);
        place_fill(&place, NULL, 1);
        run_interrupted(&place, 0.6, RLIM_INFINITY, NULL);
        const char *fits = path_in(place.partial, "fits");
        struct stat status;
        assert_int_equal(stat(fits, &status), 0);
        if (damaged == 1)
            assert_int_equal(truncate(fits, status.st_size - 5), 0);
        assert_true(
            compress(&place, damaged == 2 ? 7 : COMPRESS_SIDECAR_DEFAULT, &summary, &error));
        assert_int_equal(summary.resumed_count, damaged == 0 ? 21 : damaged == 1 ? 20 : 0);
        place_remove(&place);
    }
}

/* Shortens the source of a place once the first pass is done. */
static void shorten(void *user, double part_done)
{
    const struct place *place = user;

    if (part_done > 0.5)
        assert_int_equal(truncate(path_in(place->source, "model.safetensors"), 4096), 0);
}

static void source_that_becomes_shorter_is_an_error(void **state)
{
    struct compress_summary summary;
    struct error error = {0};
    struct place place;

    (void)state;
    place_make(&place);
    place_fill(&place, NULL, 1);
    const struct compress_options options = {
        .source = place.source,
        .destination = place.destination,
        .threads = 1,
        .on_progress = shorten,
        .user = &place,
    };
    assert_false(compress_run(&options, &summary, &error));
    assert_non_null(strstr(error.text, "model.safetensors: became shorter while it was read"));
    assert_int_equal(access(place.destination, F_OK), -1);
    place_remove(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compressed_error_is_below_the_original_encoders),
        cmocka_unit_test(compressed_checkpoint_is_complete_and_loads),
        cmocka_unit_test(receipt_holds_what_sha256sum_says),
        cmocka_unit_test(same_numbers_in_other_files_give_the_same_modules),
        cmocka_unit_test(few_values_are_kept_exactly),
        cmocka_unit_test(source_that_cannot_be_compressed_is_refused_by_name),
        cmocka_unit_test(destination_that_is_not_empty_is_left_alone),
        cmocka_unit_test(interrupted_run_leaves_nothing_that_loads_and_goes_on),
        cmocka_unit_test(fits_of_an_interrupted_run_are_used_if_they_still_fit),
        cmocka_unit_test(source_that_becomes_shorter_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
