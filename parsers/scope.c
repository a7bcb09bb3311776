/* Where blocks open and close.
 *
 * Both questions are answered from marks (the tokens that blocks are made of) and indentation together. The token before the
 * cursor says whether a block was opened; the lines around it say whether it is still empty. Its end is looked for in a
 * window of text before the cursor followed by the insertion: counting tokens finds what closes the block, and a line that is
 * not deeper than the block's header ends it where nothing closes it, by rule (Python) or by the model's neglect.
 *
 * Plain text has no marks: a line that ends in '{' or ':' opens a block, indentation alone ends it.
 */
#include "parsers/scope.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/marks.h"

enum {
    SCOPE_TAB_COLUMNS = 8,   /* as Python counts them */
    SCOPE_HEADER_LINES = 64, /* of a header in brackets that spans lines */
};

/* Text with a place in it, and what is known of its tokens. */
struct window {
    const char *text;
    size_t bytes;
    size_t cursor;
    const struct language *language; /* NULL: plain text */
    struct marks marks;              /* empty for plain text */
};

/* The block that was opened before the cursor. */
struct opening {
    bool found;
    bool has_closer;     /* a token ends it, not only indentation */
    bool is_flush;       /* its contents may stand no deeper than its header */
    size_t header_start; /* start of the line that its header begins on */
    size_t indent;       /* of that line, columns */
};

/* Lines */

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n' || byte == '\f';
}

static bool is_word(char byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z') || byte == '_' || (byte & 0x80);
}

static size_t line_start(const char *text, size_t at)
{
    while (at > 0 && text[at - 1] != '\n')
        at--;
    return at;
}

/* Offset of the line's '\n', or the end of the text. */
static size_t line_end(const char *text, size_t bytes, size_t at)
{
    const char *newline = at < bytes ? memchr(text + at, '\n', bytes - at) : NULL;

    return newline ? (size_t)(newline - text) : bytes;
}

/* First byte from `at` on, before `end`, that is not white space; `end` if none. */
static size_t skip_blank(const char *text, size_t at, size_t end)
{
    while (at < end && is_blank(text[at]))
        at++;
    return at;
}

/* The end of what is not white space in [from, at). */
static size_t strip_blank(const char *text, size_t from, size_t at)
{
    while (at > from && is_blank(text[at - 1]))
        at--;
    return at;
}

/* Columns of the white space that the line of `at` begins with. */
static size_t indent_at(const char *text, size_t bytes, size_t at)
{
    size_t columns = 0;

    for (at = line_start(text, at); at < bytes; at++) {
        if (text[at] == '\t')
            columns += SCOPE_TAB_COLUMNS - columns % SCOPE_TAB_COLUMNS;
        else if (text[at] == ' ')
            columns++;
        else
            break;
    }
    return columns;
}

/* Marks */

/* Whether a token of that kind starts at `offset`. */
static bool has_mark(const struct marks *marks, size_t offset, enum mark_kind kind)
{
    for (size_t i = marks_from(marks, offset); i < marks->count; i++) {
        if (marks->items[i].start != offset)
            break;
        if (marks->items[i].kind == kind)
            return true;
    }
    return false;
}

static bool is_literal(const struct mark *mark)
{
    return mark->kind == MARK_COMMENT || mark->kind == MARK_STRING;
}

/* Whether a quotation mark at `at` may begin a string. One between digits separates them. */
static bool is_quote(const struct window *window, size_t at)
{
    char byte = window->text[at];

    if (!byte || !strchr(language_quotes(window->language), byte))
        return false;
    return byte != '\'' || at == 0 || window->text[at - 1] < '0' || window->text[at - 1] > '9';
}

static bool begins_with(const struct window *window, size_t at, size_t to, const char *word)
{
    size_t bytes = strlen(word);

    return bytes > 0 && to - at >= bytes && !memcmp(window->text + at, word, bytes);
}

/* Whether what begins at `at`, before `to`, may span lines: a text or comment. */
static bool opens_text(const struct window *window, size_t at, size_t to)
{
    const char *const *opens = language_long_opens(window->language);
    const char *text = window->text + at;

    if (to - at >= 3 && strchr("\"'", text[0]) && text[0] == text[1] && text[1] == text[2])
        return true;
    while (*opens && !begins_with(window, at, to, *opens))
        opens++;
    return *opens || begins_with(window, at, to, language_comments(window->language)->open);
}

/* The first place in [from, to) where a string or comment was begun and, as no mark covers it, not ended; `to` if there is
 * none. What follows is no token, whatever the parser made of it. */
static size_t find_stray(const struct window *window, size_t from, size_t to)
{
    const struct marks *marks = &window->marks;
    size_t mark = marks_from(marks, from);

    for (size_t at = from; at < to; at++) {
        for (; mark < marks->count && marks->items[mark].start <= at; mark++) {
            bool is_prose = is_literal(&marks->items[mark]) || marks->items[mark].kind == MARK_TEXT;
            if (is_prose && marks->items[mark].end > at)
                at = marks->items[mark].end;
        }
        if (at < to && (is_quote(window, at) || opens_text(window, at, to)))
            return at;
    }
    return to;
}

/* Whether a text that may span lines began in [from, to) and still goes on. */
static bool has_open_text(const struct window *window, size_t from, size_t to)
{
    size_t stray = find_stray(window, from, to);

    return stray < to && opens_text(window, stray, to);
}

/* The end of the last token before the cursor, past white space and comments. */
static size_t last_token_end(const struct window *window)
{
    size_t end = strip_blank(window->text, 0, window->cursor);

    for (size_t i = marks_from(&window->marks, end); i > 0; i--) {
        const struct mark *mark = &window->marks.items[i - 1];
        if (mark->kind == MARK_COMMENT && mark->end == end)
            end = strip_blank(window->text, 0, mark->start);
    }
    return end;
}

/* Openings */

/* The line on which the statement that ends at `at` begins: lines whose brackets close what an earlier one opened belong to
 * that one. */
static size_t header_line_start(const struct window *window, size_t at)
{
    size_t start = line_start(window->text, at);
    size_t mark = marks_from(&window->marks, at);
    int closed = 0;

    for (int lines = 0; lines < SCOPE_HEADER_LINES; lines++) {
        for (; mark > 0 && window->marks.items[mark - 1].start >= start; mark--) {
            enum mark_kind kind = window->marks.items[mark - 1].kind;
            closed += (kind == MARK_BRACKET_CLOSE) - (kind == MARK_BRACKET_OPEN);
        }
        if (closed <= 0 || start == 0)
            break;
        start = line_start(window->text, start - 1);
    }
    return start;
}

/* Whether the token that ends at `end` opens a block; fills in what kind. */
static bool opens_block(const struct window *window, size_t end, struct opening *opening)
{
    if (!window->language) {
        opening->header_start = line_start(window->text, end);
        return end > 0 && (window->text[end - 1] == '{' || window->text[end - 1] == ':');
    }
    for (size_t i = marks_from(&window->marks, end); i > 0; i--) {
        const struct mark *mark = &window->marks.items[i - 1];
        if (mark->end != end || (mark->kind != MARK_OPEN && mark->kind != MARK_HEADER_END))
            continue;

        size_t start = header_line_start(window, mark->start);
        size_t first = skip_blank(window->text, start, end);
        opening->header_start = start;
        opening->has_closer = mark->kind == MARK_OPEN;
        opening->is_flush = has_mark(&window->marks, mark->start, MARK_FLUSH);
        if (find_stray(window, start, mark->start) < mark->start)
            return false;
        return opening->has_closer || has_mark(&window->marks, first, MARK_HEADER);
    }
    return false;
}

/* The block opened by the last token before the cursor. Where none is found the line of that token stands for its header. */
static struct opening find_opening(const struct window *window)
{
    size_t end = last_token_end(window);
    struct opening opening = {.header_start = line_start(window->text, end)};

    opening.found = opens_block(window, end, &opening);
    opening.indent = indent_at(window->text, window->bytes, opening.header_start);
    return opening;
}

/* Where to start looking when only SCOPE_BEFORE_BYTES before the cursor are looked at: at a line that begins at the left
 * margin with a word, most likely the start of a definition; else at any line. */
static size_t window_start(const char *text, size_t cursor)
{
    if (cursor <= SCOPE_BEFORE_BYTES)
        return 0;

    size_t any = cursor;
    for (size_t at = cursor - SCOPE_BEFORE_BYTES; at < cursor; at++) {
        if (text[at - 1] != '\n')
            continue;
        if (is_word(text[at]))
            return at;
        any = any == cursor ? at : any;
    }
    return any < cursor ? any : cursor - SCOPE_BEFORE_BYTES;
}

/* Makes a window plain text when the cursor follows something in a language of its own. */
static void enter_foreign(struct window *window)
{
    for (size_t i = 0; i < window->marks.count; i++) {
        const struct mark *mark = &window->marks.items[i];
        bool is_inside = mark->kind == MARK_FOREIGN && mark->start < window->cursor &&
                         window->cursor <= mark->end;
        if (is_inside && strip_blank(window->text, mark->start, window->cursor) > mark->start) {
            marks_finish(&window->marks);
            window->language = NULL;
            return;
        }
    }
}

/* Whether the last token before the cursor opens a block in which nothing stands: what follows behind `end`, the line's end, is
 * not deeper than its header, or closes it where that says nothing. */
static bool is_empty_block(const struct window *window, size_t end)
{
    struct opening opening = find_opening(window);
    size_t next = skip_blank(window->text, end, window->bytes);

    if (!opening.found || next == window->bytes)
        return opening.found;
    if (opening.is_flush)
        return window->text[next] == '}' || window->text[next] == '<';
    return indent_at(window->text, window->bytes, next) <= opening.indent;
}

enum scope_extent scope_extent_at(const struct syntax *syntax, const char *text, size_t bytes,
                                  size_t cursor)
{
    struct window window = {.text = text, .bytes = bytes, .cursor = cursor};
    const TSTree *tree = syntax ? syntax_tree(syntax) : NULL;
    enum scope_extent extent = SCOPE_LINE;

    /* text to the right of the cursor is to be completed towards */
    size_t end = line_end(text, bytes, cursor);
    if (skip_blank(text, cursor, end) < end)
        return SCOPE_LINE;

    if (tree) {
        struct span around = {window_start(text, cursor), end < bytes ? end + 1 : end};
        window.language = syntax_language(syntax);
        if (!marks_init(&window.marks, window.language, tree, text, around, MARKS_ALL))
            return SCOPE_LINE;
        enter_foreign(&window);
    }

    struct span literal;
    enum place place = marks_place(&window.marks, window.language, text, cursor, &literal);
    if (place == PLACE_CODE && is_empty_block(&window, end))
        extent = SCOPE_BLOCK;
    marks_finish(&window.marks);
    return extent;
}

/* Ends */

/* Whether `after` goes on with a token of `closer`'s text, on the opening's indentation if on a line of its own: then the block
 * is closed already. */
static bool is_closed_after(const struct scope_gap *gap, const struct opening *opening,
                            const char *closer, size_t closer_bytes)
{
    size_t at = skip_blank(gap->after, 0, gap->after_bytes);
    bool same_line = !memchr(gap->after, '\n', at);

    if (gap->after_bytes - at < closer_bytes || memcmp(gap->after + at, closer, closer_bytes))
        return false;
    bool word_goes_on = is_word(closer[closer_bytes - 1]) && at + closer_bytes < gap->after_bytes &&
                        is_word(gap->after[at + closer_bytes]);

    return !word_goes_on &&
           (same_line || indent_at(gap->after, gap->after_bytes, at) == opening->indent);
}

/* Progress through the insertion, line by line. */
struct walk {
    const struct scope_gap *gap;
    const struct window *window;
    const struct opening *opening;
    size_t mark;        /* next one to look at */
    int depth;          /* blocks open, the cursor's own included */
    int brackets;       /* opened since the cursor and still open */
    size_t literal_end; /* furthest end of a string or comment seen */
    size_t solid_end;   /* end of what surely belongs */
};

/* What a line or token decided. */
enum verdict {
    VERDICT_GOES_ON,
    VERDICT_ENDED,   /* at walk->solid_end */
    VERDICT_UNKNOWN, /* more text is needed */
};

/* The closing token was found: it and the rest of its line belong, unless the block is closed already. What opens on that line
 * again ("} else {") does not. */
static void close_block(struct walk *walk, const struct mark *mark, size_t end)
{
    const struct window *window = walk->window;
    size_t closer_bytes = mark->end - mark->start;

    walk->solid_end = strip_blank(window->text, window->cursor, mark->start);
    if (is_closed_after(walk->gap, walk->opening, window->text + mark->start, closer_bytes))
        return;

    walk->solid_end = mark->end;
    for (size_t i = walk->mark; i < window->marks.count; i++) {
        if (window->marks.items[i].start >= end)
            break;
        if (window->marks.items[i].kind == MARK_OPEN)
            return;
    }
    walk->solid_end = strip_blank(window->text, window->cursor, end);
}

/* Counts the marks that start before `end`, the line's end. */
static enum verdict walk_marks(struct walk *walk, size_t end)
{
    const struct marks *marks = &walk->window->marks;

    while (walk->mark < marks->count && marks->items[walk->mark].start < end) {
        const struct mark *mark = &marks->items[walk->mark++];

        if (is_literal(mark) && mark->end > walk->literal_end)
            walk->literal_end = mark->end;
        walk->brackets += mark->kind == MARK_BRACKET_OPEN;
        walk->brackets -= mark->kind == MARK_BRACKET_CLOSE && walk->brackets > 0;
        walk->depth +=
            (mark->kind == MARK_OPEN) - (mark->kind == MARK_CLOSE) - (mark->kind == MARK_BRANCH);
        if (walk->depth > 0 || !walk->opening->has_closer)
            continue;
        /* while its line or a text around it grows, a token may turn out another one, or none */
        if (end == walk->window->bytes ||
            has_open_text(walk->window, walk->window->cursor, mark->start))
            return VERDICT_UNKNOWN;
        if (mark->kind == MARK_CLOSE)
            close_block(walk, mark, end);
        else
            walk->solid_end = strip_blank(walk->window->text, walk->window->cursor, mark->start);
        return VERDICT_ENDED;
    }
    return VERDICT_GOES_ON;
}

/* Whether a line that begins with `first` begins with something that closes a block of plain text. */
static bool is_plain_closer(const char *text, size_t first, size_t end)
{
    bool is_bracket = text[first] == '}' || text[first] == ')' || text[first] == ']';

    return is_bracket || (end - first >= 3 && !memcmp(text + first, "end", 3));
}

/* A line of plain text that is not deeper than the header: what closes the block belongs, unless it is there already. */
static enum verdict judge_plain_dedent(struct walk *walk, size_t first, size_t end)
{
    const struct window *window = walk->window;
    size_t closer = strip_blank(window->text, first, end) - first;

    if (end == window->bytes)
        return VERDICT_UNKNOWN;
    if (is_plain_closer(window->text, first, end) &&
        indent_at(window->text, window->bytes, first) == walk->opening->indent &&
        !is_closed_after(walk->gap, walk->opening, window->text + first, closer))
        walk->solid_end = first + closer;
    return VERDICT_ENDED;
}

/* Judges a line of the insertion by its indentation; `first` is its first byte that is not white space. */
static enum verdict judge_indent(struct walk *walk, size_t start, size_t first, size_t end)
{
    const struct window *window = walk->window;

    if (walk->literal_end > start || walk->brackets > 0 || walk->opening->is_flush)
        return VERDICT_GOES_ON;
    if (indent_at(window->text, window->bytes, first) > walk->opening->indent)
        return VERDICT_GOES_ON;
    if (!window->language)
        return judge_plain_dedent(walk, first, end);
    if (has_open_text(window, window->cursor, start))
        return VERDICT_UNKNOWN;

    /* tokens know better, and a line that still grows may become one of them */
    if (has_mark(&window->marks, first, MARK_LOOSE))
        return VERDICT_GOES_ON;
    if (walk->opening->has_closer) {
        if (has_mark(&window->marks, first, MARK_CLOSE) ||
            has_mark(&window->marks, first, MARK_BRANCH))
            return VERDICT_GOES_ON;
        if (end == window->bytes)
            return VERDICT_UNKNOWN;
    }
    return VERDICT_ENDED;
}

/* Whether nothing but white space stands before `first` on its line, be it before the cursor or inserted. */
static bool begins_line(const struct window *window, size_t first)
{
    size_t start = line_start(window->text, first);

    return skip_blank(window->text, start, first) == first;
}

/* The end, in the window, of the block that `opening` began; the window's end while there is none. */
static size_t block_end(struct walk *walk, bool *ended)
{
    const struct window *window = walk->window;

    for (size_t start = window->cursor; start < window->bytes;) {
        size_t end = line_end(window->text, window->bytes, start);
        size_t first = skip_blank(window->text, start, end);
        enum verdict verdict = VERDICT_GOES_ON;

        if (first < end && begins_line(window, first))
            verdict = judge_indent(walk, start, first, end);
        if (verdict == VERDICT_GOES_ON)
            verdict = walk_marks(walk, end);
        if (verdict != VERDICT_GOES_ON) {
            *ended = verdict == VERDICT_ENDED;
            return *ended ? walk->solid_end : window->bytes;
        }
        walk->solid_end = first < end ? strip_blank(window->text, first, end) : walk->solid_end;
        start = end + 1;
    }
    *ended = false;
    return window->bytes;
}

/* Collects the marks of a window that has no tree of its own. Without them it is plain text. */
static void parse_window(struct window *window, const struct language *language)
{
    TSParser *parser = ts_parser_new();
    TSTree *tree = NULL;

    if (parser && ts_parser_set_language(parser, language_grammar(language)))
        tree = ts_parser_parse_string(parser, NULL, window->text, (uint32_t)window->bytes);
    if (tree && marks_init(&window->marks, language, tree, window->text,
                           (struct span){0, window->bytes}, MARKS_ALL))
        window->language = language;
    if (tree)
        ts_tree_delete(tree);
    if (parser)
        ts_parser_delete(parser);
}

/* scope_end for SCOPE_BLOCK; the window is text before the cursor and the insertion in one piece. */
static size_t block_end_in(const struct scope_gap *gap, const char *text, size_t bytes,
                           size_t cursor, bool *ended)
{
    struct window window = {.text = text, .bytes = bytes, .cursor = cursor};

    if (gap->language)
        parse_window(&window, gap->language);
    enter_foreign(&window);
    struct opening opening = find_opening(&window);
    struct walk walk = {
        .gap = gap,
        .window = &window,
        .opening = &opening,
        .mark = marks_from(&window.marks, cursor),
        .depth = 1,
        .solid_end = cursor,
    };
    size_t end = block_end(&walk, ended);
    marks_finish(&window.marks);
    return end;
}

size_t scope_end(const struct scope_gap *gap, enum scope_extent extent, const char *inserted,
                 size_t inserted_bytes, bool *ended)
{
    size_t first_line = line_end(inserted, inserted_bytes, 0);

    /* one line, or too much */
    *ended = true;
    if (extent == SCOPE_LINE) {
        *ended = first_line < inserted_bytes;
        return first_line;
    }
    if (inserted_bytes > SCOPE_INSERTED_BYTES)
        return line_start(inserted, SCOPE_INSERTED_BYTES);

    size_t start = window_start(gap->before, gap->before_bytes);
    size_t cursor = gap->before_bytes - start;
    char *text = malloc(cursor + inserted_bytes + 1);
    if (!text)
        return 0;
    memcpy(text, gap->before + start, cursor);
    memcpy(text + cursor, inserted, inserted_bytes);
    size_t end = block_end_in(gap, text, cursor + inserted_bytes, cursor, ended);
    free(text);
    return end - cursor;
}
