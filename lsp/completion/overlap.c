/* Balance of brackets and quotation marks decides which closing ones are new.
 *
 * Three texts are scanned alike: the beginning of the cursor's line leaves a stack of what it opened; what follows the cursor
 * gives the closers that have no opener among themselves; the insertion is then followed with that stack. Closers that are
 * there already are taken to belong to the outermost openers they fit, since an editor that pairs brackets closes whatever
 * was opened and a user who does not pair leaves the inner ones open. The scan knows no language: a quotation mark opens a
 * string unless it looks like an apostrophe, and strings end at line ends.
 */
#include "lsp/completion/overlap.h"

#include <string.h>

#include "lsp/byte.h"
#include "lsp/lines.h"

enum {
    OVERLAP_DEPTH = 64,        /* brackets that are followed; what is nested deeper is let pass */
    OVERLAP_PREFIX_LETTERS = 2 /* before a quotation mark: rb"", u8""; more make it an apostrophe */
};

/* What is open at a place, outermost first. */
struct brackets {
    char openers[OVERLAP_DEPTH];
    bool has_holes[OVERLAP_DEPTH]; /* strings in which '{' begins an expression */
    size_t depth;
};

/* What one byte did. */
struct event {
    bool closed; /* it closes openers[index] */
    size_t index;
    bool unmatched; /* it closes what was not seen to open */
};

/* The opener of a closing bracket, or 0. */
static char opener_of(char closer)
{
    return closer == ')' ? '(' : closer == ']' ? '[' : closer == '}' ? '{' : '\0';
}

static bool is_bracket(char byte)
{
    return byte == '(' || byte == '[' || byte == '{' || opener_of(byte);
}

static bool in_string(const struct brackets *brackets)
{
    return brackets->depth > 0 && byte_is_quote(brackets->openers[brackets->depth - 1]);
}

/* Whether the quotation mark at `at` stands within a word, as in "don't". */
static bool is_apostrophe(const char *text, size_t at)
{
    size_t letters = 0;

    while (letters < at && byte_is_word(text[at - 1 - letters]))
        letters++;
    return letters > OVERLAP_PREFIX_LETTERS;
}

static void open_bracket(struct brackets *brackets, char opener, bool has_holes)
{
    if (brackets->depth == OVERLAP_DEPTH)
        return;
    brackets->openers[brackets->depth] = opener;
    brackets->has_holes[brackets->depth++] = has_holes;
}

/* Whether the quotation mark at `at` begins a string with holes: f"" of Python, $"" of C#. */
static bool begins_format(const char *text, size_t at)
{
    return at > 0 && strchr("fF$", text[at - 1]);
}

/* Closes the innermost opener when it is the one wanted. */
static struct event close_bracket(struct brackets *brackets, char opener)
{
    if (brackets->depth == 0)
        return (struct event){.unmatched = true};
    if (brackets->openers[brackets->depth - 1] != opener)
        return (struct event){.unmatched = !in_string(brackets)};
    return (struct event){.closed = true, .index = --brackets->depth};
}

/* Whether the '{' at `at` begins an expression within the string: "${" of scripts and templates, "{" of formats. */
static bool has_hole(const struct brackets *brackets, const char *text, size_t at)
{
    size_t top = brackets->depth - 1;
    bool is_script = at > 0 && text[at - 1] == '$' && brackets->openers[top] != '\'';

    return is_script || brackets->has_holes[top];
}

/* Follows the byte at *at and moves on, over an escaped one too. */
static struct event follow(struct brackets *brackets, const char *text, size_t bytes, size_t *at)
{
    size_t here = (*at)++;
    char byte = text[here];

    /* strings: only their own end matters, and expressions in templates; those of one line end with it */
    if (in_string(brackets)) {
        char quote = brackets->openers[brackets->depth - 1];
        if (byte == '\\' && *at < bytes)
            (*at)++;
        else if (byte == '{' && has_hole(brackets, text, here))
            open_bracket(brackets, byte, false);
        else if (byte == quote)
            return close_bracket(brackets, quote);
        else if (byte == '\n' && quote != '`')
            brackets->depth--;
        return (struct event){0};
    }
    if (byte == '(' || byte == '[' || byte == '{' ||
        (byte_is_quote(byte) && !is_apostrophe(text, here)))
        open_bracket(brackets, byte, begins_format(text, here));
    else if (opener_of(byte))
        return close_bracket(brackets, opener_of(byte));
    return (struct event){0};
}

/* Whether the '{' that `line` ends with begins an expression in a string of it. */
static bool ends_in_hole(const char *line, size_t bytes)
{
    struct brackets brackets = {0};

    for (size_t at = 0; at < bytes;)
        follow(&brackets, line, bytes, &at);
    return brackets.depth > 1 && brackets.openers[brackets.depth - 1] == '{' &&
           byte_is_quote(brackets.openers[brackets.depth - 2]);
}

size_t overlap_hole(const struct context *context, const char *text, size_t bytes)
{
    const size_t start = context_line_start(context);
    const size_t line_bytes = context_insertion_start(context) - start;
    const char *line = context->before + start;

    if (!context->language || line_bytes == 0 || line[line_bytes - 1] != '{')
        return 0;
    const bool is_script = line_bytes > 1 && line[line_bytes - 2] == '$';
    const size_t opener = is_script ? 2 : 1;
    if (bytes < opener || memcmp(text, line + line_bytes - opener, opener))
        return 0;
    return is_script || ends_in_hole(line, line_bytes) ? opener : 0;
}

/* What stands behind the cursor. */
struct ahead {
    size_t rest_start, rest_bytes; /* the cursor's line, in `after` */
    size_t next_start, next_bytes; /* the next line that is not blank, with its indentation */
};

static struct ahead look_ahead(const struct context *context)
{
    struct ahead ahead = {0};
    const char *after = context->after;
    size_t bytes = context->after_bytes;

    ahead.rest_bytes = context_rest(context, &ahead.rest_start);
    size_t at = ahead.rest_start + ahead.rest_bytes;
    while (at < bytes && after[at] != '\n')
        at++;
    size_t first = at;
    while (first < bytes && byte_is_space(after[first]))
        first++;
    for (ahead.next_start = first; ahead.next_start > at && after[ahead.next_start - 1] != '\n';)
        ahead.next_start--;
    for (at = first; at < bytes && after[at] != '\n';)
        at++;
    while (at > first && byte_is_space(after[at - 1]))
        at--;
    ahead.next_bytes = at > first ? at - ahead.next_start : 0;
    return ahead;
}

/* Whether two lines begin with the same white space. */
static bool is_same_indent(const char *left, size_t left_bytes, const char *right,
                           size_t right_bytes)
{
    size_t indent = lines_indent(left, left_bytes, 0);

    return indent == lines_indent(right, right_bytes, 0) && !memcmp(left, right, indent);
}

/* Marks in closed[] which openers of the cursor's line the closers of `text` belong to: its last closer to the outermost opener
 * that fits, the one before it to the next, and so on inwards. */
static void mark_closed(const struct brackets *line, const char *text, size_t bytes, bool *closed)
{
    char closers[OVERLAP_DEPTH];
    size_t count = 0;
    struct brackets own = {0};

    /* inside a string its end comes first */
    bool starts_in_string = in_string(line);
    if (starts_in_string)
        open_bracket(&own, line->openers[line->depth - 1], line->has_holes[line->depth - 1]);
    for (size_t at = 0; at < bytes && count < OVERLAP_DEPTH;) {
        size_t here = at;
        struct event event = follow(&own, text, bytes, &at);
        if (event.closed && event.index == 0 && starts_in_string) {
            starts_in_string = false;
            closers[count++] = text[here];
        } else if (event.unmatched) {
            closers[count++] = opener_of(text[here]);
        }
    }

    for (size_t opener = 0; opener < line->depth && count > 0; opener++) {
        size_t last = count;
        while (last > 0 && closers[last - 1] != line->openers[opener])
            last--;
        if (last > 0) {
            closed[opener] = true;
            count = last - 1;
        }
    }
}

/* Whether the insertion goes on at `at` with the rest of the cursor's line. A word at the rest's end must end there too. Where
 * the rest begins with a word, the insertion's line must end with it, since words recur. */
static bool is_rest_at(const char *rest, size_t rest_bytes, const char *text, size_t bytes,
                       size_t at)
{
    if (rest_bytes == 0 || bytes - at < rest_bytes || memcmp(text + at, rest, rest_bytes))
        return false;

    size_t end = at + rest_bytes;
    if (byte_is_word(rest[rest_bytes - 1]) && (end == bytes || byte_is_word(text[end])))
        return false;
    if (!byte_is_word(rest[0]))
        return true;
    while (end < bytes && byte_is_space(text[end]) && text[end] != '\n')
        end++;
    return end < bytes && text[end] == '\n' && (at == 0 || !byte_is_word(text[at - 1]));
}

/* Whether the closer at `at`, for which nothing was seen to open, is the one that the cursor's line goes on with, or the next
 * line begins with. One on a line of its own must stand as far in as that. */
static bool is_closer_ahead(const struct context *context, const struct ahead *ahead,
                            const char *text, size_t bytes, size_t at)
{
    const char *next = context->after + ahead->next_start;
    size_t indent = lines_indent(next, ahead->next_bytes, 0);

    if (ahead->rest_bytes > 0)
        return context->after[ahead->rest_start] == text[at];
    if (indent == ahead->next_bytes || next[indent] != text[at])
        return false;

    size_t start = lines_start(text, at);
    bool is_first =
        start + lines_indent(text, bytes, start) == at && (start > 0 || context->is_blank_line);
    return !is_first || is_same_indent(text + start, bytes - start, next, ahead->next_bytes);
}

/* Whether a rest of line begins by closing what the line opened. In a string no other quotation mark than its own does. */
static bool closes_line(const struct brackets *line, const char *rest, size_t rest_bytes)
{
    if (line->depth == 0 || rest_bytes == 0)
        return false;
    const char opener = line->openers[line->depth - 1];
    return opener_of(rest[0]) ||
           (byte_is_quote(rest[0]) && (!byte_is_quote(opener) || rest[0] == opener));
}

size_t overlap_rest(const struct context *context, const char *text, size_t bytes)
{
    struct ahead ahead = look_ahead(context);
    size_t start = context_line_start(context);
    const char *line = context->before + start;
    size_t line_bytes = context_insertion_start(context) - start;
    const char *rest = context->after + ahead.rest_start;
    const char *next = context->after + ahead.next_start;
    struct brackets brackets = {0};
    bool closed[OVERLAP_DEPTH] = {false};

    for (size_t at = 0; at < line_bytes;)
        follow(&brackets, line, line_bytes, &at);
    size_t own = brackets.depth; /* openers below this are the line's, above it the insertion's */
    if (ahead.rest_bytes > 0)
        mark_closed(&brackets, rest, ahead.rest_bytes, closed);
    else if (is_same_indent(line, line_bytes, next, ahead.next_bytes))
        mark_closed(&brackets, next, ahead.next_bytes, closed);

    const bool balance_decides = closes_line(&brackets, rest, ahead.rest_bytes);
    for (size_t at = 0; at < bytes;) {
        size_t here = at;
        if (brackets.depth <= own && !balance_decides &&
            is_rest_at(rest, ahead.rest_bytes, text, bytes, here))
            return here;
        struct event event = follow(&brackets, text, bytes, &at);
        if (event.closed && event.index < own) {
            if (closed[event.index])
                return here;
            own = event.index;
        }
        if (event.unmatched && is_closer_ahead(context, &ahead, text, bytes, here))
            return here;
    }
    return bytes;
}

/* Whether a rest of line is closers and separators only, and at least one closer. */
static bool is_closing(const char *rest, size_t bytes)
{
    bool closes = false;

    for (size_t i = 0; i < bytes; i++) {
        bool is_closer = opener_of(rest[i]) || byte_is_quote(rest[i]);
        if (!is_closer && !strchr(",;", rest[i]))
            return false;
        closes = closes || is_closer;
    }
    return closes;
}

size_t overlap_rest_end(const struct context *context, const char *text, size_t bytes, size_t at)
{
    size_t start, rest_bytes = context_rest(context, &start), written = 0;
    const char *rest = context->after + start;

    if (!is_closing(rest, rest_bytes))
        return 0;
    for (; at < bytes && text[at] != '\n' && written < rest_bytes; at++)
        written += text[at] == rest[written];
    return written == rest_bytes || at == bytes ? at : 0;
}

size_t overlap_lines(const struct context *context, const char *text, size_t bytes)
{
    struct ahead ahead = look_ahead(context);
    size_t line_start = context_line_start(context);
    size_t lead_bytes = context_insertion_start(context) - line_start;

    if (ahead.next_bytes == 0)
        return bytes;
    for (size_t start = 0; start < bytes;) {
        const char *newline = memchr(text + start, '\n', bytes - start);
        if (!newline)
            break;

        /* the line's first part may stand before the cursor */
        size_t end = (size_t)(newline - text), stripped = end;
        size_t lead = start == 0 ? lead_bytes : 0;
        const char *next = context->after + ahead.next_start;
        while (stripped > start && byte_is_space(text[stripped - 1]))
            stripped--;
        if (lead + stripped - start == ahead.next_bytes &&
            !memcmp(next, context->before + line_start, lead) &&
            !memcmp(next + lead, text + start, stripped - start))
            return start;
        start = end + 1;
    }
    return bytes;
}

size_t overlap_tail(const struct context *context, const char *text, size_t bytes)
{
    size_t start, rest_bytes = context_rest(context, &start);
    const char *rest = context->after + start;

    /* as much as possible, without brackets or strings, whose balance overlap_rest has judged, and without halves of words */
    for (size_t shared = rest_bytes < bytes ? rest_bytes : bytes; shared > 0; shared--) {
        size_t at = bytes - shared;
        bool splits_word =
            (shared < rest_bytes && byte_is_word(rest[shared - 1]) && byte_is_word(rest[shared])) ||
            (at > 0 && byte_is_word(text[at - 1]) && byte_is_word(text[at]));
        bool has_bracket = false;
        for (size_t i = at; i < bytes; i++)
            has_bracket = has_bracket || byte_is_quote(text[i]) || is_bracket(text[i]);
        if (!splits_word && !has_bracket && !memcmp(text + at, rest, shared))
            return at;
    }
    return bytes;
}
