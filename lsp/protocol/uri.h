/* Between the names of the protocol and those of the file system.
 *
 * Pure functions; results belong to the caller.
 */
#ifndef LSP_PROTOCOL_URI_H
#define LSP_PROTOCOL_URI_H

/* The path of a file: URI, else what follows the scheme, percent escapes resolved (RFC 3986, section 2.1; RFC 8089); a text
 * without a scheme is a path already. NULL when memory is exhausted or a NUL is escaped in it. */
char *uri_path(const char *uri);

#endif
