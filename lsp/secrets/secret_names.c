/* A name is compared from its end on, so that most are told from the first letter. */
#include "lsp/secrets/secret_names.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { NAME_BYTES_MAX = 128 }; /* longer ones speak of nothing */

/* What names of secrets end in, in small letters and without '_' and '-'. */
struct ending {
    const char *text;
    unsigned char bytes;
    bool is_strong, is_apart; /* apart: a word of its own, since others end so, too */
};

#define STRONG(text)                                                                               \
    {                                                                                              \
        text, sizeof text - 1, true, false                                                         \
    }
#define WEAK(text)                                                                                 \
    {                                                                                              \
        text, sizeof text - 1, false, false                                                        \
    }

static const struct ending endings[] = {
    STRONG("password"),      STRONG("passwd"),      STRONG("passphrase"),
    STRONG("passcode"),      STRONG("passwort"),    STRONG("secret"),
    STRONG("mnemonic"),      STRONG("requirepass"), STRONG("secretkeybase"),
    {"pwd", 3, true, true},  {"pw", 2, true, true}, {"pass", 4, false, true},
    {"psk", 3, false, true}, WEAK("credential"),    WEAK("credentials"),
    WEAK("apikey"),          WEAK("accesskey"),     WEAK("privatekey"),
    WEAK("authkey"),         WEAK("secretkey"),     WEAK("signingkey"),
    WEAK("encryptionkey"),   WEAK("accountkey"),    WEAK("masterkey"),
    WEAK("subscriptionkey"), WEAK("accesskeyid"),   WEAK("licensekey"),
    WEAK("token"),
};

/* Whether [start, end) ends in it. */
static bool ends_in(const char *start, const char *end, const struct ending *ending)
{
    for (size_t left = ending->bytes; left > 0;) {
        if (end == start)
            return false;
        end--;
        if (*end == '_' || *end == '-')
            continue;
        if (tolower((unsigned char)*end) != ending->text[--left])
            return false;
    }
    return !ending->is_apart || end == start || !byte_is_letter(end[-1]) ||
           (isupper((unsigned char)*end) && islower((unsigned char)end[-1]));
}

/* Without what says where a secret is for, and without numbers. */
static const char *name_core(const char *start, const char *end)
{
    static const char *const places[] = {"_prod", "_production", "_staging",
                                         "_dev",  "_test",       "_live"};
    const char *line = memrchr(start, '_', (size_t)(end - start));

    for (size_t i = 0; line && i < sizeof places / sizeof *places; i++)
        if (strlen(places[i]) == (size_t)(end - line) &&
            strncasecmp(line, places[i], (size_t)(end - line)) == 0)
            end = line;
    while (end > start && !byte_is_letter(end[-1]))
        end--;
    return end;
}

/* What kind of secret a name speaks of; NULL for none. */
static const struct ending *name_ending(const char *start, const char *end)
{
    end = name_core(start, end);
    if (end == start)
        return NULL;
    const char last = (char)(end[-1] | 0x20); /* in small letters */
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (endings[i].text[endings[i].bytes - 1] == last && ends_in(start, end, &endings[i]))
            return &endings[i];
    return NULL;
}

/* The quote that is open at `at` in its line; an apostrophe in a word is none, nor are three in a row. */
static char open_quote(const struct passage *passage, const char *at)
{
    char open = 0;

    for (const char *byte = line_start(passage, at); byte < at; byte++) {
        if (*byte == '\\')
            byte++;
        else if (byte_is_quote(*byte) && at - byte > 2 && byte[1] == *byte && byte[2] == *byte)
            byte += 2;
        else if (open
                     ? *byte == open
                     : byte_is_quote(*byte) && !(byte > passage->text && byte_is_letter(byte[-1]) &&
                                                 byte_is_letter(byte[1])))
            open = open ? 0 : *byte;
    }
    return open;
}

bool secret_name_ends(struct stretch stretch)
{
    return name_ending(stretch.start, stretch.end) != NULL;
}

bool secret_name_read(struct secret_name *name, const struct passage *passage, const char *at)
{
    const char *end = at;
    bool has_small = false;

    for (; end < passage->end && (byte_is_name(*end) || *end == '-'); end++) {
        if (end - at == NAME_BYTES_MAX)
            return false;
        has_small = has_small || islower((unsigned char)*end);
    }
    const struct ending *ending = name_ending(at, end);
    if (!ending)
        return false;
    const char *close = end;
    while (peek(passage, close) == '\\')
        close++;
    *name = (struct secret_name){passage,
                                 at,
                                 end,
                                 .is_strong = ending->is_strong,
                                 .is_constant = !has_small,
                                 .is_quoted = byte_is_quote(peek(passage, close)),
                                 .quote = open_quote(passage, at)};
    return true;
}

/* Whether a name begins with one of the words. */
static bool begins_with(const struct secret_name *name, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (skip_word(name->passage, name->start, words[i]))
            return true;
    return false;
}

bool secret_name_asks(const struct secret_name *name)
{
    static const char *const verbs[] = {"get", "prompt", "ask", "read", "input", "find", "expect"};

    return begins_with(name, verbs, sizeof verbs / sizeof *verbs);
}

bool secret_name_takes(const struct secret_name *name)
{
    static const char *const verbs[] = {"set", "with", "use", "add"};

    return begins_with(name, verbs, sizeof verbs / sizeof *verbs);
}

bool secret_name_is_option(const struct secret_name *name)
{
    const char *at = name->start, *dashes = at;

    while (dashes > name->passage->text && dashes[-1] == '-')
        dashes--;
    const char before = peek_back(name->passage, dashes);
    return dashes < at && (byte_is_space(before) || byte_is_quote(before));
}

bool secret_name_is_argument(const struct secret_name *name)
{
    const struct passage *passage = name->passage;
    const char *at = name->start;

    while (byte_is_name(peek_back(passage, at)) || byte_is_one_of(peek_back(passage, at), ".-"))
        at--;
    return byte_is_quote(peek_back(passage, at)) && peek_back(passage, at - 1) == '(';
}

bool secret_name_is_entry(const struct secret_name *name)
{
    static const char *const words[] = {"export", "env", "arg", "set", "-"};
    const char *start = line_start(name->passage, name->start), *at = name->start;

    while (at > start && (byte_is_name(at[-1]) || byte_is_one_of(at[-1], ".-/:\"'")))
        at--;
    start = skip_blank(name->passage, start);
    for (size_t i = 0; start < at && i < sizeof words / sizeof *words; i++) {
        const char *behind = skip_word(name->passage, start, words[i]);
        if (behind && byte_is_blank(*behind))
            start = skip_blank(name->passage, behind);
    }
    return start >= at;
}
