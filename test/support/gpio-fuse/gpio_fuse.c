/*
 * A GPIO tree that behaves as the Linux kernel's /sys/class/gpio, for testing the real onoff without a Raspberry Pi.
 *
 *   gpio_fuse MOUNTPOINT LABEL:BASE:NGPIO [LABEL:BASE:NGPIO ...]
 *
 * Behaviour after Documentation/admin-guide/gpio/sysfs.rst and drivers/gpio/gpiolib-sysfs.c: `export` and `unexport`, a
 * line's `value`, `direction`, `edge` and `active_low`; direct I/O; `poll` answers POLLPRI|POLLERR after an edge until
 * `value` is read again; a written `direction` of `high` or `low` sets direction and raw level at once; a freed line
 * becomes an input, as pinctrl-bcm2835 makes it.
 *
 * The bench's other side of the wires is on stdin and stdout. Commands, one per line:
 *   drive LINE 0|1    an outside circuit pulls the line to this level
 *   busy LINE 0|1     another driver has the line: export answers EBUSY
 *   fail LINE 0|1     writes of `value` answer EIO
 * Trace, one per line: export, unexport, direction, value, edge, each with the line, and the pin's level after it.
 */
#define FUSE_USE_VERSION 35
#include <errno.h>
#include <fuse.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_LINES = 1024, MAX_CHIPS = 8, TEXT = 64 };
enum edge { EDGE_NONE = 0, EDGE_RISING = 1, EDGE_FALLING = 2, EDGE_BOTH = 3 };
static const char *const edge_words[] = {"none", "rising", "falling", "both"};

struct line {
    int exported, output, active_low, edge;
    int level;        /* what the line drives while it is an output */
    int outside;      /* what the circuit outside drives */
    int busy, fail;
    unsigned events;  /* edges so far */
};
struct chip { char label[TEXT]; int base, ngpio; };
/* One open file. The kernel keeps per open file which event it has seen; so does this. */
struct handle { int line; unsigned seen; struct fuse_pollhandle *waiter; struct handle *next; };

static struct line lines[MAX_LINES];
static struct chip chips[MAX_CHIPS];
static int chip_count;
static struct handle *handles;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int level_of(const struct line *l) { return l->output ? l->level : l->outside; }

static void trace(const char *what, int n, const char *more) {
    printf("%s %d %d%s%s\n", what, n, level_of(&lines[n]), *more ? " " : "", more);
    fflush(stdout);
}

static void wake(int n) {
    for (struct handle *h = handles; h; h = h->next) {
        if (h->line != n || !h->waiter) continue;
        fuse_notify_poll(h->waiter);
        fuse_pollhandle_destroy(h->waiter);
        h->waiter = NULL;
    }
}

/* The level may have changed: an input that watches this edge tells it. */
static void edge_from(int n, int before) {
    struct line *l = &lines[n];
    int now = level_of(l);
    if (now == before || l->output || !l->exported) return;
    int rising = now != l->active_low;
    if (l->edge & (rising ? EDGE_RISING : EDGE_FALLING)) {
        l->events++;
        wake(n);
    }
}

static int chip_of_line(int n) {
    for (int i = 0; i < chip_count; i++)
        if (n >= chips[i].base && n < chips[i].base + chips[i].ngpio) return i;
    return -1;
}

/* What a path is. `name` gets the last part of a line's or chip's file, empty for the folder itself. */
enum kind { NOTHING, ROOT, EXPORT, UNEXPORT, CHIP, LINE };
static enum kind look(const char *path, int *n, char name[16]) {
    int used = 0;
    name[0] = 0;
    if (!strcmp(path, "/")) return ROOT;
    if (!strcmp(path, "/export")) return EXPORT;
    if (!strcmp(path, "/unexport")) return UNEXPORT;
    int is_chip = sscanf(path, "/gpiochip%d%n", n, &used) == 1;
    if (!is_chip && sscanf(path, "/gpio%d%n", n, &used) != 1) return NOTHING;
    if (path[used] == '/') snprintf(name, 16, "%s", path + used + 1);
    else if (path[used]) return NOTHING;
    if (!is_chip) {
        if (*n < 0 || *n >= MAX_LINES || !lines[*n].exported) return NOTHING;
        int known = !*name || !strcmp(name, "value") || !strcmp(name, "direction") || !strcmp(name, "edge") ||
                    !strcmp(name, "active_low");
        return known ? LINE : NOTHING;
    }
    for (int i = 0; i < chip_count; i++) {
        if (chips[i].base != *n) continue;
        *n = i;
        return !*name || !strcmp(name, "base") || !strcmp(name, "label") || !strcmp(name, "ngpio") ? CHIP : NOTHING;
    }
    return NOTHING;
}

static int op_getattr(const char *path, struct stat *st, struct fuse_file_info *fi) {
    (void)fi;
    int n;
    char name[16];
    pthread_mutex_lock(&lock);
    enum kind kind = look(path, &n, name);
    pthread_mutex_unlock(&lock);
    memset(st, 0, sizeof *st);
    if (kind == NOTHING) return -ENOENT;
    int folder = kind == ROOT || ((kind == CHIP || kind == LINE) && !*name);
    int mode = kind == EXPORT || kind == UNEXPORT ? 0200 : kind == CHIP ? 0444 : 0644;
    st->st_mode = folder ? S_IFDIR | 0755 : (mode_t)(S_IFREG | mode);
    st->st_nlink = folder ? 2 : 1;
    st->st_size = folder ? 0 : 4096;
    return 0;
}

static int op_readdir(const char *path, void *buf, fuse_fill_dir_t fill, off_t off, struct fuse_file_info *fi,
                      enum fuse_readdir_flags flags) {
    (void)off; (void)fi; (void)flags;
    int n;
    char name[16], entry[TEXT];
    static const char *const of_chip[] = {"base", "label", "ngpio", NULL};
    static const char *const of_line[] = {"value", "direction", "edge", "active_low", NULL};
    pthread_mutex_lock(&lock);
    enum kind kind = look(path, &n, name);
    if (kind == ROOT) {
        fill(buf, "export", NULL, 0, 0);
        fill(buf, "unexport", NULL, 0, 0);
        for (int i = 0; i < chip_count; i++) {
            snprintf(entry, sizeof entry, "gpiochip%d", chips[i].base);
            fill(buf, entry, NULL, 0, 0);
        }
        for (int i = 0; i < MAX_LINES; i++) {
            if (!lines[i].exported) continue;
            snprintf(entry, sizeof entry, "gpio%d", i);
            fill(buf, entry, NULL, 0, 0);
        }
    } else {
        for (const char *const *w = kind == CHIP ? of_chip : of_line; *w; w++) fill(buf, *w, NULL, 0, 0);
    }
    pthread_mutex_unlock(&lock);
    return kind == NOTHING ? -ENOENT : 0;
}

static int op_open(const char *path, struct fuse_file_info *fi) {
    int n;
    char name[16];
    pthread_mutex_lock(&lock);
    enum kind kind = look(path, &n, name);
    fi->direct_io = 1;
    fi->fh = 0;
    if (kind == LINE && !strcmp(name, "value")) {
        struct handle *h = calloc(1, sizeof *h);
        h->line = n;
        h->seen = lines[n].events - 1; /* as in the kernel: a file that was never read has something to tell */
        h->next = handles;
        handles = h;
        fi->fh = (uint64_t)(uintptr_t)h;
    }
    pthread_mutex_unlock(&lock);
    return kind == NOTHING ? -ENOENT : 0;
}

static int op_release(const char *path, struct fuse_file_info *fi) {
    (void)path;
    struct handle *h = (struct handle *)(uintptr_t)fi->fh;
    if (!h) return 0;
    pthread_mutex_lock(&lock);
    for (struct handle **at = &handles; *at; at = &(*at)->next)
        if (*at == h) { *at = h->next; break; }
    if (h->waiter) fuse_pollhandle_destroy(h->waiter);
    free(h);
    pthread_mutex_unlock(&lock);
    return 0;
}

static int op_read(const char *path, char *buf, size_t size, off_t off, struct fuse_file_info *fi) {
    int n;
    char name[16], text[TEXT + 2] = "";
    struct handle *h = (struct handle *)(uintptr_t)fi->fh;
    pthread_mutex_lock(&lock);
    enum kind kind = look(path, &n, name);
    const struct line *l = kind == LINE ? &lines[n] : NULL;
    if (l && !strcmp(name, "value")) {
        snprintf(text, sizeof text, "%d\n", level_of(l) ^ l->active_low);
        if (h) h->seen = l->events;
    } else if (l && !strcmp(name, "direction")) snprintf(text, sizeof text, "%s\n", l->output ? "out" : "in");
    else if (l && !strcmp(name, "edge")) snprintf(text, sizeof text, "%s\n", edge_words[l->edge]);
    else if (l) snprintf(text, sizeof text, "%d\n", l->active_low);
    else if (kind == CHIP && !strcmp(name, "label")) snprintf(text, sizeof text, "%s\n", chips[n].label);
    else if (kind == CHIP) snprintf(text, sizeof text, "%d\n", !strcmp(name, "base") ? chips[n].base : chips[n].ngpio);
    pthread_mutex_unlock(&lock);
    if (kind == NOTHING) return -ENODEV; /* the line was unexported under an open file */
    size_t length = strlen(text);
    if ((size_t)off >= length) return 0;
    if (size > length - (size_t)off) size = length - (size_t)off;
    memcpy(buf, text + off, size);
    return (int)size;
}

static int write_export(int n, int on) {
    if (n < 0 || n >= MAX_LINES || chip_of_line(n) < 0) return -EINVAL;
    struct line *l = &lines[n];
    if (on && (l->busy || l->exported)) return -EBUSY;
    if (!on && !l->exported) return -EINVAL;
    l->exported = on;
    if (!on) l->output = l->edge = l->active_low = 0;
    trace(on ? "export" : "unexport", n, "");
    return 0;
}

static int write_line(int n, const char *name, const char *word) {
    struct line *l = &lines[n];
    int high = !strcmp(word, "high"), out = high || !strcmp(word, "low") || !strcmp(word, "out");
    if (!strcmp(name, "value")) {
        if (!l->output) return -EPERM;
        if (l->fail) return -EIO;
        l->level = (atoi(word) != 0) ^ l->active_low;
    } else if (!strcmp(name, "direction")) {
        if (!out && strcmp(word, "in")) return -EINVAL;
        if (out && l->edge) return -EIO; /* a line that interrupts cannot become an output */
        l->output = out;
        if (out) l->level = high;
    } else if (!strcmp(name, "edge")) {
        int edge = 0;
        while (edge <= EDGE_BOTH && strcmp(word, edge_words[edge])) edge++;
        if (edge > EDGE_BOTH) return -EINVAL;
        if (l->output && edge) return -EIO;
        l->edge = edge;
    } else l->active_low = atoi(word) != 0;
    trace(name, n, word);
    return 0;
}

static int op_write(const char *path, const char *buf, size_t size, off_t off, struct fuse_file_info *fi) {
    (void)off; (void)fi;
    int n;
    char name[16], word[TEXT] = "";
    memcpy(word, buf, size < TEXT ? size : TEXT - 1);
    word[strcspn(word, " \n")] = 0;
    pthread_mutex_lock(&lock);
    enum kind kind = look(path, &n, name);
    int result = -ENODEV;
    if (kind == EXPORT || kind == UNEXPORT) result = write_export(atoi(word), kind == EXPORT);
    else if (kind == LINE) result = write_line(n, name, word);
    pthread_mutex_unlock(&lock);
    return result < 0 ? result : (int)size;
}

static int op_truncate(const char *path, off_t size, struct fuse_file_info *fi) {
    (void)path; (void)size; (void)fi;
    return 0; /* writers open with O_TRUNC; sysfs ignores it */
}

static int op_poll(const char *path, struct fuse_file_info *fi, struct fuse_pollhandle *ph, unsigned *revents) {
    (void)path;
    struct handle *h = (struct handle *)(uintptr_t)fi->fh;
    *revents = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
    pthread_mutex_lock(&lock);
    if (h && ph) {
        if (h->waiter) fuse_pollhandle_destroy(h->waiter);
        h->waiter = ph;
    } else if (ph) fuse_pollhandle_destroy(ph);
    if (h && h->seen != lines[h->line].events) *revents |= POLLPRI | POLLERR;
    pthread_mutex_unlock(&lock);
    return 0;
}

/* The bench: what happens on the wires. Its end is the end of the tree. */
static void *bench(void *arg) {
    (void)arg;
    char command[TEXT], what[16];
    int n, on;
    while (fgets(command, sizeof command, stdin)) {
        if (sscanf(command, "%15s %d %d", what, &n, &on) != 3 || n < 0 || n >= MAX_LINES) continue;
        pthread_mutex_lock(&lock);
        int before = level_of(&lines[n]);
        if (!strcmp(what, "drive")) lines[n].outside = on;
        if (!strcmp(what, "busy")) lines[n].busy = on;
        if (!strcmp(what, "fail")) lines[n].fail = on;
        edge_from(n, before);
        trace(what, n, "");
        pthread_mutex_unlock(&lock);
    }
    _exit(0);
}

static void *op_init(struct fuse_conn_info *conn, struct fuse_config *config) {
    (void)conn;
    config->entry_timeout = config->attr_timeout = config->negative_timeout = 0;
    config->direct_io = 1;
    pthread_t thread;
    pthread_create(&thread, NULL, bench, NULL);
    puts("ready");
    fflush(stdout);
    return NULL;
}

static const struct fuse_operations operations = {
    .init = op_init, .getattr = op_getattr, .readdir = op_readdir, .open = op_open, .release = op_release,
    .read = op_read, .write = op_write, .truncate = op_truncate, .poll = op_poll,
};

int main(int argc, char **argv) {
    char *fuse_argv[] = {argv[0], "-f", "-s", argc > 1 ? argv[1] : "", NULL};
    for (int i = 2; i < argc && chip_count < MAX_CHIPS; i++, chip_count++) {
        struct chip *c = &chips[chip_count];
        if (sscanf(argv[i], "%63[^:]:%d:%d", c->label, &c->base, &c->ngpio) != 3) return 2;
    }
    if (chip_count == 0) {
        fputs("usage: gpio_fuse MOUNTPOINT LABEL:BASE:NGPIO [LABEL:BASE:NGPIO ...]\n", stderr);
        return 2;
    }
    return fuse_main(4, fuse_argv, &operations, NULL);
}
