/* How long an automatic request waits before work on it begins.
 *
 * While somebody types faster than completions are written, each would be thrown away before it is done. So a request then
 * waits a little longer than keys lie apart: the next key takes its place, and only at a pause work begins. Nobody waits
 * where that saves nothing: at the first key after a pause, where completions take no longer than the time between keys, or
 * where the editor waits by itself.
 *
 * A plain value; times in milliseconds of any clock that does not go back.
 */
#ifndef LSP_COMPLETION_PACE_H
#define LSP_COMPLETION_PACE_H

#include <stdint.h>

enum {
    PACE_FAST_MS = 50, /* work that is done so soon is not worth delaying */
    PACE_PATIENT_MS =
        180, /* requests so far apart are those of an editor that waits itself, or of somebody who thinks */
    PACE_DELAY_MS = 150, /* at most */
};

struct pace {
    double writing_ms;  /* what a completion takes, smoothed; 0: none has been written */
    double interval_ms; /* between requests while typing, smoothed; 0: nobody types */
    int64_t asked_ms;   /* the last request */
};

/* A completion was written from beginning to end. */
void pace_written(struct pace *pace, double taken_ms);

/* An automatic request has come; how long it waits. */
int pace_asked(struct pace *pace, int64_t now_ms);

#endif
