/* JSON-RPC bodies: every body is either a message or a reason with a code and an id to reply to.
 *
 * Input: a body.
 */
#include <stdlib.h>
#include <string.h>

#include "lsp/protocol/rpc.h"
#include "tests/fuzz/fuzz.h"

/* What was read can be answered, and the answer is a message again. */
static void check_reply(json_t *reply)
{
    struct rpc_message message;
    enum rpc_code code;
    json_t *id = NULL;
    char *body;

    fuzz_check(reply != NULL, "a reply can be built");
    body = json_dumps(reply, JSON_COMPACT | JSON_ENCODE_ANY);
    fuzz_check(body != NULL, "a reply can be written");
    fuzz_check(rpc_message_parse(&message, body, strlen(body), &code, &id, NULL),
               "a reply can be read");
    fuzz_check(message.kind == RPC_RESPONSE, "a reply is a response");
    rpc_message_finish(&message);
    free(body);
    json_decref(reply);
}

static void check_message(const struct rpc_message *message)
{
    if (message->kind == RPC_RESPONSE)
        fuzz_check(message->method == NULL && message->id != NULL, "a response has an id only");
    else
        fuzz_check(message->method != NULL, "a request or notification has a method");
    if (message->kind == RPC_NOTIFICATION)
        fuzz_check(message->id == NULL, "a notification has no id");
    if (message->kind == RPC_REQUEST)
        check_reply(rpc_result(message->id, json_null()));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *body = malloc(size > 0 ? size : 1);
    struct rpc_message message;
    enum rpc_code code = 0;
    json_t *id = NULL;
    struct error error = {0};

    fuzz_check(body != NULL, "there is memory for a body");
    memcpy(body, data, size);
    if (rpc_message_parse(&message, body, size, &code, &id, &error)) {
        check_message(&message);
        rpc_message_finish(&message);
    } else {
        fuzz_check(code != 0 && id != NULL && error.text[0] != '\0',
                   "a body that is no message has a code, an id and a reason");
        check_reply(rpc_failure(id, code, error.text));
        json_decref(id);
    }
    free(body);
    return 0;
}
