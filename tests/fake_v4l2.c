/* A webcam for tests, preloaded into a process: /dev/video0 as a UVC driver would serve it.
 *
 * Raw pictures (YUYV, grey) up to 640x480, Motion JPEG up to 1280x720, 30 a second. The first letter in the
 * file that FAKE_V4L2_STATE names says how it fares: o(k), s(ilent), u(nplugged). The JPEG picture is in the
 * file that FAKE_V4L2_JPEG names. The device is a timer, so that poll and select work as on a real one.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { BUFFERS = 4, BYTES = 1280 * 720 * 2 };

static int device = -1, queued, next_buffer;
static void *memory[BUFFERS];
static struct v4l2_pix_format format = {.width = 640, .height = 480, .pixelformat = V4L2_PIX_FMT_YUYV};

static char state(void) {
    FILE *file = fopen(getenv("FAKE_V4L2_STATE"), "r");
    int letter = file ? fgetc(file) : 'u';
    if (file) fclose(file);
    return (char)letter;
}

static int fail(int why) {
    errno = why;
    return -1;
}

static void tick(long nanoseconds) {
    struct itimerspec every = {{0, nanoseconds}, {0, nanoseconds}};
    timerfd_settime(device, 0, &every, NULL);
}

static int set_format(struct v4l2_format *asked) {
    struct v4l2_pix_format *pix = &asked->fmt.pix;
    int jpeg = pix->pixelformat == V4L2_PIX_FMT_MJPEG;
    unsigned widest = jpeg ? 1280 : 640, highest = jpeg ? 720 : 480;
    pix->pixelformat = jpeg ? V4L2_PIX_FMT_MJPEG : V4L2_PIX_FMT_YUYV;
    pix->width = pix->width < widest ? pix->width : widest;
    pix->height = pix->height < highest ? pix->height : highest;
    pix->bytesperline = jpeg ? 0 : pix->width * 2;
    pix->sizeimage = BYTES;
    format = *pix;
    return 0;
}

static int dequeue(struct v4l2_buffer *buffer) {
    unsigned long long due;
    struct timespec now;
    if (state() == 's' || queued == 0 || read(device, &due, sizeof due) != sizeof due) return fail(EAGAIN);
    clock_gettime(CLOCK_MONOTONIC, &now);
    buffer->index = next_buffer;
    buffer->length = BYTES;
    next_buffer = (next_buffer + 1) % BUFFERS;
    buffer->timestamp.tv_sec = now.tv_sec;
    buffer->timestamp.tv_usec = now.tv_nsec / 1000;
    memset(memory[buffer->index], 128, BYTES);
    buffer->bytesused = format.width * format.height * 2;
    if (format.pixelformat == V4L2_PIX_FMT_MJPEG) {
        FILE *file = fopen(getenv("FAKE_V4L2_JPEG"), "rb");
        buffer->bytesused = fread(memory[buffer->index], 1, BYTES, file);
        fclose(file);
    }
    queued--;
    return 0;
}

static int answer(unsigned long request, void *data) {
    struct v4l2_capability *caps = data;
    struct v4l2_fmtdesc *description = data;
    struct v4l2_frmsizeenum *size = data;
    struct v4l2_frmivalenum *interval = data;
    struct v4l2_buffer *buffer = data;
    switch ((unsigned)request) {
    case VIDIOC_QUERYCAP:
        strcpy((char *)caps->card, "Fake Webcam");
        caps->capabilities = V4L2_CAP_DEVICE_CAPS | V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        caps->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        return 0;
    case VIDIOC_ENUM_FMT:
        if (description->index > 1) return fail(EINVAL);
        description->pixelformat = description->index ? V4L2_PIX_FMT_MJPEG : V4L2_PIX_FMT_YUYV;
        return 0;
    case VIDIOC_ENUM_FRAMESIZES:
        if (size->index) return fail(EINVAL);
        size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
        size->discrete.width = size->pixel_format == V4L2_PIX_FMT_MJPEG ? 1280 : 640;
        size->discrete.height = size->pixel_format == V4L2_PIX_FMT_MJPEG ? 720 : 480;
        return 0;
    case VIDIOC_ENUM_FRAMEINTERVALS:
        if (interval->index) return fail(EINVAL);
        interval->type = V4L2_FRMIVAL_TYPE_DISCRETE;
        interval->discrete.numerator = 1;
        interval->discrete.denominator = 30;
        return 0;
    case VIDIOC_S_FMT:
    case VIDIOC_TRY_FMT:
        return set_format(data);
    case VIDIOC_G_FMT:
        ((struct v4l2_format *)data)->fmt.pix = format;
        return 0;
    case VIDIOC_S_PARM:
    case VIDIOC_G_PARM:
        ((struct v4l2_streamparm *)data)->parm.capture.timeperframe.numerator = 1;
        ((struct v4l2_streamparm *)data)->parm.capture.timeperframe.denominator = 30;
        return 0;
    case VIDIOC_REQBUFS:
        queued = next_buffer = 0;
        if (((struct v4l2_requestbuffers *)data)->count > BUFFERS)
            ((struct v4l2_requestbuffers *)data)->count = BUFFERS;
        return 0;
    case VIDIOC_QUERYBUF:
        buffer->length = BYTES;
        buffer->m.offset = buffer->index * BYTES;
        return 0;
    case VIDIOC_QBUF:
        queued++;
        return 0;
    case VIDIOC_DQBUF:
        return dequeue(buffer);
    case VIDIOC_STREAMON:
        tick(1000000000 / 30);
        return 0;
    case VIDIOC_STREAMOFF:
        tick(0);
        return 0;
    default:
        return fail(EINVAL);
    }
}

static int open_device(void) {
    if (state() == 'u') return fail(ENOENT);
    if (device >= 0) return fail(EBUSY);
    return device = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
}

#define OPEN(name)                                                       \
    int name(const char *path, int flags, ...) {                         \
        va_list rest;                                                    \
        va_start(rest, flags);                                           \
        int mode = va_arg(rest, int);                                    \
        va_end(rest);                                                    \
        if (strcmp(path, "/dev/video0") == 0) return open_device();      \
        return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name))(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

int close(int file) {
    if (file == device) device = -1;
    return ((int (*)(int))dlsym(RTLD_NEXT, "close"))(file);
}

int ioctl(int file, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    void *data = va_arg(rest, void *);
    va_end(rest);
    if (file < 0 || file != device)
        return ((int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl"))(file, request, data);
    return state() == 'u' ? fail(ENODEV) : answer(request, data);
}

int poll(struct pollfd *files, nfds_t count, int timeout) {
    if (count == 1 && files->fd == device && device >= 0) {
        if (state() == 's') tick(0);
        if (state() == 'u') {
            files->revents = POLLERR | POLLHUP;
            return 1;
        }
    }
    return ((int (*)(struct pollfd *, nfds_t, int))dlsym(RTLD_NEXT, "poll"))(files, count, timeout);
}

#define MMAP(name, offset_t)                                                                         \
    void *name(void *address, size_t length, int protection, int flags, int file, offset_t offset) { \
        void *(*real)(void *, size_t, int, int, int, offset_t) = dlsym(RTLD_NEXT, #name);            \
        if (file < 0 || file != device) return real(address, length, protection, flags, file, offset); \
        void *made = real(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);              \
        return memory[offset / BYTES] = made;                                                        \
    }
MMAP(mmap, off_t)
MMAP(mmap64, off64_t)
