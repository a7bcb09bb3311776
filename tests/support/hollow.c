/* The header is built first, the file then lengthened to the sum of what it lists. */
#include "tests/support/hollow.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "tests/support/checkpoint.h"

#undef NDEBUG /* the asserts are what this file does */
#include <assert.h>

/* A header under way. */
struct header {
    json_t *entries;
    json_int_t bytes; /* of the tensors so far */
};

/* Bytes of a number, by the digits of its type's name: "BF16", "I64", "U8". */
static json_int_t width(const char *dtype)
{
    return strtol(dtype + strcspn(dtype, "0123456789"), NULL, 10) / 8;
}

/* A matrix [rows, cols], or a vector [rows] where `cols` is 0. */
static void add(struct header *header, const char *name, const char *dtype, json_int_t rows,
                json_int_t cols)
{
    const json_int_t end = header->bytes + rows * (cols ? cols : 1) * width(dtype);
    json_t *shape = cols ? json_pack("[I, I]", rows, cols) : json_pack("[I]", rows);

    json_object_set_new(header->entries, name,
                        json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype, "shape", shape,
                                  "data_offsets", header->bytes, end));
    header->bytes = end;
}

static void add_part(struct header *header, const char *module, const char *part, const char *dtype,
                     json_int_t rows, json_int_t cols)
{
    char name[160];

    snprintf(name, sizeof name, "%s%s", module, part);
    add(header, name, dtype, rows, cols);
}

static void add_compressed(struct header *header, const struct hollow *hollow, int layer,
                           const char *matrix, int rows, int cols)
{
    char module[96];

    snprintf(module, sizeof module, "model.layers.%d.%s", layer, matrix);
    add_part(header, module, ".codebook", "F32", 256, 0);
    add_part(header, module, ".indices", "U8", rows, cols);
    add_part(header, module, ".sidecar_positions", "I64", hollow->sidecar, 0);
    add_part(header, module, ".sidecar_values", "F32", hollow->sidecar, 0);
}

static void add_layer(struct header *header, const struct hollow *hollow, int layer)
{
    const int hidden = hollow->hidden, inner = hollow->inner;
    const int q = hollow->heads * hollow->head_dim, kv = hollow->kv_heads * hollow->head_dim;
    char module[64];

    add_compressed(header, hollow, layer, "self_attn.q_proj", q, hidden);
    add_compressed(header, hollow, layer, "self_attn.k_proj", kv, hidden);
    add_compressed(header, hollow, layer, "self_attn.v_proj", kv, hidden);
    add_compressed(header, hollow, layer, "self_attn.o_proj", hidden, q);
    add_compressed(header, hollow, layer, "mlp.gate_proj", inner, hidden);
    add_compressed(header, hollow, layer, "mlp.up_proj", inner, hidden);
    add_compressed(header, hollow, layer, "mlp.down_proj", hidden, inner);

    snprintf(module, sizeof module, "model.layers.%d", layer);
    add_part(header, module, ".input_layernorm.weight", "F32", hidden, 0);
    add_part(header, module, ".post_attention_layernorm.weight", "F32", hidden, 0);
    add_part(header, module, ".self_attn.q_proj.bias", "F32", q, 0);
    add_part(header, module, ".self_attn.k_proj.bias", "F32", kv, 0);
    add_part(header, module, ".self_attn.v_proj.bias", "F32", kv, 0);
}

static void write_config(const struct hollow *hollow, const char *directory)
{
    json_t *config =
        json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:f, s:f, s:b, s:i}", "model_type",
                  "qwen2", "num_hidden_layers", hollow->layers, "hidden_size", hollow->hidden,
                  "intermediate_size", hollow->inner, "num_attention_heads", hollow->heads,
                  "num_key_value_heads", hollow->kv_heads, "head_dim", hollow->head_dim,
                  "vocab_size", hollow->vocab, "max_position_embeddings", 32768, "rms_norm_eps",
                  1e-6, "rope_theta", 1e6, "tie_word_embeddings", hollow->tied, "eos_token_id", 0);

    assert(json_dump_file(config, path_in(directory, "config.json"), 0) == 0);
    json_decref(config);
}

void hollow_write(const struct hollow *hollow, const char *directory)
{
    struct header header = {.entries = json_object()};

    write_config(hollow, directory);
    add(&header, "model.embed_tokens.weight", hollow->embedding, hollow->vocab, hollow->hidden);
    if (!hollow->tied)
        add(&header, "lm_head.weight", hollow->embedding, hollow->vocab, hollow->hidden);
    for (int i = 0; i < hollow->layers; i++)
        add_layer(&header, hollow, i);
    add(&header, "model.norm.weight", "F32", hollow->hidden, 0);

    char *text = json_dumps(header.entries, JSON_COMPACT);
    const uint64_t length = strlen(text);
    FILE *file = fopen(path_in(directory, "model.safetensors"), "wb");
    assert(file && fwrite(&length, 8, 1, file) == 1 && fwrite(text, 1, length, file) == length);
    assert(fflush(file) == 0);
    assert(ftruncate(fileno(file), (off_t)(8 + length + (uint64_t)header.bytes)) == 0);
    fclose(file);
    free(text);
    json_decref(header.entries);
}
