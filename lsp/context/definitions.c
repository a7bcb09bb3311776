/* Two passes over the symbols: the first one counts bytes, the second one copies, so that a list is three blocks of memory
 * whatever it holds. Secrets are found in a masked copy of the whole text, since a key can be longer than a definition. */
#include "lsp/context/definitions.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lsp/context/glob.h"
#include "lsp/lines.h"
#include "lsp/secrets.h"

/* A text, its masked copy, and what of it tells of a symbol. */
struct source {
    const char *text, *masked;
    size_t bytes;
};

/* The lines that tell of a symbol: the comment above and, up to a limit, the signature or all of it. */
static struct span symbol_lines(const struct source *source, const struct symbol *symbol)
{
    const bool is_callable = symbol->kind == SYMBOL_FUNCTION || symbol->kind == SYMBOL_METHOD;
    const bool has_doc = symbol->doc.end > symbol->doc.start;
    size_t start = symbol->whole.start;
    size_t end = is_callable ? symbol->signature.end : symbol->whole.end;

    /* Python's doc comment stands behind the signature */
    if (has_doc && symbol->doc.start < start)
        start = symbol->doc.start;
    if (has_doc && is_callable && symbol->doc.start >= end)
        end = symbol->doc.end;

    struct span lines = {lines_start(source->text, start),
                         lines_end(source->text, source->bytes, end > 0 ? end - 1 : 0)};
    while (lines.end > lines.start + DEFINITIONS_TEXT_BYTES)
        lines.end = lines_start(source->text, lines.end - 1);
    return lines;
}

/* Copies the lines that hold no secret to `out`, or only counts them where that is NULL. A last line end is added. */
static size_t copy_clean(const struct source *source, struct span lines, char *out)
{
    size_t copied = 0;

    for (size_t at = lines.start; at < lines.end;) {
        const size_t end = lines_end(source->text, source->bytes, at), bytes = end - at;
        if (memcmp(source->text + at, source->masked + at, bytes) == 0) {
            if (out)
                memcpy(out + copied, source->text + at, bytes);
            copied += bytes;
            if (source->text[end - 1] != '\n') {
                if (out)
                    out[copied] = '\n';
                copied++;
            }
        }
        at = end;
    }
    return copied;
}

/* Fields and modules tell nothing that their owner does not; what has an owner is seldom asked for by its name alone, except
 * methods and types. */
static bool is_worth_telling(const struct symbol *symbol)
{
    const bool has_owner = symbol->owner.end > symbol->owner.start;

    switch (symbol->kind) {
    case SYMBOL_FUNCTION:
    case SYMBOL_METHOD:
    case SYMBOL_TYPE:
    case SYMBOL_MACRO:
        return true;
    case SYMBOL_VARIABLE:
    case SYMBOL_CONSTANT:
        return !has_owner;
    default:
        return false;
    }
}

/* Adds a symbol's name and text at the end of `list->text`; only counts where that is NULL. */
static void add_symbol(struct definitions *list, const struct source *source,
                       const struct symbol *symbol)
{
    const struct span lines = symbol_lines(source, symbol);
    const size_t name_bytes = symbol->name.end - symbol->name.start;
    const size_t text_bytes = copy_clean(source, lines, NULL);

    if (name_bytes == 0 || text_bytes == 0 ||
        memcmp(source->text + symbol->name.start, source->masked + symbol->name.start,
               name_bytes) != 0)
        return;
    if (list->text) {
        char *name = list->text + list->bytes, *text = name + name_bytes + 1;
        memcpy(name, source->text + symbol->name.start, name_bytes);
        name[name_bytes] = '\0';
        copy_clean(source, lines, text);
        text[text_bytes] = '\0';
        list->items[list->count] =
            (struct definition){list->path, name, text, text_bytes, symbol->kind};
    }
    list->count++;
    list->bytes += name_bytes + text_bytes + 2;
}

static void add_symbols(struct definitions *list, const struct source *source,
                        const struct symbols *symbols)
{
    list->count = list->bytes = 0;
    for (size_t i = 0; i < symbols->count; i++)
        if (is_worth_telling(&symbols->items[i]))
            add_symbol(list, source, &symbols->items[i]);
}

/* A list without definitions. */
static struct definitions *definitions_create(const char *path)
{
    struct definitions *list = calloc(1, sizeof *list);

    if (list)
        list->path = strdup(path);
    if (list && list->path)
        return list;
    definitions_destroy(list);
    return NULL;
}

/* Written by hand, as text: no NUL, and lines of a length that can be read. */
static bool is_readable(const char *text, size_t bytes)
{
    size_t lines = 1;

    for (const char *at = text; (at = memchr(at, '\n', bytes - (size_t)(at - text))); at++)
        lines++;
    return bytes <= DEFINITIONS_FILE_BYTES && !memchr(text, '\0', bytes) &&
           bytes / lines <= DEFINITIONS_LINE_BYTES;
}

struct definitions *definitions_of(const char *path, const struct syntax *syntax, const char *text,
                                   size_t bytes)
{
    struct definitions *list = definitions_create(path);
    struct symbols symbols = {0};

    if (!list || !syntax || bytes == 0 || secrets_path(path) || !is_readable(text, bytes))
        return list;
    char *masked = malloc(bytes);
    if (!masked || !symbols_init(&symbols, syntax, text, bytes)) {
        symbols = (struct symbols){0};
        goto fail;
    }
    memcpy(masked, text, bytes);
    secrets_mask(masked, bytes);

    const struct source source = {text, masked, bytes};
    add_symbols(list, &source, &symbols);
    list->items = calloc(list->count + 1, sizeof *list->items);
    list->text = malloc(list->bytes + 1);
    if (!list->items || !list->text)
        goto fail;
    add_symbols(list, &source, &symbols);
    symbols_finish(&symbols);
    free(masked);
    return list;

fail:
    symbols_finish(&symbols);
    free(masked);
    definitions_destroy(list);
    return NULL;
}

char *definitions_load(const char *path, size_t *bytes)
{
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
    struct stat status;
    char *text = NULL;

    if (!file) {
        if (descriptor >= 0)
            close(descriptor);
        return NULL;
    }
    if (fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_size <= DEFINITIONS_FILE_BYTES) {
        text = malloc((size_t)status.st_size + 1);
        *bytes = text ? fread(text, 1, (size_t)status.st_size, file) : 0;
    }
    fclose(file);
    return text;
}

struct definitions *definitions_read(const char *path)
{
    const struct language *language = language_find(NULL, path);
    size_t bytes = 0;
    char *text = language && !secrets_path(path) ? definitions_load(path, &bytes) : NULL;
    struct syntax *syntax =
        text && bytes > 0 && is_readable(text, bytes) ? syntax_create(language) : NULL;
    const bool has_tree = syntax && syntax_parse(syntax, text, bytes);
    struct definitions *list = definitions_of(path, has_tree ? syntax : NULL, text, bytes);

    syntax_destroy(syntax);
    free(text);
    return list;
}

void definitions_destroy(struct definitions *definitions)
{
    if (!definitions)
        return;
    free(definitions->path);
    free(definitions->items);
    free(definitions->text);
    free(definitions);
}

bool definitions_can_read(const char *path)
{
    /* data, and what machines write */
    static const char *const passed_over[] = {"*.json",     "*.html",   "*.htm",   "*.min.*",
                                              "*.bundle.*", "*_pb2.py", "*.pb.go", "*.d.ts.map"};
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    for (size_t i = 0; i < sizeof passed_over / sizeof *passed_over; i++)
        if (glob_fits(passed_over[i], strlen(passed_over[i]), name))
            return false;
    return language_find(NULL, path) && !secrets_path(path);
}
