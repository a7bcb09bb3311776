/* Every look collects the symbols of whole documents anew: a query over a tree takes milliseconds, a pointer rests on a name
 * for longer, and nothing has to be kept up to date. Secrets are masked in one copy of all that is taken, before it is cut
 * into pieces, since a key can be longer than a piece. */
#include "lsp/errand/subject.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/completion/surroundings.h"
#include "lsp/errand/prose.h"
#include "lsp/hash.h"
#include "lsp/lines.h"
#include "lsp/protocol/uri.h"
#include "lsp/secrets.h"
#include "parsers/comments.h"
#include "parsers/names.h"

enum { SEARCHED_DOCUMENTS_MAX = 256, SEARCHED_FILES_MAX = 4 };

/* A text that may define something: an open document, or a file as it is on disk. */
struct source {
    const char *uri;
    const struct language *language; /* NULL: plain text */
    const struct syntax *syntax;     /* NULL: no tree */
    const char *text;
    size_t bytes;
    bool is_secret;
};

static struct source source_of(const struct client *client, struct document *document)
{
    const struct text *text = document_text(document);

    return (struct source){
        .uri = document_uri(document),
        .language = document_language(document),
        .syntax = document_syntax(document),
        .text = text_bytes(text),
        .bytes = text_size(text),
        .is_secret = !surroundings_allow(client, document_uri(document)),
    };
}

/* --- where its doc comment goes ------------------------------------------------------------------------------------------- */

/* Above the definition: in the place of the one that is there, or before its first line. */
static bool find_above(const struct symbol *symbol, const char *text, struct span *range)
{
    const size_t start = lines_start(text, symbol->whole.start);
    const bool has_doc = symbol->doc.end > symbol->doc.start;

    *range = (struct span){has_doc ? lines_start(text, symbol->doc.start) : start, start};
    return lines_are_blank(text, start, symbol->whole.start) && range->start <= range->end &&
           (!has_doc ||
            (symbol->doc.end <= start && lines_are_blank(text, range->start, symbol->doc.start)));
}

/* Inside of it, as the first thing of its body; a comment above it is none of this kind. */
static bool find_inside(const struct symbol *symbol, const char *text, size_t bytes,
                        struct span *range)
{
    const bool has_doc =
        symbol->doc.end > symbol->doc.start && symbol->doc.start >= symbol->signature.end;
    const size_t start = lines_end(text, bytes, symbol->signature.end);

    *range = (struct span){start, start};
    if (has_doc)
        *range = (struct span){lines_start(text, symbol->doc.start),
                               lines_end(text, bytes, symbol->doc.end)};
    return start < symbol->whole.end && text[start - 1] == '\n' &&
           (!has_doc ||
            (range->start >= start && lines_are_blank(text, range->start, symbol->doc.start) &&
             lines_are_blank(text, symbol->doc.end, range->end)));
}

static bool is_documented_inside(const struct language *language, enum symbol_kind kind)
{
    return language_comments(language)->doc_is_inside &&
           (kind == SYMBOL_FUNCTION || kind == SYMBOL_METHOD || kind == SYMBOL_TYPE);
}

/* False where there is no line for it, or where the language would want it in another place. */
static bool find_doc_range(const struct language *language, const struct symbol *symbol,
                           const char *text, size_t bytes, struct span *range)
{
    if (!language)
        return false;
    if (is_documented_inside(language, symbol->kind))
        return find_inside(symbol, text, bytes, range);
    return !language_comments(language)->doc_is_inside && find_above(symbol, text, range);
}

/* --- copies --------------------------------------------------------------------------------------------------------------- */

/* Where the lines begin that a prompt shows before `at`. */
static size_t window_start(const char *text, size_t bytes, size_t at)
{
    return at > SUBJECT_AROUND_BYTES ? lines_end(text, bytes, at - SUBJECT_AROUND_BYTES - 1) : 0;
}

/* What a prompt is made of. False on exhausted memory. */
static bool copy_around(struct subject *subject, const struct symbol *symbol, const char *text,
                        size_t bytes)
{
    const struct span doc = subject->doc_range;
    const size_t start = lines_start(text, symbol->whole.start);
    const size_t end = lines_end(text, bytes, symbol->whole.end > 0 ? symbol->whole.end - 1 : 0);
    const size_t first = doc.start < start ? doc.start : start;
    const size_t from = window_start(text, bytes, first);
    struct span after = lines_cut(text, (struct span){end, bytes}, SUBJECT_AROUND_BYTES);
    struct span body = {doc.end > start ? doc.end : start, end};

    char *masked = secrets_copy(text + from, after.end - from);
    if (!masked)
        return false;

    /* offsets of the copy from here on */
    body = lines_cut(text, body, SUBJECT_CODE_BYTES);
    subject->before = lines_copy(masked, (struct span){0, first - from});
    subject->head = lines_copy(
        masked, (struct span){start - from, (doc.start > start ? doc.start : start) - from});
    subject->body = lines_copy(masked, (struct span){body.start - from, body.end - from});
    subject->is_whole = body.end == end && memcmp(masked + body.start - from, text + body.start,
                                                  body.end - body.start) == 0;
    subject->after = lines_copy(masked, (struct span){end - from, after.end - from});
    free(masked);

    /* a docstring is indented like the line behind it */
    const size_t line = doc.start > start ? doc.end : start;
    subject->indent = strndup(text + line, lines_indent(text, bytes, line));
    return subject->before && subject->head && subject->body && subject->after && subject->indent;
}

static char *copy_doc(const struct language *language, const char *text, struct span doc)
{
    const bool has_doc = doc.end > doc.start;
    char *prose = malloc(doc.end - doc.start + 1);

    if (prose)
        prose[has_doc ? comment_prose(language, text, doc, prose) : 0] = '\0';
    return prose;
}

static char *copy_signature(const char *text, const struct symbol *symbol)
{
    struct span lines = lines_cut(text, symbol->signature, SUBJECT_SIGNATURE_BYTES);

    /* its first line may be indented: what stands before it belongs to the indentation that all have in common */
    const size_t start = lines_start(text, lines.start);
    if (lines_are_blank(text, start, lines.start))
        lines.start = start;
    return prose_indent(text + lines.start, lines.end - lines.start, "");
}

/* --- from symbols -------------------------------------------------------------------------------------------------------- */

static size_t line_number(const char *text, size_t offset)
{
    size_t line = 1;

    for (const char *at = text; (at = memchr(at, '\n', offset - (size_t)(at - text))); at++)
        line++;
    return line;
}

static uint64_t hash_subject(const struct source *source, const struct symbol *symbol)
{
    uint64_t hash = hash_add(hash_start, source->uri, strlen(source->uri) + 1);

    hash =
        hash_add(hash, source->text + symbol->whole.start, symbol->whole.end - symbol->whole.start);
    return hash_add(hash, source->text + symbol->doc.start, symbol->doc.end - symbol->doc.start);
}

static bool subject_init(struct subject *subject, const struct source *source,
                         const struct symbol *symbol)
{
    const char *text = source->text;
    const size_t start = lines_start(text, symbol->whole.start);

    *subject = (struct subject){
        .kind = symbol->kind,
        .language = source->language,
        .name = lines_copy(text, symbol->name),
        .owner = lines_copy(text, symbol->owner),
        .signature = copy_signature(text, symbol),
        .doc = copy_doc(source->language, text, symbol->doc),
        .path = uri_path(source->uri),
        .uri = strdup(source->uri),
        .line = line_number(text, symbol->name.start),
        .hash = hash_subject(source, symbol),
        .is_secret = source->is_secret,
    };
    subject->has_place =
        find_doc_range(source->language, symbol, text, source->bytes, &subject->doc_range);
    if (!subject->has_place)
        subject->doc_range = (struct span){start, start};
    if (subject->name && subject->owner && subject->signature && subject->doc && subject->path &&
        subject->uri && copy_around(subject, symbol, text, source->bytes))
        return true;
    subject_finish(subject);
    return false;
}

bool subject_lines(struct subject *subject, const struct client *client, struct document *document,
                   struct span range)
{
    const struct source source = source_of(client, document);
    const size_t start = lines_start(source.text, range.start);
    const size_t last = range.end > start ? range.end - 1 : start;
    const size_t end = lines_end(source.text, source.bytes, last);
    const struct symbol symbol = {.whole = {start, end}, .signature = {start, start}};

    if (!subject_init(subject, &source, &symbol))
        return false;
    subject->doc_range = (struct span){start, end};
    return true;
}

void subject_finish(struct subject *subject)
{
    free(subject->name);
    free(subject->owner);
    free(subject->signature);
    free(subject->doc);
    free(subject->path);
    free(subject->uri);
    free(subject->before);
    free(subject->head);
    free(subject->body);
    free(subject->after);
    free(subject->indent);
    *subject = (struct subject){0};
}

/* The definition that a cursor belongs to; NULL if none. */
static const struct symbol *symbol_at(const struct symbols *symbols, const char *text, size_t bytes,
                                      size_t offset)
{
    const size_t line = lines_start(text, offset), end = lines_content_end(text, bytes, offset);
    const size_t first = line + lines_indent(text, bytes, line);
    size_t at = offset < first && first < end ? first : offset;

    /* a comment is about the definition below it, not about the one around both */
    for (size_t i = 0; i < symbols->count; i++) {
        const struct symbol *item = &symbols->items[i];
        if (item->doc.end > item->doc.start && item->doc.start <= at && at <= item->doc.end &&
            symbols_enclosing(symbols, item->whole.start) == item)
            return item;
    }
    const struct symbol *found = symbols_enclosing(symbols, at);

    /* behind it, on its last line */
    while (!found && at > line && strchr(" \t;,)", text[at - 1]))
        found = symbols_enclosing(symbols, --at);
    return found;
}

bool subject_exists(struct document *document, size_t offset, struct symbol *symbol)
{
    const struct syntax *syntax = document_syntax(document);
    const struct text *text = document_text(document);
    struct symbols symbols;

    if (!syntax || !symbols_init(&symbols, syntax, text_bytes(text), text_size(text)))
        return false;
    const struct symbol *found = symbol_at(&symbols, text_bytes(text), text_size(text), offset);
    if (found)
        *symbol = *found;
    symbols_finish(&symbols);
    return found != NULL;
}

bool subject_has_place(struct document *document, const struct symbol *symbol)
{
    const struct text *text = document_text(document);
    struct span range;

    return find_doc_range(document_language(document), symbol, text_bytes(text), text_size(text),
                          &range);
}

bool subject_enclosing(struct subject *subject, const struct client *client,
                       struct document *document, size_t offset)
{
    const struct source source = source_of(client, document);
    struct symbol symbol;

    return subject_exists(document, offset, &symbol) && subject_init(subject, &source, &symbol);
}

/* --- names ---------------------------------------------------------------------------------------------------------------- */

static size_t distance(size_t a, size_t b)
{
    return a < b ? b - a : a - b;
}

/* How well a symbol of the right name answers: the place itself, then what has a body, then what has a comment. */
static int rank(const struct symbol *symbol, size_t offset)
{
    const bool is_here = symbol->name.start <= offset && offset <= symbol->name.end;
    const bool has_body = symbol->whole.end > symbol->signature.end;

    return 4 * is_here + 2 * has_body + (symbol->doc.end > symbol->doc.start);
}

/* What is looked for, and from where. */
struct wanted {
    const char *name; /* [bytes] */
    size_t bytes;
    size_t offset; /* of the name, in its own document; 0 in others */
};

/* The best symbol of the name, of equal ones the nearest. */
static bool find_in(const struct source *source, const struct wanted *wanted,
                    struct subject *subject)
{
    struct symbols symbols;
    const struct symbol *best = NULL;

    if (!source->syntax || !symbols_init(&symbols, source->syntax, source->text, source->bytes))
        return false;
    for (size_t i = 0; i < symbols.count; i++) {
        const struct symbol *item = &symbols.items[i];
        if (item->name.end - item->name.start != wanted->bytes ||
            memcmp(source->text + item->name.start, wanted->name, wanted->bytes) != 0)
            continue;
        const int gain = best ? rank(item, wanted->offset) - rank(best, wanted->offset) : 1;
        if (gain > 0 || (gain == 0 && distance(item->name.start, wanted->offset) <
                                          distance(best->name.start, wanted->offset)))
            best = item;
    }
    const bool is_found = best && subject_init(subject, source, best);
    symbols_finish(&symbols);
    return is_found;
}

/* Documents of another language would hold other things of that name. */
static bool find_in_documents(const struct client *client, const struct document *document,
                              const struct wanted *wanted, struct subject *subject)
{
    const size_t count = documents_count(client->documents);

    for (size_t i = 0; i < count && i < SEARCHED_DOCUMENTS_MAX; i++) {
        struct document *other = documents_at(client->documents, i);
        if (other == document || document_language(other) != document_language(document))
            continue;
        const struct source source = source_of(client, other);
        if (find_in(&source, wanted, subject))
            return true;
    }
    return false;
}

/* "file:" and a path, percent-encoded (RFC 3986, section 2.3); NULL on exhausted memory. */
static char *file_uri(const char *path)
{
    char *uri = malloc(sizeof "file://" + 3 * strlen(path)), *out = uri;

    if (!uri)
        return NULL;
    out += sprintf(out, "file://");
    for (; *path; path++) {
        if (isalnum((unsigned char)*path) || strchr("/-._~", *path))
            *out++ = *path;
        else
            out += sprintf(out, "%%%02X", (unsigned)(unsigned char)*path);
    }
    *out = '\0';
    return uri;
}

/* A file as it is now, which may have changed since the index saw it. */
static bool find_in_file(const char *path, const struct language *language,
                         const struct wanted *wanted, struct subject *subject)
{
    size_t bytes = 0;
    char *uri = file_uri(path), *text = definitions_load(path, &bytes);
    struct syntax *syntax = text ? syntax_create(language) : NULL;
    bool is_found = false;

    if (uri && syntax && syntax_parse(syntax, text, bytes)) {
        const struct source source = {uri, language, syntax, text, bytes, false};
        is_found = find_in(&source, wanted, subject);
    }
    syntax_destroy(syntax);
    free(text);
    free(uri);
    return is_found;
}

/* The index knows which files define a name, and holds none that are ignored or secret. */
static bool find_in_workspace(struct client *client, const struct document *document,
                              const struct wanted *wanted, struct subject *subject)
{
    const struct definition *found[SEARCHED_FILES_MAX];
    const struct index *index = surroundings_index(client, document_uri(document));
    const size_t all =
        index ? index_find(index, wanted->name, wanted->bytes, found, SEARCHED_FILES_MAX) : 0;

    for (size_t i = 0; i < all && i < SEARCHED_FILES_MAX; i++) {
        const struct language *language = language_find(NULL, found[i]->path);
        if (language == document_language(document) &&
            find_in_file(found[i]->path, language, wanted, subject))
            return true;
    }
    return false;
}

bool subject_find(struct subject *subject, struct client *client, struct document *document,
                  size_t offset)
{
    const struct source source = source_of(client, document);
    const struct span name =
        source.syntax ? name_at(source.syntax, source.text, offset) : (struct span){0};
    const struct wanted here = {source.text + name.start, name.end - name.start, offset};
    const struct wanted elsewhere = {here.name, here.bytes, 0};

    if (here.bytes == 0)
        return false;
    if (!find_in(&source, &here, subject)) {
        if (!find_in_documents(client, document, &elsewhere, subject) &&
            !find_in_workspace(client, document, &elsewhere, subject))
            return false;
        subject->is_secret =
            subject->is_secret || !surroundings_share(client, source.uri, subject->path);
    }
    subject->asked = name;
    return true;
}
