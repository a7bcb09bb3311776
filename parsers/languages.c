/* One row per language: adding one is a grammar package, a row here and a folder of queries.
 *
 * Queries are compiled when first asked for, since a session sees one or two languages and compiling takes up to a tenth of a
 * second. Several threads ask: nobody waits for another one, and of two that compile the same the first one's is kept.
 */
#include "parsers/languages.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "parsers/tree.h"
#include "queries.h"

enum { LANGUAGE_NAMES = 14, LONG_OPENS = 5 };

struct language {
    const char *name;
    const char *ids[LANGUAGE_NAMES];     /* LSP language ids, and what Neovim calls file types */
    const char *endings[LANGUAGE_NAMES]; /* of paths */
    const TSLanguage *(*grammar)(void);
    const struct comment_style *comments;
    const char *quotes;
    const char *long_opens[LONG_OPENS];
    const char *queries[QUERY_KINDS]; /* text of queries/<name>/ */
};

/* Defined by the grammars, which come without headers. */
const TSLanguage *tree_sitter_bash(void);
const TSLanguage *tree_sitter_c(void);
const TSLanguage *tree_sitter_cpp(void);
const TSLanguage *tree_sitter_css(void);
const TSLanguage *tree_sitter_go(void);
const TSLanguage *tree_sitter_html(void);
const TSLanguage *tree_sitter_java(void);
const TSLanguage *tree_sitter_javascript(void);
const TSLanguage *tree_sitter_json(void);
const TSLanguage *tree_sitter_lua(void);
const TSLanguage *tree_sitter_python(void);
const TSLanguage *tree_sitter_rust(void);
const TSLanguage *tree_sitter_tsx(void);
const TSLanguage *tree_sitter_typescript(void);

static const struct comment_style c_comments = {
    .line = "//",
    .open = "/*",
    .close = "*/",
    .doc_open = "/**",
    .doc_line = " * ",
    .doc_close = " */",
};
static const struct comment_style css_comments = {
    .line = "",
    .open = "/*",
    .close = "*/",
    .doc_open = "/*",
    .doc_line = " * ",
    .doc_close = " */",
};
static const struct comment_style bash_comments = {
    .line = "#",
    .open = "",
    .close = "",
    .doc_open = "",
    .doc_line = "# ",
    .doc_close = "",
};
static const struct comment_style go_comments = {
    .line = "//",
    .open = "/*",
    .close = "*/",
    .doc_open = "",
    .doc_line = "// ",
    .doc_close = "",
};
static const struct comment_style html_comments = {
    .line = "",
    .open = "<!--",
    .close = "-->",
    .doc_open = "<!--",
    .doc_line = "",
    .doc_close = "-->",
};
static const struct comment_style json_comments = {
    .line = "//",
    .open = "/*",
    .close = "*/",
    .doc_open = "",
    .doc_line = "// ",
    .doc_close = "",
};
static const struct comment_style lua_comments = {
    .line = "--",
    .open = "--[[",
    .close = "]]",
    .doc_open = "",
    .doc_line = "--- ",
    .doc_close = "",
};
static const struct comment_style python_comments = {
    .line = "#",
    .open = "",
    .close = "",
    .doc_open = "\"\"\"",
    .doc_line = "",
    .doc_close = "\"\"\"",
    .doc_is_inside = true,
};
static const struct comment_style rust_comments = {
    .line = "//",
    .open = "/*",
    .close = "*/",
    .doc_open = "",
    .doc_line = "/// ",
    .doc_close = "",
};

#define QUERIES(language)                                                                          \
    {                                                                                              \
        [QUERY_BLOCKS] = query_##language##_blocks, [QUERY_SYMBOLS] = query_##language##_symbols,  \
        [QUERY_NAMES] = query_##language##_names,                                                  \
    }

static const struct language languages[] = {
    {
        .name = "bash",
        .ids = {"shellscript", "sh", "bash", "zsh"},
        .endings = {".sh", ".bash", ".zsh", ".bats"},
        .grammar = tree_sitter_bash,
        .comments = &bash_comments,
        .quotes = "\"'`",
        .long_opens = {"\"", "'", "`", "<<"},
        .queries = QUERIES(bash),
    },
    {
        .name = "c",
        .ids = {"c"},
        .endings = {".c", ".h"},
        .grammar = tree_sitter_c,
        .comments = &c_comments,
        .quotes = "\"'",
        .queries = QUERIES(c),
    },
    {
        .name = "cpp",
        .ids = {"cpp", "c++", "cuda-cpp", "cuda"},
        .endings = {".cpp", ".cc", ".cxx", ".c++", ".hpp", ".hh", ".hxx", ".h++", ".ipp", ".inl",
                    ".tpp", ".cu", ".cuh"},
        .grammar = tree_sitter_cpp,
        .comments = &c_comments,
        .quotes = "\"'",
        .long_opens = {"R\""},
        .queries = QUERIES(cpp),
    },
    {
        .name = "css",
        .ids = {"css"},
        .endings = {".css"},
        .grammar = tree_sitter_css,
        .comments = &css_comments,
        .quotes = "\"'",
        .queries = QUERIES(css),
    },
    {
        .name = "go",
        .ids = {"go"},
        .endings = {".go"},
        .grammar = tree_sitter_go,
        .comments = &go_comments,
        .quotes = "\"'`",
        .long_opens = {"`"},
        .queries = QUERIES(go),
    },
    {
        .name = "html",
        .ids = {"html"},
        .endings = {".html", ".htm", ".xhtml"},
        .grammar = tree_sitter_html,
        .comments = &html_comments,
        .quotes = "",
        .queries = QUERIES(html),
    },
    {
        .name = "java",
        .ids = {"java"},
        .endings = {".java"},
        .grammar = tree_sitter_java,
        .comments = &c_comments,
        .quotes = "\"'",
        .queries = QUERIES(java),
    },
    {
        .name = "javascript",
        .ids = {"javascript", "javascriptreact", "javascript.jsx"},
        .endings = {".js", ".mjs", ".cjs", ".jsx"},
        .grammar = tree_sitter_javascript,
        .comments = &c_comments,
        .quotes = "\"'`",
        .long_opens = {"`"},
        .queries = QUERIES(javascript),
    },
    {
        .name = "json",
        .ids = {"json", "jsonc"},
        .endings = {".json", ".jsonc", ".geojson", ".webmanifest"},
        .grammar = tree_sitter_json,
        .comments = &json_comments,
        .quotes = "\"",
        .queries = QUERIES(json),
    },
    {
        .name = "lua",
        .ids = {"lua"},
        .endings = {".lua"},
        .grammar = tree_sitter_lua,
        .comments = &lua_comments,
        .quotes = "\"'",
        .long_opens = {"[[", "[="},
        .queries = QUERIES(lua),
    },
    {
        .name = "python",
        .ids = {"python"},
        .endings = {".py", ".pyi", ".pyw"},
        .grammar = tree_sitter_python,
        .comments = &python_comments,
        .quotes = "\"'",
        .queries = QUERIES(python),
    },
    {
        .name = "rust",
        .ids = {"rust"},
        .endings = {".rs"},
        .grammar = tree_sitter_rust,
        .comments = &rust_comments,
        .quotes = "\"",
        .long_opens = {"\"", "r#"},
        .queries = QUERIES(rust),
    },
    {
        .name = "tsx",
        .ids = {"typescriptreact", "typescript.tsx", "tsx"},
        .endings = {".tsx"},
        .grammar = tree_sitter_tsx,
        .comments = &c_comments,
        .quotes = "\"'`",
        .long_opens = {"`"},
        .queries = QUERIES(tsx),
    },
    {
        .name = "typescript",
        .ids = {"typescript"},
        .endings = {".ts", ".mts", ".cts"},
        .grammar = tree_sitter_typescript,
        .comments = &c_comments,
        .quotes = "\"'`",
        .long_opens = {"`"},
        .queries = QUERIES(typescript),
    },
};

enum { LANGUAGE_COUNT = sizeof languages / sizeof *languages };

static _Atomic(const TSQuery *) compiled[LANGUAGE_COUNT][QUERY_KINDS]; /* NULL: not yet */

static bool has_ending(const char *path, const char *ending)
{
    size_t path_bytes = strlen(path), ending_bytes = strlen(ending);

    return path_bytes > ending_bytes && !strcasecmp(path + path_bytes - ending_bytes, ending);
}

static bool language_has_id(const struct language *language, const char *id)
{
    for (size_t i = 0; i < LANGUAGE_NAMES && language->ids[i]; i++) {
        if (!strcmp(language->ids[i], id))
            return true;
    }
    return false;
}

static bool language_has_ending_of(const struct language *language, const char *path)
{
    for (size_t i = 0; i < LANGUAGE_NAMES && language->endings[i]; i++) {
        if (has_ending(path, language->endings[i]))
            return true;
    }
    return false;
}

const struct language *language_find(const char *language_id, const char *path)
{
    bool says_nothing = !language_id || !*language_id || !strcmp(language_id, "plaintext");

    for (size_t i = 0; i < LANGUAGE_COUNT; i++) {
        if (says_nothing ? path && language_has_ending_of(&languages[i], path)
                         : language_has_id(&languages[i], language_id))
            return &languages[i];
    }
    return NULL;
}

const char *language_name(const struct language *language)
{
    return language->name;
}

const struct comment_style *language_comments(const struct language *language)
{
    return language->comments;
}

size_t language_count(void)
{
    return LANGUAGE_COUNT;
}

const struct language *language_at(size_t index)
{
    return index < LANGUAGE_COUNT ? &languages[index] : NULL;
}

const TSLanguage *language_grammar(const struct language *language)
{
    return language->grammar();
}

const char *language_quotes(const struct language *language)
{
    return language->quotes;
}

const char *const *language_long_opens(const struct language *language)
{
    return language->long_opens;
}

const TSQuery *language_query(const struct language *language, enum query_kind kind)
{
    _Atomic(const TSQuery *) *place = &compiled[language - languages][kind];
    const char *text = language->queries[kind];
    const TSQuery *query = atomic_load(place), *others = NULL;
    uint32_t at = 0;
    TSQueryError problem = TSQueryErrorNone;

    if (query)
        return query;
    TSQuery *ours =
        ts_query_new(language_grammar(language), text, (uint32_t)strlen(text), &at, &problem);
    if (!ours || atomic_compare_exchange_strong(place, &others, ours))
        return ours;
    ts_query_delete(ours);
    return others;
}

bool language_is_prepared(const struct language *language)
{
    int kind = 0;

    while (kind < QUERY_KINDS && atomic_load(&compiled[language - languages][kind]))
        kind++;
    return kind == QUERY_KINDS;
}

void language_prepare(const struct language *language)
{
    for (int kind = 0; kind < QUERY_KINDS; kind++)
        language_query(language, (enum query_kind)kind);
}
