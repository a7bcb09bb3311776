/* From a message to its handler: which method may come when, and what is answered where none may.
 *
 * The only code that knows the order of a conversation. Loop thread; keeps nothing itself.
 *
 * Protocol: LSP 3.18, "Lifecycle Messages" and "Dollar Requests and Notifications".
 */
#ifndef LSP_DISPATCH_H
#define LSP_DISPATCH_H

#include <stddef.h>

#include "lsp/client.h"

/* Handles the body of one message, which is written to. */
void dispatch_message(struct client *client, char *body, size_t bytes);

/* Answers a message whose body is not even read. */
void dispatch_refuse(struct client *client, enum rpc_code code, const char *reason);

#endif
