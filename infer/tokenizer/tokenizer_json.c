/* How: jansson parses the whole file; its objects then serve as the dictionary from text to id that merges are resolved
 * with, so that nothing of that size is built twice. Settings are checked first, each against the one value that is
 * implemented; then tokens are collected by id, and last the merges are ranked in the order of the file.
 */
#include "infer/tokenizer/tokenizer_json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "infer/file.h"

enum { MESSAGE_BYTES = 256 };

/* A file being read. */
struct reader {
    const char *path;
    struct error *error;
    json_t *root;
    json_t *model, *vocab, *added; /* borrowed from root; `added` may be NULL */
    const char **texts;            /* [size] by id, borrowed from root */
    bool *is_added;                /* [size] */
    int32_t size;
};

/* Fills the error with "path: message"; always false. */
__attribute__((format(printf, 2, 3))) static bool refuse(const struct reader *reader,
                                                         const char *format, ...)
{
    char message[MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return error_set(reader->error, ERROR_INPUT, "%s: %s", reader->path, message);
}

static bool refuse_memory(const struct reader *reader)
{
    return error_set(reader->error, ERROR_MEMORY, "%s: out of memory", reader->path);
}

static bool is_type(const json_t *value, const char *type)
{
    const char *text = json_string_value(json_object_get(value, "type"));
    return text && strcmp(text, type) == 0;
}

/* Absent, null, false, zero and "" all mean that a feature is off. */
static bool is_off(const json_t *value)
{
    return !value || json_is_null(value) || json_is_false(value) ||
           (json_is_number(value) && json_number_value(value) == 0) ||
           (json_is_string(value) && json_string_length(value) == 0);
}

static bool load(struct reader *reader)
{
    reader->root = file_read_json(reader->path, reader->error);
    if (!reader->root)
        return false;

    /* the three parts that hold tokens */
    reader->model = json_object_get(reader->root, "model");
    reader->vocab = json_object_get(reader->model, "vocab");
    reader->added = json_object_get(reader->root, "added_tokens");
    if (!is_type(reader->model, "BPE"))
        return refuse(reader, "model.type is not \"BPE\", the only supported one");
    if (!json_is_object(reader->vocab))
        return refuse(reader, "model.vocab is not an object");
    if (reader->added && !json_is_array(reader->added))
        return refuse(reader, "added_tokens is not an array");
    return true;
}

/* Model options that would change how merges apply. (unk_token, fuse_unk and byte_fallback never come into play: every
 * byte has a token.) */
static bool check_model(const struct reader *reader)
{
    static const char *const options[] = {"dropout", "continuing_subword_prefix",
                                          "end_of_word_suffix", "ignore_merges"};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (!is_off(json_object_get(reader->model, options[i])))
            return refuse(reader, "model.%s is set, which is not supported", options[i]);
    }
    if (!is_type(json_object_get(reader->root, "decoder"), "ByteLevel"))
        return refuse(reader, "decoder.type is not \"ByteLevel\", the only supported one");
    return true;
}

/* null, NFC, or a sequence of NFCs. */
static bool read_normalizer(const struct reader *reader, bool *compose)
{
    const json_t *normalizer = json_object_get(reader->root, "normalizer");
    if (!normalizer || json_is_null(normalizer))
        return true;
    if (is_type(normalizer, "NFC")) {
        *compose = true;
        return true;
    }

    const json_t *steps = json_object_get(normalizer, "normalizers");
    bool known = is_type(normalizer, "Sequence") && json_is_array(steps);
    for (size_t i = 0; known && i < json_array_size(steps); i++) {
        known = is_type(json_array_get(steps, i), "NFC");
        *compose = known;
    }
    return known || refuse(reader, "normalizer is neither null nor NFC, nothing else is supported");
}

/* A sequence of exactly Split (by an expression, isolated) and ByteLevel (bare). */
static bool read_split(const struct reader *reader, struct split **split)
{
    const json_t *sequence = json_object_get(reader->root, "pre_tokenizer");
    const json_t *steps = json_object_get(sequence, "pretokenizers");
    const json_t *cut = json_array_get(steps, 0);
    const json_t *level = json_array_get(steps, 1);
    if (!is_type(sequence, "Sequence") || json_array_size(steps) != 2 || !is_type(cut, "Split") ||
        !is_type(level, "ByteLevel"))
        return refuse(reader, "pre_tokenizer is not a Sequence of Split and ByteLevel, "
                              "nothing else is supported");

    const char *behavior = json_string_value(json_object_get(cut, "behavior"));
    if (!behavior || strcmp(behavior, "Isolated") != 0 || !is_off(json_object_get(cut, "invert")))
        return refuse(reader, "pre_tokenizer Split is not a plain \"Isolated\" one");
    if (!json_is_false(json_object_get(level, "add_prefix_space")) ||
        !json_is_false(json_object_get(level, "use_regex")))
        return refuse(reader, "pre_tokenizer ByteLevel needs add_prefix_space and use_regex false");

    const char *expression =
        json_string_value(json_object_get(json_object_get(cut, "pattern"), "Regex"));
    if (!expression)
        return refuse(reader, "pre_tokenizer Split has no pattern.Regex");
    *split = split_create(expression, reader->path, reader->error);
    return *split != NULL;
}

/* Checks a token's id and text, and makes room for the id. */
static bool check_token(struct reader *reader, const json_t *id, const char *text)
{
    if (!json_is_integer(id) || json_integer_value(id) < 0 ||
        json_integer_value(id) >= TOKENIZER_IDS_MAX)
        return refuse(reader, "token \"%.40s\" has no id from 0 to %d", text,
                      TOKENIZER_IDS_MAX - 1);
    if (strlen(text) > TOKENIZER_TOKEN_MAX_BYTES)
        return refuse(reader, "token \"%.40s...\" is longer than %d bytes", text,
                      TOKENIZER_TOKEN_MAX_BYTES);
    if (json_integer_value(id) >= reader->size)
        reader->size = (int32_t)json_integer_value(id) + 1;
    return true;
}

/* Checks one added token. How white space or word borders around it would count is not implemented; no Qwen file asks. */
static bool check_added(struct reader *reader, const json_t *token)
{
    static const char *const flags[] = {"lstrip", "rstrip", "single_word", "normalized"};
    const char *text = json_string_value(json_object_get(token, "content"));
    if (!text || !*text)
        return refuse(reader, "added_tokens has an entry without content");
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (!is_off(json_object_get(token, flags[i])))
            return refuse(reader, "added token \"%.40s\" has %s, which is not supported", text,
                          flags[i]);
    }
    return check_token(reader, json_object_get(token, "id"), text);
}

/* First pass over all tokens: checks them, finds the highest id. */
static bool measure_tokens(struct reader *reader)
{
    const char *text;
    json_t *id;
    json_object_foreach(reader->vocab, text, id)
    {
        if (!check_token(reader, id, text))
            return false;
    }
    if (json_array_size(reader->added) > TOKENIZER_ADDED_MAX)
        return refuse(reader, "has more than %d added tokens", TOKENIZER_ADDED_MAX);
    for (size_t i = 0; i < json_array_size(reader->added); i++) {
        if (!check_added(reader, json_array_get(reader->added, i)))
            return false;
    }
    return true;
}

/* An added token may also stand in the vocabulary, under the same id. */
static bool place_added(struct reader *reader, const json_t *token)
{
    const char *text = json_string_value(json_object_get(token, "content"));
    const int32_t id = (int32_t)json_integer_value(json_object_get(token, "id"));
    const json_t *twin = json_object_get(reader->vocab, text);
    if (twin && json_integer_value(twin) != id)
        return refuse(reader, "added token \"%.40s\" has another id in model.vocab", text);
    if (reader->is_added[id] || (reader->texts[id] && !twin))
        return refuse(reader, "id %d belongs to two tokens", id);
    reader->texts[id] = text;
    reader->is_added[id] = true;
    return true;
}

/* Second pass: tokens by id. */
static bool place_tokens(struct reader *reader)
{
    const char *text;
    json_t *value;
    reader->texts = calloc((size_t)reader->size + 1, sizeof *reader->texts);
    reader->is_added = calloc((size_t)reader->size + 1, sizeof *reader->is_added);
    if (!reader->texts || !reader->is_added)
        return refuse_memory(reader);

    json_object_foreach(reader->vocab, text, value)
    {
        const int32_t id = (int32_t)json_integer_value(value);
        if (reader->texts[id])
            return refuse(reader, "id %d belongs to two tokens", id);
        reader->texts[id] = text;
    }
    for (size_t i = 0; i < json_array_size(reader->added); i++) {
        if (!place_added(reader, json_array_get(reader->added, i)))
            return false;
    }
    return true;
}

static bool read_vocabulary(struct reader *reader, struct vocabulary **vocabulary)
{
    if (!measure_tokens(reader) || !place_tokens(reader))
        return false;
    *vocabulary = vocabulary_create(reader->texts, reader->is_added, reader->size);
    if (!*vocabulary)
        return refuse_memory(reader);

    /* a text that was added twice is found under only one of its ids */
    for (int32_t id = 0; id < reader->size; id++) {
        size_t matched = 0;
        if (reader->is_added[id] && vocabulary_match(*vocabulary, reader->texts[id],
                                                     strlen(reader->texts[id]), &matched) != id)
            return refuse(reader, "added token \"%.40s\" stands there twice", reader->texts[id]);
    }
    return true;
}

/* Id of a text in the vocabulary, or -1. */
static int32_t find(const struct reader *reader, const char *text, size_t bytes)
{
    const json_t *id = json_object_getn(reader->vocab, text, bytes);
    return id ? (int32_t)json_integer_value(id) : -1;
}

/* The two halves of a merge, written ["a", "b"] or "a b"; false for anything else. */
static bool merge_halves(const json_t *merge, const char *half[2], size_t bytes[2])
{
    if (json_is_string(merge)) {
        half[0] = json_string_value(merge);
        const char *space = strchr(half[0], ' ');
        if (!space || strchr(space + 1, ' '))
            return false;
        half[1] = space + 1;
        bytes[0] = (size_t)(space - half[0]);
        bytes[1] = strlen(half[1]);
        return true;
    }
    for (size_t i = 0; i < 2; i++) {
        half[i] = json_string_value(json_array_get(merge, i));
        bytes[i] = json_string_length(json_array_get(merge, i));
    }
    return json_array_size(merge) == 2 && half[0] && half[1];
}

static bool read_merge(const struct reader *reader, size_t rank, const json_t *merge,
                       struct bpe *bpe)
{
    const char *half[2];
    size_t bytes[2];
    char whole[2 * TOKENIZER_TOKEN_MAX_BYTES];
    if (!merge_halves(merge, half, bytes))
        return refuse(reader, "model.merges[%zu] is not a pair of tokens", rank);
    const int32_t left = find(reader, half[0], bytes[0]);
    const int32_t right = find(reader, half[1], bytes[1]);
    if (left < 0 || right < 0)
        return refuse(reader, "model.merges[%zu] names a token that is not in model.vocab", rank);

    /* known tokens keep to TOKENIZER_TOKEN_MAX_BYTES */
    memcpy(whole, half[0], bytes[0]);
    memcpy(whole + bytes[0], half[1], bytes[1]);
    const int32_t merged = find(reader, whole, bytes[0] + bytes[1]);
    if (merged < 0)
        return refuse(reader, "model.merges[%zu] gives a token that is not in model.vocab", rank);
    bpe_add(bpe, left, right, (uint32_t)rank, merged);
    return true;
}

static bool read_merges(const struct reader *reader, struct bpe **bpe)
{
    const json_t *merges = json_object_get(reader->model, "merges");
    if (!json_is_array(merges) || json_array_size(merges) > TOKENIZER_MERGES_MAX)
        return refuse(reader, "model.merges is not an array of at most %d", TOKENIZER_MERGES_MAX);

    int32_t byte_ids[256];
    for (int byte = 0; byte < 256; byte++) {
        char spelling[VOCABULARY_SPELLING_BYTES];
        vocabulary_spell((unsigned char)byte, spelling);
        byte_ids[byte] = find(reader, spelling, strlen(spelling));
        if (byte_ids[byte] < 0)
            return refuse(reader, "model.vocab has no token \"%s\" for byte %d", spelling, byte);
    }
    *bpe = bpe_create(byte_ids, json_array_size(merges));
    if (!*bpe)
        return refuse_memory(reader);

    for (size_t rank = 0; rank < json_array_size(merges); rank++) {
        if (!read_merge(reader, rank, json_array_get(merges, rank), *bpe))
            return false;
    }
    return true;
}

bool tokenizer_json_read(const char *path, struct tokenizer_parts *parts, struct error *error)
{
    struct reader reader = {.path = path, .error = error};
    *parts = (struct tokenizer_parts){0};
    const bool ok =
        load(&reader) && check_model(&reader) && read_normalizer(&reader, &parts->compose) &&
        read_split(&reader, &parts->split) && read_vocabulary(&reader, &parts->vocabulary) &&
        read_merges(&reader, &parts->bpe);
    if (!ok)
        tokenizer_parts_finish(parts);
    free(reader.texts);
    free(reader.is_added);
    json_decref(reader.root);
    return ok;
}

void tokenizer_parts_finish(struct tokenizer_parts *parts)
{
    vocabulary_destroy(parts->vocabulary);
    bpe_destroy(parts->bpe);
    split_destroy(parts->split);
    *parts = (struct tokenizer_parts){0};
}
