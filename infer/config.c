/* Keys are those of Hugging Face's Qwen2Config. What would change results but is not implemented (scaled positions, sliding
 * windows, other activations) is refused by name instead of being ignored. */
#include "infer/config.h"

#include <stdlib.h>
#include <string.h>

#include "infer/file.h"

enum {
    MAX_DIMENSION = 1 << 20,
    MAX_LAYERS = 1000,
    MAX_HEADS = 1024,
    MAX_POSITIONS = 1 << 24,
    MAX_VOCABULARY = 1 << 24,
};

/* Where a value is read from, and its messages. */
struct reader {
    const char *path;
    const json_t *json;
    struct error *error;
};

static bool refuse(const struct reader *reader, const char *key, const char *why)
{
    return error_set(reader->error, ERROR_INPUT, "%s: %s: %s", reader->path, key, why);
}

static bool read_int(const struct reader *reader, const char *key, int largest, int *value)
{
    const json_t *json = json_object_get(reader->json, key);
    const json_int_t number = json_integer_value(json);

    if (!json_is_integer(json))
        return refuse(reader, key, "a whole number is required");
    if (number < 1 || number > largest)
        return refuse(reader, key, "out of range");
    *value = (int)number;
    return true;
}

/* As read_int, but `fallback` where the key is absent or null. */
static bool read_optional_int(const struct reader *reader, const char *key, int largest,
                              int fallback, int *value)
{
    const json_t *json = json_object_get(reader->json, key);

    if (!json || json_is_null(json)) {
        *value = fallback;
        return true;
    }
    return read_int(reader, key, largest, value);
}

static bool read_eps(const struct reader *reader, struct config *config)
{
    const json_t *json = json_object_get(reader->json, "rms_norm_eps");
    const double value = json_number_value(json);

    if (!json_is_number(json) || !(value > 0.0 && value < 1.0))
        return refuse(reader, "rms_norm_eps", "a number between 0 and 1 is required");
    config->norm_eps = (float)value;
    return true;
}

/* rope_theta stands at the top or, in newer files, inside rope_parameters; scaled variants are refused. */
static bool read_rope(const struct reader *reader, struct config *config)
{
    const json_t *nested = json_object_get(reader->json, "rope_parameters");
    const json_t *theta = json_object_get(nested, "rope_theta");
    const char *type = json_string_value(json_object_get(nested, "rope_type"));
    const json_t *scaling = json_object_get(reader->json, "rope_scaling");

    if (type && strcmp(type, "default") != 0)
        return refuse(reader, "rope_parameters.rope_type", "only \"default\" is supported");
    if (scaling && !json_is_null(scaling))
        return refuse(reader, "rope_scaling", "scaled positions are not supported");
    if (!theta)
        theta = json_object_get(reader->json, "rope_theta");
    if (!json_is_number(theta) || !(json_number_value(theta) > 0.0))
        return refuse(reader, "rope_theta", "a positive number is required");
    config->rope_theta = json_number_value(theta);
    return true;
}

static bool read_heads(const struct reader *reader, struct config *config)
{
    if (!read_int(reader, "num_attention_heads", MAX_HEADS, &config->heads) ||
        !read_optional_int(reader, "num_key_value_heads", MAX_HEADS, config->heads,
                           &config->kv_heads))
        return false;
    if (config->heads % config->kv_heads != 0)
        return refuse(reader, "num_key_value_heads", "must divide num_attention_heads");

    if (!read_optional_int(reader, "head_dim", MAX_DIMENSION, config->hidden_size / config->heads,
                           &config->head_dim))
        return false;
    if (config->head_dim < 2 || config->head_dim % 2 != 0)
        return refuse(reader, "head_dim", "an even number is required");
    return true;
}

/* eos_token_id is a number, a list of numbers or null. */
static bool read_end_tokens(const struct reader *reader, struct config *config)
{
    const json_t *json = json_object_get(reader->json, "eos_token_id");
    const size_t count = json_is_array(json) ? json_array_size(json) : json_is_integer(json);

    for (size_t i = 0; i < count && i < CONFIG_MAX_END_TOKENS; i++) {
        const json_t *item = json_is_array(json) ? json_array_get(json, i) : json;
        const json_int_t id = json_integer_value(item);
        if (!json_is_integer(item) || id < 0 || id > INT32_MAX)
            return refuse(reader, "eos_token_id", "token ids are expected");
        config->end_tokens[config->end_token_count++] = (int32_t)id;
    }
    return true;
}

/* Settings that must have the one value that is implemented. */
static bool check_variant(const struct reader *reader)
{
    const char *type = json_string_value(json_object_get(reader->json, "model_type"));
    const char *activation = json_string_value(json_object_get(reader->json, "hidden_act"));

    if (!type || strcmp(type, "qwen2") != 0)
        return refuse(reader, "model_type", "only \"qwen2\" is supported");
    if (activation && strcmp(activation, "silu") != 0)
        return refuse(reader, "hidden_act", "only \"silu\" is supported");
    if (json_is_true(json_object_get(reader->json, "use_sliding_window")))
        return refuse(reader, "use_sliding_window", "sliding windows are not supported");
    return true;
}

bool config_read(struct config *config, const char *directory, struct error *error)
{
    char *path = file_path(directory, "config.json", error);
    json_t *json = path ? file_read_json(path, error) : NULL;
    const struct reader reader = {path, json, error};
    bool read = false;

    *config = (struct config){0};
    if (json)
        read =
            check_variant(&reader) &&
            read_int(&reader, "num_hidden_layers", MAX_LAYERS, &config->layers) &&
            read_int(&reader, "hidden_size", MAX_DIMENSION, &config->hidden_size) &&
            read_int(&reader, "intermediate_size", MAX_DIMENSION, &config->intermediate_size) &&
            read_int(&reader, "vocab_size", MAX_VOCABULARY, &config->vocab_size) &&
            read_int(&reader, "max_position_embeddings", MAX_POSITIONS, &config->max_positions) &&
            read_heads(&reader, config) && read_eps(&reader, config) &&
            read_rope(&reader, config) && read_end_tokens(&reader, config);
    if (read)
        config->tied_head = json_is_true(json_object_get(json, "tie_word_embeddings"));

    json_decref(json);
    free(path);
    return read;
}
