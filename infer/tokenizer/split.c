/* How: the expression is translated once, then compiled by PCRE2 with its just-in-time compiler where there is one.
 *
 * Translation is a whitelist. The two dialects part in places that matter: PCRE2's \s takes in U+180E, which is no white
 * space since Unicode 6.3; anchors, \d, \w, \h, nested classes, script names and {n,m}+ differ as well. \s and \S become
 * the White_Space property spelled out; the rest is refused rather than guessed.
 */
#include "infer/tokenizer/split.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* The property White_Space, as the inside of a class. */
#define WHITE_SPACE "\\t-\\r\\x{85}\\p{Z}"

enum {
    TRANSLATED_PER_BYTE = 12, /* "\S" grows most: to 20 bytes */
    REASON_BYTES = 128,
    /* Steps one match may take: fine for anything linear in the text, while a runaway expression ends. */
    STEPS_MIN = 1000000,
    STEPS_PER_BYTE = 64,
};

struct split {
    pcre2_code *code;
};

/* Reads the expression at `from`, writes at `to`; `in_class` inside [...]. */
struct translation {
    const char *from;
    char *to;
    bool in_class;
};

static void put(struct translation *translation, const char *text, size_t bytes)
{
    memcpy(translation->to, text, bytes);
    translation->to += bytes;
}

/* Bytes of a general category such as \p{L} or \P{Lu}, 0 where there is none. */
static size_t category_bytes(const char *text)
{
    if (text[2] != '{' || !text[3] || !strchr("LMNPSZC", text[3]))
        return 0;
    if (text[4] == '}')
        return 5;
    return islower((unsigned char)text[4]) && text[5] == '}' ? 6 : 0;
}

/* Translates one escape; false where it is not supported. */
static bool translate_escape(struct translation *translation)
{
    const char *from = translation->from;
    const bool in_class = translation->in_class;
    size_t bytes = 2;

    if (from[1] == 's') {
        put(translation, in_class ? WHITE_SPACE : "[" WHITE_SPACE "]",
            strlen(WHITE_SPACE) + (in_class ? 0 : 2));
    } else if (from[1] == 'S' && !in_class) {
        put(translation, "[^" WHITE_SPACE "]", strlen(WHITE_SPACE) + 3);
    } else if (from[1] == 'p' || from[1] == 'P') {
        bytes = category_bytes(from);
        put(translation, from, bytes);
    } else if (from[1] && (strchr("rnt", from[1]) || ispunct((unsigned char)from[1]))) {
        put(translation, from, bytes);
    } else {
        return false;
    }
    translation->from += bytes;
    return bytes > 0;
}

/* Bytes of the group opening at `text`, 0 where the kind is not supported. */
static size_t group_bytes(const char *text)
{
    static const char *const kinds[] = {"(?:", "(?i:", "(?!", "(?="};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strncmp(text, kinds[i], strlen(kinds[i])) == 0)
            return strlen(kinds[i]);
    }
    return text[1] == '?' || text[1] == '*' ? 0 : 1;
}

/* Translates one character outside an escape; false where it is not supported. */
static bool translate_plain(struct translation *translation)
{
    const char *from = translation->from;
    size_t bytes = 1;

    if (translation->in_class) {
        if (from[0] == '[' || (from[0] == '&' && from[1] == '&'))
            return false;
        translation->in_class = from[0] != ']';
    } else if (from[0] == '[') {
        bytes = from[1] == '^' ? 2 : 1;
        translation->in_class = true;
        if (from[bytes] == ']')
            return false;
    } else if (from[0] == '(') {
        bytes = group_bytes(from);
    } else if (strchr("^$.", from[0]) || (from[0] == '}' && from[1] == '+')) {
        return false;
    }
    put(translation, from, bytes);
    translation->from += bytes;
    return bytes > 0;
}

/* The expression in PCRE2's dialect, for the caller to free. */
static char *translate(const char *expression, const char *path, struct error *error)
{
    const size_t bytes = strlen(expression);
    if (bytes > SPLIT_EXPRESSION_MAX_BYTES) {
        error_set(error, ERROR_LIMIT, "%s: the split expression is longer than %d bytes", path,
                  SPLIT_EXPRESSION_MAX_BYTES);
        return NULL;
    }
    char *translated = malloc(bytes * TRANSLATED_PER_BYTE + 1);
    if (!translated) {
        error_set(error, ERROR_MEMORY, "%s: out of memory", path);
        return NULL;
    }

    struct translation translation = {.from = expression, .to = translated};
    while (*translation.from) {
        const bool known = translation.from[0] == '\\' ? translate_escape(&translation)
                                                       : translate_plain(&translation);
        if (!known) {
            error_set(error, ERROR_INPUT,
                      "%s: the split expression is not supported from \"%.20s\"", path,
                      translation.from);
            free(translated);
            return NULL;
        }
    }
    *translation.to = '\0';
    return translated;
}

struct split *split_create(const char *expression, const char *path, struct error *error)
{
    struct split *split = NULL;
    pcre2_code *code = NULL;
    char *translated = translate(expression, path, error);
    if (!translated)
        return NULL;

    int number;
    PCRE2_SIZE at;
    code = pcre2_compile((PCRE2_SPTR)translated, PCRE2_ZERO_TERMINATED,
                         PCRE2_UTF | PCRE2_UCP | PCRE2_NO_AUTO_CAPTURE, &number, &at, NULL);
    if (!code) {
        PCRE2_UCHAR reason[REASON_BYTES] = "";
        pcre2_get_error_message(number, reason, sizeof reason);
        error_set(error, ERROR_INPUT, "%s: the split expression is wrong: %s", path, reason);
        goto done;
    }

    /* a piece that may be empty could stand anywhere */
    uint32_t may_be_empty = 0;
    pcre2_pattern_info(code, PCRE2_INFO_MATCHEMPTY, &may_be_empty);
    if (may_be_empty) {
        error_set(error, ERROR_INPUT, "%s: the split expression matches empty text", path);
        goto done;
    }

    /* without the just-in-time compiler the same code is interpreted */
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
    split = malloc(sizeof *split);
    if (!split) {
        error_set(error, ERROR_MEMORY, "%s: out of memory", path);
        goto done;
    }
    split->code = code;
    code = NULL;

done:
    pcre2_code_free(code);
    free(translated);
    return split;
}

void split_destroy(struct split *split)
{
    if (!split)
        return;
    pcre2_code_free(split->code);
    free(split);
}

/* One match from `at` on; 0 where there is none, else as pcre2_match. */
static int match(const struct split *split, const char *text, size_t bytes, size_t at,
                 pcre2_match_data *data, pcre2_match_context *context)
{
    int found =
        pcre2_match(split->code, (PCRE2_SPTR)text, bytes, at, PCRE2_NO_UTF_CHECK, data, context);
    /* the interpreter keeps its stack on the heap */
    if (found == PCRE2_ERROR_JIT_STACKLIMIT)
        found = pcre2_match(split->code, (PCRE2_SPTR)text, bytes, at,
                            PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data, context);
    return found == PCRE2_ERROR_NOMATCH ? 0 : found;
}

static uint32_t steps_for(size_t bytes)
{
    const uint64_t steps = STEPS_MIN + (uint64_t)bytes * STEPS_PER_BYTE;
    return steps < UINT32_MAX ? (uint32_t)steps : UINT32_MAX;
}

bool split_each(const struct split *split, const char *text, size_t bytes, split_visit visit,
                void *user, struct error *error)
{
    bool ok = false;
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    if (!data || !context) {
        error_set(error, ERROR_MEMORY, "out of memory while splitting text");
        goto done;
    }
    pcre2_set_match_limit(context, steps_for(bytes));

    const PCRE2_SIZE *bounds = pcre2_get_ovector_pointer(data);
    for (size_t at = 0; at < bytes;) {
        const int found = match(split, text, bytes, at, data, context);
        if (found < 0) {
            error_set(error, found == PCRE2_ERROR_NOMEMORY ? ERROR_MEMORY : ERROR_LIMIT,
                      "the tokenizer's split expression gave up (PCRE2 error %d)", found);
            goto done;
        }
        const size_t start = found ? bounds[0] : bytes;
        const size_t end = found ? bounds[1] : bytes;
        if (start > at && !visit(user, text + at, start - at))
            goto done;
        if (end > start && !visit(user, text + start, end - start))
            goto done;
        at = end;
    }
    ok = true;

done:
    pcre2_match_context_free(context);
    pcre2_match_data_free(data);
    return ok;
}
