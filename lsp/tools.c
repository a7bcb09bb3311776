/* Every command opens what it needs, does its one thing, prints, closes. Text goes out as it comes; JSON is built with
 * jansson and printed whole. */
#include "lsp/tools.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lsp/completion/candidates.h"
#include "lsp/context.h"
#include "lsp/tools/tool_io.h"

/* --- complete --------------------------------------------------------------------------------------------------------- */

/* Splits FILE:LINE:COL from the right; the caller frees *path. */
static bool parse_place(const char *place, char **path, long *line, long *column,
                        struct error *error)
{
    const char *second = strrchr(place, ':'), *first = second;
    char *end;

    while (first && first > place && *--first != ':')
        continue;
    if (!second || first == second || *first != ':')
        return error_set(error, ERROR_INPUT, "%s: FILE:LINE:COL is expected", place);
    *line = strtol(first + 1, &end, 10);
    const bool line_is_whole = end == second && end > first + 1;
    *column = strtol(second + 1, &end, 10);
    if (!line_is_whole || *end || end == second + 1 || *line < 1 || *column < 1)
        return error_set(error, ERROR_INPUT, "%s: line and column count from 1", place);

    *path = strndup(place, (size_t)(first - place));
    return *path || error_set(error, ERROR_MEMORY, "not enough memory");
}

/* Byte offset of a 1-based line and byte column; the column may stand at the line's end. */
static bool find_offset(const char *place, const char *text, size_t bytes, long line, long column,
                        size_t *offset, struct error *error)
{
    const char *at = text, *const end = text + bytes;

    for (long i = 1; i < line; i++) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (!at)
            return error_set(error, ERROR_INPUT, "%s: the file has only %ld lines", place, i);
        at++;
    }
    const char *line_end = memchr(at, '\n', (size_t)(end - at));
    const long length = (long)((line_end ? line_end : end) - at);
    if (column - 1 > length)
        return error_set(error, ERROR_INPUT, "%s: the line ends at column %ld", place, length + 1);
    *offset = (size_t)(at - text) + (size_t)column - 1;
    return true;
}

/* The context of a place in a file, as the editor's request would have it. */
static bool place_context(const char *place, struct context *context, struct error *error)
{
    char *path = NULL, *text = NULL;
    long line = 0, column = 0;
    size_t bytes, offset = 0;
    bool found = false;

    if (!parse_place(place, &path, &line, &column, error) ||
        !(text = tool_read_input(path, &bytes, error)) ||
        !find_offset(place, text, bytes, line, column, &offset, error))
        goto done;

    const struct language *language = language_find(NULL, path);
    struct syntax *syntax = language ? syntax_create(language) : NULL;
    if (syntax)
        syntax_parse(syntax, text, bytes);
    found = context_init(context, language, syntax, text, bytes, offset) ||
            error_set(error, ERROR_MEMORY, "%s: not enough memory", path);
    syntax_destroy(syntax);

done:
    free(text);
    free(path);
    return found;
}

bool tool_complete(const struct command_line *line, struct error *error)
{
    struct context context = {0};
    struct candidates candidates = {0};
    struct engine *engine = NULL;
    bool done = false;

    if (!place_context(line->operand, &context, error))
        return false;
    engine = tool_open_engine(&line->settings, error);
    const struct candidates_request request = {.wanted = 1,
                                               .max_tokens = line->settings.max_tokens};
    if (!engine || !candidates_generate(&candidates, engine, &context, &request, error))
        goto done;

    const char *text = candidates.count ? candidates.texts[0] : "";
    if (line->settings.json)
        done = tool_print_json(
            json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:f, s:f, s:s}", "text", text,
                      "prompt_tokens", candidates.prompt_tokens, "reused_tokens",
                      candidates.reused_tokens, "completion_tokens", candidates.completion_tokens,
                      "drafted_tokens", candidates.drafted_tokens, "accepted_tokens",
                      candidates.accepted_tokens, "first_token_ms", candidates.first_token_ms,
                      "total_ms", candidates.total_ms, "stop", engine_stop_name(candidates.stop)),
            error);
    else {
        fputs(text, stdout);
        if (isatty(STDOUT_FILENO))
            putchar('\n');
        done = true;
    }

done:
    candidates_finish(&candidates);
    engine_close(engine);
    context_finish(&context);
    return done;
}

/* --- generate --------------------------------------------------------------------------------------------------------- */

/* Prints what has been added since the last call; stops when nobody reads any more. */
struct stream {
    size_t printed;
};

static bool stream_text(void *user, const char *text, size_t bytes)
{
    struct stream *stream = user;

    fwrite(text + stream->printed, 1, bytes - stream->printed, stdout);
    stream->printed = bytes;
    return fflush(stdout) == 0;
}

static bool generate_json(const struct engine_result *result, struct error *error)
{
    return tool_print_json(
        json_pack("{s:s%, s:i, s:i, s:i, s:i, s:i, s:f, s:f, s:s}", "text", result->text,
                  result->bytes, "prompt_tokens", result->prompt_tokens, "reused_tokens",
                  result->reused_tokens, "completion_tokens", result->completion_tokens,
                  "drafted_tokens", result->drafted_tokens, "accepted_tokens",
                  result->accepted_tokens, "first_token_ms", result->first_token_ms, "total_ms",
                  result->total_ms, "stop", engine_stop_name(result->stop)),
        error);
}

bool tool_generate(const struct command_line *line, struct error *error)
{
    struct stream stream = {0};
    struct engine_result result;
    struct engine *engine = NULL;
    char *text = NULL;
    size_t bytes = line->prompt ? strlen(line->prompt) : 0;
    bool done = false;

    if (line->file && !(text = tool_read_input(line->file, &bytes, error)))
        return false;

    engine = tool_open_engine(&line->settings, error);
    if (!engine)
        goto done;
    const struct engine_request request = {
        .prefix = line->prompt ? line->prompt : text,
        .prefix_bytes = bytes,
        .special = line->settings.special,
        .max_tokens = line->settings.max_tokens,
        .temperature = line->temperature,
        .top_p = line->top_p,
        .seed = line->seed,
        .on_text = line->settings.json ? NULL : stream_text,
        .user = &stream,
    };
    if (!engine_complete(engine, &request, &result, error))
        goto done;

    if (line->settings.json)
        done = generate_json(&result, error);
    else {
        done = stream_text(&stream, result.text, result.bytes);
        putchar('\n');
    }
    engine_result_finish(&result);

done:
    engine_close(engine);
    free(text);
    return done;
}

/* --- tokenize, logits ------------------------------------------------------------------------------------------------- */

/* Parses "1, 2,3" or "[1,2,3]"; the caller frees *ids. */
static bool parse_ids(const char *text, int32_t **ids, size_t *count, struct error *error)
{
    static const char space[] = " \t\r\n";
    const char *at = text + strspn(text, space);
    const bool is_array = *at == '[';
    size_t capacity = 0;

    at += is_array + strspn(at + is_array, space);

    *ids = NULL;
    *count = 0;
    while (*at && *at != ']') {
        char *end;
        const long id = strtol(at, &end, 10);
        if (end == at || id < 0 || id > INT32_MAX)
            return error_set(error, ERROR_INPUT,
                             "token ids: a list such as 1,2,3 is expected at \"%.20s\"", at);
        if (*count == capacity) {
            capacity = capacity ? 2 * capacity : 256;
            int32_t *grown = realloc(*ids, capacity * sizeof **ids);
            if (!grown)
                return error_set(error, ERROR_MEMORY, "not enough memory");
            *ids = grown;
        }
        (*ids)[(*count)++] = (int32_t)id;
        at = end + strspn(end, " \t\r\n,");
    }

    /* what is cut off, or goes on behind its end, is not the list that was meant */
    if (is_array != (*at == ']') || (is_array && at[1 + strspn(at + 1, space)]))
        return error_set(error, ERROR_INPUT,
                         "token ids: one list such as [1,2,3] is expected, which ends with it%s",
                         *at ? "" : "; this one has no end");
    return true;
}

static bool print_ids(const int32_t *ids, size_t count, bool json, struct error *error)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_integer(ids[i]));
    if (json)
        return tool_print_json(json_pack("{s:o}", "tokens", array), error);
    return tool_print_json(array, error);
}

static bool detokenize(const struct command_line *line, const struct engine *engine,
                       const char *input, struct error *error)
{
    int32_t *ids;
    size_t count, bytes;
    char *text = NULL;
    bool done = false;

    if (parse_ids(input, &ids, &count, error) &&
        engine_detokenize(engine, ids, count, &text, &bytes, error)) {
        if (line->settings.json)
            done = tool_print_json(json_pack("{s:s%}", "text", text, bytes), error);
        else
            done = fwrite(text, 1, bytes, stdout) == bytes;
    }
    free(text);
    free(ids);
    return done;
}

bool tool_tokenize(const struct command_line *line, struct error *error)
{
    struct engine *engine = NULL;
    int32_t *ids = NULL;
    size_t bytes, count;
    bool done = false;
    char *input = tool_read_input(line->operand, &bytes, error);

    if (!input)
        return false;
    engine = tool_open_engine(&line->settings, error);
    if (engine && line->decode)
        done = detokenize(line, engine, input, error);
    else if (engine)
        done = engine_tokenize(engine, input, bytes, line->settings.special, &ids, &count, error) &&
               print_ids(ids, count, line->settings.json, error);

    free(ids);
    engine_close(engine);
    free(input);
    return done;
}

/* Where rows of logits go. */
struct logits_sink {
    FILE *file;
    int vocab;
};

static bool write_row(void *user, const float *logits)
{
    struct logits_sink *sink = user;
    const size_t count = (size_t)sink->vocab;

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "logits are written as they lie in memory, which must be little-endian"
#endif
    return fwrite(logits, sizeof *logits, count, sink->file) == count;
}

/* Writes all rows to a file or standard output; an unfinished file is removed. */
static bool write_logits(const struct command_line *line, struct engine *engine, const int32_t *ids,
                         size_t count, struct error *error)
{
    struct engine_info info;
    struct logits_sink sink = {.file = line->output ? fopen(line->output, "wb") : stdout};

    if (!sink.file)
        return error_set(error, ERROR_SYSTEM, "%s: cannot open for writing: %s", line->output,
                         strerror(errno));
    engine_describe(engine, &info);
    sink.vocab = info.vocab_size;

    bool written = engine_logits(engine, ids, count, NULL, write_row, &sink, error);
    if (written || ferror(sink.file)) {
        const bool failed = ferror(sink.file) || fflush(sink.file) != 0;
        if (failed) {
            *error = (struct error){0};
            written = error_set(error, ERROR_SYSTEM, "%s: cannot be written: %s",
                                line->output ? line->output : "standard output", strerror(errno));
        }
    }
    if (line->output) {
        fclose(sink.file);
        if (!written)
            remove(line->output);
    }
    return written;
}

bool tool_logits(const struct command_line *line, struct error *error)
{
    struct engine *engine = NULL;
    int32_t *ids = NULL;
    size_t count;
    bool done = false;

    if (parse_ids(line->tokens, &ids, &count, error) &&
        (engine = tool_open_engine(&line->settings, error)))
        done = write_logits(line, engine, ids, count, error);

    engine_close(engine);
    free(ids);
    return done;
}
