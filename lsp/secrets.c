/* One pass finds the spans that look like secrets; masking and asking differ only in what is done with a span. At each place
 * the rules are tried in order, the surest first, and the scan goes on behind what was found.
 *
 * Random words are told from names by how often the kind of character changes, a capital before a small letter not counted,
 * since so words begin. Between neighbours in a random base64 text (26 lower, 26 upper, 10 digits of 62) it changes with
 * probability 1 - (26² + 26² + 10² + 26²) / 62² = 0.45, in hexadecimal 0.47; in names at the seams of words only, 0.1 to 0.2.
 */
#include "lsp/secrets.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lsp/glob.h"

enum {
    PATH_BYTES_MAX = 4096,
    CHANGES_PERCENT = 30, /* of a word's neighbours, from which on it looks random */
    DIGITS_MIN = 2,       /* fewer and it is a name; with large and small letters one will do */
    BLOCK_BYTES_MAX = 64 * 1024,
    NAME_BYTES_MAX = 64,
    VALUE_BYTES_MAX = 4096,
    TYPE_BYTES_MAX = 32, /* of a type with what stands around it */
};

/* --- files ------------------------------------------------------------------------------------------------------------ */

/* Names of files, in small letters; a pattern with '/' speaks of the end of the path. */
static const char *const secret_files[] = {
    /* environments */
    ".env",
    ".env.*",
    "*.env",
    ".envrc",
    ".flaskenv",
    /* keys */
    "*.pem",
    "*.key",
    "*.p8",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "*.kdb",
    "*.ppk",
    "*.pkcs12",
    "*.gpg",
    "*.pgp",
    "*.asc",
    "*.age",
    "*.ovpn",
    "*.p7b",
    "*.der",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    /* what programs log in with */
    ".npmrc",
    ".yarnrc",
    ".yarnrc.yml",
    ".netrc",
    "_netrc",
    ".pypirc",
    ".pgpass",
    "pgpass.conf",
    ".my.cnf",
    ".mylogin.cnf",
    ".git-credentials",
    ".dockercfg",
    ".dockerconfigjson",
    ".htpasswd",
    ".htdigest",
    ".vault-token",
    ".vault_pass*",
    ".s3cfg",
    ".boto",
    ".terraformrc",
    "kubeconfig",
    "*.kubeconfig",
    "kubeconfig.*",
    ".rediscli_auth",
    ".msmtprc",
    ".fetchmailrc",
    /* what is called so, where it is data and not code */
    "credentials",
    "credentials.json",
    "credentials.y*ml",
    "credentials.toml",
    "credentials.ini",
    "credentials.xml",
    "credentials.csv",
    "secret",
    "secrets",
    "secret*.json",
    "secret*.y*ml",
    "secret*.toml",
    "secret*.ini",
    "secret*.properties",
    "secret*.xml",
    "secret*.txt",
    "*.secret",
    "*.secrets",
    "client_secret*.json",
    "service-account*.json",
    "service_account*.json",
    "*.tfvars",
    "*.tfvars.json",
    "*.tfstate",
    "*.tfstate.backup",
    "passwords.*",
    "shadow",
};

/* Folders whose files are all secret. */
static const char *const secret_folders[] = {
    ".ssh", ".gnupg", ".aws", ".kube", ".docker", ".git", ".azure", ".password-store", "secrets"};

/* In a folder called "secrets" code is code. */
static bool is_code(const char *name)
{
    static const char *const endings[] = {".c",  ".h",   ".cc", ".cpp", ".hpp",  ".py", ".js",
                                          ".ts", ".tsx", ".go", ".rs",  ".java", ".lua"};
    const char *ending = strrchr(name, '.');

    for (size_t i = 0; ending && i < sizeof endings / sizeof *endings; i++)
        if (strcmp(ending, endings[i]) == 0)
            return true;
    return false;
}

static bool is_secret_folder(const char *folder, size_t bytes, const char *name)
{
    for (size_t i = 0; i < sizeof secret_folders / sizeof *secret_folders; i++)
        if (strlen(secret_folders[i]) == bytes && memcmp(secret_folders[i], folder, bytes) == 0)
            return folder[0] == '.' || !is_code(name);
    return false;
}

bool secrets_path(const char *path)
{
    char small[PATH_BYTES_MAX];
    size_t bytes = 0;

    /* a name that is too long to be looked at is not looked into */
    for (; path[bytes]; bytes++) {
        if (bytes + 1 == sizeof small)
            return true;
        small[bytes] = (char)tolower((unsigned char)path[bytes]);
    }
    small[bytes] = '\0';

    char *slash = strrchr(small, '/');
    const char *name = slash ? slash + 1 : small;
    for (size_t i = 0; i < sizeof secret_files / sizeof *secret_files; i++)
        if (glob_fits(secret_files[i], strlen(secret_files[i]), name))
            return true;
    for (const char *folder = small; folder < name;) {
        const size_t length = strcspn(folder, "/");
        if (is_secret_folder(folder, length, name))
            return true;
        folder += length + 1;
    }
    return false;
}

/* --- shapes ----------------------------------------------------------------------------------------------------------- */

/* A text that is being looked through; `end` is behind its last byte. */
struct scan {
    const char *text, *end;
};

static bool is_word(char byte)
{
    return isalnum((unsigned char)byte) || byte == '_' || byte == '-' || byte == '+' ||
           byte == '=' || byte == '/' || byte == '.' || byte == '~';
}

/* Whether `at` begins with `start`. */
static bool begins(const struct scan *scan, const char *at, const char *start)
{
    const size_t bytes = strlen(start);

    return (size_t)(scan->end - at) >= bytes && memcmp(at, start, bytes) == 0;
}

/* A private key: from "-----BEGIN" to the dashes behind "-----END", or, where that is missing, to the end of the text. */
static size_t key_block(const struct scan *scan, const char *at)
{
    static const char opening[] = "-----BEGIN ", closing[] = "-----END ";
    const size_t left = (size_t)(scan->end - at);

    if (!begins(scan, at, opening))
        return 0;
    const char *line_end = memchr(at, '\n', left);
    const size_t line = line_end ? (size_t)(line_end - at) : left;
    if (!memmem(at, line, "PRIVATE KEY", 11) && !memmem(at, line, "PGP MESSAGE", 11))
        return 0;
    const size_t block = left < BLOCK_BYTES_MAX ? left : BLOCK_BYTES_MAX;
    const char *close = memmem(at, block, closing, sizeof closing - 1);
    if (!close)
        return block;
    const char *last = memchr(close, '\n', (size_t)(scan->end - close));
    const char *dashes = memmem(close + 8, (size_t)(scan->end - close - 8), "-----", 5);
    const char *end = last ? last : scan->end;
    return (size_t)((dashes && dashes + 5 < end ? dashes + 5 : end) - at);
}

/* Tokens that say whose they are: a beginning, and how many letters, digits, '-' and '_' follow at least. */
struct shape {
    const char *start;
    size_t least;
};

/* As their makers, and secret scanners such as GitHub's, document them. */
static const struct shape shapes[] = {
    {"AKIA", 12},        {"ASIA", 12},          {"ABIA", 12},
    {"ACCA", 12},        {"ghp_", 16},          {"gho_", 16},
    {"ghu_", 16},        {"ghs_", 16},          {"ghr_", 16},
    {"github_pat_", 16}, {"glpat-", 12},        {"gldt-", 12},
    {"glrt-", 12},       {"xoxb-", 8},          {"xoxp-", 8},
    {"xoxa-", 8},        {"xoxr-", 8},          {"xoxs-", 8},
    {"xapp-", 8},        {"sk_live_", 8},       {"sk_test_", 8},
    {"rk_live_", 8},     {"rk_test_", 8},       {"whsec_", 12},
    {"sk-", 20},         {"AIza", 30},          {"ya29.", 16},
    {"npm_", 20},        {"pypi-", 16},         {"dop_v1_", 16},
    {"hf_", 20},         {"SG.", 16},           {"key-", 28},
    {"shpat_", 16},      {"shpss_", 16},        {"hvs.", 16},
    {"dckr_pat_", 12},   {"EAACEdEose0cBA", 8}, {"AGE-SECRET-KEY-", 16},
    {"eyJ", 17},
};

static size_t token_shape(const struct scan *scan, const char *at)
{
    if (!isalpha((unsigned char)*at) ||
        (at > scan->text && (isalnum((unsigned char)at[-1]) || at[-1] == '_')))
        return 0;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        if (shapes[i].start[0] != *at || !begins(scan, at, shapes[i].start))
            continue;
        const char *start = at + strlen(shapes[i].start), *end = start;
        while (end < scan->end && is_word(*end) && *end != '/' && *end != '=')
            end++;
        if ((size_t)(end - start) >= shapes[i].least)
            return (size_t)(end - at);
    }
    return 0;
}

/* --- random words ----------------------------------------------------------------------------------------------------- */

enum kind { KIND_LOWER, KIND_UPPER, KIND_DIGIT, KIND_OTHER };

static enum kind kind_of(char byte)
{
    if (byte >= '0' && byte <= '9')
        return KIND_DIGIT;
    if (byte >= 'a' && byte <= 'z')
        return KIND_LOWER;
    return byte >= 'A' && byte <= 'Z' ? KIND_UPPER : KIND_OTHER;
}

/* Whether [at, end) looks random: long enough, digits and letters, and the kind of character changing often. What is joined by
 * '/', '.', '-' or '_' counts without the seams, since paths and dates have many. */
static bool is_random(const char *at, const char *end)
{
    size_t counts[KIND_OTHER + 1] = {0}, changes = 0, neighbours = 0;

    if (end - at < SECRETS_WORD_BYTES)
        return false;
    for (const char *byte = at; byte < end; byte++) {
        const enum kind kind = kind_of(*byte);
        counts[kind]++;
        if (byte == at || kind == KIND_OTHER || kind_of(byte[-1]) == KIND_OTHER)
            continue;
        neighbours++;
        const enum kind last = kind_of(byte[-1]);
        changes += kind != last && !(last == KIND_UPPER && kind == KIND_LOWER);
    }
    const size_t letters = counts[KIND_LOWER] + counts[KIND_UPPER];
    const bool has_both_cases = counts[KIND_LOWER] > 0 && counts[KIND_UPPER] > 0;
    return counts[KIND_DIGIT] >= (has_both_cases ? 1 : DIGITS_MIN) && letters >= DIGITS_MIN &&
           counts[KIND_OTHER] * 4 <= (size_t)(end - at) &&
           changes * 100 >= neighbours * CHANGES_PERCENT;
}

/* The word at `at`, where it looks random as a whole, as base64 does with its '/' and '+'. */
static size_t random_word(const struct scan *scan, const char *at)
{
    const char *end = at;

    if (at > scan->text && is_word(at[-1]))
        return 0;
    while (end < scan->end && is_word(*end))
        end++;
    /* of an address only what is secret in it */
    if (memmem(at, (size_t)(end - at), "//", 2))
        return 0;
    return is_random(at, end) ? (size_t)(end - at) : 0;
}

/* A run of letters and digits that looks random inside a longer word, such as a key in an address; then to the word's end. */
static size_t random_run(const struct scan *scan, const char *at)
{
    const char *end = at;

    if (at > scan->text && isalnum((unsigned char)at[-1]))
        return 0;
    while (end < scan->end && isalnum((unsigned char)*end))
        end++;
    if (!is_random(at, end))
        return 0;
    while (end < scan->end && is_word(*end))
        end++;
    return (size_t)(end - at);
}

/* --- passwords -------------------------------------------------------------------------------------------------------- */

/* "user:password@" behind "://": the span of the password, *at moved to it. */
static size_t url_password(const struct scan *scan, const char **at)
{
    if (!begins(scan, *at, "://"))
        return 0;
    const char *colon = NULL;
    for (const char *byte = *at + 3; byte < scan->end && !isspace((unsigned char)*byte); byte++) {
        if (*byte == '@' && colon && byte > colon + 1) {
            *at = colon + 1;
            return (size_t)(byte - colon - 1);
        }
        if (*byte == '/' || *byte == '"' || *byte == '\'' || *byte == '<')
            return 0;
        colon = *byte == ':' && !colon ? byte : colon;
    }
    return 0;
}

/* Whether a name speaks of a secret; it is looked at in small letters and without '_' and '-'. */
static bool is_secret_name(const char *name, size_t bytes)
{
    static const char *const words[] = {
        "password",   "passwd",        "passphrase", "secret",       "apikey", "accesskey",
        "privatekey", "authtoken",     "token",      "credential",   "pwd",    "authkey",
        "secretkey",  "secretkeybase", "signingkey", "encryptionkey"};
    static const char pass[] = "_PASS";
    const size_t pass_bytes = sizeof pass - 1;
    char small[NAME_BYTES_MAX + 1];
    size_t count = 0;

    if (bytes > pass_bytes && memcmp(name + bytes - pass_bytes, pass, pass_bytes) == 0)
        return true;
    for (size_t i = 0; i < bytes && count < NAME_BYTES_MAX; i++)
        if (isalnum((unsigned char)name[i]))
            small[count++] = (char)tolower((unsigned char)name[i]);
    small[count] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        const size_t length = strlen(words[i]);
        if (count >= length && strcmp(small + count - length, words[i]) == 0)
            return true;
    }
    return false;
}

static bool is_quote(char byte)
{
    return byte == '"' || byte == '\'' || byte == '`';
}

/* What is between a name and its value: quotes, blanks, and '=', ':' or both. NULL where it is something else. */
static const char *assignment_end(const struct scan *scan, const char *at)
{
    bool is_assigned = false;

    at += at < scan->end && is_quote(*at);
    at += at < scan->end && *at == ']';
    while (at < scan->end && (*at == ' ' || *at == '\t' || *at == '=' || *at == ':')) {
        is_assigned = is_assigned || *at == '=' || *at == ':';
        at++;
    }
    return is_assigned ? at : NULL;
}

/* The end of a quoted text that begins behind `quote`. */
static const char *quoted_end(const struct scan *scan, const char *at, char quote)
{
    const char *end = at;

    while (end < scan->end && *end != quote && *end != '\n' && end - at < VALUE_BYTES_MAX)
        end += *end == '\\' && end + 1 < scan->end ? 2 : 1;
    return end < scan->end ? end : scan->end;
}

/* The end of a bare value, as in "password: abc12345", up to the end of its line; `at` where it may as well be code. */
static const char *bare_end(const struct scan *scan, const char *at)
{
    const char *end = at;
    bool has_digit = false, has_letter = false;

    for (; end < scan->end && !isspace((unsigned char)*end); end++) {
        if (strchr("()[]{}<>;,$*&'\"`", *end))
            return at;
        has_digit = has_digit || isdigit((unsigned char)*end);
        has_letter = has_letter || isalpha((unsigned char)*end);
    }
    const bool is_value = end - at >= SECRETS_BARE_BYTES && has_digit && has_letter;
    return is_value && (end == scan->end || *end == '\n' || *end == '\r') ? end : at;
}

static const char *skip_blank(const struct scan *scan, const char *at)
{
    while (at < scan->end && (*at == ' ' || *at == '\t'))
        at++;
    return at;
}

/* The quoted value behind a name with a type, as in "key: string = 'a'" and "key []byte = ..."; NULL where there is none. */
static const char *typed_value(const struct scan *scan, const char *at)
{
    const char *end = at;

    while (end < scan->end && end - at < TYPE_BYTES_MAX &&
           (isalnum((unsigned char)*end) || (*end != '\0' && strchr("_ \t:&*<>[].", *end))))
        end++;
    if (end == scan->end || *end != '=')
        return NULL;
    end = skip_blank(scan, end + 1);
    return end < scan->end && is_quote(*end) ? end : NULL;
}

/* The value of a constant that no sign assigns, as in "ENV API_KEY a"; NULL where the name is none. */
static const char *constant_value(const struct scan *scan, const char *name, const char *name_end)
{
    const char *value = skip_blank(scan, name_end);

    while (name < name_end && !islower((unsigned char)*name))
        name++;
    return name == name_end && value > name_end ? value : NULL;
}

/* "<password>a</password>": the end of what is in the element, `at` where a name is none's. */
static const char *element_end(const struct scan *scan, const char *name, const char *at)
{
    const char *end = at;

    if (name == scan->text || name[-1] != '<' || at == scan->end || *at != '>')
        return at;
    while (end < scan->end && *end != '<' && *end != '\n')
        end++;
    return end < scan->end && *end == '<' ? end : at;
}

/* What follows "Bearer " or "Basic " in a header (RFC 9110, section 11.4): its span, *at moved to it. */
static size_t header_value(const struct scan *scan, const char **at)
{
    const size_t scheme = begins(scan, *at, "Bearer ") ? 7 : begins(scan, *at, "Basic ") ? 6 : 0;
    const char *start = *at + scheme, *end = start;
    bool is_coded = false; /* no word: a digit, or a capital behind a small letter */

    while (scheme > 0 && end < scan->end && is_word(*end)) {
        is_coded = is_coded || isdigit((unsigned char)*end) ||
                   (end > start && isupper((unsigned char)*end) && islower((unsigned char)end[-1]));
        end++;
    }
    if (!is_coded || end - start < SECRETS_BARE_BYTES)
        return 0;
    *at = start;
    return (size_t)(end - start);
}

/* Where the value of the name [name, name_end) stands, without quotes. False where there is none. */
static bool value_find(const struct scan *scan, const char *name, const char *name_end,
                       const char **start, const char **end)
{
    const char *element = element_end(scan, name, name_end);
    if (element > name_end) {
        *start = name_end + 1;
        *end = element;
        return true;
    }

    const char *value = assignment_end(scan, name_end);
    if (!value || value == scan->end || !is_quote(*value)) {
        const char *typed = typed_value(scan, name_end);
        value = typed ? typed : value ? value : constant_value(scan, name, name_end);
    }
    if (!value || value == scan->end)
        return false;
    *start = value + is_quote(*value);
    *end = is_quote(*value) ? quoted_end(scan, *start, *value) : bare_end(scan, *start);
    return true;
}

/* A value that is assigned to a name at `at` that speaks of a secret: its span without quotes, *at moved to it. */
static size_t assigned_value(const struct scan *scan, const char **at)
{
    const char *name = *at, *name_end = name, *start, *end;

    if (name > scan->text && (isalnum((unsigned char)name[-1]) || name[-1] == '_'))
        return 0;
    while (name_end < scan->end &&
           (isalnum((unsigned char)*name_end) || *name_end == '_' || *name_end == '-'))
        name_end++;
    if (name_end == name || !is_secret_name(name, (size_t)(name_end - name)) ||
        !value_find(scan, name, name_end, &start, &end) || end - start < SECRETS_VALUE_BYTES)
        return 0;
    *at = start;
    return (size_t)(end - start);
}

/* --- the scan --------------------------------------------------------------------------------------------------------- */

/* The first secret at or behind *at: *at moves to it. 0 where there is none. */
static size_t secret_find(const struct scan *scan, const char **at)
{
    for (; *at < scan->end; (*at)++) {
        const char *place = *at;

        /* nothing begins with white space or inside a word */
        if (isspace((unsigned char)*place) ||
            (place > scan->text && isalnum((unsigned char)*place) &&
             isalnum((unsigned char)place[-1])))
            continue;
        size_t bytes = key_block(scan, place);

        bytes = bytes ? bytes : token_shape(scan, place);
        bytes = bytes ? bytes : random_word(scan, place);
        bytes = bytes ? bytes : random_run(scan, place);
        bytes = bytes ? bytes : url_password(scan, &place);
        bytes = bytes ? bytes : header_value(scan, &place);
        bytes = bytes ? bytes : assigned_value(scan, &place);
        if (bytes > 0) {
            *at = place;
            return bytes;
        }
    }
    return 0;
}

size_t secrets_mask(char *text, size_t bytes)
{
    const struct scan scan = {text, text + bytes};
    const char *at = text;
    size_t masked = 0, found;

    while ((found = secret_find(&scan, &at)) > 0) {
        /* lines stay lines; what was masked is no secret any more and can be passed over */
        for (char *byte = text + (at - text); found > 0; byte++, found--, at++) {
            masked += *byte != '\n';
            *byte = *byte == '\n' ? '\n' : 'x';
        }
    }
    return masked;
}

char *secrets_clean_part(const char *text, size_t bytes, const char *part, size_t part_bytes,
                         size_t *kept)
{
    char *masked = malloc(bytes + 1), *clean = malloc(part_bytes + 2);
    const char *end = part + part_bytes;

    *kept = 0;
    if (!masked || !clean) {
        free(masked);
        free(clean);
        return NULL;
    }
    memcpy(masked, text, bytes);
    secrets_mask(masked, bytes);
    while (part < end) {
        const char *newline = memchr(part, '\n', (size_t)(end - part));
        const size_t line = newline ? (size_t)(newline - part) : (size_t)(end - part);
        if (memcmp(part, masked + (part - text), line) == 0) {
            memcpy(clean + *kept, part, line);
            clean[*kept + line] = '\n';
            *kept += line + 1;
        }
        part += line + (newline != NULL);
    }
    clean[*kept] = '\0';
    free(masked);
    return clean;
}

char *secrets_clean(const char *text, size_t bytes, size_t *kept)
{
    return secrets_clean_part(text, bytes, text, bytes, kept);
}

bool secrets_has(const char *text, size_t bytes)
{
    const struct scan scan = {text, text + bytes};
    const char *at = text;

    return secret_find(&scan, &at) > 0;
}
