/* Half a program in any language: every question of the parsers has an answer that lies within the text.
 *
 * Input: a letter that chooses the language ("a" the first), a byte that says how far into the text the cursor stands, the
 * text, and behind a NUL what is inserted at the cursor.
 */
#include "parsers/syntax.h"

#include <stdlib.h>
#include <string.h>

#include "parsers/comments.h"
#include "parsers/names.h"
#include "parsers/scope.h"
#include "parsers/symbols.h"
#include "tests/fuzz/fuzz.h"

enum { TEXT_BYTES_MAX = 16 * 1024 };

struct program {
    const struct syntax *syntax;
    const char *text;
    size_t bytes, cursor;
};

static void check_span(const struct program *program, struct span span)
{
    fuzz_check(span.start <= span.end && span.end <= program->bytes, "a range lies in the text");
}

static void check_symbols(const struct program *program)
{
    struct symbols symbols;

    fuzz_check(symbols_init(&symbols, program->syntax, program->text, program->bytes),
               "symbols can be collected");
    for (size_t i = 0; i < symbols.count; i++) {
        const struct symbol *symbol = &symbols.items[i];
        check_span(program, symbol->whole);
        check_span(program, symbol->name);
        check_span(program, symbol->signature);
        check_span(program, symbol->doc);
        check_span(program, symbol->owner);
        fuzz_check(symbol->kind < SYMBOL_KINDS, "a symbol has a kind");
        fuzz_check(i == 0 || symbols.items[i - 1].whole.start <= symbol->whole.start,
                   "symbols are in order");
    }
    for (size_t i = 0; i < symbols.import_count; i++)
        check_span(program, symbols.imports[i]);
    symbols_enclosing(&symbols, program->cursor);
    symbols_finish(&symbols);
}

static void check_names(const struct program *program)
{
    struct span all = {0, program->bytes};
    struct names names;

    check_span(program, name_at(program->syntax, program->text, program->cursor));
    fuzz_check(names_init(&names, program->syntax, program->text, all, program->cursor),
               "names can be collected");
    for (size_t i = 0; i < names.count; i++)
        check_span(program, names.items[i]);
    names_finish(&names);
}

static void check_comments(const struct program *program)
{
    struct span range;

    place_at(program->syntax, program->text, program->cursor, &range);
    check_span(program, range);
    check_span(program, comment_above(program->syntax, program->text, program->cursor));

    /* of exactly the size promised, so that a sanitizer sees a byte too many */
    char *prose = malloc(range.end - range.start + 1);
    size_t bytes = comment_prose(syntax_language(program->syntax), program->text, range, prose);
    fuzz_check(bytes <= range.end - range.start, "prose is no longer than its comment");
    free(prose);
}

static void check_insertion(const struct program *program, const char *inserted, size_t count)
{
    struct scope_gap gap = {
        .language = syntax_language(program->syntax),
        .before = program->text,
        .before_bytes = program->cursor,
        .after = program->text + program->cursor,
        .after_bytes = program->bytes - program->cursor,
    };
    struct span here = {program->cursor, program->cursor};
    bool ended = false;

    scope_extent_at(program->syntax, program->text, program->bytes, program->cursor);
    fuzz_check(scope_end(&gap, SCOPE_BLOCK, inserted, count, &ended) <= count,
               "an end lies in the insertion");
    syntax_error_count_with(program->syntax, program->text, program->bytes, here, inserted, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > TEXT_BYTES_MAX)
        return 0;
    const struct language *language = language_at((uint8_t)(data[0] - 'a') % language_count());
    const char *text = (const char *)data + 2, *end = memchr(text, '\0', size - 2);
    size_t bytes = end ? (size_t)(end - text) : size - 2;
    size_t inserted = end ? size - 3 - bytes : 0;
    struct syntax *syntax = syntax_create(language);

    fuzz_check(syntax != NULL, "a syntax can be made");
    struct program program = {syntax, text, bytes, data[1] * (bytes + 1) / 256};
    if (syntax_parse(syntax, text, bytes)) {
        check_symbols(&program);
        check_names(&program);
        check_comments(&program);
        check_insertion(&program, end ? end + 1 : text, inserted);
    }
    syntax_destroy(syntax);
    return 0;
}
