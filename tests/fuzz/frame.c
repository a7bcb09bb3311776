/* The frame reader: a stream cut into pieces gives the same messages as the stream at once.
 *
 * Input: one byte that says how long the pieces are, then the stream.
 */
#include <stdlib.h>
#include <string.h>

#include "lsp/protocol/frame.h"
#include "tests/fuzz/fuzz.h"

/* What a stream gave: the sum of what was seen, in order. */
struct outcome {
    size_t messages, refusals;
    uint64_t digest;
    bool broken;
};

static void digest_body(struct outcome *outcome, const char *body, size_t bytes)
{
    outcome->digest = outcome->digest * 1099511628211u + bytes;
    for (size_t i = 0; i < bytes; i++)
        outcome->digest = (outcome->digest ^ (uint8_t)body[i]) * 1099511628211u;
}

/* A body written again is a frame that reads as that body. */
static void check_round_trip(const char *body, size_t bytes)
{
    size_t framed_bytes, again_bytes;
    char *framed = frame_write(body, bytes, &framed_bytes), *again;
    struct frame_reader reader;

    fuzz_check(framed != NULL, "a body can be framed");
    frame_reader_init(&reader);
    fuzz_check(frame_reader_push(&reader, framed, framed_bytes), "there is memory for a frame");
    fuzz_check(frame_reader_next(&reader, &again, &again_bytes, NULL) == FRAME_MESSAGE,
               "a written frame can be read");
    fuzz_check(again_bytes == bytes && memcmp(again, body, bytes) == 0, "a frame keeps its body");
    frame_reader_finish(&reader);
    free(framed);
}

static void take_messages(struct frame_reader *reader, struct outcome *outcome)
{
    for (;;) {
        char *body;
        size_t bytes;
        struct error error = {0};

        switch (frame_reader_next(reader, &body, &bytes, &error)) {
        case FRAME_MESSAGE:
            outcome->messages++;
            digest_body(outcome, body, bytes);
            check_round_trip(body, bytes);
            break;
        case FRAME_REFUSED:
            fuzz_check(error.text[0] != '\0', "a refusal has a reason");
            outcome->refusals++;
            break;
        case FRAME_BROKEN:
            fuzz_check(error.text[0] != '\0', "a broken stream has a reason");
            outcome->broken = true;
            return;
        case FRAME_NEED_MORE:
            return;
        }
    }
}

static struct outcome read_stream(const uint8_t *data, size_t size, size_t piece)
{
    struct frame_reader reader;
    struct outcome outcome = {0};

    frame_reader_init(&reader);
    for (size_t start = 0; start < size && !outcome.broken; start += piece) {
        const size_t count = size - start < piece ? size - start : piece;
        fuzz_check(frame_reader_push(&reader, (const char *)data + start, count),
                   "there is memory for the stream");
        take_messages(&reader, &outcome);
    }
    frame_reader_finish(&reader);
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;

    const struct outcome whole = read_stream(data + 1, size - 1, size);
    const struct outcome pieces = read_stream(data + 1, size - 1, data[0] % 32 + 1);

    fuzz_check(whole.messages == pieces.messages && whole.refusals == pieces.refusals &&
                   whole.digest == pieces.digest && whole.broken == pieces.broken,
               "pieces give the same messages as the whole");
    return 0;
}
