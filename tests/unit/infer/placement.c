/* What a model takes of a GPU, and where it goes: cards that nobody here has, checkpoints without numbers. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer/config.h"
#include "infer/placement.h"
#include "infer/safetensors.h"
#include "kernels/kernels.h"
#include "tests/support/checkpoint.h"
#include "tests/support/hollow.h"

#define GIB(x) ((int64_t)((x)*1073741824.0))

/* The published shapes. */
static const struct hollow coder_3b = {36, 2048, 11008, 16, 2, 128, 151936, true, "BF16", 512};
static const struct hollow coder_7b = {28, 3584, 18944, 28, 4, 128, 152064, false, "BF16", 512};

/* Places a hollow checkpoint on a card of so many bytes. */
static bool place(const struct hollow *hollow, const struct engine_options *wish,
                  struct placement *placement, struct error *error)
{
    struct engine_options options = *wish;
    char directory[64];

    scratch_create(directory);
    hollow_write(hollow, directory);
    options.model = directory;
    *error = (struct error){0};
    const bool placed = placement_find(placement, &options, true, error);
    scratch_remove(directory);
    return placed;
}

static void coder_3b_with_4096_tokens_fits_4_gib(void **state)
{
    struct placement placement;
    struct error error;

    (void)state;
    assert_true(
        place(&coder_3b, &(struct engine_options){.gpu_memory_bytes = GIB(4)}, &placement, &error));
    assert_true(placement.on_gpu);
    assert_int_equal(placement.context_tokens, 4096);

    /* 252 matrices of 2,774,532,096 indices in all, codebooks, row starts and outliers on top */
    const struct placement_need *need = &placement.chosen;
    const int64_t indices = 2774532096;
    assert_in_range(need->weights.matrices, indices, indices + 252 * 64 * 1024);
    assert_in_range(need->weights.sidecars, 252 * 512 * 12, 252 * (512 * 12 + 512));
    assert_int_equal(need->weights.head, 2LL * 151936 * 2048);
    assert_int_equal(need->cache, 2LL * 36 * 4096 * 256 * 4);
    assert_int_equal(need->driver, PLACEMENT_DRIVER_BYTES);
    assert_int_equal(need->total, need->weights.matrices + need->weights.sidecars +
                                      need->weights.head + need->weights.vectors + need->cache +
                                      need->scratch + need->driver);
    assert_true(need->total < GIB(4));
}

/* A card, what is wished, and what comes of it. */
static const struct {
    const struct hollow *model;
    double gib;
    struct engine_options wish;
    bool placed, on_gpu;
    int context_tokens; /* 0: smaller than asked for, not below the least */
    const char *text;   /* in the reason, or the error */
} cards[] = {
    /* clang-format off: a card to a line */
    {&coder_3b, 4.0, {.context_tokens = 0}, true, true, 4096, "needs 3."},
    {&coder_3b,
     4.0,
     {.context_tokens = 4096, .device = ENGINE_DEVICE_CUDA},
     true,
     true,
     4096,
     "of the 4.00 GiB available"},
    {&coder_3b, 4.0, {.context_tokens = 32768}, true, true, 0, "a context of 32768 tokens needs"},
    {&coder_3b,
     4.0,
     {.context_tokens = 32768, .no_fallback = true},
     false,
     false,
     0,
     "4.00 GiB are available; use a smaller --context"},
    {&coder_3b, 3.0, {.context_tokens = 0}, true, false, 4096, "3.00 GiB are available"},
    {&coder_3b, 3.0, {.device = ENGINE_DEVICE_CUDA}, false, false, 0, "or --device cpu"},
    {&coder_3b, 3.0, {.device = ENGINE_DEVICE_CPU}, true, false, 4096, "asked for"},
    {&coder_3b, 24.0, {.context_tokens = 32768}, true, true, 32768, "of the 24.00 GiB available"},
    {&coder_7b, 8.0, {.context_tokens = 0}, true, false, 4096, "8.00 GiB are available"},
    {&coder_7b, 12.0, {.context_tokens = 0}, true, true, 4096, "of the 12.00 GiB available"},
    /* clang-format on */
};

static void card_of_a_size_gives_context_and_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cards / sizeof *cards; i++) {
        struct engine_options wish = cards[i].wish;
        struct placement placement;
        struct error error;

        wish.gpu_memory_bytes = GIB(cards[i].gib);
        const bool placed = place(cards[i].model, &wish, &placement, &error);
        const char *text = placed ? placement.reason : error.text;
        assert_int_equal(placed, cards[i].placed);
        assert_int_equal(error.code, placed ? ERROR_NONE : ERROR_DEVICE);
        assert_int_equal(placement.on_gpu, cards[i].on_gpu);
        assert_non_null(strstr(text, cards[i].text));
        if (!placed)
            continue;
        if (cards[i].context_tokens)
            assert_int_equal(placement.context_tokens, cards[i].context_tokens);
        else
            assert_in_range(placement.context_tokens, PLACEMENT_LEAST_CONTEXT_TOKENS,
                            placement.asked_tokens - 1);
        if (placement.on_gpu)
            assert_true(placement.chosen.total <= placement.device.available_bytes);
    }
}

/* Whatever the card's size, the context is the largest that fits: one step more does not. */
static void smaller_context_is_the_largest_that_fits(void **state)
{
    const struct config config = {.layers = 4,
                                  .hidden_size = 512,
                                  .intermediate_size = 1024,
                                  .heads = 8,
                                  .kv_heads = 2,
                                  .head_dim = 64,
                                  .vocab_size = 1000,
                                  .max_positions = 32768};
    const struct placement_weights weights = {.matrices = 50000000, .head = 1000000};

    (void)state;
    for (int64_t bytes = 80000000; bytes < 240000000; bytes += 7654321) {
        struct placement placement = {.asked_tokens = 16000};
        struct placement_need more;
        struct error error = {0};

        placement_suppose(&placement.device, bytes);
        placement.device.is_supposed = false; /* the driver has its share already */
        assert_true(
            placement_choose(&placement, &config, &weights, &(struct engine_options){0}, &error));
        if (!placement.on_gpu || placement.context_tokens == placement.asked_tokens)
            continue;
        assert_int_equal(placement.context_tokens % PLACEMENT_CONTEXT_STEP, 0);
        placement_measure(&more, &config, &weights, &placement.device,
                          placement.context_tokens + PLACEMENT_CONTEXT_STEP);
        assert_true(placement.chosen.total <= bytes && more.total > bytes);
    }
}

/* A machine without a GPU: what is asked for, whether that is an error. */
static void no_device_is_an_error_only_where_it_was_asked_for(void **state)
{
    static const struct {
        enum engine_device device;
        bool no_fallback, placed;
        const char *text;
    } cases[] = {
        {ENGINE_DEVICE_AUTO, false, true, "no driver"},
        {ENGINE_DEVICE_AUTO, true, true, "no driver"},
        {ENGINE_DEVICE_CPU, false, true, "asked for"},
        {ENGINE_DEVICE_CUDA, false, false, "no driver; use --device cpu or auto"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct placement placement = {.asked_tokens = 100, .device = {.problem = "no driver"}};
        const struct engine_options wish = {.device = cases[i].device,
                                            .no_fallback = cases[i].no_fallback};
        struct error error = {0};

        assert_int_equal(placement_choose(&placement, NULL, NULL, &wish, &error), cases[i].placed);
        assert_string_equal(cases[i].placed ? placement.reason : error.text, cases[i].text);
        assert_false(placement.on_gpu);
        assert_int_equal(placement.context_tokens, 100);
    }
}

/* The weight of a small checkpoint's embedding, stored as `dtype`, its last number not bfloat16 where `lossy`. */
static int64_t head_bytes(const char *dtype, bool lossy)
{
    const struct hollow small = {2, 64, 96, 4, 2, 16, 333, true, dtype, 3};
    struct placement_weights weights;
    struct config config;
    struct error error = {0};
    char directory[64];

    scratch_create(directory);
    hollow_write(&small, directory);
    if (lossy) {
        /* the embedding comes first in the file */
        struct checkpoint checkpoint;
        checkpoint_read(&checkpoint, directory);
        struct edited_tensor *embedding = checkpoint_find(&checkpoint, "model.embed_tokens.weight");
        memcpy(embedding->data + embedding->bytes - 4, &(float){0.1f}, 4);
        checkpoint_write(&checkpoint, directory, 1);
        checkpoint_finish(&checkpoint);
    }
    struct safetensors *files = safetensors_open(directory, &error);
    assert_true(files && config_read(&config, directory, &error));
    assert_true(placement_weigh(&weights, &config, files, &error));
    safetensors_close(files);
    scratch_remove(directory);
    return weights.head;
}

static void embedding_counts_narrow_only_where_nothing_is_lost(void **state)
{
    const int64_t narrow = cuda_matrix_bytes(333, 64, DTYPE_BF16, 0, 0);

    (void)state;
    assert_int_equal(head_bytes("BF16", false), narrow);
    assert_int_equal(head_bytes("F16", false), narrow);
    assert_int_equal(head_bytes("F32", false), narrow);
    assert_int_equal(head_bytes("F32", true), cuda_matrix_bytes(333, 64, DTYPE_F32, 0, 0));
}

static void tensor_missing_is_named(void **state)
{
    struct checkpoint checkpoint;
    struct placement placement;
    struct error error = {0};
    char directory[64];

    (void)state;
    scratch_create(directory);
    checkpoint_read(&checkpoint, "tests/golden/qwen2-tied");
    checkpoint_remove(&checkpoint, "model.layers.1.mlp.up_proj.indices");
    checkpoint_write(&checkpoint, directory, 1);
    checkpoint_finish(&checkpoint);
    const struct engine_options wish = {.model = directory, .gpu_memory_bytes = GIB(4)};
    assert_false(placement_find(&placement, &wish, true, &error));
    assert_non_null(strstr(error.text, "model.layers.1.mlp.up_proj"));
    scratch_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coder_3b_with_4096_tokens_fits_4_gib),
        cmocka_unit_test(card_of_a_size_gives_context_and_reason),
        cmocka_unit_test(smaller_context_is_the_largest_that_fits),
        cmocka_unit_test(no_device_is_an_error_only_where_it_was_asked_for),
        cmocka_unit_test(embedding_counts_narrow_only_where_nothing_is_lost),
        cmocka_unit_test(tensor_missing_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
