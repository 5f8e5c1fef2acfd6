// The guest's side of `scripts/bench-peers --linux`: one section of work a run, between two lines on the console that begin with
// "bench:". The host measures its own processor time between those lines.
//
//   bench SECTION COUNT        prints "bench: SECTION begin TIME" and "bench: SECTION end TIME", TIME in ticks of the time CSR
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned long ticks(void)
{
    unsigned long t;
    __asm__ volatile("rdtime %0" : "=r"(t));
    return t;
}

static void mark(const char *section, const char *what)
{
    char line[80];
    int n = snprintf(line, sizeof line, "bench: %s %s %lu\n", section, what, ticks());
    if (write(1, line, n) != n)
        exit(3);
}

// What the sections compute, so that no compiler can leave the work out.
static volatile uint64_t result;

// --- integer: list, matrix, text scanner and checksum, in about equal parts -------------------------------------------------------

struct node { struct node *next; int16_t key, value; };

enum { NODES = 200, SIDE = 24, TEXT = 1024 };

static struct node *sort(struct node *list)
{
    // Bottom-up merge of runs of length 1, 2, 4...
    for (int run = 1;; run *= 2) {
        struct node *p = list, *tail = NULL;
        int merges = 0;
        list = NULL;
        while (p) {
            struct node *q = p;
            int left = 0, right = run;
            merges++;
            while (left < run && q) { q = q->next; left++; }
            while (left > 0 || (right > 0 && q)) {
                struct node *take;
                if (left == 0 || (right > 0 && q && q->key < p->key)) { take = q; q = q->next; right--; }
                else { take = p; p = p->next; left--; }
                if (tail) tail->next = take; else list = take;
                tail = take;
            }
            p = q;
        }
        tail->next = NULL;
        if (merges <= 1) return list;
    }
}

static uint16_t crc16(uint16_t crc, const uint8_t *p, int n)
{
    while (n--) {
        crc ^= *p++;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xa001 : crc >> 1;
    }
    return crc;
}

static uint32_t scan(const char *text, uint32_t counts[6])
{
    enum { START, SIGN, WHOLE, PART, EXPONENT, BAD } state = START;
    uint32_t changes = 0;
    for (; *text; text++) {
        char c = *text;
        int digit = c >= '0' && c <= '9', before = state;
        if (c == ',') { counts[state]++; state = START; continue; }
        switch (state) {
        case START: state = digit ? WHOLE : c == '-' || c == '+' ? SIGN : c == '.' ? PART : BAD; break;
        case SIGN: state = digit ? WHOLE : c == '.' ? PART : BAD; break;
        case WHOLE: state = digit ? WHOLE : c == '.' ? PART : c == 'e' ? EXPONENT : BAD; break;
        case PART: state = digit ? PART : c == 'e' ? EXPONENT : BAD; break;
        case EXPONENT: state = digit || c == '-' ? EXPONENT : BAD; break;
        default: break;
        }
        changes += (int)state != before;
    }
    return changes;
}

static void integer(long rounds)
{
    static struct node nodes[NODES];
    static int16_t a[SIDE][SIDE], b[SIDE][SIDE];
    static int32_t c[SIDE][SIDE];
    static char text[TEXT + 1];
    static const char *const words[] = { "512,", "-12.75,", "+.5e-3,", "1e9,", "x17,", "99.99.9,", "0," };
    uint32_t counts[6] = { 0 }, seed = 1;
    uint16_t crc = 0;
    while (strlen(text) + 8 < TEXT) strcat(text, words[(seed = seed * 1103515245 + 12345) >> 16 & 7 ? seed >> 18 & 3 : 4 + (seed >> 20) % 3]);
    for (long r = 0; r < rounds; r++) {
        for (int i = 0; i < NODES; i++) {
            seed = seed * 1103515245 + 12345;
            nodes[i] = (struct node){ i + 1 < NODES ? &nodes[i + 1] : NULL, seed >> 16, i };
        }
        struct node *list = sort(nodes);
        int found = 0;
        for (int key = 0; key < 40; key++)
            for (struct node *n = list; n; n = n->next)
                if (n->value == key) { found += n->key; break; }
        for (int i = 0; i < SIDE; i++)
            for (int j = 0; j < SIDE; j++) { a[i][j] = r + i * j; b[i][j] = found + i - j; }
        for (int i = 0; i < SIDE; i++)
            for (int j = 0; j < SIDE; j++) {
                int32_t sum = 0;
                for (int k = 0; k < SIDE; k++) sum += a[i][k] * b[k][j];
                c[i][j] = sum;
            }
        for (int i = 0; i < 6; i++) seed += scan(text, counts);
        for (int i = 0; i < SIDE; i += 8) crc = crc16(crc, (const uint8_t *)c[i], sizeof c[i]);
        crc = crc16(crc, (const uint8_t *)counts, sizeof counts);
    }
    result = crc;
}

// --- nbody: gravity among five bodies, double precision ---------------------------------------------------------------------------

struct body { double x[3], v[3], m; };

static void nbody(long steps)
{
    struct body s[5] = {
        { { 0, 0, 0 }, { 0, 0, 0 }, 39.5 },
        { { 4.84, -1.16, -.1 }, { .6, 2.8, -.02 }, .0377 },
        { { 8.34, 4.12, -.4 }, { -1.01, 1.82, .008 }, .0113 },
        { { 12.9, -15.1, -.22 }, { 1.08, .868, -.01 }, .0017 },
        { { 15.4, -25.9, .18 }, { .979, .594, -.034 }, .002 },
    };
    const double dt = .01;
    for (long n = 0; n < steps; n++) {
        for (int i = 0; i < 5; i++)
            for (int j = i + 1; j < 5; j++) {
                double d[3], square = 0;
                for (int k = 0; k < 3; k++) { d[k] = s[i].x[k] - s[j].x[k]; square += d[k] * d[k]; }
                double pull = dt / (square * sqrt(square));
                for (int k = 0; k < 3; k++) { s[i].v[k] -= d[k] * s[j].m * pull; s[j].v[k] += d[k] * s[i].m * pull; }
            }
        for (int i = 0; i < 5; i++)
            for (int k = 0; k < 3; k++) s[i].x[k] += dt * s[i].v[k];
    }
    result = (uint64_t)(s[0].x[0] * 1e9);
}

// --- the kernel's part ------------------------------------------------------------------------------------------------------------

static void getppids(long n)
{
    while (n--) result = syscall(SYS_getppid);
}

static void faults(long n)
{
    while (n > 0) {
        enum { PAGES = 64 };
        char *p = mmap(NULL, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (p == MAP_FAILED) exit(3);
        madvise(p, PAGES * 4096, MADV_NOHUGEPAGE);
        for (int i = 0; i < PAGES; i++) p[i * 4096] = 1;
        munmap(p, PAGES * 4096);
        n -= PAGES;
    }
}

static void forks(long n)
{
    while (n--) {
        pid_t p = fork();
        if (p < 0) exit(3);
        if (p == 0) _exit(0);
        waitpid(p, NULL, 0);
    }
}

static void chase(long n)
{
    // One line of 64 bytes a step, in an order without a pattern: a single cycle through all of them (Sattolo).
    enum { BYTES = 4 << 20, LINES = BYTES / 64 };
    static void *ring[BYTES / sizeof(void *)];
    static uint32_t order[LINES];
    uint32_t seed = 1;
    for (uint32_t i = 0; i < LINES; i++) order[i] = i;
    for (uint32_t i = LINES - 1; i > 0; i--) {
        seed = seed * 1664525 + 1013904223;
        uint32_t j = (uint32_t)((uint64_t)seed * i >> 32), t = order[i];
        order[i] = order[j];
        order[j] = t;
    }
    for (uint32_t i = 0; i < LINES; i++) ring[order[i] * 8] = &ring[order[(i + 1) % LINES] * 8];
    mark("chase", "begin");
    void **p = ring;
    while (n--) p = *p;
    result = (uintptr_t)p;
}

int main(int argc, char **argv)
{
    static const struct { const char *name; void (*run)(long); } sections[] = {
        { "integer", integer }, { "nbody", nbody }, { "getppid", getppids }, { "fault", faults }, { "fork", forks }, { "chase", chase },
    };
    if (argc == 3)
        for (unsigned i = 0; i < sizeof sections / sizeof *sections; i++)
            if (!strcmp(argv[1], sections[i].name)) {
                if (sections[i].run != chase) mark(argv[1], "begin");
                sections[i].run(atol(argv[2]));
                mark(argv[1], "end");
                return 0;
            }
    fprintf(stderr, "usage: bench integer|nbody|getppid|fault|fork|chase COUNT\n");
    return 2;
}
