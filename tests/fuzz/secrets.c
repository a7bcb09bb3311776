/* Masking of secrets: every text can be looked through, exactly as far as it goes; bytes become 'x' or stay, lines stay lines,
 * and what is clean has no secret left out of it that asking would find.
 *
 * Input: the text. */
#include "lsp/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size ? size : 1), *clean; /* exactly, so that reads behind it are seen */
    size_t kept, changed = 0;

    fuzz_check(text != NULL, "there is memory");
    memcpy(text, data, size);
    const bool has = secrets_has(text, size);
    clean = secrets_clean(text, size, &kept);
    fuzz_check(clean != NULL && kept <= size + 1, "what is clean is no longer than the text");
    const size_t masked = secrets_mask(text, size);
    for (size_t i = 0; i < size; i++) {
        changed += text[i] != (char)data[i];
        fuzz_check(text[i] == (char)data[i] || (text[i] == 'x' && data[i] != '\n'),
                   "a byte stays or becomes an x");
    }
    fuzz_check(has || masked == 0, "what has no secret is not masked");
    fuzz_check(changed <= masked, "what changes is counted");
    fuzz_check(changed > 0 || kept >= size, "a text that does not change is clean");
    free(clean);
    free(text);
    return 0;
}
