#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "settings.h"

#define MAGIC 0x76677535u // changes with the layout of the state

static struct {
    pthread_mutex_t mutex;
    int fd;
    int slot;
    struct machine_state *state;
    struct machine_process *self;
} machine = {.mutex = PTHREAD_MUTEX_INITIALIZER, .fd = -1, .slot = -1};

int64_t machine_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* Byte 0 is the machine's mutex, byte 1 + n says that slot n lives. */
static int lock_byte(off_t byte, short type, int command)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_len = 1};
    int r;

    lock.l_start = byte;
    do {
        r = fcntl(machine.fd, command, &lock);
    } while (r < 0 && errno == EINTR);
    return r;
}

static void append_ended(const struct machine_process *p, const char *how)
{
    char path[4096];

    snprintf(path, sizeof(path), "%s/ended.jsonl", settings_machine());
    FILE *out = fopen(path, "ae");
    if (!out)
        return;
    fprintf(out, "{\"pid\":%d,\"program\":\"%s\",\"ended\":\"%s\",", p->pid,
            p->program, how);
    counters_print(&p->counters, out);
    fputs("}\n", out);
    fclose(out);
}

static void end_process(struct machine_process *p, const char *how)
{
    counters_fold(&machine.state->ended, &p->counters);
    machine.state->processes_ended++;
    append_ended(p, how);
    memset(p, 0, sizeof(*p));
}

static void reclaim(void)
{
    for (int i = 0; i < MACHINE_PROCESSES; i++) {
        struct machine_process *p = &machine.state->processes[i];
        if (!p->used || i == machine.slot)
            continue;
        if (lock_byte(1 + i, F_WRLCK, F_OFD_SETLK) < 0)
            continue;
        machine.state->processes_killed++;
        end_process(p, "killed");
        lock_byte(1 + i, F_UNLCK, F_OFD_SETLK);
    }
}

void machine_lock(void)
{
    pthread_mutex_lock(&machine.mutex);
    lock_byte(0, F_WRLCK, F_OFD_SETLKW);
    reclaim();
}

void machine_unlock(void)
{
    lock_byte(0, F_UNLCK, F_OFD_SETLK);
    pthread_mutex_unlock(&machine.mutex);
}

static void name_program(char *name, size_t size)
{
    int fd = open("/proc/self/comm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, name, size - 1);

    if (fd >= 0)
        close(fd);
    name[n > 0 ? n : 0] = '\0';
    for (char *c = name; *c; c++) {
        if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ')
            *c = *c == '\n' ? '\0' : '_';
    }
}

static void take_slot(void)
{
    machine_lock();
    for (int i = 0; i < MACHINE_PROCESSES && machine.slot < 0; i++) {
        struct machine_process *p = &machine.state->processes[i];
        if (p->used || lock_byte(1 + i, F_WRLCK, F_OFD_SETLK) < 0)
            continue;
        memset(p, 0, sizeof(*p));
        p->pid = getpid();
        name_program(p->program, sizeof(p->program));
        p->used = 1;
        machine.slot = i;
        machine.self = p;
    }
    machine_unlock();
}

static struct machine_state *map_state(void)
{
    char path[4096];
    struct stat st;

    mkdir(settings_machine(), 0777);
    snprintf(path, sizeof(path), "%s/state", settings_machine());
    machine.fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (machine.fd < 0)
        return NULL;
    if (fstat(machine.fd, &st) < 0 ||
        ((size_t)st.st_size < sizeof(struct machine_state) &&
         ftruncate(machine.fd, sizeof(struct machine_state)) < 0))
        return NULL;
    void *map = mmap(NULL, sizeof(struct machine_state), PROT_READ | PROT_WRITE,
                     MAP_SHARED, machine.fd, 0);
    return map == MAP_FAILED ? NULL : map;
}

static void open_once(void)
{
    machine.state = map_state();
    if (!machine.state) {
        fprintf(stderr, "vgpu: cannot open the machine '%s': %s\n",
                settings_machine(), strerror(errno));
        return;
    }
    if (machine.state->magic && machine.state->magic != MAGIC) {
        fprintf(stderr, "vgpu: '%s/state' is another version's: remove it\n",
                settings_machine());
        machine.state = NULL;
        return;
    }
    machine.state->magic = MAGIC;
}

struct machine_state *machine_observe(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, open_once);
    return machine.state;
}

static void join_once(void)
{
    if (!machine_observe())
        return;
    take_slot();
    if (!machine.self)
        fprintf(stderr, "vgpu: more than %d processes\n", MACHINE_PROCESSES);
}

struct machine_process *machine_self(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, join_once);
    return machine.self;
}

struct machine_state *machine_state(void)
{
    return machine_self() ? machine.state : NULL;
}

/* The orderly end, behind all destructors that count what was left. A process
 * that is killed is found by reclaim(). */
__attribute__((destructor(200))) static void leave(void)
{
    if (!machine.self || machine.self->pid != getpid())
        return;
    machine_lock();
    end_process(machine.self, "exited");
    machine.self = NULL;
    machine_unlock();
}

void machine_count(enum counter c, int64_t n)
{
    struct machine_process *p = machine_self();

    if (p)
        p->counters.values[c] += n;
}

static void raise_to(_Atomic int64_t *peak, int64_t value)
{
    int64_t old = *peak;

    while (old < value && !atomic_compare_exchange_weak(peak, &old, value)) {
    }
}

void machine_peak(enum counter c, int64_t value)
{
    struct machine_process *p = machine_self();

    if (p)
        raise_to(&p->counters.values[c], value);
}

int machine_cards(void)
{
    int64_t cards = settings()->cards;

    return cards < 1 ? 1 : cards > MACHINE_CARDS ? MACHINE_CARDS : (int)cards;
}

void machine_uuid(int card, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    size_t length = strlen(settings()->uuid);

    strcpy(ret, settings()->uuid);
    const char *digit = length ? strchr(digits, ret[length - 1]) : NULL;
    if (digit)
        ret[length - 1] = digits[(digit - digits + card) % 16];
}

int64_t machine_vram_used(int card)
{
    int64_t used = card ? 0 : settings()->foreign_vram << 20;

    for (int i = 0; i < MACHINE_PROCESSES; i++)
        used += machine.state->processes[i].vram[card];
    return used;
}

/* Of all cards. */
static int64_t vram_of(const struct machine_process *p)
{
    int64_t sum = 0;

    for (int i = 0; i < MACHINE_CARDS; i++)
        sum += p->vram[i];
    return sum;
}

bool machine_vram_take(int card, int64_t bytes)
{
    struct machine_process *p = machine_self();

    if (!p || bytes < 0)
        return false;
    machine_lock();
    int64_t used = machine_vram_used(card);
    bool fits = bytes <= (settings()->vram << 20) - used;
    if (fits) {
        p->vram[card] += bytes;
        raise_to(&p->counters.values[COUNTER_VRAM_PEAK], vram_of(p));
        raise_to(&machine.state->peaks.values[COUNTER_VRAM_PEAK], used + bytes);
    }
    machine_unlock();
    return fits;
}

void machine_vram_give(int card, int64_t bytes)
{
    struct machine_process *p = machine_self();

    if (!p)
        return;
    machine_lock();
    p->vram[card] -= bytes;
    machine_unlock();
}

static int64_t sessions_of(const struct machine_process *p)
{
    int64_t n = 0;

    for (int i = 0; i < MACHINE_SESSIONS; i++)
        n += p->sessions[i].used;
    return n;
}

int64_t machine_sessions_used(void)
{
    int64_t n = settings()->foreign_sessions;

    for (int i = 0; i < MACHINE_PROCESSES; i++)
        n += sessions_of(&machine.state->processes[i]);
    return n;
}

static struct machine_session *free_session(struct machine_process *p)
{
    for (int i = 0; i < MACHINE_SESSIONS; i++) {
        if (!p->sessions[i].used)
            return &p->sessions[i];
    }
    return NULL;
}

struct machine_session *machine_session_take(int card)
{
    struct machine_process *p = machine_self();
    int64_t limit = settings()->sessions;

    if (!p)
        return NULL;
    machine_lock();
    int64_t used = machine_sessions_used();
    struct machine_session *s = limit && used >= limit ? NULL : free_session(p);
    if (s) {
        *s = (struct machine_session){
            .used = 1, .card = card, .started = machine_now()};
        raise_to(&p->counters.values[COUNTER_SESSIONS_PEAK], sessions_of(p));
        raise_to(&machine.state->peaks.values[COUNTER_SESSIONS_PEAK], used + 1);
    }
    p->counters.values[s ? COUNTER_SESSIONS : COUNTER_SESSIONS_REFUSED]++;
    machine_unlock();
    return s;
}

void machine_session_give(struct machine_session *s)
{
    machine_lock();
    s->used = 0;
    machine_unlock();
}

static atomic_bool lost_here;

void machine_lose(void)
{
    lost_here = true;
    if (settings()->sticky == 2 && machine_state())
        machine_state()->lost = 1;
}

bool machine_lost(void)
{
    return lost_here || (machine_state() && machine_state()->lost);
}

static void print_process(const struct machine_process *p, FILE *out)
{
    fprintf(out,
            "{\"pid\":%d,\"program\":\"%s\",\"vram\":%lld,"
            "\"sessions_open\":%lld,",
            p->pid, p->program, (long long)vram_of(p),
            (long long)sessions_of(p));
    counters_print(&p->counters, out);
    fputc('}', out);
}

void machine_print(FILE *out)
{
    struct machine_state *m = machine_observe();
    struct counters total = {0};
    const char *comma = "";

    machine_lock();
    fputs("{\"processes\":[", out);
    counters_fold(&total, &m->ended);
    for (int i = 0; i < MACHINE_PROCESSES; i++) {
        if (!m->processes[i].used)
            continue;
        fputs(comma, out);
        print_process(&m->processes[i], out);
        counters_fold(&total, &m->processes[i].counters);
        comma = ",";
    }
    counters_fold(&total, &m->peaks);
    int64_t vram_used = 0;
    for (int i = 0; i < MACHINE_CARDS; i++)
        vram_used += machine_vram_used(i);
    fputs("],\"total\":{", out);
    counters_print(&total, out);
    fprintf(out,
            "},\"processes_ended\":%lld,\"processes_killed\":%lld,"
            "\"vram_used\":%lld,\"sessions_used\":%lld,\"lost\":%s}\n",
            (long long)m->processes_ended, (long long)m->processes_killed,
            (long long)vram_used, (long long)machine_sessions_used(),
            m->lost ? "true" : "false");
    machine_unlock();
}
