/* One rule for each form; the byte at the place tells which may apply. */
#include "lsp/secrets/logins.h"

#include <ctype.h>
#include <string.h>

enum {
    WORD_BYTES_MIN = 8,   /* a word behind "Bearer", or before the '@' of an address */
    OPTION_BYTES_MIN = 3, /* what an option is given */
    HEADER_BYTES_MIN = 4, /* a word behind "Authorization: Bearer" */
    SIGNS_BYTES_MAX = 8,  /* between a header's name and its value */
};

static const struct stretch none = {0};

/* "user:password@" behind "://": the password; without a ':' all of it where that is long, since so tokens are used. */
static struct stretch address_secret(const struct passage *passage, const char *at)
{
    const char *start = skip_word(passage, at, "://"), *end = start, *colon = NULL, *host = NULL;

    for (;
         start && end < passage->end && !byte_is_space(*end) && !byte_is_one_of(*end, "/\"'`<>()");
         end++) {
        colon = *end == ':' && !colon ? end : colon;
        host = *end == '@' ? end : host;
    }
    if (!host)
        return none;
    const struct stretch password = {colon && colon < host ? colon + 1 : start, host};
    if (stretch_is_reference(password) ||
        (password.start == start && stretch_bytes(password) < WORD_BYTES_MIN))
        return none;
    return password;
}

/* Whether a word is none of a language: it has a digit, or a capital behind a small letter. */
static bool is_coded(struct stretch word)
{
    for (const char *byte = word.start; byte < word.end; byte++)
        if (isdigit((unsigned char)*byte) || (byte > word.start && isupper((unsigned char)*byte) &&
                                              islower((unsigned char)byte[-1])))
            return true;
    return false;
}

static bool is_address(struct stretch word)
{
    return stretch_has(word, "://");
}

/* What follows "Bearer " and the like (RFC 9110, section 11.4), if it looks like that: in prose other words do. */
static struct stretch scheme_secret(const struct passage *passage, const char *at)
{
    const char *start = skip_word(passage, at, "Bearer ");

    start = start ? start : skip_word(passage, at, "Basic ");
    if (!start)
        return none;
    const struct stretch word = plain_from(passage, start);
    return stretch_bytes(word) >= WORD_BYTES_MIN && is_coded(word) && !is_address(word) ? word
                                                                                        : none;
}

/* What follows "Authorization:" or is given to that name in quotes: a word behind a scheme, or a long one alone. */
static struct stretch header_secret(const struct passage *passage, const char *at)
{
    const char *signs = skip_word(passage, at, "Authorization"), *start = signs;

    while (start && start < passage->end && start - signs < SIGNS_BYTES_MAX &&
           byte_is_one_of(*start, " \t\"'`\\:=,]"))
        start++;
    if (start == signs)
        return none;
    const bool is_quoted = byte_is_quote(start[-1]),
               is_header = memchr(signs, ':', (size_t)(start - signs));
    struct stretch word = plain_from(passage, start);
    if (!is_quoted && !is_header)
        return none;
    if (peek(passage, word.end) == ' ' && start < word.end)
        word = plain_from(passage, word.end + 1);
    else if (stretch_bytes(word) < WORD_BYTES_MIN || !is_coded(word))
        return none;
    const bool is_code = is_address(word) || byte_is_one_of(peek(passage, word.end), "([{") ||
                         byte_is_one_of(peek(passage, word.start), "$%");
    return is_code || stretch_bytes(word) < HEADER_BYTES_MIN ? none : word;
}

/* IDENTIFIED BY 'a', also with the name of a method between; in capitals also without quotes. */
static struct stretch sql_secret(const struct passage *passage, const char *at)
{
    const char *start = skip_word(passage, at, "IDENTIFIED "), *method;

    if (start && (method = skip_word(passage, start, "WITH ")))
        start = skip_blank(passage, word_from(passage, method).end);
    start = start ? skip_word(passage, start, "BY ") : NULL;
    if (!start)
        return none;
    start = skip_blank(passage, start);
    if (peek(passage, start) == '\'' || (*at == 'I' && peek(passage, start) == '"'))
        return quoted_from(passage, start);
    return *at == 'I' ? plain_from(passage, start) : none;
}

/* An option that gives a program a password. */
struct option {
    const char *program, *text;
    bool is_joined; /* the password follows without a blank between, and only so */
};

static const struct option options[] = {
    {"mysql", "-p", true},       {"mariadb", "-p", true}, {"7z", "-p", true},
    {"sshpass", "-p", false},    {"login", "-p", false},  {"mongo", "-p", false},
    {"redis-cli", "-a", false},  {"ldap", "-w", false},   {"zip ", "-P", false},
    {"openssl", "pass:", false}, {"smb", "-U", false},
};

/* What the word in an option is, without the quotes around it. */
static struct stretch option_word(const struct passage *passage, const char *at)
{
    return byte_is_quote(peek(passage, at)) ? quoted_from(passage, at) : plain_from(passage, at);
}

/* "-u user:password", as curl and others take it; numbers are those of users and groups. */
static struct stretch user_secret(const struct passage *passage, const char *at)
{
    const char *start = skip_word(passage, at, "--user");

    start = start ? start + (peek(passage, start) == '=') : skip_word(passage, at, "-u");
    if (!start || (byte_is_quote(peek(passage, start)) && !byte_is_blank(peek_back(passage, at))))
        return none;
    const struct stretch word = option_word(passage, skip_blank(passage, start));
    const char *colon = memchr(word.start, ':', stretch_bytes(word));
    const struct stretch password = {colon ? colon + 1 : word.end, word.end};
    size_t digits = 0;
    for (const char *byte = password.start; byte < password.end; byte++)
        digits += isdigit((unsigned char)*byte) != 0;
    return digits == stretch_bytes(password) || byte_is_one_of(*password.start, "/$%") ? none
                                                                                       : password;
}

/* What a program named in this line is given with an option. */
static struct stretch option_secret(const struct passage *passage, const char *at)
{
    const struct stretch before = {line_start(passage, at), at};

    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        const char *start = skip_word(passage, at, options[i].text);
        if (!start || memcmp(at, options[i].text, strlen(options[i].text)) != 0 ||
            !stretch_has(before, options[i].program))
            continue;
        start = options[i].is_joined ? start : skip_blank(passage, start);
        const struct stretch word = option_word(passage, start);
        if (stretch_bytes(word) >= OPTION_BYTES_MIN && !byte_is_one_of(*word.start, "-$%"))
            return word;
    }
    return none;
}

size_t login_at(const struct passage *passage, const char **at)
{
    const char last = peek_back(passage, *at);
    const bool is_apart = byte_is_space(last) || byte_is_quote(last);
    struct stretch secret = none;

    switch (**at) {
    case ':':
        secret = address_secret(passage, *at);
        break;
    case '-':
        secret = is_apart ? option_secret(passage, *at) : none;
        if (is_apart && !secret.start)
            secret = user_secret(passage, *at);
        break;
    case 'p':
        secret = is_apart ? option_secret(passage, *at) : none;
        break;
    case 'a':
    case 'A':
        secret = header_secret(passage, *at);
        break;
    case 'B':
        secret = scheme_secret(passage, *at);
        break;
    case 'i':
    case 'I':
        secret = sql_secret(passage, *at);
        break;
    default:
        break;
    }
    if (stretch_bytes(secret) == 0)
        return 0;
    *at = secret.start;
    return stretch_bytes(secret);
}
