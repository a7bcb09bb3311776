/* A growing text on its way from the thread that writes it to the loop.
 *
 * The writer pushes the whole text so far, again and again; the loop hears of the newest one, and of those in between only
 * where it keeps up. So a slow loop costs nothing but smoothness, and nothing queues up.
 *
 * Made on the loop's thread; the writer stops pushing before the loop's thread destroys it. Every function takes NULL.
 */
#ifndef LSP_RELAY_H
#define LSP_RELAY_H

#include <stddef.h>

#include <uv.h>

/* What grows beyond is not passed on any more. */
enum { RELAY_TEXT_BYTES = 256 * 1024 };

struct relay;

/* `on_text` is called on the loop's thread; the text is valid for the call. NULL when memory or handles are exhausted. */
struct relay *relay_create(uv_loop_t *loop,
                           void (*on_text)(void *user, const char *text, size_t bytes), void *user);

/* Any thread, one at a time; copies the text. The same text as before is not passed on again. */
void relay_push(struct relay *relay, const char *text, size_t bytes);

/* `on_text` is not called any more; the memory goes when the loop has run the close callback. */
void relay_destroy(struct relay *relay);

#endif
