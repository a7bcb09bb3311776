/* The fast mode against the exact one: what 16-bit products cost in quality. Where a machine has no fast mode both are the same
 * and the comparison says so. */
#include "tests/support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "infer/perplexity.h"

enum { TEXT_BYTES = 60000, WINDOW = 512, STRIDE = 256 };

/* Perplexity of the embedded model over the beginning of the eval set, taken as text. */
static double measure(const char *text, size_t bytes, bool exact, bool *is_exact)
{
    struct error error = {0};
    struct perplexity result;
    struct engine_info info;
    struct engine *engine = engine_open(
        &(struct engine_options){.model = "infer/default_model", .exact = exact}, &error);

    assert_non_null(engine);
    engine_describe(engine, &info);
    *is_exact = info.is_exact;
    const struct perplexity_options options = {.window = WINDOW, .stride = STRIDE};
    assert_true(perplexity_measure(engine, text, bytes, &options, &result, &error));
    engine_close(engine);
    return result.value;
}

static void perplexity_of_fast_products_is_within_a_thousandth(void **state)
{
    FILE *file = fopen("tests/fixtures/eval/fim_single_line.jsonl", "r");
    char *text = malloc(TEXT_BYTES);
    bool is_exact;

    (void)state;
    assert_non_null(file);
    assert_int_equal(fread(text, 1, TEXT_BYTES, file), TEXT_BYTES);
    fclose(file);

    const double exact = measure(text, TEXT_BYTES, true, &is_exact);
    assert_true(is_exact);
    const double fast = measure(text, TEXT_BYTES, false, &is_exact);
    print_message("exact %.4f, fast %.4f: %+.3f %%%s\n", exact, fast, 100.0 * (fast / exact - 1.0),
                  is_exact ? "; this machine has no fast mode" : "");
    assert_true(is_exact ? fast == exact : fast != exact);
    assert_true(fabs(fast / exact - 1.0) <= 1e-3);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(perplexity_of_fast_products_is_within_a_thousandth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
