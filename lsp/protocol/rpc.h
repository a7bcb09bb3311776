/* JSON-RPC 2.0 as LSP uses it: what kind of message a body is, and messages to send.
 *
 * Pure functions over JSON values. A parsed message owns its tree (`root`) until `rpc_message_finish`; the other pointers
 * borrow from it. Builders give new references, or NULL when memory is exhausted or text is not UTF-8; the values handed to
 * them are stolen, ids are borrowed.
 *
 * Protocol: JSON-RPC 2.0 and LSP 3.18, "Base Protocol"; batches do not exist there.
 */
#ifndef LSP_PROTOCOL_RPC_H
#define LSP_PROTOCOL_RPC_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "infer/error.h"

enum rpc_code {
    RPC_PARSE_ERROR = -32700,
    RPC_INVALID_REQUEST = -32600,
    RPC_METHOD_NOT_FOUND = -32601,
    RPC_INVALID_PARAMS = -32602,
    RPC_SERVER_NOT_INITIALIZED = -32002,
    RPC_REQUEST_CANCELLED = -32800,
    RPC_CONTENT_MODIFIED = -32801,
    RPC_REQUEST_FAILED = -32803,
};

/* What a message may hold. Users' text is one value, however long, so honest messages stay far below. */
enum {
    RPC_DEPTH_MAX = 128,          /* brackets inside brackets */
    RPC_VALUES_MAX = 1024 * 1024, /* array elements and object members */
};

enum rpc_kind { RPC_REQUEST, RPC_NOTIFICATION, RPC_RESPONSE };

struct rpc_message {
    enum rpc_kind kind;
    json_t *root; /* owned */
    const json_t *
        id; /* string or integer; null in a response to something unreadable; NULL in a notification */
    const char *method;   /* NULL in a response */
    const json_t *params; /* object or array; NULL where there are none */
    const json_t *result; /* of a response; NULL when it is an error */
};

/* Reads a body, which is written to: a lone surrogate escape, which editors can send but UTF-8 cannot hold, becomes \ufffd,
 * one unit of UTF-16 like what it stands for. On failure *code and `error` say what to reply and *id (a new reference) to
 * which id, null where none could be read. */
bool rpc_message_parse(struct rpc_message *message, char *body, size_t bytes, enum rpc_code *code,
                       json_t **id, struct error *error);
void rpc_message_finish(struct rpc_message *message);

/* A string of text that may not be UTF-8, such as one that names a file: what is not ASCII becomes '?' then. */
json_t *rpc_text(const char *text);

json_t *rpc_result(const json_t *id, json_t *result);
json_t *rpc_failure(const json_t *id, enum rpc_code code, const char *text);
json_t *rpc_notification(const char *method, json_t *params);
json_t *rpc_request(json_int_t id, const char *method, json_t *params);

#endif
