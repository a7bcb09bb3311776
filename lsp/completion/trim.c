/* Cuts what a model wrote, stage by stage.
 *
 * Both doors work on a draft: what would stand behind the place where the insertion begins, with '\n' line ends. On a blank
 * line it has the whole indentation but not the blank lines that a model likes to begin with; in a hole of a string it does
 * not open that hole again. Every stage gives an offset from which on the draft is of no use: the scope's end, a repetition,
 * the text behind the cursor. While text grows, any such offset means that more cannot help. At the end the draft is cut at
 * the smallest, its white space is reconciled with what the user has typed, and what is too little is dropped. */
#include "lsp/completion/trim.h"

#include <stdlib.h>
#include <string.h>

#include "lsp/byte.h"
#include "lsp/completion/overlap.h"
#include "lsp/completion/repetition.h"
#include "lsp/lines.h"

enum { TRIM_INDENT_BYTES = 256 }; /* of a blank cursor line; deeper ones are not reconciled */

struct draft {
    char *text; /* room for one more line end */
    size_t bytes;
    size_t skipped; /* of the model's text, that stand before the draft's */
    size_t given;   /* at its beginning, that the model did not write */
};

static size_t smaller(size_t left, size_t right)
{
    return left < right ? left : right;
}

/* Drafts */

/* Where a model's text begins that is to stand on a blank cursor line: at its first line that is not blank. */
static size_t first_line(const char *text, size_t bytes)
{
    size_t start = 0;

    for (size_t at = 0; at < bytes && byte_is_space(text[at]); at++) {
        if (text[at] == '\n' || text[at] == '\r')
            start = at + 1;
    }
    return start;
}

/* False when memory is exhausted. A NUL ends the text, since nothing behind it could be inserted. */
static bool draft_init(struct draft *draft, const struct context *context, const char *text,
                       size_t bytes)
{
    size_t start =
        context->is_blank_line ? first_line(text, bytes) : overlap_hole(context, text, bytes);

    *draft = (struct draft){.text = malloc(context->blank_bytes + bytes + 2), .skipped = start};
    if (!draft->text)
        return false;

    /* the text goes on behind the white space of a blank line, unless it leaves that line */
    if (start == 0) {
        draft->bytes = draft->given = context->blank_bytes;
        memcpy(draft->text, context->before + context_insertion_start(context), draft->bytes);
    }
    for (size_t i = start; i < bytes && text[i] != '\0'; i++) {
        bool is_pair = text[i] == '\r' && i + 1 < bytes && text[i + 1] == '\n';
        if (!is_pair)
            draft->text[draft->bytes++] = text[i] == '\r' ? '\n' : text[i];
    }
    draft->text[draft->bytes] = '\0';
    return true;
}

/* Cuts */

static size_t find_scope_end(const struct context *context, const char *text, size_t bytes,
                             bool *ended)
{
    struct scope_gap gap = {
        .language = context->language,
        .before = context->before,
        .before_bytes = context_insertion_start(context),
        .after = context->after,
        .after_bytes = context->after_bytes,
    };

    return scope_end(&gap, context->extent, text, bytes, ended);
}

/* What becomes of closers behind the cursor that a draft writes again from `at` on. */
enum closers {
    CLOSERS_END,     /* nothing new follows */
    CLOSERS_UNKNOWN, /* nothing yet */
    CLOSERS_REPLACED /* the line goes on behind them */
};

static enum closers judge_closers(const struct context *context, const struct draft *draft,
                                  size_t at)
{
    size_t end = overlap_rest_end(context, draft->text, draft->bytes, at);

    if (end == 0 || !context->language)
        return CLOSERS_END;
    while (end < draft->bytes && byte_is_space(draft->text[end]) && draft->text[end] != '\n')
        end++;
    if (end == draft->bytes)
        return CLOSERS_UNKNOWN;
    return draft->text[end] == '\n' ? CLOSERS_END : CLOSERS_REPLACED;
}

/* Where a draft ends. */
struct cut {
    size_t bytes; /* from here on it is of no use; its size while all of it is */
    bool ended;   /* more text cannot help */
    bool replaces;
};

static struct cut find_cut(const struct context *context, const struct draft *draft,
                           unsigned options)
{
    const char *text = draft->text;
    struct cut cut = {0};
    size_t scope = find_scope_end(context, text, draft->bytes, &cut.ended);
    size_t repeated = repetition_start(text, draft->bytes);
    size_t lines = overlap_lines(context, text, draft->bytes);
    size_t rest = overlap_rest(context, text, draft->bytes);
    enum closers closers = CLOSERS_END;

    cut.bytes = smaller(scope, smaller(repeated, lines));
    if (rest < cut.bytes && (options & TRIM_REPLACE))
        closers = judge_closers(context, draft, rest);
    cut.replaces = closers == CLOSERS_REPLACED;
    if (closers == CLOSERS_END)
        cut.bytes = smaller(cut.bytes, rest);
    if (smaller(repeated, lines) < draft->bytes || (closers == CLOSERS_END && rest < draft->bytes))
        cut.ended = true;
    return cut;
}

bool trim_is_complete(const struct context *context, const char *text, size_t bytes)
{
    struct draft draft;

    if (!draft_init(&draft, context, text, bytes))
        return true;
    struct cut cut = find_cut(context, &draft, TRIM_REPLACE);
    free(draft.text);
    return cut.ended;
}

/* Indentation */

/* How the lines of a draft are indented anew: `model` bytes at their start, the first line's white space, become the user's. */
struct indent {
    const char *user; /* white space of the cursor's line */
    size_t user_bytes;
    size_t model_bytes;
    bool rebase; /* for the lines behind the first too */
};

/* Decides from what the model wrote at the start of a blank cursor line. False where it cannot be inserted right: what should
 * stand farther left than the user's white space would stand too far right. */
static bool indent_decide(struct indent *indent, const struct context *context, const char *text,
                          size_t bytes)
{
    *indent = (struct indent){
        .user = context->before + context_insertion_start(context),
        .user_bytes = context->blank_bytes,
        .model_bytes = lines_indent(text, bytes, 0),
    };
    size_t shared = smaller(indent->user_bytes, indent->model_bytes);
    bool agree = !memcmp(indent->user, text, shared);

    /* the model's white space continues the user's */
    if (agree && shared == indent->user_bytes) {
        indent->model_bytes = shared;
        return true;
    }

    /* tabs against spaces, or a body that is indented less than the user's: keep the user's depth */
    indent->rebase = true;
    return indent->user_bytes <= TRIM_INDENT_BYTES && (!agree || context->extent == SCOPE_BLOCK);
}

/* A copy of the draft with its lines indented as decided. */
static char *indent_apply(const struct indent *indent, const char *text, size_t bytes)
{
    size_t lines = 1, written = 0;

    for (size_t i = 0; i < bytes; i++)
        lines += text[i] == '\n';
    char *result = malloc(bytes + lines * indent->user_bytes + 1);
    if (!result)
        return NULL;

    for (size_t start = 0; start < bytes;) {
        const char *newline = memchr(text + start, '\n', bytes - start);
        size_t end = newline ? (size_t)(newline - text) + 1 : bytes;
        bool has_model =
            end - start > indent->model_bytes && !memcmp(text + start, text, indent->model_bytes);
        bool rebases = start > 0 && indent->rebase && has_model && text[start] != '\n';
        if (rebases) {
            memcpy(result + written, indent->user, indent->user_bytes);
            written += indent->user_bytes;
        }
        size_t from = start == 0 || rebases ? start + indent->model_bytes : start;
        memcpy(result + written, text + from, end - from);
        written += end - from;
        start = end;
    }
    result[written] = '\0';
    return result;
}

/* The end */

static size_t strip_end(const char *text, size_t bytes)
{
    while (bytes > 0 && byte_is_space(text[bytes - 1]))
        bytes--;
    return bytes;
}

/* Whether the white space at the end of a text stands between two words: the cursor's rest of line follows directly, and is no
 * separator, before which there is none. */
static bool needs_end(const struct context *context)
{
    size_t start;

    return context_rest(context, &start) > 0 && start == 0 && !strchr(",;", context->after[0]);
}

bool trim_is_noise(const char *text, size_t bytes)
{
    size_t marks = 0;

    for (size_t i = 0; i < bytes; i++) {
        if (byte_is_word(text[i]) && text[i] != '_')
            return false;
        marks += !byte_is_space(text[i]);
    }
    return marks < 2;
}

/* The end of the whole lines of a draft that was cut short; all of it where there are none. */
static size_t whole_lines(const char *text, size_t bytes)
{
    const char *newline = memrchr(text, '\n', bytes);
    size_t lines = newline ? strip_end(text, (size_t)(newline - text)) : 0;

    return lines > 0 ? lines : bytes;
}

/* The end of the first line with more than white space. */
static size_t first_line_end(const char *text, size_t bytes)
{
    size_t at = 0;

    while (at < bytes && byte_is_space(text[at]))
        at++;
    while (at < bytes && text[at] != '\n')
        at++;
    return at;
}

/* How much of a draft is shown. */
static size_t shown_bytes(const struct context *context, struct draft *draft, unsigned options,
                          bool *replaces)
{
    /* nothing more comes: with a line end behind it the last line is judged as a whole one */
    size_t written = draft->bytes;
    draft->text[draft->bytes++] = '\n';
    struct cut cut = find_cut(context, draft, options);
    size_t size = smaller(cut.bytes, written);
    if (size == written && (options & TRIM_CUT_SHORT))
        size = whole_lines(draft->text, size);

    *replaces = cut.replaces;
    size_t stripped = strip_end(draft->text, size);
    if (cut.replaces)
        return stripped;
    size_t tail = overlap_tail(context, draft->text, stripped);
    if (tail < stripped || !needs_end(context))
        size = needs_end(context) ? tail : strip_end(draft->text, tail);
    return size;
}

bool trim_take(struct trimmed *trimmed, const struct context *context, const char *text,
               size_t bytes, unsigned options)
{
    struct draft draft;
    struct indent indent = {.user = ""};
    bool replaces;

    *trimmed = (struct trimmed){0};
    if (!draft_init(&draft, context, text, bytes))
        return false;
    size_t size = shown_bytes(context, &draft, options, &replaces);
    bool shows = !trim_is_noise(draft.text, size) &&
                 (!context->is_blank_line || indent_decide(&indent, context, draft.text, size));
    trimmed->text = shows ? indent_apply(&indent, draft.text, size) : calloc(1, 1);
    size_t line_end = first_line_end(draft.text, size);
    trimmed->line_bytes = line_end > draft.given ? draft.skipped + line_end - draft.given : 0;
    if (shows && replaces) {
        size_t start, rest_bytes = context_rest(context, &start);
        trimmed->replaced_bytes = start + rest_bytes;
    }
    free(draft.text);
    return trimmed->text != NULL;
}

char *trim_finish(const struct context *context, const char *text, size_t bytes)
{
    struct trimmed trimmed;

    return trim_take(&trimmed, context, text, bytes, 0) ? trimmed.text : NULL;
}
