/* Where a model computes: what it would take of a GPU's memory, whether that is there, and what to do where it is not.
 *
 * The order of choices: the GPU with the context asked for, the GPU with a smaller one, the CPU; which of them are open
 * follows from the options. Deciding is arithmetic on sizes and needs neither GPU nor weights, so that a card can be judged
 * before it is bought. Plain values; what a placement says is whole even where it says no.
 */
#ifndef INFER_PLACEMENT_H
#define INFER_PLACEMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "infer/engine.h"
#include "infer/error.h"

struct config;
struct safetensors;

enum {
    PLACEMENT_LEAST_CONTEXT_TOKENS =
        1024,                     /* no smaller context is offered instead of the one asked for */
    PLACEMENT_CONTEXT_STEP = 256, /* smaller contexts are multiples of it */
    PLACEMENT_DRIVER_BYTES =
        256 << 20, /* supposed of a driver's own memory, where there is none to ask */
    PLACEMENT_NAME_BYTES = 64,
    PLACEMENT_TEXT_BYTES = 320,
};

/* What the weights of a checkpoint take of a GPU's memory, in bytes. */
struct placement_weights {
    int64_t
        matrices; /* of the layers: indices and codebooks; dense numbers where they are not compressed */
    int64_t sidecars; /* their exact outliers */
    int64_t head;     /* embedding and output head, bfloat16 where that loses nothing */
    int64_t vectors;  /* norms and biases */
};

/* What a model and a session take, in bytes. */
struct placement_need {
    struct placement_weights weights;
    int64_t cache;   /* keys and values of the context */
    int64_t scratch; /* activations, rotation angles, the backend's own */
    int64_t driver;  /* what the driver takes for a process; 0 where it has it already */
    int64_t total;
};

/* The GPU in question. */
struct placement_device {
    bool is_present;  /* or supposed */
    bool is_supposed; /* a card of a given size that is not here */
    char name[PLACEMENT_NAME_BYTES];
    int64_t total_bytes; /* of its memory */
    int64_t
        available_bytes; /* of them, what a model may take: what is free, and not above a limit */
    char problem[PLACEMENT_TEXT_BYTES]; /* half a sentence: why it is not present */
};

struct placement {
    bool on_gpu;
    int context_tokens; /* chosen; on the CPU the one asked for */
    int asked_tokens;   /* the context asked for */
    struct placement_device device;
    bool is_weighed;            /* the needs are known: there was a device to weigh the model for */
    struct placement_need need; /* with the context asked for */
    struct placement_need chosen;      /* with the chosen one */
    char reason[PLACEMENT_TEXT_BYTES]; /* half a sentence on why it is so */
};

/* --- arithmetic ------------------------------------------------------------------------------------------------------- */

/* Weighs a checkpoint by its tensors' shapes; of the weights only a float32 embedding or head is read, to see whether it
 * narrows. False with an error that names a missing tensor. */
bool placement_weigh(struct placement_weights *weights, const struct config *config,
                     const struct safetensors *files, struct error *error);

/* What a model of that config and those weights needs on a device, with a context of so many tokens. */
void placement_measure(struct placement_need *need, const struct config *config,
                       const struct placement_weights *weights,
                       const struct placement_device *device, int context_tokens);

/* A card that is not here, with so much memory. */
void placement_suppose(struct placement_device *device, int64_t bytes);

/* Chooses for placement->device; `weights` may be NULL where no device is present. False with an error of code ERROR_DEVICE,
 * figures in it, where the options leave no choice that works. */
bool placement_choose(struct placement *placement, const struct config *config,
                      const struct placement_weights *weights, const struct engine_options *options,
                      struct error *error);

/* --- checkpoints and machines ----------------------------------------------------------------------------------------- */

/* Chooses for a checkpoint on this machine, or for a card with options->gpu_memory_bytes that is_supposed. On false the
 * placement says what was found. */
bool placement_find(struct placement *placement, const struct engine_options *options,
                    bool is_supposed, struct error *error);

/* Turns to the CPU after the GPU failed for that reason. */
void placement_turn_to_cpu(struct placement *placement, const char *why);

/* The backend that was chosen; NULL with an error. */
struct backend *placement_open(const struct placement *placement,
                               const struct engine_options *options, struct error *error);

#endif
