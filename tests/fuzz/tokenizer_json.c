/* tokenizer.json files: refused with a reason, or a tokenizer that works.
 *
 * Input: a tokenizer.json.
 */
#include <stdio.h>
#include <string.h>

#include "infer/tokenizer.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char text[] = "for (int i = 0; i < 10; i++)\n\tab<s>aab \xC3\xA9\xFF";
    struct error error = {0};
    struct token_list list = {0};
    char path[256];

    snprintf(path, sizeof path, "%s/tokenizer.json",
             fuzz_folder_with("tokenizer.json", data, size));
    struct tokenizer *tokenizer = tokenizer_open(path, &error);
    if (tokenizer == NULL) {
        fuzz_check(error.text[0] != '\0', "a refused file has a reason");
        return 0;
    }

    /* Its expression may ask for more steps than are allowed: an error, not a hang. */
    if (tokenizer_encode(tokenizer, text, strlen(text), size % 2 == 0, &list, &error))
        for (size_t i = 0; i < list.count; i++)
            fuzz_check(list.ids[i] >= 0 && list.ids[i] < tokenizer_size(tokenizer), "an id exists");
    token_list_finish(&list);
    tokenizer_close(tokenizer);
    return 0;
}
