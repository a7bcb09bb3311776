/* Logits and greedy tokens of the golden checkpoints against Hugging Face transformers in float32, and proof that the
 * comparison sees the faults that published loaders of this format had: no sidecar, one wrong index, a default theta. */
#include "tests/support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer/engine.h"
#include "infer/model.h"
#include "infer/sample.h"
#include "infer/session.h"
#include "tests/support/checkpoint.h"

/* Where the engine computes: the word that the program was given. */
static enum engine_device device = ENGINE_DEVICE_CPU;

/* 16-bit products are measured, not judged by the contract of exact ones. */
static bool is_exact = true;
static double tolerance = 1e-4; /* of the largest logit */
static const double fast_tolerance =
    4e-3; /* twice what was measured; the least fault makes ten times as much */

enum { GREEDY = 24, TOKENS_MAX = 256 };

static const char *const names[] = {"qwen2-tied", "qwen2-untied"};

static const char *golden_directory(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "tests/golden/%s", name);
    return path;
}

static size_t read_tokens(const char *directory, const char *key, int32_t tokens[TOKENS_MAX])
{
    json_t *golden = json_load_file(path_in(directory, "golden.json"), 0, NULL);
    const json_t *list = json_object_get(golden, key);
    const size_t count = json_array_size(list);

    assert_in_range(count, 1, TOKENS_MAX);
    for (size_t i = 0; i < count; i++)
        tokens[i] = (int32_t)json_integer_value(json_array_get(list, i));
    json_decref(golden);
    return count;
}

/* Walks the reference row by row and keeps the largest difference. */
struct comparison {
    FILE *reference;
    int vocab;
    size_t rows;
    double worst, scale;
};

static bool compare_row(void *user, const float *logits)
{
    struct comparison *comparison = user;

    for (int i = 0; i < comparison->vocab; i++) {
        float expected;
        assert_int_equal(fread(&expected, sizeof expected, 1, comparison->reference), 1);
        const double difference = fabs((double)logits[i] - (double)expected);
        /* written so that NaN counts as worst */
        if (!(difference <= comparison->worst))
            comparison->worst = isnan(difference) ? INFINITY : difference;
        comparison->scale = fmax(comparison->scale, fabs((double)expected));
    }
    comparison->rows++;
    return true;
}

/* Largest difference of a checkpoint's logits from the reference of `name`, relative to the reference's scale. */
static double logits_difference(const char *directory, const char *name)
{
    struct error error = {0};
    struct engine_info info;
    int32_t tokens[TOKENS_MAX];
    const size_t count = read_tokens(golden_directory(name), "tokens", tokens);
    struct engine *engine = engine_open(
        &(struct engine_options){.model = directory, .device = device, .exact = is_exact}, &error);

    assert_string_equal(error.text, "");
    assert_non_null(engine);
    engine_describe(engine, &info);
    struct comparison comparison = {
        .reference = fopen(path_in(golden_directory(name), "logits.f32"), "rb"),
        .vocab = info.vocab_size,
    };
    assert_non_null(comparison.reference);
    assert_true(engine_logits(engine, tokens, count, NULL, compare_row, &comparison, &error));
    assert_int_equal(comparison.rows, count);
    assert_int_equal(fgetc(comparison.reference), EOF);

    fclose(comparison.reference);
    engine_close(engine);
    return comparison.worst / comparison.scale;
}

static void logits_of_golden_checkpoints_equal_the_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const double difference = logits_difference(golden_directory(names[i]), names[i]);
        print_message("%s: largest difference %.2g of the logits' scale\n", names[i], difference);
        assert_true(difference <= tolerance);
    }
}

static void greedy_tokens_of_golden_checkpoints_equal_the_reference(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int32_t tokens[TOKENS_MAX], expected[TOKENS_MAX];
        size_t count = read_tokens(golden_directory(names[i]), "tokens", tokens);
        assert_int_equal(read_tokens(golden_directory(names[i]), "greedy_24", expected), GREEDY);

        struct error error = {0};
        char problem[BACKEND_PROBLEM_BYTES];
        struct backend *backend = device == ENGINE_DEVICE_CUDA
                                      ? cuda_backend_create(true, 0, problem)
                                      : cpu_backend_create(0, true);
        assert_non_null(backend);
        struct model *model = model_load(golden_directory(names[i]),
                                         &(struct model_options){.backend = backend}, &error);
        assert_non_null(model);
        struct session *session = session_create(model, TOKENS_MAX, &error);

        for (int step = 0; step < GREEDY; step++) {
            float log_probability;
            int32_t id;
            assert_true(session_sync(model, session, tokens, count, NULL, NULL, &error));
            assert_true(session_likeliest(model, session, count, model->config.vocab_size, &id,
                                          &log_probability, &error));
            const float *logits = session_logits(model, session, &error);
            assert_int_equal(id, sampler_largest(logits, model->config.vocab_size));
            const float sum = sampler_log_sum(logits, model->config.vocab_size);
            assert_true(fabsf(log_probability - (logits[id] - sum)) < 1e-5f);
            tokens[count++] = id;
        }
        assert_memory_equal(tokens + count - GREEDY, expected, GREEDY * sizeof *expected);

        session_destroy(model, session);
        model_destroy(model);
    }
}

/* The same numbers, stored differently. */
static void logits_of_a_sharded_checkpoint_equal_the_reference(void **state)
{
    struct checkpoint checkpoint;
    char directory[64];

    (void)state;
    scratch_create(directory);
    checkpoint_read(&checkpoint, golden_directory(names[1]));
    checkpoint_write(&checkpoint, directory, 3);
    assert_true(logits_difference(directory, names[1]) <= tolerance);
    checkpoint_finish(&checkpoint);
    scratch_remove(directory);
}

/* Replaces M.codebook, .indices, .sidecar_* by the float32 matrix that they stand for. */
static void expand_module(struct checkpoint *checkpoint, const char *module)
{
    char name[256];

#define PART(part) (snprintf(name, sizeof name, "%s" part, module), name)
    const struct edited_tensor codebook = *checkpoint_find(checkpoint, PART(".codebook"));
    const struct edited_tensor positions = *checkpoint_find(checkpoint, PART(".sidecar_positions"));
    const struct edited_tensor values = *checkpoint_find(checkpoint, PART(".sidecar_values"));
    struct edited_tensor *indices = checkpoint_find(checkpoint, PART(".indices"));
    float *dense = malloc(indices->bytes * sizeof *dense);

    for (size_t i = 0; i < indices->bytes; i++)
        dense[i] = ((const float *)codebook.data)[indices->data[i]];
    for (int64_t i = 0; i < positions.shape[0]; i++)
        dense[((const int64_t *)positions.data)[i]] = ((const float *)values.data)[i];

    free(indices->name);
    free(indices->data);
    indices->name = strdup(PART(".weight"));
    strcpy(indices->dtype, "F32");
    indices->data = (unsigned char *)dense;
    indices->bytes *= sizeof *dense;
    checkpoint_remove(checkpoint, PART(".codebook"));
    checkpoint_remove(checkpoint, PART(".sidecar_positions"));
    checkpoint_remove(checkpoint, PART(".sidecar_values"));
#undef PART
}

static void logits_of_an_expanded_dense_checkpoint_equal_the_reference(void **state)
{
    struct checkpoint checkpoint;
    char directory[64];

    (void)state;
    scratch_create(directory);
    checkpoint_read(&checkpoint, golden_directory(names[0]));
    const json_t *modules = json_object_get(
        json_object_get(checkpoint.config, "quantization_config"), "compressed_modules");
    for (size_t i = 0; i < json_array_size(modules); i++)
        expand_module(&checkpoint, json_string_value(json_array_get(modules, i)));
    json_object_del(checkpoint.config, "quantization_config");
    checkpoint_write(&checkpoint, directory, 1);
    assert_true(logits_difference(directory, names[0]) <= tolerance);
    checkpoint_finish(&checkpoint);
    scratch_remove(directory);
}

/* --- faults that the comparison must see ------------------------------------------------------------------------------ */

static void drop_sidecar(struct checkpoint *checkpoint)
{
    checkpoint_remove(checkpoint, "model.layers.1.mlp.down_proj.sidecar_positions");
    checkpoint_remove(checkpoint, "model.layers.1.mlp.down_proj.sidecar_values");
}

/* Exchanges the smallest and the largest index of one matrix' first row. */
static void swap_index(struct checkpoint *checkpoint)
{
    unsigned char *row =
        checkpoint_find(checkpoint, "model.layers.0.self_attn.v_proj.indices")->data;
    size_t least = 0, most = 0;

    for (size_t i = 0; i < 128; i++) {
        least = row[i] < row[least] ? i : least;
        most = row[i] > row[most] ? i : most;
    }
    const unsigned char held = row[least];
    row[least] = row[most];
    row[most] = held;
}

static void set_default_theta(struct checkpoint *checkpoint)
{
    json_t *nested = json_object_get(checkpoint->config, "rope_parameters");

    json_object_set_new(nested ? nested : checkpoint->config, "rope_theta", json_real(10000.0));
}

static void comparison_of_a_broken_checkpoint_fails(void **state)
{
    static const struct {
        const char *fault;
        void (*plant)(struct checkpoint *checkpoint);
    } faults[] = {
        {"sidecar dropped", drop_sidecar},
        {"one index swapped", swap_index},
        {"theta wrong", set_default_theta},
    };

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t f = 0; f < sizeof faults / sizeof *faults; f++) {
            struct checkpoint checkpoint;
            char directory[64];
            scratch_create(directory);
            checkpoint_read(&checkpoint, golden_directory(names[i]));
            faults[f].plant(&checkpoint);
            checkpoint_write(&checkpoint, directory, 1);
            const double difference = logits_difference(directory, names[i]);
            print_message("%s, %s: %.2g\n", names[i], faults[f].fault, difference);
            assert_true(difference > tolerance);
            checkpoint_finish(&checkpoint);
            scratch_remove(directory);
        }
}

/* golden [cpu|cuda] [brief|fast]: brief leaves out what does not depend on the device, fast takes 16-bit products. */
int main(int argc, char **argv)
{
    const char *mode = argc > 2 ? argv[2] : "";

    if (argc > 1 && strcmp(argv[1], "cuda") == 0)
        device = ENGINE_DEVICE_CUDA;
    if (strcmp(mode, "fast") == 0) {
        is_exact = false;
        tolerance = fast_tolerance;
    }

    const struct CMUnitTest fast[] = {
        cmocka_unit_test(logits_of_golden_checkpoints_equal_the_reference),
    };
    const struct CMUnitTest brief[] = {
        cmocka_unit_test(logits_of_golden_checkpoints_equal_the_reference),
        cmocka_unit_test(greedy_tokens_of_golden_checkpoints_equal_the_reference),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logits_of_golden_checkpoints_equal_the_reference),
        cmocka_unit_test(greedy_tokens_of_golden_checkpoints_equal_the_reference),
        cmocka_unit_test(logits_of_a_sharded_checkpoint_equal_the_reference),
        cmocka_unit_test(logits_of_an_expanded_dense_checkpoint_equal_the_reference),
        cmocka_unit_test(comparison_of_a_broken_checkpoint_fails),
    };
    if (!is_exact)
        return cmocka_run_group_tests(fast, NULL, NULL);
    return strcmp(mode, "brief") == 0 ? cmocka_run_group_tests(brief, NULL, NULL)
                                      : cmocka_run_group_tests(tests, NULL, NULL);
}
