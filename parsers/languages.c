/* One row per language: adding one is a grammar package, a row here and a folder of queries.
 *
 * Queries are compiled when first asked for, since a session sees one or two languages and compiling takes milliseconds. The
 * loop and the worker both ask, hence the lock.
 */
#include "parsers/languages.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "parsers/tree.h"
#include "queries.h"

enum { LANGUAGE_NAMES = 5 };

struct language {
    const char *name;
    const char *ids[LANGUAGE_NAMES];     /* LSP language ids */
    const char *endings[LANGUAGE_NAMES]; /* of paths */
    const TSLanguage *(*grammar)(void);
    const struct comment_style *comments;
    const char *blocks; /* text of queries/<name>/blocks.scm */
};

/* Defined by the grammars, which come without headers. */
const TSLanguage *tree_sitter_c(void);
const TSLanguage *tree_sitter_javascript(void);
const TSLanguage *tree_sitter_lua(void);
const TSLanguage *tree_sitter_python(void);

static const struct comment_style c_comments = {
    .line = "//",
    .open = "/*",
    .close = "*/",
    .doc_open = "/**",
    .doc_line = " * ",
    .doc_close = " */",
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

static const struct language languages[] = {
    {
        .name = "c",
        .ids = {"c"},
        .endings = {".c", ".h"},
        .grammar = tree_sitter_c,
        .comments = &c_comments,
        .blocks = query_c_blocks,
    },
    {
        .name = "javascript",
        .ids = {"javascript", "javascriptreact"},
        .endings = {".js", ".mjs", ".cjs", ".jsx"},
        .grammar = tree_sitter_javascript,
        .comments = &c_comments,
        .blocks = query_javascript_blocks,
    },
    {
        .name = "lua",
        .ids = {"lua"},
        .endings = {".lua"},
        .grammar = tree_sitter_lua,
        .comments = &lua_comments,
        .blocks = query_lua_blocks,
    },
    {
        .name = "python",
        .ids = {"python"},
        .endings = {".py", ".pyi", ".pyw"},
        .grammar = tree_sitter_python,
        .comments = &python_comments,
        .blocks = query_python_blocks,
    },
};

enum { LANGUAGE_COUNT = sizeof languages / sizeof *languages };

static pthread_mutex_t compile_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    bool tried;
    const TSQuery *query;
} compiled[LANGUAGE_COUNT];

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

const TSQuery *language_blocks(const struct language *language)
{
    size_t index = (size_t)(language - languages);
    uint32_t at = 0;
    TSQueryError problem = TSQueryErrorNone;

    pthread_mutex_lock(&compile_lock);
    if (!compiled[index].tried) {
        compiled[index].tried = true;
        compiled[index].query = ts_query_new(language_grammar(language), language->blocks,
                                             (uint32_t)strlen(language->blocks), &at, &problem);
    }
    const TSQuery *query = compiled[index].query;
    pthread_mutex_unlock(&compile_lock);
    return query;
}
