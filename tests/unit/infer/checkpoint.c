/* Checkpoints that are broken in one way each: opening gives one clear line that names the file and the tensor or key, and
 * nothing crashes. Sound variants of storage open. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "infer/engine.h"
#include "infer/inspect.h"
#include "tests/support/checkpoint.h"

static const char golden[] = "tests/golden/qwen2-tied";

#define Q "model.layers.0.self_attn.q_proj"

/* Opens a directory; the error's text, "" where it opened. */
static const char *open_error(const char *directory)
{
    static struct error error;

    error = (struct error){0};
    struct engine *engine = engine_open(&(struct engine_options){.model = directory}, &error);
    assert_int_equal(engine == NULL, error.code != ERROR_NONE);
    engine_close(engine);
    assert_null(strchr(error.text, '\n'));
    return error.text;
}

/* Writes the golden checkpoint as `edit` leaves it and compares what opening says. */
static void check_edit(void (*edit)(struct checkpoint *checkpoint), const char *file,
                       const char *complaint)
{
    struct checkpoint checkpoint;
    char directory[64];

    scratch_create(directory);
    checkpoint_read(&checkpoint, golden);
    edit(&checkpoint);
    checkpoint_write(&checkpoint, directory, 1);
    const char *text = open_error(directory);
    if (!strstr(text, complaint) || !strstr(text, file))
        fail_msg("expected \"%s\" of %s, got \"%s\"", complaint, file, text);
    checkpoint_finish(&checkpoint);
    scratch_remove(directory);
}

/* --- weights ---------------------------------------------------------------------------------------------------------- */

static void lose_indices(struct checkpoint *c)
{
    checkpoint_remove(c, Q ".indices");
}

static void lose_codebook(struct checkpoint *c)
{
    checkpoint_remove(c, Q ".codebook");
}

static void lose_module(struct checkpoint *c)
{
    checkpoint_remove(c, Q ".codebook");
    checkpoint_remove(c, Q ".indices");
}

static void lose_values(struct checkpoint *c)
{
    checkpoint_remove(c, Q ".sidecar_values");
}

static void lose_norm(struct checkpoint *c)
{
    checkpoint_remove(c, "model.norm.weight");
}

static void lose_bias(struct checkpoint *c)
{
    checkpoint_remove(c, "model.layers.2.self_attn.v_proj.bias");
}

static void transpose_shape(struct checkpoint *c)
{
    struct edited_tensor *tensor = checkpoint_find(c, "model.layers.0.mlp.up_proj.indices");
    const int64_t rows = tensor->shape[0];

    tensor->shape[0] = tensor->shape[1];
    tensor->shape[1] = rows;
}

static void flatten_shape(struct checkpoint *c)
{
    struct edited_tensor *tensor = checkpoint_find(c, Q ".indices");

    tensor->shape[0] *= tensor->shape[1];
    tensor->rank = 1;
}

static void shorten_codebook(struct checkpoint *c)
{
    struct edited_tensor *tensor = checkpoint_find(c, Q ".codebook");

    tensor->shape[0] = 100;
    tensor->bytes = 400;
}

static void pair_codebook(struct checkpoint *c)
{
    struct edited_tensor *tensor = checkpoint_find(c, Q ".codebook");

    tensor->rank = 2;
    tensor->shape[0] = 128;
    tensor->shape[1] = 2;
}

static void spoil_codebook(struct checkpoint *c)
{
    const uint32_t nan = 0x7fc00000;

    memcpy(checkpoint_find(c, Q ".codebook")->data + 40, &nan, 4);
}

static void spoil_embedding(struct checkpoint *c)
{
    const uint16_t infinity = 0x7c00;

    memcpy(checkpoint_find(c, "model.embed_tokens.weight")->data + 2000, &infinity, 2);
}

static void spoil_value(struct checkpoint *c)
{
    const uint32_t infinity = 0xff800000;

    memcpy(checkpoint_find(c, Q ".sidecar_values")->data, &infinity, 4);
}

static void set_position(struct checkpoint *c, int64_t position)
{
    memcpy(checkpoint_find(c, Q ".sidecar_positions")->data + 8, &position, 8);
}

static void move_position_out(struct checkpoint *c)
{
    set_position(c, 192 * 192);
}

static void move_position_below(struct checkpoint *c)
{
    set_position(c, -1);
}

static void drop_one_position(struct checkpoint *c)
{
    struct edited_tensor *tensor = checkpoint_find(c, Q ".sidecar_positions");

    tensor->shape[0]--;
    tensor->bytes -= 8;
}

static void retype_indices(struct checkpoint *c)
{
    strcpy(checkpoint_find(c, Q ".indices")->dtype, "I8");
}

static void invent_dtype(struct checkpoint *c)
{
    strcpy(checkpoint_find(c, Q ".indices")->dtype, "U9");
}

static void promise_more_bytes(struct checkpoint *c)
{
    checkpoint_find(c, Q ".bias")->shape[0] *= 2;
}

static void overflow_shape(struct checkpoint *c)
{
    struct edited_tensor *tensor = checkpoint_find(c, Q ".indices");

    tensor->shape[0] = tensor->shape[1] = INT64_MAX / 2;
}

static void add_svd(struct checkpoint *c)
{
    struct edited_tensor *tensor = checkpoint_find(c, "model.layers.2.mlp.up_proj.sidecar_values");

    checkpoint_remove(c, "model.layers.2.mlp.up_proj.sidecar_positions");
    tensor = checkpoint_find(c, "model.layers.2.mlp.up_proj.sidecar_values");
    free(tensor->name);
    tensor->name = strdup(Q ".svd_U");
}

static void weights_that_are_malformed_are_refused_by_name(void **state)
{
    static const struct {
        void (*edit)(struct checkpoint *checkpoint);
        const char *complaint;
    } cases[] = {
        {lose_indices, Q ".codebook: codebook and indices must come together"},
        {lose_codebook, Q ".indices: codebook and indices must come together"},
        {lose_module, Q ".weight (or .indices) is missing"},
        {lose_values, Q ".sidecar_positions: sidecar positions and values must come together"},
        {lose_norm, "model.norm.weight is missing"},
        {lose_bias, "model.layers.2.self_attn.v_proj.bias is missing"},
        {transpose_shape, "model.layers.0.mlp.up_proj.indices: shape [192, 224], but the "
                          "configuration asks for [224, 192]"},
        {flatten_shape, Q ".indices: shape [36864], but the configuration asks for [192, 192]"},
        {shorten_codebook, Q ".indices: an index points beyond the codebook"},
        {pair_codebook, Q ".codebook: only codebooks of up to 256 single values"},
        {spoil_codebook, Q ".codebook: holds a number that is not finite"},
        {spoil_embedding, "model.embed_tokens.weight: holds a number that is not finite"},
        {spoil_value, Q ".sidecar_values: holds a number that is not finite"},
        {move_position_out, Q ".sidecar_positions: a sidecar position points outside"},
        {move_position_below, Q ".sidecar_positions: a sidecar position points outside"},
        {drop_one_position, Q ".sidecar_values: as many values as sidecar positions"},
        {retype_indices, Q ".indices: U8 is expected"},
        {invent_dtype, Q ".indices: unknown or missing dtype"},
        {promise_more_bytes, Q ".bias: its byte range does not fit"},
        {overflow_shape, Q ".indices: impossible shape"},
        {add_svd, Q ".svd_U: this addition to HXQ is not supported"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_edit(cases[i].edit, "model.safetensors", cases[i].complaint);
}

/* --- config ----------------------------------------------------------------------------------------------------------- */

static void config_that_cannot_be_followed_is_refused_by_key(void **state)
{
    static const struct {
        const char *key, *json, *complaint;
    } cases[] = {
        {"model_type", "\"llama\"", "model_type: only \"qwen2\""},
        {"hidden_act", "\"gelu\"", "hidden_act: only \"silu\""},
        {"use_sliding_window", "true", "use_sliding_window"},
        {"num_hidden_layers", "\"three\"", "num_hidden_layers: a whole number"},
        {"num_hidden_layers", "0", "num_hidden_layers: out of range"},
        {"hidden_size", "1e9", "hidden_size: a whole number"},
        {"vocab_size", "99999999999", "vocab_size: out of range"},
        {"num_key_value_heads", "4", "num_key_value_heads: must divide"},
        {"head_dim", "7", "head_dim: an even number"},
        {"rms_norm_eps", "-1", "rms_norm_eps"},
        {"rope_scaling", "{\"type\": \"yarn\"}", "rope_scaling: scaled positions"},
        {"rope_parameters", "{\"rope_type\": \"linear\"}", "rope_type: only \"default\""},
        {"rope_parameters", "{}", "rope_theta: a positive number"},
        {"eos_token_id", "[\"x\"]", "eos_token_id: token ids"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct checkpoint checkpoint;
        char directory[64];
        scratch_create(directory);
        checkpoint_read(&checkpoint, golden);
        json_object_set_new(checkpoint.config, cases[i].key,
                            json_loads(cases[i].json, JSON_DECODE_ANY, NULL));
        checkpoint_write(&checkpoint, directory, 1);
        const char *text = open_error(directory);
        if (!strstr(text, cases[i].complaint) || !strstr(text, "config.json"))
            fail_msg("expected \"%s\", got \"%s\"", cases[i].complaint, text);
        checkpoint_finish(&checkpoint);
        scratch_remove(directory);
    }
}

/* --- files ------------------------------------------------------------------------------------------------------------ */

static void copy_golden(const char *directory)
{
    struct checkpoint checkpoint;

    checkpoint_read(&checkpoint, golden);
    checkpoint_write(&checkpoint, directory, 1);
    checkpoint_finish(&checkpoint);
}

static void write_file(const char *path, const void *data, size_t bytes)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, bytes, file), bytes);
    fclose(file);
}

static void file_that_is_truncated_anywhere_is_refused(void **state)
{
    enum { CUTS = 40 };
    struct stat whole;
    char directory[64];

    (void)state;
    scratch_create(directory);
    copy_golden(directory);
    const char *path = path_in(directory, "model.safetensors");
    assert_int_equal(stat(path, &whole), 0);
    for (off_t length = whole.st_size - 1, cut = CUTS; cut >= 0; cut--) {
        assert_int_equal(truncate(path, length), 0);
        const char *text = open_error(directory);
        if (!strstr(text, "model.safetensors"))
            fail_msg("truncated to %ld: \"%s\"", (long)length, text);
        length = length > 10 ? length * 2 / 3 : length - (length > 0);
    }
    scratch_remove(directory);
}

/* What befalls a file after the first layer, and what opening says: NULL where it succeeds. */
static const struct {
    const char *command;
    const char *complaint;
} mishaps[] = {
    {"truncate -s 0 %s/model.safetensors", "model.safetensors: became shorter while it was read"},
    {"truncate -s -100K %s/model.safetensors", "became shorter while it was read"},
    {"rm %s/model.safetensors", NULL},
    {"echo new > %s/new && mv %s/new %s/model.safetensors", NULL},
};

struct mishap {
    const char *command, *directory;
    bool is_over;
};

static void befall(void *user, double fraction)
{
    struct mishap *mishap = user;
    const char *directory = mishap->directory;
    char command[256];

    (void)fraction;
    if (mishap->is_over)
        return;
    snprintf(command, sizeof command, mishap->command, directory, directory, directory);
    assert_int_equal(system(command), 0);
    mishap->is_over = true;
}

static void file_that_changes_while_it_loads_is_an_error_or_no_matter(void **state)
{
    char directory[64];

    (void)state;
    for (size_t i = 0; i < sizeof mishaps / sizeof *mishaps; i++) {
        struct error error = {0};
        scratch_create(directory);
        copy_golden(directory);
        struct mishap mishap = {mishaps[i].command, directory, false};
        struct engine *engine = engine_open(
            &(struct engine_options){.model = directory, .on_progress = befall, .user = &mishap},
            &error);
        assert_true(mishap.is_over);
        if (mishaps[i].complaint && !strstr(error.text, mishaps[i].complaint))
            fail_msg("%s: \"%s\"", mishaps[i].command, error.text);
        assert_int_equal(engine == NULL, mishaps[i].complaint != NULL);
        engine_close(engine);
        scratch_remove(directory);
    }
}

/* A flipped bit may hit a number, which nobody can see; whatever it hits, opening ends with a model or a line. */
static void file_with_a_flipped_bit_never_crashes(void **state)
{
    enum { FLIPS = 400, HEADER_BYTES = 10456 + 8 };
    uint32_t random = 12345;
    char directory[64];
    int refused = 0;

    (void)state;
    scratch_create(directory);
    copy_golden(directory);
    const char *path = path_in(directory, "model.safetensors");
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    for (int i = 0; i < FLIPS; i++) {
        random = random * 1664525 + 1013904223;
        const long at = (long)(random >> 8) % HEADER_BYTES;
        fseek(file, at, SEEK_SET);
        const int byte = fgetc(file);
        fseek(file, at, SEEK_SET);
        fputc(byte ^ 1 << (random >> 5 & 7), file);
        fflush(file);
        const char *text = open_error(directory);
        assert_true(!*text || strstr(text, directory));
        refused += *text != '\0';
        fseek(file, at, SEEK_SET);
        fputc(byte, file);
        fflush(file);
    }
    print_message("%d of %d flips in the header were refused\n", refused, FLIPS);
    assert_true(refused > FLIPS / 2);
    assert_string_equal(open_error(directory), "");
    fclose(file);
    scratch_remove(directory);
}

static void header_that_lies_is_refused(void **state)
{
    static const struct {
        const char *header, *complaint;
    } cases[] = {
        {"[]", "broken header"},
        {"{\"a\": 1}", "tensor a: unknown or missing dtype"},
        {"{\"a\": {\"dtype\": \"U8\"}}", "tensor a: missing shape"},
        {"{\"a\": {\"dtype\": \"U8\", \"shape\": [2], \"data_offsets\": [0]}}", "two integers"},
        {"{\"a\": {\"dtype\": \"U8\", \"shape\": [2], \"data_offsets\": [2, 0]}}", "out of order"},
        {"{\"a\": {\"dtype\": \"U8\", \"shape\": [99], \"data_offsets\": [0, 99]}}",
         "beyond the end"},
        {"{\"a\": {\"dtype\": \"U8\", \"shape\": [-1], \"data_offsets\": [0, 1]}}",
         "impossible shape"},
        {"{\"a\": {\"dtype\": \"F32\", \"shape\": [2], \"data_offsets\": [0, 4]}}", "does not fit"},
        {"{\"a\": {\"dtype\": \"U8\", \"shape\": [4], \"data_offsets\": [0, 4]},"
         " \"b\": {\"dtype\": \"U8\", \"shape\": [4], \"data_offsets\": [3, 7]}}",
         "tensors a and b overlap"},
        {"{\"a\": {\"dtype\": \"U8\", \"shape\": [1], \"data_offsets\": [0, 1]},"
         " \"a\": {\"dtype\": \"U8\", \"shape\": [1], \"data_offsets\": [1, 2]}}",
         "broken header"},
        {"{", "broken header"},
        {"{}", "model.embed_tokens.weight (or .indices) is missing"},
    };
    char directory[64], bytes[1024];

    (void)state;
    scratch_create(directory);
    copy_golden(directory);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const uint64_t length = strlen(cases[i].header);
        memcpy(bytes, &length, 8);
        memcpy(bytes + 8, cases[i].header, length);
        memset(bytes + 8 + length, 0, 8);
        write_file(path_in(directory, "model.safetensors"), bytes, 8 + length + 8);
        const char *text = open_error(directory);
        if (!strstr(text, cases[i].complaint))
            fail_msg("expected \"%s\", got \"%s\"", cases[i].complaint, text);
    }
    scratch_remove(directory);
}

static void file_that_is_missing_is_named(void **state)
{
    char directory[64];

    (void)state;
    assert_non_null(strstr(open_error("no/such/directory"), "no/such/directory/config.json"));
    scratch_create(directory);
    copy_golden(directory);
    unlink(path_in(directory, "model.safetensors"));
    assert_non_null(strstr(open_error(directory), "model.safetensors: cannot open"));
    mkdir(path_in(directory, "model.safetensors"), 0700);
    assert_non_null(strstr(open_error(directory), "model.safetensors: not a regular file"));
    rmdir(path_in(directory, "model.safetensors"));
    write_file(path_in(directory, "config.json"), "{\"a\": ", 6);
    assert_non_null(strstr(open_error(directory), "config.json:1:6: not valid JSON"));
    scratch_remove(directory);
}

static void index_that_leads_nowhere_is_refused(void **state)
{
    static const struct {
        const char *json, *complaint;
    } cases[] = {
        {"{}", "no weight_map"},
        {"{\"weight_map\": {\"a\": \"../secret\"}}", "must name a file of this directory"},
        {"{\"weight_map\": {\"a\": 3}}", "must name a file of this directory"},
        {"{\"weight_map\": {\"a\": \"missing.safetensors\"}}", "missing.safetensors: cannot open"},
    };
    char directory[64];

    (void)state;
    scratch_create(directory);
    copy_golden(directory);
    unlink(path_in(directory, "model.safetensors"));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_file(path_in(directory, "model.safetensors.index.json"), cases[i].json,
                   strlen(cases[i].json));
        const char *text = open_error(directory);
        if (!strstr(text, cases[i].complaint))
            fail_msg("expected \"%s\", got \"%s\"", cases[i].complaint, text);
    }
    scratch_remove(directory);
}

static void shards_that_share_a_tensor_are_refused(void **state)
{
    struct checkpoint checkpoint;
    char directory[64];

    (void)state;
    scratch_create(directory);
    checkpoint_read(&checkpoint, golden);
    checkpoint_write(&checkpoint, directory, 2);
    /* the second shard becomes a copy of the first */
    unlink(path_in(directory, "model-00002-of-00002.safetensors"));
    assert_int_equal(link(path_in(directory, "model-00001-of-00002.safetensors"),
                          path_in(directory, "model-00002-of-00002.safetensors")),
                     0);
    assert_non_null(strstr(open_error(directory), "occurs in two files"));
    checkpoint_finish(&checkpoint);
    scratch_remove(directory);
}

/* --- variants that must open ------------------------------------------------------------------------------------------ */

static void rename_sidecar(struct checkpoint *c)
{
    struct edited_tensor *tensor = checkpoint_find(c, Q ".sidecar_positions");

    free(tensor->name);
    tensor->name = strdup(Q ".sidecar_indices");
}

static void empty_sidecar(struct checkpoint *c)
{
    struct edited_tensor *positions = checkpoint_find(c, Q ".sidecar_positions");
    struct edited_tensor *values = checkpoint_find(c, Q ".sidecar_values");

    positions->shape[0] = values->shape[0] = 0;
    positions->bytes = values->bytes = 0;
}

static void forget_quantization(struct checkpoint *c)
{
    json_object_del(c->config, "quantization_config");
}

static void variants_of_storage_open(void **state)
{
    static void (*const edits[])(struct checkpoint * checkpoint) = {rename_sidecar, empty_sidecar,
                                                                    forget_quantization};

    (void)state;
    for (size_t i = 0; i < sizeof edits / sizeof *edits; i++)
        check_edit(edits[i], "", "");
}

static void inspection_counts_what_is_there(void **state)
{
    struct error error = {0};
    struct inspection_totals totals;
    struct inspection *inspection = inspection_open("infer/default_model", &error);

    (void)state;
    assert_non_null(inspection);
    inspection_total(inspection, &totals);
    assert_int_equal(totals.compressed_count, 42);
    assert_int_equal(totals.exact_count, 1 + 6 * 5 + 1);
    assert_int_equal(inspection_count(inspection), 42 + 32);

    bool found = false;
    for (int i = 0; i < inspection_count(inspection); i++) {
        const struct inspected_module *module = inspection_at(inspection, i);
        if (strcmp(module->name, "model.layers.0.mlp.down_proj") != 0)
            continue;
        found = true;
        assert_int_equal(module->codebook_size, 256);
        assert_int_equal(module->sidecar_count, 385);
        assert_int_equal(module->bytes, 256 * 768 + 1024 + 385 * 12);
    }
    assert_true(found);
    inspection_close(inspection);
    assert_null(inspection_open("no/such/directory", &error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_that_are_malformed_are_refused_by_name),
        cmocka_unit_test(config_that_cannot_be_followed_is_refused_by_key),
        cmocka_unit_test(file_that_is_truncated_anywhere_is_refused),
        cmocka_unit_test(file_that_changes_while_it_loads_is_an_error_or_no_matter),
        cmocka_unit_test(file_with_a_flipped_bit_never_crashes),
        cmocka_unit_test(header_that_lies_is_refused),
        cmocka_unit_test(file_that_is_missing_is_named),
        cmocka_unit_test(index_that_leads_nowhere_is_refused),
        cmocka_unit_test(shards_that_share_a_tensor_are_refused),
        cmocka_unit_test(variants_of_storage_open),
        cmocka_unit_test(inspection_counts_what_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
