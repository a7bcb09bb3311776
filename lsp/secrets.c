/* One pass finds the stretches that look like secrets; masking and asking differ only in what is done with one. At each place
 * the rules are tried in order, the surest first: what looks like a key itself (keys.h), what a login's form gives away
 * (logins.h), what a name does (credentials.h). The scan goes on behind what was found.
 */
#include "lsp/secrets.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lsp/context/glob.h"
#include "lsp/secrets/credentials.h"
#include "lsp/secrets/keys.h"
#include "lsp/secrets/logins.h"

enum { PATH_BYTES_MAX = 4096 };

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

/* --- the scan --------------------------------------------------------------------------------------------------------- */

/* The first secret at or behind *at: *at moves to it. 0 where there is none. */
static size_t secret_find(const struct passage *passage, const char **at)
{
    for (; *at < passage->end; (*at)++) {
        /* nothing begins with white space or inside a word */
        if (byte_is_space(**at) ||
            (byte_is_name(**at) && byte_is_name(peek_back(passage, *at)) && (*at)[-1] != '_'))
            continue;
        size_t bytes = key_at(passage, *at);
        bytes = bytes ? bytes : login_at(passage, at);
        bytes = bytes ? bytes : credential_at(passage, at);
        if (bytes > 0)
            return bytes;
    }
    return 0;
}

size_t secrets_mask(char *text, size_t bytes)
{
    const struct passage passage = {text, text + bytes};
    const char *at = text;
    size_t masked = 0, found;

    while ((found = secret_find(&passage, &at)) > 0) {
        /* lines stay lines; what was masked is no secret any more and can be passed over */
        for (char *byte = text + (at - text); found > 0; byte++, found--, at++) {
            masked += *byte != '\n';
            *byte = *byte == '\n' ? '\n' : 'x';
        }
    }
    return masked;
}

char *secrets_copy(const char *text, size_t bytes)
{
    char *copy = malloc(bytes + 1);

    if (!copy)
        return NULL;
    memcpy(copy, text, bytes);
    copy[bytes] = '\0';
    secrets_mask(copy, bytes);
    return copy;
}

char *secrets_clean_part(const char *text, size_t bytes, const char *part, size_t part_bytes,
                         size_t *kept)
{
    char *masked = secrets_copy(text, bytes), *clean = malloc(part_bytes + 2);
    const char *end = part + part_bytes;

    *kept = 0;
    if (!masked || !clean) {
        free(masked);
        free(clean);
        return NULL;
    }
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
    const struct passage passage = {text, text + bytes};
    const char *at = text;

    return secret_find(&passage, &at) > 0;
}
