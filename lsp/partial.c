/* One slot for the newest text, guarded by a mutex; an async handle wakes the loop, which takes what is in the slot. libuv
 * may merge several wakes into one, and then the texts in between are never sent, which is what "the whole text so far" is
 * good for. */
#include "lsp/partial.h"

#include <stdlib.h>
#include <string.h>

struct partial {
    uv_mutex_t mutex;
    uv_async_t async;

    /* guarded */
    char *newest; /* [newest_bytes], not taken by the loop yet; NULL: nothing new */
    size_t newest_bytes;

    /* the loop's */
    struct client *client;
    json_t *token;
    partial_write write;
    void *user;
    bool has_ended;

    /* the writing thread's */
    char *pushed; /* what was pushed last */
    size_t pushed_bytes;
};

static json_t *text_write(void *user, const char *text, size_t bytes)
{
    (void)user;
    return json_pack("{s:o}", "text", json_stringn(text, bytes));
}

/* On the loop's thread. */
static void on_pushed(uv_async_t *async)
{
    struct partial *partial = async->data;
    uv_mutex_lock(&partial->mutex);
    char *text = partial->newest;
    size_t bytes = partial->newest_bytes;
    partial->newest = NULL;
    uv_mutex_unlock(&partial->mutex);

    json_t *value = text && !partial->has_ended ? partial->write(partial->user, text, bytes) : NULL;
    if (value)
        client_notify(partial->client, "$/progress",
                      json_pack("{s:O, s:o}", "token", partial->token, "value", value));
    free(text);
}

struct partial *partial_create(struct client *client, const json_t *params, partial_write write,
                               void *user)
{
    json_t *token = json_object_get(params, "partialResultToken");
    bool is_token = json_is_string(token) || json_is_integer(token);
    struct partial *partial = is_token ? calloc(1, sizeof *partial) : NULL;
    if (!partial)
        return NULL;
    if (uv_mutex_init(&partial->mutex) != 0) {
        free(partial);
        return NULL;
    }
    if (uv_async_init(client->loop, &partial->async, on_pushed) != 0) {
        uv_mutex_destroy(&partial->mutex);
        free(partial);
        return NULL;
    }

    partial->async.data = partial;
    partial->client = client;
    partial->token = json_incref(token);
    partial->write = write ? write : text_write;
    partial->user = user;
    return partial;
}

static char *text_copy(const char *text, size_t bytes)
{
    char *copy = malloc(bytes + 1);
    if (copy)
        memcpy(copy, text, bytes);
    return copy;
}

void partial_push(struct partial *partial, const char *text, size_t bytes)
{
    if (!partial || bytes > PARTIAL_TEXT_BYTES)
        return;
    bool is_same = partial->pushed && partial->pushed_bytes == bytes &&
                   memcmp(partial->pushed, text, bytes) == 0;
    char *kept = is_same ? NULL : text_copy(text, bytes);
    char *sent = kept ? text_copy(text, bytes) : NULL;
    if (!sent) {
        free(kept);
        return;
    }

    free(partial->pushed);
    partial->pushed = kept;
    partial->pushed_bytes = bytes;
    uv_mutex_lock(&partial->mutex);
    free(partial->newest);
    partial->newest = sent;
    partial->newest_bytes = bytes;
    uv_mutex_unlock(&partial->mutex);
    uv_async_send(&partial->async);
}

void partial_end(struct partial *partial)
{
    if (partial)
        partial->has_ended = true;
}

static void on_closed(uv_handle_t *handle)
{
    struct partial *partial = handle->data;
    uv_mutex_destroy(&partial->mutex);
    free(partial->newest);
    free(partial->pushed);
    free(partial);
}

void partial_destroy(struct partial *partial)
{
    if (!partial)
        return;

    partial->has_ended = true;
    json_decref(partial->token);
    uv_close((uv_handle_t *)&partial->async, on_closed);
}
