// A virtual machine monitor for one purpose: to run guest.S under KVM and to say whether anything of it was changed behind its back.
//   vmm [cpus=N] [rounds=N] [spin=N] [ticks=N]
// Ends with 0 if every hart did its rounds and found all as it should be, 1 if something was wrong, 2 if KVM refused something.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "guest.h"

extern char guest_begin[], guest_end[];

enum { MAX_CPUS = 8 };

struct cpu {
    int fd, index, status;
    struct kvm_run *run;
    pthread_t thread;
    unsigned long round, exits, found, expected;
};

static uint8_t *ram;
static struct cpu cpus[MAX_CPUS];
static unsigned long count = 1, rounds = 400, spin = 3000, ticks = 2000;

static int failed(const char *what)
{
    printf("vmm: %s: %s\n", what, strerror(errno));
    exit(2);
}

#define REG(name) (offsetof(struct kvm_riscv_core, regs.name) / sizeof(unsigned long))

static uint64_t core_reg(struct cpu *c, uint64_t index, const uint64_t *set)
{
    uint64_t value = set ? *set : 0;
    struct kvm_one_reg reg = { KVM_REG_RISCV | KVM_REG_SIZE_U64 | KVM_REG_RISCV_CORE | index, (uintptr_t)&value };
    if (ioctl(c->fd, set ? KVM_SET_ONE_REG : KVM_GET_ONE_REG, &reg))
        failed("a register");
    return value;
}

static const char *name(unsigned long number)
{
    static const char *const others[] = { "an unexpected trap (scause, sepc)", "the device's answer", "a fresh page", "a page written before",
        "sepc", "sstatus", "stvec", "satp", "sie" };
    static char text[8];
    if (number >= WRONG_TRAP)
        return number <= WRONG_SIE ? others[number - WRONG_TRAP] : "something";
    snprintf(text, sizeof text, "%c%lu", number < WRONG_F ? 'x' : 'f', number % 32);
    return text;
}

// A store or load of the guest where no memory is. 0: go on.
static int device(struct cpu *c, struct kvm_run *run)
{
    uint64_t value = 0;
    memcpy(&value, run->mmio.data, run->mmio.len <= 8 ? run->mmio.len : 8);
    switch (run->mmio.phys_addr - DEVICE + run->mmio.is_write * 0x1000) {
    case DEVICE_ROUND + 0x1000:
        if (value != c->round + 1) {
            printf("vmm: cpu %d: CORRUPT: round %#lx after %#lx\n", c->index, value, c->round);
            return 1;
        }
        c->round = value;
        return 0;
    case DEVICE_ECHO:
        value = 3 * c->round + 1;
        memcpy(run->mmio.data, &value, 8);
        return 0;
    case DEVICE_DISCARD + 0x1000:
        if (madvise(ram + FRESH + c->index * FRESH_PAGES * 4096, FRESH_PAGES * 4096, MADV_DONTNEED))
            failed("madvise");
        return 0;
    case DEVICE_FOUND + 0x1000:
        c->found = value;
        return 0;
    case DEVICE_EXPECTED + 0x1000:
        c->expected = value;
        return 0;
    case DEVICE_WRONG + 0x1000:
        printf("vmm: cpu %d: CORRUPT in round %lu: %s: found %#lx, expected %#lx\n", c->index, c->round, name(value), c->found, c->expected);
        return 1;
    case DEVICE_END + 0x1000:
        printf("vmm: cpu %d: intact after %lu rounds, %lu timer interrupts, %lu exits\n", c->index, c->round, value, c->exits);
        return 2;
    }
    printf("vmm: cpu %d: CORRUPT in round %lu: the guest never touches %#llx (%s), pc %#lx\n", c->index, c->round, run->mmio.phys_addr,
        run->mmio.is_write ? "store" : "load", core_reg(c, REG(pc), NULL));
    return 1;
}

static void *work(void *argument)
{
    struct cpu *c = argument;
    int end = 0;
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET(c->index, &here);
    sched_setaffinity(0, sizeof here, &here); // best effort: on a machine with fewer harts it stays where it is
    while (!end) {
        if (ioctl(c->fd, KVM_RUN, 0) && errno != EINTR) {
            printf("vmm: cpu %d: CORRUPT in round %lu: KVM_RUN: %s, pc %#lx\n", c->index, c->round, strerror(errno),
                core_reg(c, REG(pc), NULL));
            end = 1;
            break;
        }
        c->exits++;
        if (c->run->exit_reason == KVM_EXIT_MMIO)
            end = device(c, c->run);
        else if (c->run->exit_reason != KVM_EXIT_INTR) {
            printf("vmm: cpu %d: CORRUPT in round %lu: exit reason %u, pc %#lx\n", c->index, c->round, c->run->exit_reason,
                core_reg(c, REG(pc), NULL));
            end = 1;
        }
    }
    c->status = end == 2 ? 0 : 1;
    if (c->status)
        exit(1); // the other harts' rounds would tell nothing more
    return NULL;
}

static void stuck(int signal)
{
    (void)signal;
    printf("vmm: CORRUPT: no end: cpu 0 in round %lu\n", cpus[0].round);
    exit(1);
}

static uint64_t mix(uint64_t n)
{
    n = (n + 1) * 0x9e3779b97f4a7c15;
    return n ^ n >> 29;
}

static void prepare_area(int cpu)
{
    uint64_t *area = (uint64_t *)(ram + AREAS + cpu * AREA_SIZE), *start = area + AREA_START / 8, *end = area + AREA_EXPECTED / 8;
    for (int n = 1; n < 32; n++)
        start[n] = mix(n + 100 * cpu);
    start[5] = spin;
    start[7] |= 1;
    memcpy(end, start, 256);
    for (; end[5]; end[5]--)
        end[6] = end[6] * end[7] + end[5];
    for (int n = 0; n < 32; n++)
        area[AREA_F / 8 + n] = mix(n + 100 * cpu + 50);
    area[AREA_ROUNDS / 8] = rounds;
    area[AREA_TICKS / 8] = ticks;
    area[AREA_FRESH / 8] = RAM + FRESH + cpu * FRESH_PAGES * 4096;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        char *value = strchr(argv[i], '=');
        unsigned long n = value ? strtoul(value + 1, NULL, 0) : 0;
        if (n && !strncmp(argv[i], "cpus=", 5) && n <= MAX_CPUS) count = n;
        else if (n && !strncmp(argv[i], "rounds=", 7)) rounds = n;
        else if (n && !strncmp(argv[i], "spin=", 5)) spin = n;
        else if (n && !strncmp(argv[i], "ticks=", 6)) ticks = n;
        else {
            fprintf(stderr, "usage: vmm [cpus=1-%d] [rounds=N] [spin=N] [ticks=N]\n", MAX_CPUS);
            return 2;
        }
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    int kvm = open("/dev/kvm", O_RDWR);
    if (kvm < 0) failed("/dev/kvm");
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);
    if (vm < 0) failed("KVM_CREATE_VM");
    int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (size < 0 || ram == MAP_FAILED) failed("memory");
    madvise(ram, RAM_SIZE, MADV_NOHUGEPAGE); // each fresh page is one fault
    memcpy(ram, guest_begin, guest_end - guest_begin);
    struct kvm_userspace_memory_region region = { 0, 0, RAM, RAM_SIZE, (uintptr_t)ram };
    if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region)) failed("KVM_SET_USER_MEMORY_REGION");
    for (unsigned long i = 0; i < count; i++) {
        struct cpu *c = &cpus[i];
        struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };
        uint64_t pc = RAM, area = RAM + AREAS + i * AREA_SIZE;
        c->index = i;
        prepare_area(i);
        c->fd = ioctl(vm, KVM_CREATE_VCPU, i);
        if (c->fd < 0) failed("KVM_CREATE_VCPU");
        c->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, c->fd, 0);
        if (c->run == MAP_FAILED) failed("a hart's page");
        if (ioctl(c->fd, KVM_SET_MP_STATE, &runnable)) failed("KVM_SET_MP_STATE");
        core_reg(c, REG(pc), &pc);
        core_reg(c, REG(a1), &area);
    }
    signal(SIGALRM, stuck);
    alarm(60);
    for (unsigned long i = 0; i < count; i++)
        if (pthread_create(&cpus[i].thread, NULL, work, &cpus[i])) failed("a thread");
    for (unsigned long i = 0; i < count; i++)
        pthread_join(cpus[i].thread, NULL);
    return 0;
}
