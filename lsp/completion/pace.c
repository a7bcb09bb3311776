/* Both averages forget by halves, so two or three keys tell a rhythm and one slow answer is soon forgiven. */
#include "lsp/completion/pace.h"

#include <stdbool.h>

/* Keys do not come like a clock's ticks. */
static const double margin = 1.3;

static double smooth(double average, double value)
{
    return average > 0 ? (average + value) / 2 : value;
}

void pace_written(struct pace *pace, double taken_ms)
{
    pace->writing_ms = smooth(pace->writing_ms, taken_ms);
}

int pace_asked(struct pace *pace, int64_t now_ms)
{
    double interval_ms = (double)(now_ms - pace->asked_ms);
    bool is_first = pace->asked_ms == 0;
    pace->asked_ms = now_ms;
    if (is_first || interval_ms >= PACE_PATIENT_MS) {
        pace->interval_ms = 0;
        return 0;
    }

    pace->interval_ms = smooth(pace->interval_ms, interval_ms);
    double delay_ms = pace->interval_ms * margin;
    if (pace->writing_ms <= PACE_FAST_MS || pace->writing_ms <= pace->interval_ms)
        return 0;
    return delay_ms < PACE_DELAY_MS ? (int)delay_ms : PACE_DELAY_MS;
}
