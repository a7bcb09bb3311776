/* Only reading is needed: URIs that are sent are those that the client sent first. */
#include "lsp/protocol/uri.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Behind the scheme and its ':'; `uri` itself where there is none (RFC 3986, section 3.1). */
static const char *behind_scheme(const char *uri)
{
    const char *at = uri;

    if (!isalpha((unsigned char)*at))
        return uri;
    while (isalnum((unsigned char)*at) || *at == '+' || *at == '-' || *at == '.')
        at++;
    return *at == ':' ? at + 1 : uri;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    const int small = tolower((unsigned char)digit);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

char *uri_path(const char *uri)
{
    const char *at = behind_scheme(uri);
    const bool has_scheme = at != uri;

    /* the authority of file: URIs is empty or this machine */
    if (has_scheme && at[0] == '/' && at[1] == '/')
        at += 2 + strcspn(at + 2, "/");
    char *path = malloc(strlen(at) + 1), *out = path;
    if (!path)
        return NULL;
    while (*at) {
        const int high = has_scheme && *at == '%' ? hex_value(at[1]) : -1;
        const int low = high >= 0 ? hex_value(at[2]) : -1;
        if (high == 0 && low == 0) {
            free(path);
            return NULL;
        }
        *out++ = low >= 0 ? (char)(high * 16 + low) : *at;
        at += low >= 0 ? 3 : 1;
    }
    *out = '\0';
    return path;
}
