/* Stands in for a device of v4l2loopback: preloaded, it answers for /dev/video42 and keeps what is written to it.
 *
 * In the folder $FAKE_LOOPBACK: `log` gets a line for each event ("format W H FOURCC SIZE", "write SECONDS BYTES",
 * "close"); every 10th frame written is kept as frame_N.i420 (every $FAKE_LOOPBACK_EVERYth, where that is set). Files
 * there change the device: `absent`, `busy` (another program feeds it), `kept` (another program keeps it at 320x240
 * YUYV). As version 0.12 with exclusive_caps=1 does, it announces itself as an output again only when a program that
 * streamed to it closes it; until then there is a file `written`. Facts about ioctls and fields: linux/videodev2.h. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define DEVICE "/dev/video42"
#define MOST 1024
enum { OPEN = 1, STREAMS = 2 };

static char ours[MOST];
static long frames;
static struct v4l2_pix_format form;

static int real_open(const char *path, int flags, mode_t mode) {
    static int (*next)(const char *, int, ...);
    if (!next) next = dlsym(RTLD_NEXT, "open");
    return next(path, flags, mode);
}

static const char *inside(const char *name) {
    static __thread char path[4096];
    snprintf(path, sizeof path, "%s/%s", getenv("FAKE_LOOPBACK"), name);
    return path;
}

static int is(const char *name) { return access(inside(name), F_OK) == 0; }

static void note(const char *format, ...) {
    char line[256];
    va_list values;
    va_start(values, format);
    int length = vsnprintf(line, sizeof line, format, values);
    va_end(values);
    int file = real_open(inside("log"), O_WRONLY | O_CREAT | O_APPEND, 0644);
    static ssize_t (*next)(int, const void *, size_t);
    if (!next) next = dlsym(RTLD_NEXT, "write");
    if (file >= 0) {
        if (next(file, line, length) < 0) abort();
        static int (*shut)(int);
        if (!shut) shut = dlsym(RTLD_NEXT, "close");
        shut(file);
    }
}

static int fake_open(const char *path, int flags, mode_t mode) {
    if (strcmp(path, DEVICE)) return real_open(path, flags, mode);
    if (is("absent")) { errno = ENOENT; return -1; }
    int fd = real_open("/dev/null", O_RDWR | (flags & O_CLOEXEC), 0);
    if (fd >= 0 && fd < MOST) ours[fd] = OPEN;
    return fd;
}

int open(const char *path, int flags, ...) {
    va_list values;
    va_start(values, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(values, mode_t) : 0;
    va_end(values);
    return fake_open(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    va_list values;
    va_start(values, flags);
    mode_t mode = flags & (O_CREAT | __O_TMPFILE) ? va_arg(values, mode_t) : 0;
    va_end(values);
    return fake_open(path, flags, mode);
}

int ioctl(int fd, unsigned long request, ...) {
    va_list values;
    va_start(values, request);
    void *what = va_arg(values, void *);
    va_end(values);
    if (fd < 0 || fd >= MOST || !ours[fd]) {
        static int (*next)(int, unsigned long, ...);
        if (!next) next = dlsym(RTLD_NEXT, "ioctl");
        return next(fd, request, what);
    }
    if (request == VIDIOC_QUERYCAP) {
        struct v4l2_capability *able = what;
        memset(able, 0, sizeof *able);
        strcpy((char *)able->driver, "v4l2 loopback");
        strcpy((char *)able->card, "Puppeteer");
        able->device_caps = (is("busy") || is("written") ? V4L2_CAP_VIDEO_CAPTURE : V4L2_CAP_VIDEO_OUTPUT) | V4L2_CAP_READWRITE;
        able->capabilities = able->device_caps | V4L2_CAP_DEVICE_CAPS;
        return 0;
    }
    if (request == VIDIOC_S_FMT) {
        struct v4l2_format *asked = what;
        if (is("busy")) { errno = EBUSY; return -1; }
        if (asked->type != V4L2_BUF_TYPE_VIDEO_OUTPUT) { errno = EINVAL; return -1; }
        struct v4l2_pix_format *pix = &asked->fmt.pix;
        if (is("kept")) {
            pix->width = 320, pix->height = 240, pix->pixelformat = V4L2_PIX_FMT_YUYV;
            form = *pix;
            return 0;
        }
        pix->bytesperline = pix->width;
        pix->sizeimage = pix->width * pix->height * 3 / 2;
        unsigned c = pix->pixelformat;
        note("format %u %u %c%c%c%c %u\n", pix->width, pix->height, c, c >> 8, c >> 16, c >> 24, pix->sizeimage);
        form = *pix;
        return 0;
    }
    if (request == VIDIOC_STREAMON) {
        ours[fd] = STREAMS;
        return 0;
    }
    if (request == VIDIOC_G_FMT) {
        struct v4l2_format *asked = what;
        if (asked->type != V4L2_BUF_TYPE_VIDEO_OUTPUT) { errno = EINVAL; return -1; }
        asked->fmt.pix = form;
        return 0;
    }
    errno = ENOTTY;
    return -1;
}

ssize_t write(int fd, const void *bytes, size_t count) {
    static ssize_t (*next)(int, const void *, size_t);
    if (!next) next = dlsym(RTLD_NEXT, "write");
    if (fd < 0 || fd >= MOST || !ours[fd]) return next(fd, bytes, count);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!is("written")) fclose(fopen(inside("written"), "w"));
    note("write %.6f %zu\n", now.tv_sec + now.tv_nsec / 1e9, count);
    const char *every = getenv("FAKE_LOOPBACK_EVERY");
    if (frames++ % (every ? atol(every) : 10) == 0) {
        char name[64];
        snprintf(name, sizeof name, "frame_%04ld.i420", frames - 1);
        FILE *file = fopen(inside(name), "wb");
        if (!file || fwrite(bytes, 1, count, file) != count || fclose(file)) abort();
    }
    return count;
}

int close(int fd) {
    static int (*next)(int);
    if (!next) next = dlsym(RTLD_NEXT, "close");
    if (fd >= 0 && fd < MOST && ours[fd]) {
        if (ours[fd] == STREAMS) unlink(inside("written"));
        ours[fd] = 0;
        note("close\n");
    }
    return next(fd);
}
