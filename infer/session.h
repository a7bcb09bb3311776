/* A token history and what the model knows of it.
 *
 * Callers always hand over the whole token sequence; the session alone decides which prefix of it the cache already holds,
 * drops the rest and evaluates what is new. Results do not depend on what was reused: a warm session gives the same bits as
 * a cold one.
 *
 * The model is shared and constant; a session belongs to one thread at a time and must be destroyed before its model.
 */
#ifndef INFER_SESSION_H
#define INFER_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "infer/error.h"
#include "infer/halt.h"
#include "infer/model.h"

struct session;

/* A session for up to `context_tokens` positions. NULL with an error. */
struct session *session_create(const struct model *model, int context_tokens, struct error *error);
void session_destroy(const struct model *model, struct session *session);

/* Makes the session stand for exactly tokens [count], 1 <= count <= context. Gives how many positions were reused through
 * `reused` (may be NULL). On false (cancelled, time spent, device failure) the session stands for a shorter, clean prefix; once
 * its time is spent for a longer one than before all the same, so that whoever asks again and again comes to an end. */
bool session_sync(const struct model *model, struct session *session, const int32_t *tokens,
                  size_t count, const struct halt *halt, size_t *reused, struct error *error);

enum { SESSION_DRAFTED_MAX = 8 };

/* As session_sync, the last `drafted` tokens being guesses, 0 <= drafted <= SESSION_DRAFTED_MAX and < count: all are evaluated
 * together, and the logits after each of them and after the token before them can be read. A guess that turns out wrong is
 * dropped by the next call that goes on without it. */
bool session_verify(const struct model *model, struct session *session, const int32_t *tokens,
                    size_t count, int drafted, const struct halt *halt, size_t *reused,
                    struct error *error);

/* As session_sync from an empty history, giving the logits after every token to `on_row`, which may return false to stop. */
bool session_each(const struct model *model, struct session *session, const int32_t *tokens,
                  size_t count, const struct halt *halt,
                  bool (*on_row)(void *user, const float *logits), void *user, struct error *error);

/* Logits [vocab] after the last token of the history, valid until the next call that changes it; NULL with an error. */
const float *session_logits(const struct model *model, struct session *session,
                            struct error *error);

/* Logits [vocab] after the history's first `count` tokens, valid as long; NULL with an error where the last call did not ask
 * for them, or the device fails. They come from the device with the first call. */
const float *session_logits_after(const struct model *model, struct session *session, size_t count,
                                  struct error *error);

/* The likeliest of the first `vocab` tokens after these, the lowest of equals, and its log-probability among them (may be
 * NULL); false as above. Logits stay on a device that can look for it. */
bool session_likeliest(const struct model *model, struct session *session, size_t count, int vocab,
                       int32_t *id, float *log_probability, struct error *error);

/* Capacity in tokens. */
int session_context(const struct session *session);

#endif
