/* Messages out of a stream of bytes, and back: the base protocol of LSP.
 *
 * A message is a header of "Name: value" lines, an empty line, and Content-Length bytes of JSON. The reader takes bytes in
 * whatever pieces they arrive and gives out whole bodies; it knows nothing of their content. Pure: no input or output, one
 * thread at a time. A reader is embedded in its owner and owns its buffer until `frame_reader_finish`.
 *
 * Protocol: LSP 3.18, "Base Protocol".
 */
#ifndef LSP_PROTOCOL_FRAME_H
#define LSP_PROTOCOL_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "infer/error.h"

enum {
    FRAME_HEADER_BYTES = 4096,           /* all header lines of a message */
    FRAME_BODY_BYTES = 64 * 1024 * 1024, /* a longer body is skipped */
    FRAME_KEEP_BYTES = 1024 * 1024,      /* a larger buffer is given back when it is empty */
};

enum frame_status {
    FRAME_MESSAGE,   /* a body */
    FRAME_NEED_MORE, /* nothing until more bytes arrive */
    FRAME_REFUSED, /* a message was understood as such but its body is skipped: too long, or not UTF-8 */
    FRAME_BROKEN, /* not a header: where the next message begins is unknown, so the stream is of no further use */
};

struct frame_reader {
    char *bytes; /* [capacity], of which [start, end) are still unread */
    size_t start, end, capacity;
    size_t body_bytes;   /* of the message whose header has been read; valid while has_header */
    uint64_t skip_bytes; /* still to come of a refused body */
    bool has_header;
    bool broken;
};

void frame_reader_init(struct frame_reader *reader);
void frame_reader_finish(struct frame_reader *reader);

/* Adds bytes to what is unread; false when memory is exhausted. */
bool frame_reader_push(struct frame_reader *reader, const char *bytes, size_t count);

/* Takes the next message. After FRAME_MESSAGE body[0..bytes) may be written to and is valid until the next call on the
 * reader. After FRAME_REFUSED and FRAME_BROKEN `error` says why; a broken reader stays broken. */
enum frame_status frame_reader_next(struct frame_reader *reader, char **body, size_t *bytes,
                                    struct error *error);

/* A framed copy of a body, owned by the caller, its length in *framed_bytes; NULL when memory is exhausted. */
char *frame_write(const char *body, size_t bytes, size_t *framed_bytes);

#endif
