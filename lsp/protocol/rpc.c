/* A body is measured before it is parsed: one pass over the bytes counts brackets and commas outside strings, so that
 * neither the parser's recursion nor its memory can be driven by what arrives. The same pass mends lone surrogates. */
#include "lsp/protocol/rpc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The four digits of "\uXXXX", or -1. */
static int32_t escape_unit(const char *text, const char *end)
{
    if (end - text < 6 || text[0] != '\\' || text[1] != 'u')
        return -1;

    int32_t unit = 0;
    for (int i = 2; i < 6; i++) {
        const char *digits = "0123456789abcdef0123456789ABCDEF";
        const char *digit = text[i] ? strchr(digits, text[i]) : NULL;
        if (!digit)
            return -1;
        unit = unit * 16 + (int32_t)((digit - digits) % 16);
    }
    return unit;
}

/* Past the escape at `text`, having replaced half a surrogate pair by U+FFFD. */
static char *escape_mend(char *text, const char *end)
{
    int32_t unit = escape_unit(text, end);
    if (unit < 0)
        return text + 2 <= end ? text + 2 : text + 1;
    if (unit < 0xd800 || unit > 0xdfff)
        return text + 6;

    int32_t next = escape_unit(text + 6, end);
    if (unit < 0xdc00 && next >= 0xdc00 && next <= 0xdfff)
        return text + 12;
    memcpy(text, "\\ufffd", 6);
    return text + 6;
}

/* Past the string whose opening quote is at `text`. */
static char *string_mend(char *text, const char *end)
{
    text++;
    while (text < end && *text != '"')
        text = *text == '\\' ? escape_mend(text, end) : text + 1;
    return text < end ? text + 1 : text;
}

/* Holds a body to the limits. Brackets need not match here: the parser will see to that. */
static bool body_measure(char *body, size_t bytes, struct error *error)
{
    const char *end = body + bytes;
    int depth = 0;
    int values = 0;
    for (char *text = body; text < end;) {
        if (*text == '"') {
            text = string_mend(text, end);
            continue;
        }
        depth += (*text == '[' || *text == '{') - (*text == ']' || *text == '}');
        values += *text == '[' || *text == '{' || *text == ',';
        if (depth > RPC_DEPTH_MAX)
            return error_set(error, ERROR_LIMIT, "JSON nested more than %d deep", RPC_DEPTH_MAX);
        if (values > RPC_VALUES_MAX)
            return error_set(error, ERROR_LIMIT, "JSON with more than %d values", RPC_VALUES_MAX);
        text++;
    }
    return true;
}

/* Names, as opposed to users' text, hold no NUL: comparing them as C strings must not fool anyone. */
static bool is_name(const json_t *value)
{
    return json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value);
}

/* Sorts a parsed object into its kind; false when it is none of them. */
static bool message_classify(struct rpc_message *message)
{
    const json_t *root = message->root;
    const json_t *id = json_object_get(root, "id");
    const json_t *method = json_object_get(root, "method");
    const json_t *params = json_object_get(root, "params");
    const json_t *result = json_object_get(root, "result");

    message->id = id;
    message->result = result;
    if (!method) {
        message->kind = RPC_RESPONSE;
        return id && (result || json_object_get(root, "error"));
    }
    if (!is_name(method) || (id && !json_is_string(id) && !json_is_integer(id)))
        return false;
    if (params && !json_is_object(params) && !json_is_array(params) && !json_is_null(params))
        return false;

    message->kind = id ? RPC_REQUEST : RPC_NOTIFICATION;
    message->method = json_string_value(method);
    message->params = json_is_null(params) ? NULL : params;
    return true;
}

/* The id that an answer to a misshapen message can name. */
static json_t *answerable_id(const json_t *root)
{
    json_t *id = json_object_get(root, "id");
    return json_is_string(id) || json_is_integer(id) ? json_incref(id) : json_null();
}

bool rpc_message_parse(struct rpc_message *message, char *body, size_t bytes, enum rpc_code *code,
                       json_t **id, struct error *error)
{
    *message = (struct rpc_message){0};
    *code = RPC_PARSE_ERROR;
    *id = json_null();
    if (!body_measure(body, bytes, error))
        return false;

    json_error_t problem;
    message->root = json_loadb(body, bytes, JSON_ALLOW_NUL | JSON_DECODE_ANY, &problem);
    if (!message->root)
        return error_set(error, ERROR_INPUT, "not JSON: %s at byte %d", problem.text,
                         problem.position);

    /* from here on the body is JSON, but perhaps no message */
    *code = RPC_INVALID_REQUEST;
    if (json_is_array(message->root)) {
        error_set(error, ERROR_INPUT, "batches are not part of the protocol");
    } else if (!json_is_object(message->root)) {
        error_set(error, ERROR_INPUT, "a message is a JSON object");
    } else if (message_classify(message)) {
        return true;
    } else {
        *id = answerable_id(message->root);
        error_set(error, ERROR_INPUT, "neither a request, a notification nor a response");
    }
    rpc_message_finish(message);
    return false;
}

void rpc_message_finish(struct rpc_message *message)
{
    json_decref(message->root);
    *message = (struct rpc_message){0};
}

/* jansson's pack wants a mutable value to take a reference to. */
static json_t *id_copy(const json_t *id)
{
    return json_incref((json_t *)(uintptr_t)id);
}

json_t *rpc_result(const json_t *id, json_t *result)
{
    return json_pack("{s:s, s:o, s:o}", "jsonrpc", "2.0", "id", id_copy(id), "result", result);
}

json_t *rpc_text(const char *text)
{
    json_t *value = json_string(text);
    char *ascii = value ? NULL : strdup(text);
    for (char *byte = ascii; byte && *byte; byte++) {
        if ((unsigned char)*byte >= 0x80)
            *byte = '?';
    }
    if (ascii)
        value = json_string(ascii);
    free(ascii);
    return value;
}

json_t *rpc_failure(const json_t *id, enum rpc_code code, const char *text)
{
    return json_pack("{s:s, s:o, s:{s:i, s:o}}", "jsonrpc", "2.0", "id", id_copy(id), "error",
                     "code", (int)code, "message", rpc_text(text));
}

json_t *rpc_notification(const char *method, json_t *params)
{
    return json_pack("{s:s, s:s, s:o}", "jsonrpc", "2.0", "method", method, "params", params);
}

json_t *rpc_request(json_int_t id, const char *method, json_t *params)
{
    return json_pack("{s:s, s:I, s:s, s:o}", "jsonrpc", "2.0", "id", id, "method", method, "params",
                     params);
}
