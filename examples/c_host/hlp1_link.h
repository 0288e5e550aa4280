/* One end of an HLP/1 link in C99, for any host: frames, checksum, heartbeat, lease, retry; serial ports and TCP.
 * TRAINING SIMULATOR - NOT A MEDICAL DEVICE.
 *
 * To be included once. It asks one thing at a time, and knows nothing of sessions. All waiting is done in next_frame(),
 * which beats meanwhile, so no wait costs the lease. What cannot be gone on with ends the program by fail(). */
#ifndef HLP1_LINK_H
#define HLP1_LINK_H

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "hlp1.h"

enum { STUCK_MS = 5000 };      /* how long a line may take no bytes, or a connection to be made */
enum { LEAST_BEAT_MS = 50 };   /* however little a WELCOME asks for: a heartbeat of 0 would be sent without end */
enum found { NOTHING, GOOD, OVERSIZE, BAD_COBS, TOO_SHORT, BAD_CRC, BAD_LENGTH };
enum result { DONE, REFUSED, FAILED, ABORTED, INTERRUPTED };

struct frame { struct hlp1_header header; uint8_t payload[HLP1_MAX_PAYLOAD_SIZE + HLP1_CRC_SIZE]; };
struct decoder { uint8_t kept[HLP1_MAX_ENCODED_SIZE]; size_t used; bool discarding; };
struct link {
    int fd, heartbeat_ms, lease_ms;           /* a lease of 0 never ends */
    struct decoder decoder;
    uint8_t bytes[512]; size_t at, got;       /* read, and not yet looked at */
    struct frame frame;                       /* the last good one */
    uint16_t seq, link_id, correlation_id;
    int64_t sent_at, heard_at, naked_at;      /* ms of this machine's clock */
    uint32_t uptime_offset_ms;                /* device uptime minus that clock */
    uint8_t state;                            /* the device's, as it last said */
    bool deaf;                                /* SIGINT interrupts nothing any more */
    unsigned retries, bad_frames, strays;
    const char *at_stake;                     /* what is added to the one line that tells of a lost link */
    struct { uint8_t code, interlock; char sentence[121]; } no; /* why the last command was not done */
};

static volatile sig_atomic_t interrupted;
static void on_interrupt(int number) { (void)number; interrupted = 1; }

static void fail(int code, const char *format, ...) {
    va_list values;
    va_start(values, format);
    fputs("c_host: ", stderr), vfprintf(stderr, format, values), fputs("\n", stderr);
    exit(code);
}

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- frames ---- */

static uint32_t crc32c(const uint8_t *data, size_t size) {
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1u ? 0x82F63B78u : 0u);
    }
    return ~crc;
}

/* COBS of at most 253 bytes, between two zeros; returns how many came out: size + 3. */
static size_t stuff(const uint8_t *data, size_t size, uint8_t *wire) {
    size_t code = 1, out = 2;
    wire[0] = 0;
    for (size_t i = 0; i < size; i++) {
        if (data[i]) { wire[out++] = data[i]; continue; }
        wire[code] = (uint8_t)(out - code), code = out++;
    }
    wire[code] = (uint8_t)(out - code), wire[out++] = 0;
    return out;
}

/* What stood between two zeros, as a frame. The order of the checks is the specification's. */
static enum found decode(const uint8_t *stuffed, size_t size, struct frame *frame) {
    uint8_t body[HLP1_MAX_ENCODED_SIZE];
    size_t in = 0, out = 0;
    uint32_t crc;
    while (in < size) {
        size_t run = stuffed[in++] - 1u; /* never 0 - 1: there is no zero between zeros */
        if (run > size - in) return BAD_COBS;
        memcpy(body + out, stuffed + in, run), in += run, out += run;
        if (in < size) body[out++] = 0;
    }
    if (out < HLP1_HEADER_SIZE + HLP1_CRC_SIZE) return TOO_SHORT;
    out -= HLP1_CRC_SIZE;
    memcpy(&crc, body + out, sizeof crc);
    if (crc != crc32c(body, out)) return BAD_CRC;
    if (body[offsetof(struct hlp1_header, payload_size)] != out - HLP1_HEADER_SIZE) return BAD_LENGTH;
    memcpy(frame, body, out);
    return GOOD;
}

/* Takes the next byte off the wire; `frame` is written only where GOOD is returned. */
static enum found feed(struct decoder *d, uint8_t byte, struct frame *frame) {
    size_t size = d->used;
    if (byte && d->discarding) return NOTHING;
    if (byte && size < sizeof d->kept) { d->kept[d->used++] = byte; return NOTHING; }
    d->used = 0, d->discarding = byte != 0; /* too long: said once, and skipped up to the next zero */
    return byte ? OVERSIZE : size ? decode(d->kept, size, frame) : NOTHING;
}

/* ---- the link ---- */

static void lost(const struct link *l, const char *why) {
    if (!l->link_id) fail(3, "no link: %s", why);
    fail(1, "link lost: %s%s", why, l->at_stake ? l->at_stake : "");
}

static void send_frame(struct link *l, unsigned kind, unsigned flags, struct hlp1_header header, const void *payload) {
    uint8_t body[HLP1_MAX_FRAME_SIZE], wire[HLP1_MAX_FRAME_SIZE];
    size_t size = HLP1_HEADER_SIZE + (size_t)header.payload_size, sent = 0;
    header.major_and_kind = (uint8_t)(HLP1_MAJOR << 4 | kind), header.flags = (uint8_t)flags;
    header.link_id = l->link_id;
    memcpy(body, &header, HLP1_HEADER_SIZE);
    if (payload) memcpy(body + HLP1_HEADER_SIZE, payload, header.payload_size);
    uint32_t crc = crc32c(body, size);
    memcpy(body + size, &crc, sizeof crc);
    for (size = stuff(body, size + sizeof crc, wire); sent < size;) {
        struct pollfd line = {.fd = l->fd, .events = POLLOUT};
        ssize_t n = write(l->fd, wire + sent, size - sent);
        if (n < 0 && errno != EAGAIN && errno != EINTR) lost(l, strerror(errno));
        /* While the line is full nothing else can be said either, so here waiting costs nothing. */
        if (n < 0 && errno == EAGAIN && poll(&line, 1, STUCK_MS) == 0) lost(l, "it takes no more bytes");
        sent += n > 0 ? (size_t)n : 0;
    }
    l->sent_at = now_ms();
}

static void tell(struct link *l, uint16_t id, uint16_t correlation_id, const void *payload, uint8_t size) {
    struct hlp1_header header = {.message_id = id, .seq = ++l->seq, .correlation_id = correlation_id};
    header.payload_size = size;
    send_frame(l, HLP1_KIND_LINK, 0, header, payload);
}

/* Copies the fixed fields of the last frame; what is behind them is an array, or of a later minor. */
static void take(struct link *l, void *out, size_t size) {
    if (l->frame.header.payload_size < size) lost(l, "a payload is too short for its message");
    memcpy(out, l->frame.payload, size);
}

/* Whether a good frame may be acted on. Where it must not be, its sender is told, ten times a second at most; a NAK is
 * never answered, or two ends that do not understand each other would never stop. */
static bool acceptable(struct link *l, const struct hlp1_header *header) {
    bool major = header->major_and_kind >> 4 == HLP1_MAJOR, link = (header->major_and_kind & 15) == HLP1_KIND_LINK;
    if (major && !(header->flags & HLP1_FLAG_MUST_UNDERSTAND)) {
        if (header->link_id == l->link_id || (!l->link_id && link)) return true;
        l->strays++; /* of another link: it renews nothing */
    } else if (!(link && header->message_id == HLP1_MSG_NAK) && now_ms() - l->naked_at >= 100) {
        struct hlp1_nak no = {.code = major ? HLP1_CODE_E_UNSUPPORTED : HLP1_CODE_E_VERSION, .seq = header->seq};
        l->naked_at = now_ms();
        tell(l, HLP1_MSG_NAK, header->correlation_id, &no, sizeof no);
    }
    return false;
}

/* Waits for a frame of this link and beats meanwhile; false when it is `until`, or on SIGINT. */
static bool next_frame(struct link *l, int64_t until) {
    for (;;) {
        while (l->at < l->got) {
            enum found found = feed(&l->decoder, l->bytes[l->at++], &l->frame);
            l->bad_frames += found > GOOD; /* never answered: nothing in such bytes can be trusted */
            if (found == GOOD && acceptable(l, &l->frame.header)) {
                l->heard_at = now_ms();
                return true;
            }
        }
        int64_t now = now_ms(), beat_ms = l->heartbeat_ms > LEAST_BEAT_MS ? l->heartbeat_ms : LEAST_BEAT_MS;
        int64_t beat_at = l->link_id ? l->sent_at + beat_ms : until;
        if (l->link_id && l->lease_ms && now - l->heard_at > l->lease_ms) lost(l, "nothing was heard for the lease");
        if (l->link_id && now >= beat_at) { tell(l, HLP1_MSG_HOST_HEARTBEAT, 0, NULL, 0); continue; }
        if (now >= until || (interrupted && !l->deaf)) return false;
        int64_t wait = (until < beat_at ? until : beat_at) - now;
        struct pollfd line = {.fd = l->fd, .events = POLLIN};
        if (poll(&line, 1, wait < 100 ? (int)wait : 100) <= 0) continue; /* so that lease and SIGINT are not missed */
        ssize_t n = read(l->fd, l->bytes, sizeof l->bytes);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) lost(l, n ? strerror(errno) : "it was closed");
        l->at = 0, l->got = n > 0 ? (size_t)n : 0;
    }
}

/* What answers nothing. Returns the correlation id that a heartbeat says is running, -1 for anything else. */
static int told(struct link *l) {
    unsigned kind = l->frame.header.major_and_kind & 15u, id = l->frame.header.message_id;
    struct hlp1_heartbeat beat;
    struct hlp1_alarm alarm;
    if (kind == HLP1_KIND_ALARM && id == HLP1_MSG_ALARM) {
        take(l, &alarm, sizeof alarm);
        printf("alarm MC-%04u in state %u\n", alarm.code, alarm.state);
    } else if (kind == HLP1_KIND_LINK && id == HLP1_MSG_HEARTBEAT) {
        take(l, &beat, sizeof beat);
        l->state = beat.state, l->uptime_offset_ms = beat.uptime_ms - (uint32_t)now_ms();
        return beat.running_correlation_id;
    } else if (kind == HLP1_KIND_LINK && id == HLP1_MSG_BYE) {
        lost(l, "the device said BYE");
    } else if (kind == HLP1_KIND_LINK && id == HLP1_MSG_NAK && l->link_id && l->frame.payload[0] == HLP1_CODE_E_LINK) {
        lost(l, "the device does not know it any more");
    }
    return -1;
}

/* Keeps why a command did not end in DONE. All four such answers begin with a code and end with a sentence. */
static enum result explain(struct link *l, enum result result, size_t size) {
    const uint8_t *payload = l->frame.payload, *text = payload + size - sizeof l->no.sentence + 1;
    if (l->frame.header.payload_size < size) lost(l, "a payload is too short for its message");
    l->no.code = payload[0];
    l->no.interlock = size == HLP1_SIZE_REFUSED || size == HLP1_SIZE_FAILED ? payload[1] : 0;
    for (size_t i = 0; i + 1 < sizeof l->no.sentence; i++) /* no control character of a peer reaches a terminal */
        l->no.sentence[i] = (char)(text[i] == 127 || (text[i] && text[i] < 32) ? '?' : text[i]);
    return result;
}

/* Sends a command, or HELLO, and waits for what ends it. A retry keeps seq and correlation id, so that the device
 * carries it out once, whatever the line does. After DONE the answer is in l->frame; else l->no says why. */
static enum result ask(struct link *l, uint16_t id, const void *payload, size_t size) {
    unsigned kind = id == HLP1_MSG_HELLO ? HLP1_KIND_LINK : HLP1_KIND_COMMAND, tries = 1;
    if (!++l->correlation_id) ++l->correlation_id; /* 0 means that nobody asked */
    struct hlp1_header header = {.message_id = id, .seq = ++l->seq, .correlation_id = l->correlation_id};
    header.payload_size = (uint8_t)size;
    send_frame(l, kind, HLP1_FLAG_REPLY_WANTED, header, payload);
    int64_t rto = HLP1_FIRST_RTO_MS, due = now_ms() + rto;
    for (;;) {
        if (!next_frame(l, due)) {
            if (interrupted && !l->deaf) {
                strcpy(l->no.sentence, "interrupted");
                return INTERRUPTED;
            }
            if (tries++ >= HLP1_MAX_TRIES) lost(l, "no answer");
            send_frame(l, kind, HLP1_FLAG_REPLY_WANTED | HLP1_FLAG_RETRANSMIT, header, payload);
            l->retries++, rto = rto * 3 / 2, due = now_ms() + rto;
            continue;
        }
        unsigned answer = l->frame.header.major_and_kind & 15u, number = l->frame.header.message_id;
        bool reply = answer == HLP1_KIND_REPLY, link = answer == HLP1_KIND_LINK;
        if (l->frame.header.correlation_id != l->correlation_id) {
            int running = told(l);
            /* Received, quiet, and not what runs: its end was lost on the way, so it is asked for again. */
            if (tries == 0 && running >= 0 && running != l->correlation_id) due = now_ms();
        } else if (answer == HLP1_KIND_PROGRESS || (reply && number == HLP1_MSG_RECEIVED)) {
            struct hlp1_progress progress = {0};
            if (reply) take(l, &progress.expected_ms, sizeof progress.expected_ms);
            else take(l, &progress, sizeof progress);
            tries = 0, rto = HLP1_FIRST_RTO_MS; /* it has five tries again, should it fall silent */
            due = now_ms() + 2 * (int64_t)progress.expected_ms + 3 * l->heartbeat_ms;
        } else if ((reply && number == id) || (link && number == HLP1_MSG_WELCOME && id == HLP1_MSG_HELLO)) {
            return DONE;
        } else if (link && number == HLP1_MSG_NAK) {
            return explain(l, REFUSED, HLP1_SIZE_NAK); /* as good as a refusal */
        } else if (reply && number == HLP1_MSG_REFUSED) {
            return explain(l, REFUSED, HLP1_SIZE_REFUSED);
        } else if (reply && number == HLP1_MSG_FAILED) {
            return explain(l, FAILED, HLP1_SIZE_FAILED);
        } else if (reply && number == HLP1_MSG_ABORTED) {
            return explain(l, ABORTED, HLP1_SIZE_ABORTED);
        }
    }
}

static void rest(struct link *l, int64_t ms) {
    for (int64_t end = now_ms() + ms; next_frame(l, end);) told(l);
}

static int open_serial(const char *path) {
    struct termios raw;
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || tcgetattr(fd, &raw)) fail(3, "no device: %s: %s", path, strerror(errno));
    raw.c_iflag = raw.c_oflag = raw.c_lflag = 0; /* every byte as it is */
    raw.c_cflag = CS8 | CREAD | CLOCAL, raw.c_cc[VMIN] = 1, raw.c_cc[VTIME] = 0;
    cfsetispeed(&raw, B115200), cfsetospeed(&raw, B115200);
    if (tcsetattr(fd, TCSANOW, &raw)) fail(3, "no device: %s: %s", path, strerror(errno));
    return fd;
}

/* 0, or why there is no connection; the socket does not block any more. */
static int connect_in_time(int fd, const struct addrinfo *a) {
    struct pollfd line = {.fd = fd, .events = POLLOUT};
    int error = 0;
    socklen_t size = sizeof error;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    if (connect(fd, a->ai_addr, a->ai_addrlen) == 0) return 0;
    if (errno != EINPROGRESS) return errno;
    if (poll(&line, 1, STUCK_MS) <= 0) return ETIMEDOUT;
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) ? errno : error;
}

static int open_tcp(const char *url, const char *where) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    char name[256];
    const char *colon = strrchr(where, ':');
    size_t size = colon ? (size_t)(colon - where) : 0;
    if (size && *where == '[' && where[size - 1] == ']') where++, size -= 2;
    if (!size || size >= sizeof name || strspn(colon + 1, "0123456789") != strlen(colon + 1) || !colon[1])
        fail(2, "HANDPIECE_URL %s needs a host and a port, as in tcp://127.0.0.1:7777", url);
    memcpy(name, where, size), name[size] = 0;
    int fd = -1, error = getaddrinfo(name, colon + 1, &hints, &found);
    if (error) fail(3, "no device at %s: %s", url, gai_strerror(error));
    for (struct addrinfo *a = found; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);
        if (fd >= 0 && (error = connect_in_time(fd, a)) != 0) close(fd), fd = -1;
    }
    freeaddrinfo(found);
    if (fd < 0) fail(3, "no device at %s: %s", url, strerror(error));
    return fd;
}

/* The transport behind a device URL. Ends the program where there is none: 2 for a bad URL, 3 for no device. */
static int open_url(const char *url) {
    const char *form = "serial:///dev/ttyUSB0 or tcp://127.0.0.1:7777";
    if (!url || !*url) fail(2, "HANDPIECE_URL is not set; run under `firmware-sim exec`, or set it to %s", form);
    if (strncmp(url, "tcp://", 6) == 0) return open_tcp(url, url + 6);
    if (strncmp(url, "serial:///", 10) != 0) fail(2, "HANDPIECE_URL %s is not of the form %s", url, form);
    if (strchr(url, '?')) fail(2, "HANDPIECE_URL %s: this host takes no options; it opens ports at 115200 baud", url);
    return open_serial(url + 9);
}

#endif
