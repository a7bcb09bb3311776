/* A name that speaks of a secret is looked at together with what joins it to its value: signs ("password = 'a'"), a call
 * ("setPassword('a')"), a comma ("put('password', 'a')"), an element ("<password>a<"), nothing ("PASSWORD 'a'"). A value in
 * quotes is believed readily, one without only where the line looks like one of a configuration and not of a program.
 */
#include "lsp/secrets/credentials.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "lsp/secrets/secret_names.h"

enum {
    QUOTED_BYTES_MIN = 4, /* shorter quoted texts do not count as passwords */
    BARE_BYTES_MIN = 8,   /* nor shorter ones without quotes, where nothing else speaks for them */
    TYPE_BYTES_MAX = 32,  /* of a type with what stands around it */
    GAP_BYTES_MAX = 64,   /* between a name and the word "value", or of a method's name */
};

static const struct stretch none = {0};

/* --- values in quotes ------------------------------------------------------------------------------------------------- */

static size_t count_blanks(struct stretch value)
{
    size_t blanks = 0;

    for (const char *byte = value.start; byte < value.end; byte++)
        blanks += byte_is_blank(*byte);
    return blanks;
}

/* Whether it is what fetch() takes for its "credentials" rather than one. */
static bool is_mode(struct stretch value)
{
    static const char *const modes[] = {"include", "omit", "same-origin"};
    const size_t bytes = stretch_bytes(value);

    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
        if (bytes == strlen(modes[i]) && memcmp(modes[i], value.start, bytes) == 0)
            return true;
    return false;
}

/* Whether a name is compared with what stands behind the comma, as in strcmp(password, "a"). */
static bool is_compared(const struct secret_name *name)
{
    const struct stretch before = {line_start(name->passage, name->start), name->start};

    return name->is_strong && (stretch_has(before, "cmp(") || stretch_has(before, "qual"));
}

/* How a name and its value are joined. */
enum joint { JOINT_NONE, JOINT_SIGN, JOINT_CALL, JOINT_COMMA, JOINT_GAP };

/* Whether a text in quotes is taken for the value. */
static bool is_likely(const struct secret_name *name, enum joint joint, struct stretch value)
{
    const bool is_sentence = count_blanks(value) > 1;

    if (value.end - value.start < QUOTED_BYTES_MIN || stretch_is_reference(value))
        return false;
    /* what comes behind the quote that closes around the name is no value */
    if (name->quote && !name->is_quoted && value.start[-1] == name->quote &&
        (joint == JOINT_GAP || byte_is_one_of(*value.start, " \t)+,;]}%:&|.")))
        return false;
    switch (joint) {
    case JOINT_SIGN:
        return name->is_strong || !(is_sentence || is_mode(value));
    case JOINT_CALL:
        return !secret_name_asks(name) && !byte_is_one_of(value.end[-1], ": ?") &&
               (name->is_strong || secret_name_takes(name) || stretch_has_digit(value));
    case JOINT_COMMA:
        return (name->is_quoted ? secret_name_is_argument(name) || secret_name_is_option(name)
                                : is_compared(name)) &&
               *value.start != '-' &&
               (name->is_strong || name->is_constant || stretch_has_digit(value)) && !is_sentence;
    case JOINT_GAP:
        return name->is_constant ||
               (name->is_strong && !byte_is_blank(*value.start) && !secret_name_ends(value));
    default:
        return false;
    }
}

/* --- values without quotes -------------------------------------------------------------------------------------------- */

/* Whether a word names a type, a value that every language knows, or a secret that stands elsewhere. */
static bool is_code_word(struct stretch word)
{
    static const char *const words[] = {
        "string", "text",     "bool",     "boolean", "number",    "bytes",    "null",  "none",
        "true",   "false",    "object",   "unknown", "undefined", "never",    "float", "char",
        "self",   "required", "optional", "option",  "options",   "argument", "prompt"};
    const size_t bytes = (size_t)(word.end - word.start);

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (bytes == strlen(words[i]) && strncasecmp(words[i], word.start, bytes) == 0)
            return true;
    return secret_name_ends(word);
}

/* The text of a block in YAML, "password: |", whose lines stand deeper than the name's. */
static struct stretch block_value(const struct secret_name *name, struct stretch word)
{
    const struct passage *passage = name->passage;
    const char *base = line_start(passage, name->start);
    const ptrdiff_t indent = skip_blank(passage, base) - base;
    struct stretch block = {word.end, word.end};

    if (peek(passage, word.end) != '\n')
        return block;
    for (const char *line = word.end + 1; line < passage->end;) {
        const char *first = skip_blank(passage, line);
        const char *newline = memchr(first, '\n', (size_t)(passage->end - first));
        const char *end = newline ? newline : passage->end;
        if ((first - line <= indent && first < end) || end - word.end > PASSAGE_VALUE_BYTES)
            break;
        block.start = block.start == word.end ? first : block.start;
        block.end = end;
        line = end + 1;
    }
    return block;
}

/* Whether it looks like the name of a type: a capital, and letters alone. */
static bool is_type(struct stretch word)
{
    const char *at = word.start;

    while (at < word.end && byte_is_letter(*at))
        at++;
    return at == word.end && isupper((unsigned char)*word.start);
}

/* Whether it has signs in it that programs are written with. */
static bool is_code(struct stretch word)
{
    for (const char *byte = word.start; byte < word.end; byte++)
        if (byte_is_one_of(*byte, "()[]{}<>\"'`;\\"))
            return true;
    return false;
}

/* Whether it is neither short nor a mere word. */
static bool is_odd(struct stretch word)
{
    return stretch_bytes(word) >= BARE_BYTES_MIN && stretch_has_digit(word);
}

/* What stands at `at` behind the sign '=' or ':'; it is tight where nothing else stands between. */
static struct stretch bare_value(const struct secret_name *name, const char *at, char sign,
                                 bool is_tight)
{
    const struct passage *passage = name->passage;
    const struct stretch word = word_from(passage, at), plain = plain_from(passage, at);
    const char last = peek_back(passage, name->start);
    const bool ends_line = byte_is_one_of(peek(passage, word.end), "\r\n");
    const bool is_set = sign == '=' && is_tight, is_inside = name->quote && !name->is_quoted;

    if (sign == ':' && ends_line && word.end > at && byte_is_one_of(*at, "|>"))
        return block_value(name, word);
    if (stretch_bytes(word) < QUOTED_BYTES_MIN || byte_is_one_of(*at, "$<>{([|*&!%") ||
        stretch_is_reference(word))
        return none;

    /* in a text, an address or a command: "Server=a;Password=b;", "?token=b&c", "--password=a", "Api-Key: a" */
    if (is_set && (is_inside || byte_is_one_of(last, "?&") || (last == ';' && name->is_strong) ||
                   secret_name_is_option(name)))
        return plain;
    if (is_inside && peek(passage, plain.end) == name->quote && is_odd(plain))
        return plain;
    if (is_set && name->is_constant && word.end[-1] != ',')
        return word;

    /* an entry of a configuration, or what no program would hold */
    if (!ends_line || word.end[-1] == ',' || is_code_word(word))
        return none;
    if ((is_set || (sign == ':' && !is_type(word))) && secret_name_is_entry(name) && !is_code(word))
        return word;
    return plain.end == word.end && is_odd(word) ? word : none;
}

/* --- what joins ------------------------------------------------------------------------------------------------------- */

/* "<password>a</password>" */
static struct stretch element_value(const struct secret_name *name)
{
    const struct passage *passage = name->passage;

    if (!byte_is_one_of(peek_back(passage, name->start), "<:.") || peek(passage, name->end) != '>')
        return none;
    const char *start = name->end + 1, *end = start;
    while (end < passage->end && *end != '<' && *end != '\n')
        end++;
    return (struct stretch){start, end < passage->end && *end == '<' ? end : start};
}

/* The value in quotes behind a name with a type, as in "key: string = 'a'" and "key []byte = ..."; NULL where there is none. */
static const char *typed_quote(const struct secret_name *name)
{
    const struct passage *passage = name->passage;
    const char *at = name->end;

    while (at < passage->end && at - name->end < TYPE_BYTES_MAX &&
           (byte_is_name(*at) || byte_is_one_of(*at, " \t:&*<>[].?")))
        at++;
    return peek(passage, at) == '=' ? find_quote(passage, skip_blank(passage, at + 1)) : NULL;
}

/* What gives a value to what was named just before: 'name: PASSWORD' and in the next line 'value: a', key="token" value="a".
 * Where that value stands; NULL where there is none. */
static const char *paired_value(const struct secret_name *name)
{
    const struct passage *passage = name->passage;
    const char *at = name->end;
    bool is_closed = false;

    /* by a quote or a line end, since "token, value = next()" says nothing */
    for (; at < passage->end && at - name->end < GAP_BYTES_MAX &&
           (byte_is_space(*at) || byte_is_quote(*at) || *at == ',');
         at++)
        is_closed = is_closed || byte_is_quote(*at) || *at == '\n';
    const char *behind = is_closed ? skip_word(passage, at, "value") : NULL;
    if (!behind)
        return NULL;
    behind = skip_blank(passage, behind + byte_is_quote(peek(passage, behind)));
    if (!byte_is_one_of(peek(passage, behind), "=:"))
        return NULL;
    const char *value = skip_blank(passage, behind + 1);
    return *behind == ':' || byte_is_quote(peek(passage, value)) ? value : NULL;
}

/* The quote behind what makes a text into a value of another type, as in String::from("a"); NULL where there is none. */
static const char *made_quote(const struct secret_name *name, const char *at)
{
    static const char *const makers[] = {"tring", "ecret", "yte", "from", "Some"};
    const struct passage *passage = name->passage;
    const char *start = at;

    while (at < passage->end && at - start < TYPE_BYTES_MAX &&
           (byte_is_name(*at) || byte_is_one_of(*at, ".: []")))
        at++;
    for (size_t i = 0; peek(passage, at) == '(' && i < sizeof makers / sizeof *makers; i++)
        if (stretch_has((struct stretch){start, at}, makers[i]))
            return find_quote(passage, at + 1);
    return NULL;
}

/* What joins a name to what stands at *at, to which that moves; *sign is the last '=' or ':'. */
static enum joint joint_read(const struct secret_name *name, const char **at, char *sign)
{
    const struct passage *passage = name->passage;
    const char *start = name->end, *signs;
    enum joint joint = JOINT_GAP;

    while (peek(passage, start) == '\\')
        start++;
    start += byte_is_quote(peek(passage, start));
    start += peek(passage, start) == ']';
    signs = start = skip_blank(passage, start);
    for (; signs < passage->end && byte_is_one_of(*signs, "=:!>+?|"); signs++)
        *sign = byte_is_one_of(*signs, "=:") ? *signs : *sign;
    if (signs > start) {
        joint = *sign || signs - start == 2 ? JOINT_SIGN : JOINT_NONE;
    } else if (peek(passage, signs) == '.' && name->is_strong) {
        /* of a method's call, such as in password.equals("a") */
        while (signs < passage->end && signs - start < GAP_BYTES_MAX &&
               (byte_is_name(*signs) || *signs == '.'))
            signs++;
        const struct stretch method = {start, signs};
        const bool is_given = stretch_has(method, "qual") || stretch_has(method, "set");
        joint = is_given && peek(passage, signs) == '(' ? JOINT_CALL : JOINT_NONE;
        signs += signs < passage->end;
    } else if (byte_is_one_of(peek(passage, signs), "({,")) {
        joint = *signs++ == ',' ? JOINT_COMMA : JOINT_CALL;
        while (signs < passage->end && *signs == '\n')
            signs++;
    } else if (signs == name->end) {
        joint = JOINT_NONE;
    }
    *at = skip_blank(passage, signs);
    return joint;
}

/* What a program is told with an option ("--password a") or a file of logins ("login a password b"). */
static struct stretch told_value(const struct secret_name *name, const char *at)
{
    const struct passage *passage = name->passage;
    const struct stretch word = word_from(passage, at), plain = plain_from(passage, at);
    const char *start = line_start(passage, name->start);
    const struct stretch above = {start > passage->text ? line_start(passage, start - 1) : start,
                                  name->start};
    const bool is_option = secret_name_is_option(name) && !byte_is_one_of(*at, "-$<{([");
    const bool is_login = skip_word(passage, name->start, "password") == name->end &&
                          (stretch_has(above, "login ") || skip_word(passage, start, "machine "));
    const bool is_setting = stretch_has((struct stretch){name->start, name->end}, "requirepass");
    const bool is_build =
        name->is_constant && stretch_has_digit(word) && secret_name_is_entry(name);

    if (plain.end - plain.start < QUOTED_BYTES_MIN || is_code_word(plain))
        return none;
    return is_option ? plain : is_login || is_setting || is_build ? word : none;
}

/* The value of a name. */
static struct stretch name_value(const struct secret_name *name)
{
    const struct passage *passage = name->passage;
    struct stretch value = element_value(name);
    const char *at = name->end;
    char sign = 0;

    if (value.end - value.start >= QUOTED_BYTES_MIN && !stretch_is_reference(value))
        return value;
    const char *paired = paired_value(name);
    if (paired) {
        value = byte_is_quote(peek(passage, paired)) ? quoted_from(passage, paired)
                                                     : word_from(passage, paired);
        return stretch_is_reference(value) ? none : value;
    }

    const enum joint joint = joint_read(name, &at, &sign);
    const bool is_tight = at - name->end == 1;
    const char *quote = find_quote(passage, at), *typed = typed_quote(name);
    const char *made = sign ? made_quote(name, at) : NULL;
    if (quote && is_likely(name, joint, value = quoted_from(passage, quote)))
        return value;
    if (typed && is_likely(name, JOINT_SIGN, value = quoted_from(passage, typed)))
        return value;
    if (made && is_likely(name, JOINT_CALL, value = quoted_from(passage, made)) &&
        !secret_name_ends(value))
        return value;
    if (quote || at == passage->end)
        return none;
    /* "${PASSWORD:-a}" */
    if (sign && *at == '-' && peek_back(passage, name->start) == '{')
        return plain_from(passage, at + 1);
    return joint == JOINT_GAP ? told_value(name, at)
           : sign             ? bare_value(name, at, sign, is_tight)
                              : none;
}

size_t credential_at(const struct passage *passage, const char **at)
{
    struct secret_name name;

    if (!byte_is_name(**at) || byte_is_name(peek_back(passage, *at)) ||
        !secret_name_read(&name, passage, *at))
        return 0;
    const struct stretch value = name_value(&name);
    if (stretch_bytes(value) < QUOTED_BYTES_MIN)
        return 0;
    *at = value.start;
    return stretch_bytes(value);
}
