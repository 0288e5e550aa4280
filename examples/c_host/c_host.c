/* A host in C99: one session of 30 cores against a handpiece, with nothing but libc, POSIX and hlp1.h.
 * TRAINING SIMULATOR - NOT A MEDICAL DEVICE.
 *
 * Exit codes: 0 closed, and both ends counted the same; 1 ended otherwise; 2 bad HANDPIECE_URL; 3 no device or link.
 * Replies steer it; what it counts is its own fold of the device's journal, and nothing else. All waiting is done in
 * next_frame(), which beats meanwhile, so no wait costs the lease. */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#define HLP1_FRAMES
#define HLP1_CHECKS
#include "hlp1.h"

#define fail(code, ...) (fprintf(stderr, "c_host: " __VA_ARGS__), fputc('\n', stderr), exit(code))
enum { TARGET = 30, CELLS = 3, COVERAGE_BP = 400, DEPTH_UM = 3000, PUNCH_VALID_MS = 3000, STUCK_MS = 5000 };
enum { MAX_REMEDIES = 20, PAUSE_MS = 500, MOST_PATH = 4096 }; /* 20 in a row: 10 s, time to find a leak */
enum result { DONE, REFUSED, STOPPED, INTERRUPTED }; /* REFUSED: nothing was begun. STOPPED: begun, and not finished */

static volatile sig_atomic_t interrupted;
static struct link {
    int fd, heartbeat_ms, lease_ms;              /* a lease of 0 never ends */
    struct hlp1_decoder decoder;
    struct hlp1_frame frame;                     /* the last good one of this link */
    uint16_t seq, id, correlation_id;
    int64_t sent_at, heard_at;                   /* ms of this machine's clock */
    uint32_t uptime_offset_ms;                   /* device uptime minus that clock */
    uint8_t state, interlock;                    /* the device's, as it last said; what stopped the last command */
    char sentence[121];                          /* why it was not done */
    unsigned retries, bad_frames; bool deaf;     /* SIGINT interrupts nothing any more */
    int64_t second_at; unsigned naks;            /* NAKs of the second that began then */
} l;
static struct host {
    struct hlp1_welcome welcome;
    struct hlp1_session_open_done session;
    struct { uint32_t cycles, completed, aborted, ambiguous, punctures, cores_counted; } fold;
    uint32_t cursor, next_cycle_no, problems;    /* of the fold: next record, next cycle, what cannot be explained */
    uint32_t cycle_no, counted;                  /* the last number used; what the last COUNT said */
    uint8_t cells_used, cycles_left, flagged;    /* cycles that fit the present cell; needles held to be clogged */
    unsigned remedies; bool numbed, confirmed, armed, closed;
} h;

static void on_interrupt(int number) { (void)number; interrupted = 1; }
static void lost(const char *why) {
    if (!l.id) fail(3, "no link: %s", why);
    fail(1, "link lost: %s%s", why, h.session.session_no && !h.closed ? "; the session stays open on the device" : "");
}

static int64_t now_ms(void) {
    struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void send_frame(unsigned kind, unsigned flags, struct hlp1_header header, const void *payload) {
    struct hlp1_frame frame = {.header = header}; uint8_t wire[HLP1_MAX_FRAME_SIZE];
    frame.header.major_and_kind = (uint8_t)(HLP1_MAJOR << 4 | kind), frame.header.flags = (uint8_t)flags;
    if (payload) memcpy(frame.payload, payload, header.payload_size);
    for (size_t size = hlp1_encode(&frame, wire), sent = 0; sent < size;) {
        struct pollfd line = {.fd = l.fd, .events = POLLOUT}; ssize_t n = write(l.fd, wire + sent, size - sent);
        if (n < 0 && errno != EAGAIN && errno != EINTR) lost(strerror(errno));
        /* While the line is full nothing else can be said either, so here waiting costs nothing. */
        if (n < 0 && errno == EAGAIN && poll(&line, 1, STUCK_MS) == 0) lost("it takes no more bytes");
        sent += n > 0 ? (size_t)n : 0;
    }
    l.sent_at = now_ms();
}

static void tell(uint16_t id, const void *payload, uint8_t size) {
    struct hlp1_header header = {.message_id = id, .seq = ++l.seq, .link_id = l.id, .payload_size = size};
    send_frame(HLP1_KIND_LINK, 0, header, payload);
}

/* Says of a frame that it cannot be taken, on the link that it names; ten times a second at most, and of no NAK. */
static void nak(const struct hlp1_header *about, unsigned code, uint32_t expected, uint32_t actual, const char *why) {
    struct hlp1_nak nak = {(uint8_t)code, about->seq, expected, actual, ""};
    struct hlp1_header header = {.message_id = HLP1_MSG_NAK, .link_id = about->link_id, .payload_size = sizeof nak};
    int64_t now = now_ms(), beaten_at = l.sent_at;
    if ((about->major_and_kind & 15) == HLP1_KIND_LINK && about->message_id == HLP1_MSG_NAK) return;
    if (now - l.second_at >= 1000) l.second_at = now, l.naks = 0;
    if (l.naks++ >= 10) return;
    strncpy(nak.sentence, why, sizeof nak.sentence - 1);
    header.seq = ++l.seq, header.correlation_id = about->correlation_id;
    send_frame(HLP1_KIND_LINK, 0, header, &nak);
    if (about->link_id != l.id) l.sent_at = beaten_at; /* on our link nothing was said by that */
}

/* Copies the fixed fields of the last frame; what is behind them is an array, or of a later minor. */
static void take(void *out, size_t size) { if (size) memcpy(out, l.frame.payload, size); }

/* Whether a good frame can be taken: of this link, sound, and not our own on a line that echoes. Any other renews
 * nothing. Before WELCOME, what is of an earlier link is nobody's. */
static bool takes(const struct hlp1_header *header) {
    unsigned kind = header->major_and_kind & 15, major = header->major_and_kind >> 4, id = header->message_id;
    const struct hlp1_message *of = hlp1_message_of(kind, id);
    const char *field = of ? hlp1_wrong_field(of, l.frame.payload, header->payload_size) : NULL;
    bool own = kind == HLP1_KIND_COMMAND || id == HLP1_MSG_HELLO || id == HLP1_MSG_HOST_HEARTBEAT;
    bool link = l.id ? header->link_id == l.id : kind == HLP1_KIND_LINK;
    if (own) return false;
    if (major != HLP1_MAJOR) nak(header, HLP1_CODE_E_VERSION, HLP1_MAJOR, major, "that is another major version");
    else if (header->flags & HLP1_FLAG_MUST_UNDERSTAND) nak(header, HLP1_CODE_E_UNSUPPORTED, 0, 0, "unknown flag");
    else if (!link && l.id) nak(header, HLP1_CODE_E_LINK, l.id, header->link_id, "that is not the link of this end");
    else if (link && !of) nak(header, HLP1_CODE_E_UNKNOWN_MESSAGE, 0, id, "unknown message");
    else if (link && field) nak(header, HLP1_CODE_E_ARGUMENT, 0, 0, field);
    else return link;
    return false;
}

/* Waits for a frame of this link and beats meanwhile; false when it is `until`, or on SIGINT. */
static bool next_frame(int64_t until) {
    for (;;) {
        int64_t now = now_ms(), beat_at = l.id ? l.sent_at + l.heartbeat_ms : until;
        int64_t wait = (until < beat_at ? until : beat_at) - now;
        struct pollfd line = {.fd = l.fd, .events = POLLIN}; uint8_t byte;
        if (l.id && l.lease_ms && now - l.heard_at > l.lease_ms) lost("nothing was heard for the lease");
        if (l.id && now >= beat_at) { tell(HLP1_MSG_HOST_HEARTBEAT, NULL, 0); continue; }
        if (now >= until || (interrupted && !l.deaf)) return false;
        if (poll(&line, 1, wait < 100 ? (int)wait : 100) <= 0) continue; /* so that lease and SIGINT are not missed */
        ssize_t n = read(l.fd, &byte, 1);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) lost(n ? strerror(errno) : "it was closed");
        enum hlp1_found found = n < 0 ? HLP1_FOUND_NOTHING : hlp1_feed(&l.decoder, byte, &l.frame);
        l.bad_frames += found > HLP1_FOUND_FRAME; /* never answered: nothing in such bytes can be trusted */
        if (found == HLP1_FOUND_FRAME && takes(&l.frame.header)) { l.heard_at = now; return true; }
    }
}

/* What answers nothing. Returns the correlation id that a heartbeat says is running, -1 for anything else. */
static int told(void) {
    unsigned id = l.frame.header.message_id; struct hlp1_heartbeat beat; struct hlp1_alarm alarm;
    if (id == HLP1_MSG_BYE) lost("the device said BYE");
    if (id == HLP1_MSG_NAK && l.frame.payload[0] == HLP1_CODE_E_LINK) lost("the device does not know it any more");
    if (id == HLP1_MSG_ALARM) take(&alarm, sizeof alarm), printf("alarm MC-%04u: %u\n", alarm.code, alarm.state);
    if (id != HLP1_MSG_HEARTBEAT) return -1;
    take(&beat, sizeof beat), l.state = beat.state, l.uptime_offset_ms = beat.uptime_ms - (uint32_t)now_ms();
    return beat.running_correlation_id;
}

/* Keeps why a command did not end in DONE. All four such answers end with a sentence; a NAK is as good as a refusal. */
static enum result explain(unsigned id) {
    size_t size = id == HLP1_MSG_REFUSED ? HLP1_SIZE_REFUSED : id == HLP1_MSG_FAILED ? HLP1_SIZE_FAILED
                : id == HLP1_MSG_ABORTED ? HLP1_SIZE_ABORTED : HLP1_SIZE_NAK;
    memcpy(l.sentence, l.frame.payload + size + 1 - sizeof l.sentence, sizeof l.sentence - 1);
    for (char *at = l.sentence; *at; at++) if ((*at > 0 && *at < ' ') || *at == 127) *at = '?'; /* for a terminal */
    l.interlock = id == HLP1_MSG_REFUSED || id == HLP1_MSG_FAILED ? l.frame.payload[1] : 0;
    return id == HLP1_MSG_FAILED || id == HLP1_MSG_ABORTED ? STOPPED : REFUSED;
}

/* Sends a command, or HELLO, and waits for what ends it. A retry keeps seq and correlation id, so that the device
 * carries it out once, whatever the line does. After DONE the answer is in `done`; else l.sentence says why. */
static enum result ask(uint16_t id, const void *payload, size_t size, void *done, size_t done_size) {
    unsigned kind = id == HLP1_MSG_HELLO ? HLP1_KIND_LINK : HLP1_KIND_COMMAND, tries = 1;
    if (!++l.correlation_id) ++l.correlation_id; /* 0 means that nobody asked */
    struct hlp1_header header = {.message_id = id, .seq = ++l.seq, .correlation_id = l.correlation_id};
    bool query = id == HLP1_MSG_JOURNAL_READ || id == HLP1_MSG_JOURNAL_ACK;
    struct hlp1_received received = {0};
    header.payload_size = (uint8_t)size, header.link_id = l.id;
    send_frame(kind, HLP1_FLAG_REPLY_WANTED, header, payload);
    for (int64_t rto = HLP1_FIRST_RTO_MS, due = now_ms() + rto;;) {
        if (!next_frame(due)) {
            if (interrupted && !l.deaf) { strcpy(l.sentence, "interrupted"); return INTERRUPTED; }
            if (tries++ >= HLP1_MAX_TRIES) lost("no answer");
            send_frame(kind, HLP1_FLAG_REPLY_WANTED | HLP1_FLAG_RETRANSMIT, header, payload);
            l.retries++, rto = rto * 3 / 2, due = now_ms() + rto;
            continue;
        }
        unsigned number = l.frame.header.message_id;
        if (l.frame.header.correlation_id != l.correlation_id) {
            int running = told();
            /* Received, quiet, and not what runs: its end was lost on the way, so it is asked for again. */
            if (tries == 0 && running >= 0 && running != l.correlation_id) due = now_ms();
        } else if (number == HLP1_MSG_RECEIVED && query) {
            nak(&l.frame.header, HLP1_CODE_E_ARGUMENT, 0, 0, "a query is not received, it is answered");
        } else if (number == HLP1_MSG_RECEIVED || number == HLP1_MSG_PROGRESS) {
            if (number == HLP1_MSG_RECEIVED) take(&received, sizeof received);
            tries = 0, rto = HLP1_FIRST_RTO_MS; /* it has five tries again, should it fall silent */
            due = now_ms() + 2 * (int64_t)received.expected_ms + 3 * l.heartbeat_ms;
        } else if (number == (id == HLP1_MSG_HELLO ? HLP1_MSG_WELCOME : id)) {
            take(done, done_size);
            return DONE;
        } else if (number == HLP1_MSG_NAK || (number >= HLP1_MSG_REFUSED && number <= HLP1_MSG_ABORTED)) {
            return explain(number);
        }
    }
}

static void rest(int64_t ms) { for (int64_t end = now_ms() + ms; next_frame(end);) told(); }

/* The transport behind a device URL. Ends the program where there is none: 2 for a bad URL, 3 for no device. */
static int open_url(const char *url) {
    const char *form = "serial:///dev/ttyUSB0 or tcp://127.0.0.1:7777", *port = "";
    if (!url || !*url) fail(2, "HANDPIECE_URL is not set; run under `firmware-sim exec`, or set it to %s", form);
    if (strncmp(url, "serial:///", 10) == 0 && !strchr(url, '?') && strlen(url) < MOST_PATH) {
        struct termios raw; char path[MOST_PATH], *to = path; int n;
        for (const char *from = url + 9; (*to = *from) != 0; to++, from += n ? n : 1) /* %20 is a space */
            n = 0, sscanf(from, "%%%2hhx%n", (unsigned char *)to, &n);
        int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK); /* 115200 baud, and every byte as it is */
        if (fd < 0 || tcgetattr(fd, &raw)) fail(3, "no device: %s: %s", path, strerror(errno));
        raw.c_iflag = raw.c_oflag = raw.c_lflag = 0, raw.c_cflag = CS8 | CREAD | CLOCAL;
        cfsetispeed(&raw, B115200), cfsetospeed(&raw, B115200), tcsetattr(fd, TCSANOW, &raw);
        return fd;
    }
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    char name[256] = "", *colon, *host;
    if (strncmp(url, "tcp://", 6) == 0 && strlen(url + 6) < sizeof name) strcpy(name, url + 6);
    if ((colon = strrchr(name, ':')) != NULL) *colon = 0, port = colon + 1;
    if (!(host = strtok(name, "[]")) || !*port || strspn(port, "0123456789") != strlen(port))
        fail(2, "HANDPIECE_URL %s is not of the form %s", url, form);
    int fd = -1, error = getaddrinfo(host, port, &hints, &found);
    if (error) fail(3, "no device at %s: %s", url, gai_strerror(error));
    for (struct addrinfo *at = found; at && fd < 0; at = at->ai_next) { /* a name may have several addresses */
        fd = socket(at->ai_family, at->ai_socktype, at->ai_protocol);
        if (fd >= 0 && connect(fd, at->ai_addr, at->ai_addrlen)) error = errno, close(fd), fd = -1, errno = error;
    }
    if (fd < 0) fail(3, "no device at %s: %s", url, strerror(errno));
    freeaddrinfo(found), fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* The journal: what is counted, and nothing else. */
static void fold(const uint8_t *record) {
    struct hlp1_record_cycle c; struct hlp1_record_gap gap;
    memcpy(&c, record, sizeof c), memcpy(&gap, record, sizeof gap);
    h.problems += c.event_no != h.cursor || c.kind == HLP1_RECORD_KIND_GAP;
    h.cursor = c.event_no + (c.kind == HLP1_RECORD_KIND_GAP ? gap.missing : 1);
    h.closed = h.closed || c.kind == HLP1_RECORD_KIND_SESSION_CLOSED;
    if (c.kind != HLP1_RECORD_KIND_CYCLE) return;
    h.problems += c.cycle_no != h.next_cycle_no++; /* each number ends once, in order */
    h.fold.cycles++, h.fold.completed += c.ending == HLP1_ENDING_COMPLETED;
    h.fold.aborted += c.ending == HLP1_ENDING_ABORTED;
    h.fold.ambiguous += c.ending == HLP1_ENDING_AMBIGUOUS;
    for (unsigned needle = 0; needle < c.needles && needle < HLP1_MAX_NEEDLES; needle++) {
        unsigned outcome = c.outcomes >> 4 * needle & 15u;
        h.fold.punctures += outcome != HLP1_NEEDLE_OUTCOME_NOT_PUNCTURED; /* one not known counts as punctured */
        h.fold.cores_counted += outcome == HLP1_NEEDLE_OUTCOME_COUNTED;
    }
}

static enum result read_journal(void) {
    struct hlp1_journal_page page;
    struct hlp1_journal_read from = {.epoch = h.welcome.journal_epoch, .max_records = HLP1_RECORDS_PER_PAGE};
    do {
        from.first = h.cursor;
        enum result result = ask(HLP1_MSG_JOURNAL_READ, &from, sizeof from, &page, sizeof page);
        if (result != DONE) return result;
        for (size_t at = sizeof page; at + HLP1_RECORD_SIZE <= l.frame.header.payload_size; at += HLP1_RECORD_SIZE)
            fold(l.frame.payload + at);
    } while (h.cursor < page.head && h.cursor != from.first); /* nothing new would be asked for for ever */
    /* A host that keeps a log has it on disk before this: the device may now overwrite what was read. */
    struct hlp1_journal_ack ack = {h.welcome.journal_epoch, h.cursor};
    return ask(HLP1_MSG_JOURNAL_ACK, &ack, sizeof ack, NULL, 0);
}

static void greet(void) {
    struct hlp1_hello hello = {.majors = 1u << HLP1_MAJOR, .minor = HLP1_MINOR, .role = HLP1_ROLE_CONTROLLER,
        .schema_id = HLP1_SCHEMA_ID, .host_id = 0xC057u, .max_payload_size = HLP1_MAX_PAYLOAD_SIZE,
        .nonce = (uint32_t)now_ms() ^ (uint32_t)getpid() << 16};
    struct hlp1_welcome *w = &h.welcome;
    if (ask(HLP1_MSG_HELLO, &hello, sizeof hello, w, sizeof *w) != DONE) fail(3, "no link: %s", l.sentence);
    if (!w->link_id || w->link_id != l.frame.header.link_id || w->nonce != hello.nonce) lost("not our WELCOME");
    if (w->schema_id && w->schema_id != HLP1_SCHEMA_ID) lost("the device has another schema: make hlp1.h anew");
    l.id = w->link_id, l.heartbeat_ms = w->heartbeat_idle_ms, l.lease_ms = w->lease_idle_ms, l.state = w->state;
    l.uptime_offset_ms = w->uptime_ms - (uint32_t)now_ms();
    h.cursor = w->journal_head, h.cycle_no = w->cycle_no; /* what is older is of an earlier session */
    if (!w->simulated) fail(3, "the device is no simulator: nothing was begun on it");
    printf("%s\n", HLP1_NOTICE);
    if (w->session_no) fail(1, "session %u is open on the device: close it first", w->session_no);
}

/* Does what is next. */
static enum result step(void) {
    enum result result;
    if (!h.numbed) {
        struct hlp1_anesthesia_start start = {.method = "lidocaine injection"};
        struct hlp1_anesthesia_start_done done;
        if ((result = ask(HLP1_MSG_ANESTHESIA_START, &start, sizeof start, &done, sizeof done)) != DONE) return result;
        h.numbed = true, printf("numbed; the device asks for %u s\n", done.wait_s);
        rest(1000 * ((int64_t)done.wait_s + 1)); /* both ends round to seconds */
    } else if (!h.confirmed) {
        struct hlp1_anesthesia_confirm by = {.confirmed_by = "c_host"};
        if ((result = ask(HLP1_MSG_ANESTHESIA_CONFIRM, &by, sizeof by, NULL, 0)) != DONE) return result;
        h.confirmed = true;
    } else if (!h.armed) {
        l.heartbeat_ms = h.welcome.heartbeat_armed_ms;
        if ((result = ask(HLP1_MSG_ARM, NULL, 0, NULL, 0)) != DONE) return result;
        h.armed = true, l.lease_ms = h.welcome.lease_armed_ms, printf("armed\n"); /* not before: ARM may be lost */
    } else if (h.flagged) {
        struct hlp1_purge_done done;
        if ((result = ask(HLP1_MSG_PURGE, NULL, 0, &done, sizeof done)) != DONE) return result;
        h.flagged = done.flagged, h.remedies += done.flagged != 0;
        printf("purged; needles still clogged: 0x%02x\n", done.flagged);
    } else if (!h.cycles_left) {
        struct hlp1_reposition to = {.cell = h.cells_used}; /* the device refuses one that is not in the plan */
        struct hlp1_reposition_done done;
        if ((result = ask(HLP1_MSG_REPOSITION, &to, sizeof to, &done, sizeof done)) != DONE) return result;
        h.cells_used++, h.cycles_left = done.cycles_left;
        printf("cell %u takes %u cycles\n", done.cell, done.cycles_left);
        return read_journal();
    } else {
        struct hlp1_punch punch = {h.cycle_no + 1, DEPTH_UM, (uint32_t)now_ms() + l.uptime_offset_ms + PUNCH_VALID_MS};
        struct hlp1_advance next = {.cycle_no = punch.cycle_no, .steps = 1}; /* SUCTION and COUNT are its beginning */
        struct hlp1_count_done done;
        result = ask(HLP1_MSG_PUNCH, &punch, sizeof punch, NULL, 0);
        if (result == REFUSED || result == INTERRUPTED) return result; /* refused: the number is still free */
        h.cycle_no = punch.cycle_no;
        if (result == DONE) result = ask(HLP1_MSG_SUCTION, &next, sizeof next.cycle_no, NULL, 0);
        if (result == DONE) result = ask(HLP1_MSG_ADVANCE, &next, sizeof next, NULL, 0);
        if (result == DONE) result = ask(HLP1_MSG_COUNT, &next, sizeof next.cycle_no, &done, sizeof done);
        if (result != DONE) return result;
        h.counted = done.total_cores_counted, h.cycles_left = done.cycles_left, h.flagged = done.flagged;
        printf("cycle %u: %u cores, %u of %u\n", done.cycle_no, done.cores_counted, h.counted, (unsigned)TARGET);
    }
    h.remedies = h.flagged ? h.remedies : 0;
    return DONE;
}

/* Works until the target is counted; false where a person is needed. Suction alone comes back by itself. */
static bool work(void) {
    while (h.counted < TARGET && h.remedies < MAX_REMEDIES) {
        enum result result = step();
        if (result == DONE) continue;
        if (result != INTERRUPTED) printf("%s: %s\n", result == REFUSED ? "refused" : "not done", l.sentence);
        if (result == INTERRUPTED || l.state >= HLP1_DEVICE_STATE_SAFE) return false;
        if (l.interlock != HLP1_INTERLOCK_SUCTION) return false;
        h.remedies++, rest(PAUSE_MS);
    }
    return h.counted >= TARGET;
}

/* Disarms or stops, reads the journal to its end, and closes with the fold of it; the exit code. */
static int close_session(bool completed) {
    l.deaf = true, l.lease_ms = h.welcome.lease_idle_ms;
    if (ask(completed ? HLP1_MSG_DISARM : HLP1_MSG_STOP, NULL, 0, NULL, 0) != DONE)
        printf("not disarmed: %s\n", l.sentence); /* a device that holds itself is closed as it is */
    l.heartbeat_ms = h.welcome.heartbeat_idle_ms;
    if (read_journal() != DONE) fail(1, "the journal cannot be read: %s", l.sentence);
    struct hlp1_session_close close = {.session_no = h.session.session_no,
        .reason = completed ? HLP1_CLOSE_REASON_COMPLETED : HLP1_CLOSE_REASON_ABORTED};
    struct hlp1_session_close_done done;
    memcpy(&close.cycles, &h.fold, sizeof h.fold); /* the same six, in the same order */
    if (ask(HLP1_MSG_SESSION_CLOSE, &close, sizeof close, &done, sizeof done)) fail(1, "not closed: %s", l.sentence);
    if (read_journal() != DONE || !h.closed) h.problems++; /* the close itself is on record, or it was none */
    /* The way out of SAFE, for whoever comes next; it is refused until the needles are seen at home. */
    for (int n = 0; !completed && n < 3 && ask(HLP1_MSG_FAULT_RESET, NULL, 0, NULL, 0) != DONE; n++) rest(PAUSE_MS);
    tell(HLP1_MSG_BYE, &(struct hlp1_bye){.reason = HLP1_BYE_REASON_CLOSING}, sizeof(struct hlp1_bye));
    bool agreed = memcmp(&done.cycles, &h.fold, sizeof h.fold) == 0 && h.problems == 0;
    printf("link: retries=%u bad_frames=%u\n", l.retries, l.bad_frames);
    printf("session=%u %s cycles=%u completed=%u aborted=%u ambiguous=%u punctures=%u cores_counted=%u agreed=%s\n",
           h.session.session_no, completed ? "completed" : "aborted", h.fold.cycles, h.fold.completed,
           h.fold.aborted, h.fold.ambiguous, h.fold.punctures, h.fold.cores_counted, agreed ? "yes" : "no");
    return completed && agreed ? 0 : 1;
}

int main(void) {
    struct { struct hlp1_session_open plan; uint8_t cm2[2]; } open = {
        {.target_cores = TARGET, .coverage_bp = COVERAGE_BP, .depth_um = DEPTH_UM}, {CELLS, 0}}; /* one zone */
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL), sigaction(SIGTERM, &action, NULL), signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0); /* whoever watches sees each step as it is done */
    l.fd = open_url(getenv("HANDPIECE_URL"));
    greet(), l.deaf = true; /* an interrupt before the next answer would leave a session that nobody knows */
    if (ask(HLP1_MSG_SESSION_OPEN, &open, sizeof open, &h.session, sizeof h.session))
        fail(1, "SESSION_OPEN: %s", l.sentence);
    l.deaf = false, h.next_cycle_no = h.session.first_cycle_no;
    return close_session(work());
}
