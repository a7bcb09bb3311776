/* A chunk is mapped with room to spare and cut to the boundaries of huge pages; what is not touched of it costs nothing. */
#include "kernels/cpu/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    ALIGNMENT = 64,
    HUGE_PAGE = 2 << 20,
    CHUNK_BYTES = 32 * HUGE_PAGE,
};

struct arena_chunk {
    struct arena_chunk *next;
    void *bytes;
    size_t size;
};

static size_t round_up(size_t value, size_t step)
{
    return (value + step - 1) / step * step;
}

/* Bytes that the system can give before it has to take them from somebody; SIZE_MAX where it does not tell. */
static size_t available_bytes(void)
{
    size_t available = SIZE_MAX;
    unsigned long long kilobytes;
    char line[128];
    FILE *file = fopen("/proc/meminfo", "re");

    if (!file)
        return available;
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "MemAvailable: %llu kB", &kilobytes) == 1)
            available = (size_t)kilobytes * 1024;
    fclose(file);
    return available;
}

/* `size` bytes, a multiple of huge pages, at such a boundary. */
static unsigned char *map_huge(size_t size)
{
    if (size > available_bytes())
        return NULL;
    unsigned char *bytes =
        mmap(NULL, size + HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED)
        return NULL;

    const size_t before = round_up((uintptr_t)bytes, HUGE_PAGE) - (uintptr_t)bytes;
    if (before)
        munmap(bytes, before);
    if (before < HUGE_PAGE)
        munmap(bytes + before + size, HUGE_PAGE - before);
    madvise(bytes + before, size, MADV_HUGEPAGE);
    return bytes + before;
}

/* Begins a chunk that holds at least `bytes`. */
static bool add_chunk(struct arena *arena, size_t bytes)
{
    struct arena_chunk *chunk = malloc(sizeof *chunk);

    if (!chunk)
        return false;
    chunk->size = bytes < CHUNK_BYTES ? CHUNK_BYTES : round_up(bytes, HUGE_PAGE);
    chunk->bytes = map_huge(chunk->size);
    if (!chunk->bytes) {
        free(chunk);
        return false;
    }
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->next = chunk->bytes;
    arena->left = chunk->size;
    return true;
}

void *arena_take(struct arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        return NULL;
    bytes = round_up(bytes, ALIGNMENT);
    if (bytes > arena->left && !add_chunk(arena, bytes))
        return NULL;

    void *piece = arena->next;
    arena->next += bytes;
    arena->left -= bytes;
    return piece;
}

void arena_finish(struct arena *arena)
{
    for (struct arena_chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        munmap(chunk->bytes, chunk->size);
        free(chunk);
    }
    *arena = (struct arena){0};
}
