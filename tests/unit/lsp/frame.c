/* frame: whole streams against what must come out of them, cut in every way. */
#include "tests/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/protocol/frame.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { OUTCOME_BYTES = 512 };

/* What a stream yields, as text: bodies in brackets, '!' for a refused one, '#' for a broken stream. */
struct stream_case {
    const char *name;
    const char *stream;
    const char *outcome;
};

static const struct stream_case stream_cases[] = {
    {"one message", "Content-Length: 2\r\n\r\n{}", "[{}]"},
    {"two messages", "Content-Length: 2\r\n\r\n{}Content-Length: 3\r\n\r\nabc", "[{}][abc]"},
    {"empty body", "Content-Length: 0\r\n\r\n", "[]"},
    {"body of line ends", "Content-Length: 4\r\n\r\n\r\n\r\n", "[\r\n\r\n]"},
    {"body that looks like a header", "Content-Length: 21\r\n\r\nContent-Length: 2\r\n\r\n",
     "[Content-Length: 2\r\n\r\n]"},
    {"no space, odd case", "content-LENGTH:2\r\n\r\n{}", "[{}]"},
    {"spaces around the length", "Content-Length: \t 2 \r\n\r\n{}", "[{}]"},
    {"leading zeros", "Content-Length: 0002\r\n\r\n{}", "[{}]"},
    {"unknown field", "X-Y: a: b\r\nContent-Length: 2\r\n\r\n{}", "[{}]"},
    {"type without charset",
     "Content-Length: 2\r\nContent-Type: application/vscode-jsonrpc\r\n\r\n{}", "[{}]"},
    {"charset utf-8", "Content-Type: a; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}", "[{}]"},
    {"charset utf8", "Content-Type: a; charset=utf8\r\nContent-Length: 2\r\n\r\n{}", "[{}]"},
    {"charset in quotes", "Content-Type: a; charset=\"UTF-8\"\r\nContent-Length: 2\r\n\r\n{}",
     "[{}]"},
    {"other charset is skipped",
     "Content-Type: a; charset=utf-16\r\nContent-Length: 2\r\n\r\n{}Content-Length: 1\r\n\r\n1",
     "![1]"},
    {"too long is skipped for good", "Content-Length: 67108865\r\n\r\n{}", "!"},
    {"longest number", "Content-Length: 999999999999999999\r\n\r\n{}", "!"},
    {"longer number", "Content-Length: 1000000000000000000\r\n\r\n{}", "#"},
    {"unfinished header", "Content-Length: 2\r\n", ""},
    {"unfinished body", "Content-Length: 3\r\n\r\n{}", ""},
    {"no length", "X: 1\r\n\r\n{}", "#"},
    {"two lengths", "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", "#"},
    {"negative length", "Content-Length: -2\r\n\r\n{}", "#"},
    {"length and more", "Content-Length: 2x\r\n\r\n{}", "#"},
    {"empty length", "Content-Length:\r\n\r\n{}", "#"},
    {"no header at all", "\r\n\r\n{}", "#"},
    {"a request of the web", "GET / HTTP/1.1\r\n", "#"},
    {"JSON without a header", "{\"jsonrpc\":\"2.0\"}", "#"},
    {"garbage after a message", "Content-Length: 2\r\n\r\n{}\x01\x02", "[{}]#"},
    {"line without colon", "Content-Length: 2\r\nnonsense\r\n\r\n{}", "#"},
    {"only newlines", "Content-Length: 2\n\n{}Content-Length: 2\r\n\r\n{}", "#"},
};

/* Takes all messages that are there; false once the stream is broken. */
static bool take(struct frame_reader *reader, char outcome[OUTCOME_BYTES])
{
    for (;;) {
        struct error error = {0};
        char *body = NULL;
        size_t bytes = 0;
        size_t used = strlen(outcome);
        switch (frame_reader_next(reader, &body, &bytes, &error)) {
        case FRAME_MESSAGE:
            snprintf(outcome + used, OUTCOME_BYTES - used, "[%.*s]", (int)bytes, body);
            memset(body, 'x', bytes); /* ours to write to */
            break;
        case FRAME_REFUSED:
            assert_true(error.code != ERROR_NONE);
            snprintf(outcome + used, OUTCOME_BYTES - used, "!");
            break;
        case FRAME_BROKEN:
            assert_true(error.code != ERROR_NONE);
            snprintf(outcome + used, OUTCOME_BYTES - used, "#");
            return false;
        case FRAME_NEED_MORE:
            return true;
        }
    }
}

/* Feeds a stream in pieces of `piece` bytes, each from memory of exactly its size. */
static void feed(const char *stream, size_t piece, char outcome[OUTCOME_BYTES])
{
    struct frame_reader reader;
    size_t length = strlen(stream);
    frame_reader_init(&reader);
    *outcome = '\0';
    bool is_sound = true;
    for (size_t at = 0; at < length && is_sound; at += piece) {
        size_t count = length - at < piece ? length - at : piece;
        char *bytes = malloc(count);
        assert_non_null(bytes);
        memcpy(bytes, stream + at, count);
        assert_true(frame_reader_push(&reader, bytes, count));
        free(bytes);
        is_sound = take(&reader, outcome);
    }
    frame_reader_finish(&reader);
}

static void stream_cut_anyhow_gives_the_same_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(stream_cases); i++) {
        const struct stream_case *c = &stream_cases[i];
        for (size_t piece = 1; piece <= strlen(c->stream); piece++) {
            char outcome[OUTCOME_BYTES];
            feed(c->stream, piece, outcome);
            if (strcmp(outcome, c->outcome) != 0)
                fail_msg("%s, %zu bytes at a time: %s", c->name, piece, outcome);
        }
    }
}

/* A header of `field_bytes` in one unknown field. */
static enum frame_status status_with_field(size_t field_bytes)
{
    struct frame_reader reader;
    struct error error = {0};
    char *body;
    size_t bytes;
    char *stream = malloc(field_bytes + 64);
    assert_non_null(stream);
    int used = sprintf(stream, "Content-Length: 1\r\nX: ");
    memset(stream + used, 'x', field_bytes);
    strcpy(stream + used + field_bytes, "\r\n\r\n1");

    frame_reader_init(&reader);
    assert_true(frame_reader_push(&reader, stream, strlen(stream)));
    enum frame_status status = frame_reader_next(&reader, &body, &bytes, &error);
    frame_reader_finish(&reader);
    free(stream);
    return status;
}

static void header_over_limit_breaks_the_stream(void **state)
{
    (void)state;
    size_t rest = strlen("Content-Length: 1\r\nX: \r\n\r\n");
    assert_int_equal(status_with_field(FRAME_HEADER_BYTES - rest), FRAME_MESSAGE);
    assert_int_equal(status_with_field(FRAME_HEADER_BYTES - rest + 1), FRAME_BROKEN);
}

static void buffer_after_large_body_is_given_back(void **state)
{
    (void)state;
    struct frame_reader reader;
    struct error error = {0};
    char *body;
    size_t bytes;
    size_t framed_bytes;
    char *large = calloc(2, FRAME_KEEP_BYTES);
    assert_non_null(large);
    char *framed = frame_write(large, 2 * (size_t)FRAME_KEEP_BYTES, &framed_bytes);

    frame_reader_init(&reader);
    assert_true(frame_reader_push(&reader, framed, framed_bytes));
    assert_int_equal(frame_reader_next(&reader, &body, &bytes, &error), FRAME_MESSAGE);
    assert_int_equal(bytes, 2 * (size_t)FRAME_KEEP_BYTES);
    assert_true(frame_reader_push(&reader, "C", 1));
    assert_true(reader.capacity < FRAME_KEEP_BYTES);
    frame_reader_finish(&reader);
    free(framed);
    free(large);
}

static void written_frame_is_read_back(void **state)
{
    (void)state;
    size_t bytes;
    char *framed = frame_write("{\"a\":\"\xC3\xA4\"}", 10, &bytes);
    assert_non_null(framed);
    assert_int_equal(bytes, 32);
    assert_memory_equal(framed, "Content-Length: 10\r\n\r\n{\"a\":\"\xC3\xA4\"}", bytes);
    free(framed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stream_cut_anyhow_gives_the_same_messages),
        cmocka_unit_test(header_over_limit_breaks_the_stream),
        cmocka_unit_test(buffer_after_large_body_is_given_back),
        cmocka_unit_test(written_frame_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
