/* Reading tokenizer.json: every setting that is refused says so with the file's name, and no file, however broken, does
 * more than that. The cases change one place each in a small sound tokenizer. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "infer/tokenizer.h"
#include "infer/tokenizer/vocabulary.h"

enum { PATH_BYTES = 256, FLIPS = 3000, TRUNCATION_STEP = 61 };

static char folder[] = "/tmp/hxqd-tokenizer-XXXXXX";
static char file[PATH_BYTES];

/* A sound tokenizer: 256 bytes, "ab" and "abc" by merging, one added token. */
static json_t *sound(void)
{
    json_t *root = json_loads(
        "{\"added_tokens\": [{\"id\": 300, \"content\": \"<|end|>\", \"normalized\": false}],"
        " \"normalizer\": {\"type\": \"NFC\"},"
        " \"pre_tokenizer\": {\"type\": \"Sequence\", \"pretokenizers\": ["
        "  {\"type\": \"Split\", \"pattern\": {\"Regex\": \"\\\\p{L}+|\\\\s+\"},"
        "   \"behavior\": \"Isolated\", \"invert\": false},"
        "  {\"type\": \"ByteLevel\", \"add_prefix_space\": false, \"use_regex\": false}]},"
        " \"decoder\": {\"type\": \"ByteLevel\"},"
        " \"model\": {\"type\": \"BPE\", \"vocab\": {\"ab\": 256, \"abc\": 257},"
        "  \"merges\": [[\"a\", \"b\"], [\"ab\", \"c\"]]}}",
        0, NULL);
    json_t *vocab = json_object_get(json_object_get(root, "model"), "vocab");
    for (int byte = 0; byte < 256; byte++) {
        char spelling[VOCABULARY_SPELLING_BYTES];
        vocabulary_spell((unsigned char)byte, spelling);
        json_object_set_new(vocab, spelling, json_integer(byte));
    }
    return root;
}

/* Puts JSON text, or nothing where it is NULL, at a place such as "model.merges.0". */
static void change(json_t *root, const char *place, const char *value)
{
    char path[PATH_BYTES], *rest;
    snprintf(path, sizeof path, "%s", place);
    json_t *at = root;
    char *key = strtok_r(path, ".", &rest);
    for (char *next; (next = strtok_r(NULL, ".", &rest)); key = next)
        at = json_is_array(at) ? json_array_get(at, (size_t)atoi(key)) : json_object_get(at, key);

    json_t *new = value ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL;
    if (json_is_array(at) && new)
        json_array_set_new(at, (size_t)atoi(key), new);
    else if (json_is_array(at))
        json_array_remove(at, (size_t)atoi(key));
    else if (new)
        json_object_set_new(at, key, new);
    else
        json_object_del(at, key);
}

static void write_file(const char *text, size_t bytes)
{
    FILE *out = fopen(file, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, bytes, out), bytes);
    fclose(out);
}

static struct tokenizer *open_changed(const char *place, const char *value, struct error *error)
{
    json_t *root = sound();
    if (place)
        change(root, place, value);
    char *text = json_dumps(root, 0);
    write_file(text, strlen(text));
    free(text);
    json_decref(root);
    return tokenizer_open(file, error);
}

/* What is wrong with a file, and what the error says of it. */
static const struct {
    const char *place, *value, *fault;
} faults[] = {
    /* what is missing or of the wrong type */
    {"model", NULL, "model.type is not \"BPE\""},
    {"model", "[]", "model.type is not \"BPE\""},
    {"model.type", "\"WordPiece\"", "model.type is not \"BPE\""},
    {"model.vocab", NULL, "model.vocab is not an object"},
    {"model.vocab", "[1, 2]", "model.vocab is not an object"},
    {"model.vocab.a", NULL, "model.vocab has no token \"a\" for byte 97"},
    {"model.merges", NULL, "model.merges is not an array"},
    {"model.merges", "{}", "model.merges is not an array"},
    {"added_tokens", "{}", "added_tokens is not an array"},
    {"added_tokens.0", "7", "added_tokens has an entry without content"},
    {"added_tokens.0.content", "\"\"", "added_tokens has an entry without content"},
    /* ids */
    {"model.vocab.a", "\"97\"", "token \"a\" has no id from 0 to 2097151"},
    {"model.vocab.a", "-1", "token \"a\" has no id"},
    {"model.vocab.a", "2097152", "token \"a\" has no id"},
    {"model.vocab.a", "9223372036854775807", "token \"a\" has no id"},
    {"model.vocab.a", "1.5", "token \"a\" has no id"},
    {"model.vocab.a", "98", "id 98 belongs to two tokens"},
    {"added_tokens.0.id", NULL, "token \"<|end|>\" has no id"},
    {"added_tokens.0.id", "97", "id 97 belongs to two tokens"},
    {"added_tokens.0.content", "\"ab\"", "added token \"ab\" has another id in model.vocab"},
    {"added_tokens", "[{\"id\": 300, \"content\": \"x1\"}, {\"id\": 300, \"content\": \"x2\"}]",
     "id 300 belongs to two tokens"},
    {"added_tokens", "[{\"id\": 300, \"content\": \"x1\"}, {\"id\": 301, \"content\": \"x1\"}]",
     "added token \"x1\" stands there twice"},
    /* merges */
    {"model.merges.0", "[\"a\", \"zz\"]", "model.merges[0] names a token"},
    {"model.merges.1", "[\"b\", \"a\"]", "model.merges[1] gives a token"},
    {"model.merges.1", "[\"a\"]", "model.merges[1] is not a pair"},
    {"model.merges.1", "[\"a\", \"b\", \"c\"]", "model.merges[1] is not a pair"},
    {"model.merges.1", "[\"a\", 5]", "model.merges[1] is not a pair"},
    {"model.merges.1", "7", "model.merges[1] is not a pair"},
    {"model.merges.1", "\"ab\"", "model.merges[1] is not a pair"},
    {"model.merges.1", "\"a b c\"", "model.merges[1] is not a pair"},
    /* settings that would change ids */
    {"model.dropout", "0.1", "model.dropout is set"},
    {"model.ignore_merges", "true", "model.ignore_merges is set"},
    {"model.continuing_subword_prefix", "\"##\"", "model.continuing_subword_prefix is set"},
    {"model.end_of_word_suffix", "\"</w>\"", "model.end_of_word_suffix is set"},
    {"decoder", "null", "decoder.type is not \"ByteLevel\""},
    {"normalizer.type", "\"NFKC\"", "normalizer is neither null nor NFC"},
    {"normalizer", "{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFC\"}, {}]}",
     "normalizer is neither null nor NFC"},
    {"pre_tokenizer", "null", "pre_tokenizer is not a Sequence of Split and ByteLevel"},
    {"pre_tokenizer.pretokenizers.1", NULL, "pre_tokenizer is not a Sequence"},
    {"pre_tokenizer.pretokenizers.0.type", "\"Digits\"", "pre_tokenizer is not a Sequence"},
    {"pre_tokenizer.pretokenizers.0.behavior", "\"Removed\"", "plain \"Isolated\""},
    {"pre_tokenizer.pretokenizers.0.invert", "true", "plain \"Isolated\""},
    {"pre_tokenizer.pretokenizers.0.pattern", "{\"String\": \" \"}", "no pattern.Regex"},
    {"pre_tokenizer.pretokenizers.0.pattern.Regex", "\"(\"", "the split expression is wrong"},
    {"pre_tokenizer.pretokenizers.0.pattern.Regex", "\"\\\\d\"", "not supported from \"\\d\""},
    {"pre_tokenizer.pretokenizers.1.use_regex", NULL, "ByteLevel needs add_prefix_space"},
    {"pre_tokenizer.pretokenizers.1.add_prefix_space", "true", "ByteLevel needs"},
    {"added_tokens.0.lstrip", "true", "added token \"<|end|>\" has lstrip"},
    {"added_tokens.0.rstrip", "true", "added token \"<|end|>\" has rstrip"},
    {"added_tokens.0.single_word", "true", "added token \"<|end|>\" has single_word"},
    {"added_tokens.0.normalized", "true", "added token \"<|end|>\" has normalized"},
};

static void open_broken_file_names_file_and_fault(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct error error = {0};
        struct tokenizer *tokenizer = open_changed(faults[i].place, faults[i].value, &error);
        if (tokenizer)
            fail_msg("opened with %s: %s", faults[i].place, faults[i].value);
        assert_int_equal(error.code, ERROR_INPUT);
        assert_int_equal(strncmp(error.text, file, strlen(file)), 0);
        if (!strstr(error.text, faults[i].fault))
            fail_msg("%s: %s\ngives %s", faults[i].place, faults[i].value, error.text);
    }
}

static void assert_ids(const struct tokenizer *tokenizer, const char *text, const char *expected)
{
    struct token_list list = {0};
    char ids[PATH_BYTES] = "";
    assert_true(tokenizer_encode(tokenizer, text, strlen(text), true, &list, NULL));
    for (size_t i = 0; i < list.count; i++)
        snprintf(ids + strlen(ids), sizeof ids - strlen(ids), "%s%d", i ? " " : "", list.ids[i]);
    assert_string_equal(ids, expected);
    token_list_finish(&list);
}

static void open_sound_file_gives_ids(void **state)
{
    (void)state;
    static const struct {
        const char *place, *value, *text, *ids;
    } cases[] = {
        {NULL, NULL, "abc<|end|>ab", "257 300 256"},
        {"model.merges", "[\"a b\", \"ab c\"]", "abc", "257"},
        {"model.merges", "[]", "abc", "97 98 99"},
        {"model.merges", "[[\"ab\", \"c\"], [\"a\", \"b\"], [\"a\", \"b\"]]", "abc", "257"},
        {"model.dropout", "0.0", "ab", "256"},
        {"model.end_of_word_suffix", "\"\"", "ab", "256"},
        {"added_tokens", NULL, "ab", "256"},
        {"added_tokens", "[{\"id\": 256, \"content\": \"ab\"}]", "xabc", "120 256 99"},
        {"added_tokens",
         "[{\"id\": 258, \"content\": \"xy\"}, {\"id\": 259, \"content\": \"xyz\"}]", "xyxyzx",
         "258 259 120"},
        {"normalizer", "null", "e\u0301", "101 204 129"},
        {"normalizer", "{\"type\": \"Sequence\", \"normalizers\": []}", "e\u0301", "101 204 129"},
        {"normalizer", "{\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"NFC\"}]}",
         "e\u0301", "195 169"},
        {"model.vocab.far", "2097151", "ab", "256"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {0};
        struct tokenizer *tokenizer = open_changed(cases[i].place, cases[i].value, &error);
        if (!tokenizer)
            fail_msg("%s: %s: %s", cases[i].place, cases[i].value, error.text);
        assert_ids(tokenizer, cases[i].text, cases[i].ids);
        tokenizer_close(tokenizer);
    }
}

/* Where the alphabet does not reach, a token's text is literal. */
static void token_text_outside_the_alphabet_is_literal(void **state)
{
    (void)state;
    static const struct {
        const char *key, *text;
    } cases[] = {
        {"\u0120ab", " ab"},  {"\u010A", "\n"},       {"\u00E9", "\xE9"},     {"a b", "a b"},
        {"\u4E2D", "\u4E2D"}, {"x\u0144", "x\u0144"}, {"x\u0143y", "x\xADy"}, {"\u00AD", "\u00AD"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char place[PATH_BYTES];
        struct error error = {0};
        size_t bytes;
        /* single characters of the alphabet stand there already; their id moves */
        snprintf(place, sizeof place, "model.vocab.%s", cases[i].key);
        struct tokenizer *tokenizer = open_changed(place, "400", &error);
        assert_non_null(tokenizer);
        assert_string_equal(tokenizer_token_text(tokenizer, 400, &bytes), cases[i].text);
        assert_int_equal(bytes, strlen(cases[i].text));
        tokenizer_close(tokenizer);
    }
}

static void open_too_many_or_too_long_is_refused(void **state)
{
    (void)state;
    json_t *root = sound();
    json_t *added = json_object_get(root, "added_tokens");
    for (int i = 0; i < 4096; i++)
        json_array_append_new(added, json_pack("{s:i,s:s}", "id", 301 + i, "content", "x"));
    char *text = json_dumps(root, 0);
    struct error error = {0};
    write_file(text, strlen(text));
    assert_null(tokenizer_open(file, &error));
    assert_non_null(strstr(error.text, "more than 4096 added tokens"));
    free(text);
    json_decref(root);

    char *place = calloc(1, 8192);
    root = sound();
    memset(place, 'x', 4097);
    json_object_set_new(json_object_get(json_object_get(root, "model"), "vocab"), place,
                        json_integer(400));
    text = json_dumps(root, 0);
    error = (struct error){0};
    write_file(text, strlen(text));
    assert_null(tokenizer_open(file, &error));
    assert_non_null(strstr(error.text, "is longer than 4096 bytes"));
    free(text);
    free(place);
    json_decref(root);
}

static void open_missing_file_or_folder_names_it(void **state)
{
    (void)state;
    static const char *const paths[] = {"/tmp/hxqd-no-such-folder/tokenizer.json", "/tmp"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct error error = {0};
        assert_null(tokenizer_open(paths[i], &error));
        assert_int_not_equal(error.code, ERROR_NONE);
        assert_int_equal(strncmp(error.text, paths[i], strlen(paths[i])), 0);
    }
    assert_null(tokenizer_open(paths[0], NULL));
}

static void open_truncated_file_fails(void **state)
{
    (void)state;
    json_t *root = sound();
    char *text = json_dumps(root, 0);
    for (size_t bytes = 0; bytes < strlen(text); bytes += TRUNCATION_STEP) {
        struct error error = {0};
        write_file(text, bytes);
        assert_null(tokenizer_open(file, &error));
        assert_int_equal(error.code, ERROR_INPUT);
        assert_int_equal(strncmp(error.text, file, strlen(file)), 0);
    }
    free(text);
    json_decref(root);
}

/* Whatever still opens must also work. */
static void open_flipped_bytes_opens_or_fails(void **state)
{
    (void)state;
    json_t *root = sound();
    char *text = json_dumps(root, 0);
    const size_t bytes = strlen(text);
    uint32_t random = 1;
    for (int i = 0; i < FLIPS; i++) {
        random = random * 1664525 + 1013904223; /* Numerical Recipes' generator */
        char *at = &text[(random >> 8) % bytes];
        const char before = *at;
        *at = (char)(random >> 24);
        struct error error = {0};
        write_file(text, bytes);
        struct tokenizer *tokenizer = tokenizer_open(file, &error);
        struct token_list list = {0};
        if (tokenizer)
            tokenizer_encode(tokenizer, text, bytes < 500 ? bytes : 500, true, &list, &error);
        else
            assert_int_not_equal(error.code, ERROR_NONE);
        token_list_finish(&list);
        tokenizer_close(tokenizer);
        *at = before;
    }
    free(text);
    json_decref(root);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(file, sizeof file, "%s/tokenizer.json", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_broken_file_names_file_and_fault),
        cmocka_unit_test(open_sound_file_gives_ids),
        cmocka_unit_test(token_text_outside_the_alphabet_is_literal),
        cmocka_unit_test(open_too_many_or_too_long_is_refused),
        cmocka_unit_test(open_missing_file_or_folder_names_it),
        cmocka_unit_test(open_truncated_file_fails),
        cmocka_unit_test(open_flipped_bytes_opens_or_fails),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
