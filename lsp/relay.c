/* One slot for the newest text, guarded by a mutex; an async handle wakes the loop, which takes what is in the slot. libuv
 * may merge several wakes into one: the slot is then full once, or empty the second time. */
#include "lsp/relay.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct relay {
    uv_mutex_t mutex;
    uv_async_t async;

    /* guarded */
    char *newest; /* [newest_bytes], not taken yet; NULL: nothing new */
    size_t newest_bytes;

    /* the loop's */
    void (*on_text)(void *user, const char *text, size_t bytes);
    void *user;

    /* the writer's */
    char *pushed; /* [pushed_bytes], last */
    size_t pushed_bytes;
};

/* On the loop's thread. */
static void on_wake(uv_async_t *async)
{
    struct relay *relay = async->data;
    uv_mutex_lock(&relay->mutex);
    char *text = relay->newest;
    size_t bytes = relay->newest_bytes;
    relay->newest = NULL;
    uv_mutex_unlock(&relay->mutex);

    if (text)
        relay->on_text(relay->user, text, bytes);
    free(text);
}

struct relay *relay_create(uv_loop_t *loop,
                           void (*on_text)(void *user, const char *text, size_t bytes), void *user)
{
    struct relay *relay = calloc(1, sizeof *relay);
    if (!relay)
        return NULL;
    if (uv_mutex_init(&relay->mutex) != 0) {
        free(relay);
        return NULL;
    }
    if (uv_async_init(loop, &relay->async, on_wake) != 0) {
        uv_mutex_destroy(&relay->mutex);
        free(relay);
        return NULL;
    }

    relay->async.data = relay;
    relay->on_text = on_text;
    relay->user = user;
    return relay;
}

static char *text_copy(const char *text, size_t bytes)
{
    char *copy = malloc(bytes + 1);
    if (copy)
        memcpy(copy, text, bytes);
    return copy;
}

void relay_push(struct relay *relay, const char *text, size_t bytes)
{
    if (!relay || bytes > RELAY_TEXT_BYTES)
        return;
    if (relay->pushed && relay->pushed_bytes == bytes && memcmp(relay->pushed, text, bytes) == 0)
        return;

    /* one copy to compare the next with, one to travel */
    char *kept = text_copy(text, bytes);
    char *sent = kept ? text_copy(text, bytes) : NULL;
    if (!sent) {
        free(kept);
        return;
    }
    free(relay->pushed);
    relay->pushed = kept;
    relay->pushed_bytes = bytes;

    uv_mutex_lock(&relay->mutex);
    free(relay->newest);
    relay->newest = sent;
    relay->newest_bytes = bytes;
    uv_mutex_unlock(&relay->mutex);
    uv_async_send(&relay->async);
}

static void on_closed(uv_handle_t *handle)
{
    struct relay *relay = handle->data;
    uv_mutex_destroy(&relay->mutex);
    free(relay->newest);
    free(relay->pushed);
    free(relay);
}

void relay_destroy(struct relay *relay)
{
    if (relay)
        uv_close((uv_handle_t *)&relay->async, on_closed);
}
