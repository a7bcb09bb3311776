/* Random words are told from names by how often the kind of character changes, a capital before a small letter not counted,
 * since so words begin. Between neighbours in a random base64 text (26 lower, 26 upper, 10 digits of 62) it changes with
 * probability 1 - (26² + 26² + 10² + 26²) / 62² = 0.45, in hexadecimal 0.47; in names at the seams of words only, 0.1 to 0.2.
 */
#include "lsp/secrets/keys.h"

#include <string.h>

enum {
    BLOCK_BYTES_MAX = 64 * 1024,
    SHAPE_BYTES_MIN = 12, /* no token that says whose it is is shorter */
    RANDOM_BYTES_MIN = 20,
    CHANGES_PERCENT = 30, /* of a word's neighbours, from which on it looks random */
    PIECE_BYTES_MAX = 10, /* of a name in snake_case */
    DIGITS_MIN = 2,       /* fewer and it is a name; with large and small letters one will do */
};

enum kind { KIND_LOWER, KIND_UPPER, KIND_DIGIT, KIND_OTHER };

static enum kind kind_of(char byte)
{
    if (byte >= 'a' && byte <= 'z')
        return KIND_LOWER;
    if (byte >= 'A' && byte <= 'Z')
        return KIND_UPPER;
    return byte >= '0' && byte <= '9' ? KIND_DIGIT : KIND_OTHER;
}

/* What base64 and its kin are written with, but for letters and digits. */
static bool is_seam(char byte)
{
    return byte == '_' || byte == '-' || byte == '+' || byte == '=' || byte == '/' || byte == '.' ||
           byte == '~';
}

static bool is_key_byte(char byte)
{
    return kind_of(byte) != KIND_OTHER || is_seam(byte);
}

/* --- blocks ----------------------------------------------------------------------------------------------------------- */

/* A private key: from "-----BEGIN" to the dashes behind "-----END", or, where that is missing, to the end of the text. */
static size_t key_block(const struct passage *passage, const char *at)
{
    static const char opening[] = "-----BEGIN ", closing[] = "-----END ";
    const size_t left = (size_t)(passage->end - at);

    if (left < sizeof opening - 1 || memcmp(at, opening, sizeof opening - 1) != 0)
        return 0;
    const char *line_end = memchr(at, '\n', left);
    const size_t line = line_end ? (size_t)(line_end - at) : left;
    if (!memmem(at, line, "PRIVATE KEY", 11) && !memmem(at, line, "PGP MESSAGE", 11))
        return 0;
    const size_t block = left < BLOCK_BYTES_MAX ? left : BLOCK_BYTES_MAX;
    const char *close = memmem(at, block, closing, sizeof closing - 1);
    if (!close)
        return block;
    const char *last = memchr(close, '\n', (size_t)(passage->end - close));
    const char *dashes = memmem(close + 8, (size_t)(passage->end - close - 8), "-----", 5);
    const char *end = last ? last : passage->end;
    return (size_t)((dashes && dashes + 5 < end ? dashes + 5 : end) - at);
}

/* --- tokens ----------------------------------------------------------------------------------------------------------- */

/* A beginning, and how many letters, digits and seams but '/' and '=' follow at least. */
struct shape {
    const char *start;
    size_t least;
};

/* As their makers, and secret scanners such as GitHub's, document them. */
static const struct shape shapes[] = {
    {"AKIA", 12},
    {"ASIA", 12},
    {"ABIA", 12},
    {"ACCA", 12},
    {"ABSK", 40},
    {"ghp_", 16},
    {"gho_", 16},
    {"ghu_", 16},
    {"ghs_", 16},
    {"ghr_", 16},
    {"github_pat_", 16},
    {"glpat-", 12},
    {"gldt-", 12},
    {"glrt-", 12},
    {"glsa_", 16},
    {"glc_", 24},
    {"xoxb-", 8},
    {"xoxp-", 8},
    {"xoxa-", 8},
    {"xoxr-", 8},
    {"xoxs-", 8},
    {"xoxc-", 8},
    {"xoxd-", 8},
    {"xoxe.", 8},
    {"xapp-", 8},
    {"sk_live_", 8},
    {"sk_test_", 8},
    {"rk_live_", 8},
    {"rk_test_", 8},
    {"whsec_", 12},
    {"sk-", 20},
    {"AIza", 30},
    {"ya29.", 16},
    {"GOCSPX-", 16},
    {"npm_", 20},
    {"pypi-", 16},
    {"dop_v1_", 16},
    {"doo_v1_", 16},
    {"dor_v1_", 16},
    {"hf_", 20},
    {"r8_", 20},
    {"gsk_", 20},
    {"SG.", 16},
    {"key-", 28},
    {"shpat_", 16},
    {"shpss_", 16},
    {"shpca_", 16},
    {"shppa_", 16},
    {"hvs.", 16},
    {"hvb.", 16},
    {"dckr_pat_", 12},
    {"EAACEdEose0cBA", 8},
    {"AGE-SECRET-KEY-", 16},
    {"eyJ", 17},
    {"sq0csp-", 16},
    {"sq0atp-", 16},
    {"NRAK-", 20},
    {"lin_api_", 20},
    {"figd_", 20},
    {"PMAK-", 20},
    {"sbp_", 20},
    {"rubygems_", 20},
    {"ATATT3", 20},
    {"dt0c01.", 20},
    {"xkeysib-", 20},
    {"tskey-", 16},
    {"CLOJARS_", 20},
    {"ntn_", 20},
};

/* How far the bytes that a token may be made of go. */
static const char *token_end(const char *at, const char *end)
{
    while (at < end && is_key_byte(*at) && *at != '/' && *at != '=')
        at++;
    return at;
}

/* The token that says at `at` whose it is. */
static size_t token_shape(const struct passage *passage, const char *at)
{
    const size_t left = (size_t)(passage->end - at);

    /* most words are too short */
    if (left < SHAPE_BYTES_MIN || token_end(at, at + SHAPE_BYTES_MIN) < at + SHAPE_BYTES_MIN)
        return 0;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (shapes[i].start[0] != *at)
            continue;
        const size_t start = strlen(shapes[i].start);
        if (left < start || memcmp(at, shapes[i].start, start) != 0)
            continue;
        const char *end = token_end(at + start, passage->end);
        if ((size_t)(end - at) >= start + shapes[i].least)
            return (size_t)(end - at);
    }
    return 0;
}

/* --- random words ----------------------------------------------------------------------------------------------------- */

/* Whether a word is a name of pieces that '_' joins: those of a random word would be longer. */
static bool is_snake(const char *at, const char *end)
{
    const char *piece = at;

    for (const char *byte = at; byte < end; byte++) {
        if (*byte == '_')
            piece = byte + 1;
        else if (kind_of(*byte) == KIND_OTHER || byte - piece >= PIECE_BYTES_MAX)
            return false;
    }
    return true;
}

/* Whether [at, end) looks random: long enough, digits and letters, and the kind of character changing often. What is joined by
 * '/', '.', '-' or '_' counts without the seams, since paths and dates have many. */
static bool is_random(const char *at, const char *end)
{
    size_t counts[KIND_OTHER + 1] = {0}, changes = 0, neighbours = 0;
    enum kind last = KIND_OTHER;

    if (end - at < RANDOM_BYTES_MIN)
        return false;
    for (const char *byte = at; byte < end; byte++) {
        const enum kind kind = kind_of(*byte);
        counts[kind]++;
        if (kind != KIND_OTHER && last != KIND_OTHER) {
            neighbours++;
            changes += kind != last && !(last == KIND_UPPER && kind == KIND_LOWER);
        }
        last = kind;
    }
    const size_t letters = counts[KIND_LOWER] + counts[KIND_UPPER];
    const bool has_both_cases = counts[KIND_LOWER] > 0 && counts[KIND_UPPER] > 0;
    return counts[KIND_DIGIT] >= (has_both_cases ? 1 : DIGITS_MIN) && letters >= DIGITS_MIN &&
           counts[KIND_OTHER] * 4 <= (size_t)(end - at) &&
           changes * 100 >= neighbours * CHANGES_PERCENT && !is_snake(at, end);
}

/* How far a word goes. */
static const char *word_end(const struct passage *passage, const char *at)
{
    while (at < passage->end && is_key_byte(*at))
        at++;
    return at;
}

/* The word at `at` where it looks random as a whole, as base64 does with its '/' and '+', but of an address only what is secret
 * in it; or where the letters and digits do that come first, such as a key at the end of an address. */
static size_t random_word(const struct passage *passage, const char *at, bool is_whole)
{
    const char *run = at, *end;

    while (run < passage->end && kind_of(*run) != KIND_OTHER)
        run++;
    if (is_random(at, run))
        return (size_t)(word_end(passage, run) - at);
    if (!is_whole)
        return 0;
    end = word_end(passage, run);
    return is_random(at, end) && !memmem(at, (size_t)(end - at), "//", 2) ? (size_t)(end - at) : 0;
}

/* --- the door --------------------------------------------------------------------------------------------------------- */

size_t key_at(const struct passage *passage, const char *at)
{
    const char last = at > passage->text ? at[-1] : ' ';

    if (kind_of(last) != KIND_OTHER)
        return 0;
    if (kind_of(*at) == KIND_OTHER) {
        const size_t block = *at == '-' && last != '-' ? key_block(passage, at) : 0;
        return block || !is_seam(*at) || is_seam(last) ? block : random_word(passage, at, true);
    }
    const size_t token = last != '_' ? token_shape(passage, at) : 0;
    return token ? token : random_word(passage, at, !is_seam(last));
}
