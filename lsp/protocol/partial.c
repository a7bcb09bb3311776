/* A relay with a token: what arrives on the loop's thread is sent, until the reply has been. */
#include "lsp/protocol/partial.h"

#include <stdlib.h>

#include "lsp/relay.h"

struct partial {
    struct relay *relay;

    /* the loop's */
    struct client *client;
    json_t *token;
    partial_write write;
    void *user;
    bool has_ended;
};

static json_t *text_write(void *user, const char *text, size_t bytes)
{
    (void)user;
    return json_pack("{s:o}", "text", json_stringn(text, bytes));
}

json_t *partial_token(const json_t *params)
{
    json_t *token = json_object_get(params, "partialResultToken");
    return json_is_string(token) || json_is_integer(token) ? token : NULL;
}

void partial_send(struct client *client, json_t *token, json_t *value)
{
    client_notify(client, "$/progress", json_pack("{s:O, s:o}", "token", token, "value", value));
}

static void on_text(void *user, const char *text, size_t bytes)
{
    struct partial *partial = user;
    json_t *value = partial->has_ended ? NULL : partial->write(partial->user, text, bytes);
    if (value)
        partial_send(partial->client, partial->token, value);
}

struct partial *partial_create(struct client *client, const json_t *params, partial_write write,
                               void *user)
{
    json_t *token = partial_token(params);
    struct partial *partial = token ? calloc(1, sizeof *partial) : NULL;
    if (!partial)
        return NULL;

    *partial = (struct partial){
        .relay = relay_create(client->loop, on_text, partial),
        .client = client,
        .token = json_incref(token),
        .write = write ? write : text_write,
        .user = user,
    };
    return partial;
}

void partial_push(struct partial *partial, const char *text, size_t bytes)
{
    if (partial)
        relay_push(partial->relay, text, bytes);
}

void partial_end(struct partial *partial)
{
    if (partial)
        partial->has_ended = true;
}

void partial_destroy(struct partial *partial)
{
    if (!partial)
        return;

    relay_destroy(partial->relay);
    json_decref(partial->token);
    free(partial);
}
