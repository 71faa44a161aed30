/*
 * Counts the instructions of a program under QEMU: a plugin for its code generator.
 *
 * Part of pytest-edgebudget, under its licence (MIT). No header of QEMU is used: the few
 * declarations below are our own, of its plugin interface, version 1
 * (https://www.qemu.org/docs/master/devel/tcg-plugins.html).
 *
 * A block of instructions is counted when it is translated, its runs by a counter that QEMU
 * adds one to: the program runs as fast as without. When the program asks for its session
 * (getsid, which runtimes never do), a line is written to the file that the environment
 * variable EDGEBUDGET_COUNTS names: seven numbers, the instructions so far outside of the
 * program itself by kind (whole numbers, vectors and floats, products of 8-bit vectors,
 * memory, branches, others), and those of the program. The program is Python's interpreter:
 * what it does to get from one line to the next is not the model's, and changes from run to run.
 *
 * One thread: counters are added to without locks.
 */

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- QEMU's plugin interface, version 1 --------------------------------------------------- */

#define SHOWN __attribute__((visibility("default")))

typedef uint64_t plugin_id;
typedef struct block_under_translation translation;
typedef struct translated_instruction instruction;

struct plugin_info {
    const char *target;
    struct { int least, current; } version;
    bool whole_system;
    struct { int now, most; } cpus;
};

typedef void (*on_translation)(plugin_id, translation *);
typedef void (*on_syscall)(plugin_id, unsigned cpu, int64_t number, uint64_t, uint64_t, uint64_t,
                           uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);

enum { ADD = 0 };

void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, on_translation);
void qemu_plugin_register_vcpu_syscall_cb(plugin_id, on_syscall);
void qemu_plugin_register_vcpu_tb_exec_inline(translation *, int what, void *where, uint64_t much);
size_t qemu_plugin_tb_n_insns(const translation *);
uint64_t qemu_plugin_tb_vaddr(const translation *);
instruction *qemu_plugin_tb_get_insn(const translation *, size_t);
const void *qemu_plugin_insn_data(const instruction *);
size_t qemu_plugin_insn_size(const instruction *);
uint64_t qemu_plugin_start_code(void);
uint64_t qemu_plugin_end_code(void);

SHOWN int qemu_plugin_version = 1;

/* --- Kinds of instructions ---------------------------------------------------------------- */

enum kind { WHOLE, VECTOR, DOT, MEMORY, BRANCH, OTHER, KINDS };

/* SDOT, UDOT, USDOT, SUDOT, SMMLA, UMMLA: Arm Architecture Reference Manual, C4.1. */
static bool multiplies_bytes(uint32_t word)
{
    bool dot = (word & 0x9fe0f400) == 0x0e809400;
    bool by_element = (word & 0x9fc0f400) == 0x0f80e000 || (word & 0xbf40f400) == 0x0f00f000;
    bool matrix = (word & 0x9fe0f400) == 0x0e80a400;
    return dot || by_element || matrix;
}

/* The groups of A64's main encoding table: Arm Architecture Reference Manual, C4.1. */
static enum kind kind_of(uint32_t word)
{
    uint32_t group = word >> 25 & 0xf;
    if ((group & 0xe) == 0xa)
        return BRANCH;
    if ((group & 0x5) == 0x4)
        return MEMORY;
    if ((group & 0x7) == 0x7)
        return multiplies_bytes(word) ? DOT : VECTOR;
    if ((group & 0xe) == 0x8 || (group & 0x7) == 0x5)
        return WHOLE;
    return OTHER;
}

/* --- Counting ----------------------------------------------------------------------------- */

enum { BLOCKS = 4096 };

struct block {
    uint64_t runs;
    uint32_t kinds[KINDS];
    uint32_t of_the_program;
};

struct chunk {
    struct chunk *next;
    size_t used;
    struct block blocks[BLOCKS];
};

static struct chunk *chunks;
static FILE *lines;
static int64_t getsid;
static bool is_a64;

static struct block *new_block(void)
{
    if (!chunks || chunks->used == BLOCKS) {
        struct chunk *chunk = calloc(1, sizeof *chunk);
        if (!chunk)
            abort();
        chunk->next = chunks;
        chunks = chunk;
    }
    return &chunks->blocks[chunks->used++];
}

static void translated(plugin_id id, translation *code)
{
    (void)id;
    struct block *block = new_block();
    uint64_t address = qemu_plugin_tb_vaddr(code);
    block->of_the_program =
        address >= qemu_plugin_start_code() && address < qemu_plugin_end_code();
    size_t count = qemu_plugin_tb_n_insns(code);
    for (size_t i = 0; i < count; i++) {
        instruction *one = qemu_plugin_tb_get_insn(code, i);
        uint32_t word = 0;
        enum kind kind = OTHER;
        if (is_a64 && qemu_plugin_insn_size(one) == sizeof word) {
            memcpy(&word, qemu_plugin_insn_data(one), sizeof word);
            kind = kind_of(word);
        }
        block->kinds[kind]++;
    }
    qemu_plugin_register_vcpu_tb_exec_inline(code, ADD, &block->runs, 1);
}

static void write_line(void)
{
    uint64_t kinds[KINDS] = {0}, program = 0;
    for (struct chunk *chunk = chunks; chunk; chunk = chunk->next)
        for (size_t i = 0; i < chunk->used; i++) {
            struct block *block = &chunk->blocks[i];
            for (int kind = 0; kind < KINDS; kind++) {
                uint64_t much = block->runs * block->kinds[kind];
                if (block->of_the_program)
                    program += much;
                else
                    kinds[kind] += much;
            }
        }
    for (int kind = 0; kind < KINDS; kind++)
        fprintf(lines, "%" PRIu64 " ", kinds[kind]);
    fprintf(lines, "%" PRIu64 "\n", program);
    fflush(lines);
}

static void called(plugin_id id, unsigned cpu, int64_t number, uint64_t a, uint64_t b, uint64_t c,
                   uint64_t d, uint64_t e, uint64_t f, uint64_t g, uint64_t h)
{
    (void)id, (void)cpu, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
    if (number == getsid)
        write_line();
}

SHOWN int qemu_plugin_install(plugin_id id, const struct plugin_info *info, int argc, char **argv)
{
    (void)argc, (void)argv;
    const char *path = getenv("EDGEBUDGET_COUNTS");
    is_a64 = !strcmp(info->target, "aarch64");
    if (info->whole_system || (!is_a64 && strcmp(info->target, "arm")) || !path)
        return 1;
    getsid = is_a64 ? 156 : 147; /* Linux, include/uapi/asm-generic/unistd.h; arch/arm */
    lines = fopen(path, "a");
    if (!lines)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}
