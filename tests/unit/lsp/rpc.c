/* rpc: bodies against what they are taken for, and what is answered to those that are nothing. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/protocol/rpc.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Parses a copy in memory of exactly its size. */
static bool parse(struct rpc_message *message, const char *body, size_t bytes, enum rpc_code *code,
                  json_t **id)
{
    struct error error = {0};
    char *copy = malloc(bytes ? bytes : 1);
    assert_non_null(copy);
    memcpy(copy, body, bytes);
    bool is_message = rpc_message_parse(message, copy, bytes, code, id, &error);
    assert_true(is_message == (error.code == ERROR_NONE));
    free(copy);
    return is_message;
}

struct kind_case {
    const char *body;
    enum rpc_kind kind;
};

static const struct kind_case kind_cases[] = {
    {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":{\"a\":1}}", RPC_REQUEST},
    {"{\"id\":\"x\",\"method\":\"m\",\"params\":[1]}", RPC_REQUEST},
    {"{\"id\":-7,\"method\":\"m\"}", RPC_REQUEST},
    {"{\"id\":1,\"method\":\"m\",\"params\":null}", RPC_REQUEST},
    {"{\"method\":\"m\"}", RPC_NOTIFICATION},
    {"{\"id\":1,\"result\":null}", RPC_RESPONSE},
    {"{\"id\":\"x\",\"error\":{\"code\":1,\"message\":\"\"}}", RPC_RESPONSE},
    {"{\"id\":null,\"error\":{\"code\":1,\"message\":\"\"}}", RPC_RESPONSE},
};

static void message_of_each_kind_is_recognised(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kind_cases); i++) {
        const struct kind_case *c = &kind_cases[i];
        struct rpc_message message;
        enum rpc_code code;
        json_t *id;
        if (!parse(&message, c->body, strlen(c->body), &code, &id) || message.kind != c->kind)
            fail_msg("%s", c->body);
        rpc_message_finish(&message);
    }
}

struct refusal_case {
    const char *body;
    enum rpc_code code;
    const char *id; /* as JSON */
};

static const struct refusal_case refusal_cases[] = {
    {"", RPC_PARSE_ERROR, "null"},
    {"{", RPC_PARSE_ERROR, "null"},
    {"{\"id\":1,\"method\":\"m\"} x", RPC_PARSE_ERROR, "null"},
    {"{\"id\":1,\"method\":\"\xFF\"}", RPC_PARSE_ERROR, "null"},
    {"{\"id\":123456789012345678901234567890,\"method\":\"m\"}", RPC_PARSE_ERROR, "null"},
    {"\"\\ud8", RPC_PARSE_ERROR, "null"},
    {"\"\\", RPC_PARSE_ERROR, "null"},
    {"[{\"id\":1,\"method\":\"m\"}]", RPC_INVALID_REQUEST, "null"},
    {"[]", RPC_INVALID_REQUEST, "null"},
    {"null", RPC_INVALID_REQUEST, "null"},
    {"{}", RPC_INVALID_REQUEST, "null"},
    {"{\"id\":1}", RPC_INVALID_REQUEST, "1"},
    {"{\"id\":1,\"method\":2}", RPC_INVALID_REQUEST, "1"},
    {"{\"id\":\"x\",\"method\":\"m\",\"params\":3}", RPC_INVALID_REQUEST, "\"x\""},
    {"{\"id\":\"x\",\"method\":\"m\\u0000n\"}", RPC_INVALID_REQUEST, "\"x\""},
    {"{\"id\":1.5,\"method\":\"m\"}", RPC_INVALID_REQUEST, "null"},
    {"{\"id\":null,\"method\":\"m\"}", RPC_INVALID_REQUEST, "null"},
    {"{\"id\":[1],\"method\":\"m\"}", RPC_INVALID_REQUEST, "null"},
};

static void body_that_is_no_message_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusal_cases); i++) {
        const struct refusal_case *c = &refusal_cases[i];
        struct rpc_message message;
        enum rpc_code code;
        json_t *id = NULL;
        bool is_message = parse(&message, c->body, strlen(c->body), &code, &id);
        char *shown = json_dumps(id, JSON_ENCODE_ANY);
        if (is_message || code != c->code || strcmp(shown, c->id) != 0)
            fail_msg("%s: code %d, id %s", c->body, (int)code, shown);
        free(shown);
        json_decref(id);
    }
}

/* A request whose parameters are `count` times `piece`, closed by `count` times `end`. */
static bool parse_repeated(const char *piece, size_t count, const char *end)
{
    char *body = malloc(64 + count * (strlen(piece) + strlen(end)));
    assert_non_null(body);
    char *at = body + sprintf(body, "{\"id\":1,\"method\":\"m\",\"params\":[0");
    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, piece);
    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, end);
    at = stpcpy(at, "]}");

    struct rpc_message message;
    enum rpc_code code;
    json_t *id;
    bool is_message = parse(&message, body, (size_t)(at - body), &code, &id);
    rpc_message_finish(&message);
    free(body);
    return is_message;
}

static void body_over_limits_is_refused(void **state)
{
    (void)state;
    assert_true(parse_repeated(",[0", RPC_DEPTH_MAX - 2, "]"));
    assert_false(parse_repeated(",[0", RPC_DEPTH_MAX - 1, "]"));
    assert_true(parse_repeated(",0", RPC_VALUES_MAX - 4, ""));
    assert_false(parse_repeated(",0", RPC_VALUES_MAX - 3, ""));
    /* brackets and commas of users' text do not count */
    assert_true(parse_repeated(",\"[,\\\"[\\\\\"", RPC_DEPTH_MAX * 2, ""));
}

struct text_case {
    const char *written; /* inside quotes */
    const char *text;    /* UTF-8 */
};

static const struct text_case text_cases[] = {
    {"\\ud83d\\ude00", "\xF0\x9F\x98\x80"},
    {"\\uD83D\\uDE00", "\xF0\x9F\x98\x80"},
    {"\\ud83d", "\xEF\xBF\xBD"},
    {"\\ude00", "\xEF\xBF\xBD"},
    {"\\ude00\\ud83d", "\xEF\xBF\xBD\xEF\xBF\xBD"},
    {"\\ud83d\\ud83d\\ude00", "\xEF\xBF\xBD\xF0\x9F\x98\x80"},
    {"\\ud83dx\\u0041", "\xEF\xBF\xBDxA"},
    {"\\\\ud83d", "\\ud83d"},
    {"\\\\\\ud83d", "\\\xEF\xBF\xBD"},
    {"\\\"\\ud83d\\n", "\"\xEF\xBF\xBD\n"},
    {"\\ud7ff\\ue000", "\xED\x9F\xBF\xEE\x80\x80"},
};

static void lone_surrogate_becomes_replacement_character(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(text_cases); i++) {
        const struct text_case *c = &text_cases[i];
        char body[128];
        int bytes =
            snprintf(body, sizeof body, "{\"method\":\"m\",\"params\":[\"%s\"]}", c->written);
        struct rpc_message message;
        enum rpc_code code;
        json_t *id;
        assert_true(parse(&message, body, (size_t)bytes, &code, &id));
        const char *text = json_string_value(json_array_get(message.params, 0));
        if (strcmp(text, c->text) != 0)
            fail_msg("%s: %s", c->written, text);
        rpc_message_finish(&message);
    }
}

static void nul_in_users_text_is_kept(void **state)
{
    (void)state;
    static const char body[] = "{\"method\":\"m\",\"params\":[\"a\\u0000b\"]}";
    struct rpc_message message;
    enum rpc_code code;
    json_t *id;
    assert_true(parse(&message, body, sizeof body - 1, &code, &id));
    assert_int_equal(json_string_length(json_array_get(message.params, 0)), 3);
    rpc_message_finish(&message);
}

/* `message` is stolen. */
static void assert_written(json_t *message, const char *expected)
{
    char *shown = json_dumps(message, JSON_COMPACT);
    assert_non_null(shown);
    assert_string_equal(shown, expected);
    free(shown);
    json_decref(message);
}

static void messages_to_send_are_complete(void **state)
{
    (void)state;
    json_t *id = json_string("x");
    assert_written(rpc_result(id, json_null()),
                   "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":null}");
    assert_written(
        rpc_failure(id, RPC_REQUEST_CANCELLED, "over"),
        "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"error\":{\"code\":-32800,\"message\":\"over\"}}");
    assert_written(rpc_notification("m", json_array()),
                   "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":[]}");
    assert_written(rpc_request(7, "m", json_object()),
                   "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"m\",\"params\":{}}");
    /* names of files need not be UTF-8 */
    assert_written(
        rpc_failure(id, RPC_REQUEST_FAILED, "a\xFF"),
        "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"error\":{\"code\":-32803,\"message\":\"a?\"}}");
    json_decref(id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_of_each_kind_is_recognised),
        cmocka_unit_test(body_that_is_no_message_is_refused),
        cmocka_unit_test(body_over_limits_is_refused),
        cmocka_unit_test(lone_surrogate_becomes_replacement_character),
        cmocka_unit_test(nul_in_users_text_is_kept),
        cmocka_unit_test(messages_to_send_are_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
