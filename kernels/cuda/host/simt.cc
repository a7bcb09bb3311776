/* Fibers take turns: each runs until it waits or returns, and a pass goes over all of a block's threads in the chosen order.
 * Whoever waits for a barrier goes on when every thread of the block is there; whoever exchanges, when every lane of the warp
 * is. A pass in which nobody could run means that some of them wait for what will never come. */
#include "kernels/cuda/host/simt.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include <sys/mman.h>
#ifndef __x86_64__
#include <ucontext.h>
#endif

#include "kernels/cuda/host/streams.h"

enum { THREADS_MAX = 1024, LANES = 32, STACK_BYTES = 256 * 1024, STAGGER_BYTES = 320, JUNK = 0xa5 };

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace
{

struct fiber {
    bool is_done, is_at_barrier, waits_for_warp;
    unsigned exchanges; /* begun */
#ifdef __x86_64__
    void *stack_pointer;
#else
    ucontext_t context;
#endif
};

/* One of the last two exchanges of a warp. */
struct exchange {
    unsigned number, arrived;
    unsigned char values[LANES][SIMT_EXCHANGE_BYTES];
};

struct fiber fibers[THREADS_MAX], scheduler;
struct exchange exchanges[THREADS_MAX / LANES][2];
unsigned char *stacks;
unsigned current, thread_count;
unsigned long block_serial;
const std::function<void()> *body;
enum order { FORWARD, REVERSE, RANDOM } order;
uint64_t random_state = 1;

[[noreturn]] void fail(const char *what)
{
    fprintf(stderr, "simt: %s (block %u %u %u, thread %u)\n", what, blockIdx.x, blockIdx.y,
            blockIdx.z, current);
    abort();
}

#ifdef __x86_64__
/* Saves what a callee must preserve, changes stacks, restores. */
__attribute__((naked, noinline)) void change(void **, void *)
{
    __asm__("push %rbp\n push %rbx\n push %r12\n push %r13\n push %r14\n push %r15\n"
            "mov %rsp, (%rdi)\n mov %rsi, %rsp\n"
            "pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbx\n pop %rbp\n ret\n");
}
#endif

void yield()
{
#ifdef __x86_64__
    change(&fibers[current].stack_pointer, scheduler.stack_pointer);
#else
    swapcontext(&fibers[current].context, &scheduler.context);
#endif
}

void fiber_main()
{
    (*body)();
    fibers[current].is_done = true;
    yield();
}

void fiber_begin(unsigned thread)
{
    /* tops lie apart in the processor's caches, which equal distances would not do */
    unsigned char *stack = stacks + (size_t)thread * STACK_BYTES - thread % 256 * STAGGER_BYTES;
    fiber &self = fibers[thread];

    self = fiber{};
#ifdef __x86_64__
    /* what `change` pops: six registers, then where to go; the stack is as after a call */
    void **top = (void **)(stack + STACK_BYTES) - 1;
    *--top = (void *)fiber_main;
    for (int i = 0; i < 6; i++)
        *--top = nullptr;
    self.stack_pointer = top;
#else
    getcontext(&self.context);
    self.context.uc_stack.ss_sp = stack;
    self.context.uc_stack.ss_size = STACK_BYTES;
    makecontext(&self.context, fiber_main, 0);
#endif
}

void fiber_resume(unsigned thread)
{
    current = thread;
    threadIdx = dim3(thread % blockDim.x, thread / blockDim.x % blockDim.y,
                     thread / (blockDim.x * blockDim.y));
#ifdef __x86_64__
    change(&scheduler.stack_pointer, fibers[thread].stack_pointer);
#else
    swapcontext(&scheduler.context, &fibers[thread].context);
#endif
}

unsigned lanes_of(unsigned warp)
{
    return std::min<unsigned>(LANES, thread_count - warp * LANES);
}

/* Whether the exchange that a fiber waits for is complete. */
bool is_exchanged(unsigned thread)
{
    const unsigned number = fibers[thread].exchanges;
    const exchange &slot = exchanges[thread / LANES][number % 2];

    return slot.number != number || slot.arrived == lanes_of(thread / LANES);
}

bool can_run(unsigned thread)
{
    const fiber &self = fibers[thread];

    return !self.is_done && !self.is_at_barrier && !(self.waits_for_warp && !is_exchanged(thread));
}

/* Lets a full barrier go on. Whether there was one. */
bool release_barrier()
{
    unsigned waiting = 0;

    for (unsigned i = 0; i < thread_count; i++)
        waiting += fibers[i].is_at_barrier;
    if (waiting != thread_count)
        return false;
    for (unsigned i = 0; i < thread_count; i++)
        fibers[i].is_at_barrier = false;
    return true;
}

void say_why_stuck()
{
    for (unsigned i = 0; i < thread_count; i++) {
        current = i;
        if (fibers[i].waits_for_warp && !fibers[i].is_done)
            fail("an exchange in a warp some of whose lanes are elsewhere");
    }
    fail("a barrier that some threads do not reach");
}

void run_block(std::vector<unsigned> &turns)
{
    unsigned done = 0;

    block_serial++;
    for (unsigned warp = 0; warp * LANES < thread_count; warp++)
        exchanges[warp][0].number = exchanges[warp][1].number = 0;
    for (unsigned i = 0; i < thread_count; i++)
        fiber_begin(i);
    while (done < thread_count) {
        bool moved = false;
        if (order == RANDOM)
            for (unsigned i = thread_count; i > 1; i--) {
                random_state = random_state * 6364136223846793005u + 1442695040888963407u;
                std::swap(turns[i - 1], turns[(random_state >> 33) % i]);
            }
        for (unsigned thread : turns)
            if (can_run(thread)) {
                fiber_resume(thread);
                moved = true;
                done += fibers[thread].is_done;
            }
        if (done < thread_count && !release_barrier() && !moved)
            say_why_stuck();
    }
}

/* What the environment asks for. */
void order_find()
{
    const char *name = getenv("SIMT_ORDER");

    if (!name || strcmp(name, "forward") == 0)
        order = FORWARD;
    else if (strcmp(name, "reverse") == 0)
        order = REVERSE;
    else if (strcmp(name, "random") == 0)
        order = RANDOM;
    else
        fail("SIMT_ORDER is none of forward, reverse, random");
}

void run_grid(dim3 grid, dim3 block, const std::function<void()> &thread)
{
    order_find();
    std::vector<unsigned> turns(block.x * block.y * block.z);

    if (!stacks)
        stacks = (unsigned char *)mmap(nullptr, (size_t)THREADS_MAX * STACK_BYTES,
                                       PROT_READ | PROT_WRITE,
                                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks == MAP_FAILED || turns.empty() || turns.size() > THREADS_MAX ||
        turns.size() % LANES != 0)
        fail("a block of whole warps, 1024 threads at most, is needed");
    thread_count = (unsigned)turns.size();
    for (unsigned i = 0; i < thread_count; i++)
        turns[i] = order == REVERSE ? thread_count - 1 - i : i;
    body = &thread;
    gridDim = grid;
    blockDim = block;
    for (unsigned z = 0; z < grid.z; z++)
        for (unsigned y = 0; y < grid.y; y++)
            for (unsigned x = 0; x < grid.x; x++) {
                blockIdx = dim3(x, y, z);
                run_block(turns);
            }
}

} /* namespace */

void simt_launch(dim3 grid, dim3 block, cudaStream_t stream, std::function<void()> thread)
{
    if (grid.x == 0 || grid.y == 0 || grid.z == 0)
        fail("a grid without blocks");
    stream_take(stream, [=] {
        if (stream_may_launch())
            run_grid(grid, block, thread);
    });
}

void simt_shared(unsigned long *seen, void *memory, size_t bytes)
{
    if (*seen == block_serial)
        return;
    *seen = block_serial;
    memset(memory, JUNK, bytes);
}

void simt_barrier(void)
{
    fibers[current].is_at_barrier = true;
    yield();
}

const unsigned char (*simt_exchange(const void *value, size_t bytes))[SIMT_EXCHANGE_BYTES]
{
    const unsigned self = current, number = ++fibers[self].exchanges;
    exchange &slot = exchanges[self / LANES][number % 2];

    if (bytes > SIMT_EXCHANGE_BYTES)
        fail("an exchange of too many bytes");
    if (slot.number != number) {
        slot.number = number;
        slot.arrived = 0;
    }
    if (bytes > 0)
        memcpy(slot.values[self % LANES], value, bytes);
    slot.arrived++;
    fibers[self].waits_for_warp = true;
    if (!is_exchanged(self))
        yield();
    fibers[self].waits_for_warp = false;
    return slot.values;
}

float __shfl_xor_sync(unsigned mask, float value, int other)
{
    float result;

    if (mask != 0xffffffff)
        fail("an exchange among some lanes only");
    memcpy(&result, simt_exchange(&value, sizeof value)[(current % LANES) ^ (unsigned)other],
           sizeof result);
    return result;
}

float simt_float(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

uint32_t simt_bits(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* The same bits mean 2^112 times less in float32, whose exponents begin lower. */
float simt_widen_f16(uint16_t half)
{
    const float size = simt_float((half & 0x7fffu) << 13) * 0x1p112f;
    const bool is_finite = (half >> 10 & 31) != 31;

    return (half & 0x8000 ? -1.0f : 1.0f) * (is_finite ? size : half & 0x3ff ? NAN : INFINITY);
}

/* To nearest, ties to even; too large becomes the largest. */
uint16_t simt_narrow_f16(float value)
{
    const uint16_t sign = (uint16_t)(simt_bits(value) >> 16 & 0x8000);
    const float size = fabsf(value);
    int exponent;

    if (size >= 65504.0f)
        return sign | 0x7bff;
    if (size == 0.0f)
        return sign;
    frexpf(size, &exponent);
    const int step = exponent - 11 < -24 ? -24 : exponent - 11; /* the last bit is worth 2^step */
    const int units = (int)nearbyintf(ldexpf(size, -step));
    return sign | (uint16_t)(((step + 24) << 10) + units);
}

uint4 simt_load16(const void *address)
{
    if ((uintptr_t)address % 16 != 0)
        fail("a load of 16 bytes that is not aligned");
    return *(const uint4 *)address;
}

/* What a lane handed over: of a 2 * halves registers, then of b as many as halves. */
static void registers_of(const unsigned char (*lanes)[SIMT_EXCHANGE_BYTES], int lane,
                         uint32_t registers[6])
{
    memcpy(registers, lanes[lane], 6 * sizeof *registers);
#ifdef SIMT_FAULT_FRAGMENT
    std::swap(registers[0], registers[1]);
#endif
}

static float number_of(uint32_t pair, int i)
{
    return simt_widen_f16((uint16_t)(pair >> 16 * i));
}

/* Only what this lane's sums need is looked at: of a the rows of its four lanes, of b two columns' lanes. */
void simt_mma(float sums[4], const uint32_t *a, const uint32_t *b, int halves)
{
    uint32_t mine[6] = {0}, rows[6], columns[2][6];

    memcpy(mine, a, 2 * (size_t)halves * sizeof *a);
    memcpy(mine + 2 * halves, b, (size_t)halves * sizeof *b);
    const unsigned char(*lanes)[SIMT_EXCHANGE_BYTES] = simt_exchange(mine, sizeof mine);
    const int lane = (int)(current % LANES), group = lane / 4, place = lane % 4;

    for (int half = 0; half < halves; half++)
        for (int from = 0; from < 4; from++) {
            registers_of(lanes, group * 4 + from, rows);
            for (int i = 0; i < 2; i++)
                registers_of(lanes, (2 * place + i) * 4 + from, columns[i]);
            for (int k = 0; k < 2; k++)
                for (int i = 0; i < 4; i++)
                    sums[i] += number_of(rows[2 * half + i / 2], k) *
                               number_of(columns[i % 2][2 * halves + half], k);
        }
}
