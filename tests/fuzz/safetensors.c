/* Checkpoint files: a file is refused with a reason, or every byte of every tensor it lists can be read.
 *
 * Input: a model.safetensors.
 */
#include "infer/safetensors.h"

#include "tests/fuzz/fuzz.h"

/* Blocks follow one another without a gap. */
static bool count_block(void *user, const void *numbers, int64_t first, int64_t count)
{
    int64_t *read = user;

    (void)numbers;
    fuzz_check(first == *read && count > 0, "a walk skips nothing");
    *read += count;
    return true;
}

static void check_tensor(const struct safetensors *files, const struct tensor *tensor)
{
    int64_t count = 1, read = 0;

    fuzz_check(safetensors_walk(tensor, count_block, &read, NULL) && read == tensor->count,
               "every number that a tensor claims to hold can be read");
    fuzz_check(tensor->rank >= 0 && tensor->rank <= TENSOR_MAX_RANK, "a rank is within its limit");
    for (int i = 0; i < tensor->rank; i++)
        count *= tensor->shape[i];
    fuzz_check(count == tensor->count, "a count is the product of the shape");
    fuzz_check(safetensors_find(files, tensor->name) == tensor, "a listed tensor can be found");
}

/* The length field that a file begins with: little-endian, 8 bytes. */
static size_t header_bytes(const uint8_t *data)
{
    size_t length = 0;

    for (int i = 0; i < 8; i++)
        length |= (size_t)data[i] << 8 * i;
    return length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error error = {0};
    struct safetensors *files =
        safetensors_open(fuzz_folder_with("model.safetensors", data, size), &error);

    if (files == NULL) {
        fuzz_check(error.text[0] != '\0', "a refused file has a reason");
        return 0;
    }

    size_t claimed = 8 + header_bytes(data);
    for (size_t i = 0; i < safetensors_count(files); i++) {
        check_tensor(files, safetensors_at(files, i));
        claimed += safetensors_at(files, i)->bytes;
    }
    fuzz_check(safetensors_bytes(files) == (int64_t)size && claimed <= size,
               "tensors share no byte and lie within the file");
    safetensors_close(files);
    return 0;
}
