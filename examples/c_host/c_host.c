/* A host in C: a session of 30 cores against a handpiece, with nothing but libc, POSIX and the two headers beside it.
 * TRAINING SIMULATOR - NOT A MEDICAL DEVICE.
 *
 * Exit codes: 0 closed, and both ends counted the same; 1 ended otherwise; 2 bad HANDPIECE_URL; 3 no device or link.
 * Replies steer it; what it counts is its own fold of the device's journal, and nothing else. */
#define _POSIX_C_SOURCE 200809L
#include "hlp1_link.h"

enum { TARGET = 30, CELLS = 3, COVERAGE_BP = 400, DEPTH_UM = 3000, PUNCH_VALID_MS = 3000 };
enum { MOST_REMEDIES = 60, PAUSE_MS = 500, MOST_PURGES = 5 }; /* 60 x 500 ms: time to find a leak */

struct counts { uint32_t cycles, completed, aborted, ambiguous, punctures, cores_counted; };
struct host {
    struct link link;
    struct hlp1_welcome welcome;
    struct hlp1_session_open_done session;
    struct counts fold;
    uint32_t cursor, next_cycle_no, problems; /* of the fold: next record, next cycle, what cannot be explained */
    uint32_t cycle_no, counted;               /* the last number used; what the last COUNT said */
    uint16_t cells_used;
    uint8_t cycles_left, flagged;             /* cycles that fit the present cell; needles held to be clogged */
    unsigned remedies, purges;                /* in a row */
    bool numbed, confirmed, armed, closed;
};

static void greet(struct host *h) {
    struct hlp1_hello hello = {.majors = 1u << HLP1_MAJOR, .minor = HLP1_MINOR, .role = HLP1_ROLE_CONTROLLER,
        .schema_id = HLP1_SCHEMA_ID, .host_id = 0xC057u, .max_payload_size = HLP1_MAX_PAYLOAD_SIZE,
        .nonce = (uint32_t)now_ms() ^ (uint32_t)getpid() << 16};
    struct hlp1_welcome *w = &h->welcome;
    struct link *l = &h->link;
    if (ask(l, HLP1_MSG_HELLO, &hello, sizeof hello) != DONE) fail(3, "no link: %s", l->no.sentence);
    take(l, w, sizeof *w);
    if (!w->link_id || w->link_id != l->frame.header.link_id || w->nonce != hello.nonce) lost(l, "not our WELCOME");
    if (w->schema_id != HLP1_SCHEMA_ID) lost(l, "the device has another schema: make hlp1.h anew");
    l->link_id = w->link_id, l->heartbeat_ms = w->heartbeat_idle_ms, l->lease_ms = w->lease_idle_ms;
    l->state = w->state, l->uptime_offset_ms = w->uptime_ms - (uint32_t)now_ms();
    h->cursor = w->journal_head, h->cycle_no = w->cycle_no; /* what is older is of an earlier session */
    struct hlp1_device_info_done i;
    if (ask(l, HLP1_MSG_DEVICE_INFO, NULL, 0) != DONE) fail(1, "DEVICE_INFO: %s", l->no.sentence);
    take(l, &i, sizeof i);
    printf("%s%.32s %.16s: %u needles\n", i.simulated ? HLP1_NOTICE "\n" : "", i.model, i.serial, i.needles);
}

/* ---- the journal: what is counted, and nothing else ---- */

static void fold(struct host *h, const uint8_t *record) {
    struct hlp1_record_cycle c;
    struct hlp1_record_gap gap;
    memcpy(&c, record, sizeof c), memcpy(&gap, record, sizeof gap);
    h->problems += c.event_no != h->cursor || c.kind == HLP1_RECORD_KIND_GAP;
    h->cursor = c.event_no + (c.kind == HLP1_RECORD_KIND_GAP ? gap.missing : 1);
    h->closed = h->closed || c.kind == HLP1_RECORD_KIND_SESSION_CLOSED;
    if (c.kind != HLP1_RECORD_KIND_CYCLE) return;
    h->problems += c.cycle_no != h->next_cycle_no++; /* each number ends once, in order */
    h->fold.cycles++;
    h->fold.completed += c.ending == HLP1_ENDING_COMPLETED;
    h->fold.aborted += c.ending == HLP1_ENDING_ABORTED;
    h->fold.ambiguous += c.ending == HLP1_ENDING_AMBIGUOUS;
    for (unsigned needle = 0; needle < c.needles && needle < HLP1_MAX_NEEDLES; needle++) {
        unsigned outcome = c.outcomes >> 4 * needle & 15u;
        h->fold.punctures += outcome != HLP1_NEEDLE_OUTCOME_NOT_PUNCTURED; /* one not known counts as punctured */
        h->fold.cores_counted += outcome == HLP1_NEEDLE_OUTCOME_COUNTED;
    }
}

static enum result read_journal(struct host *h) {
    struct hlp1_journal_page page;
    do {
        struct hlp1_journal_read read = {h->welcome.journal_epoch, h->cursor, HLP1_RECORDS_PER_PAGE};
        enum result result = ask(&h->link, HLP1_MSG_JOURNAL_READ, &read, sizeof read);
        if (result != DONE) return result;
        take(&h->link, &page, sizeof page);
        size_t end = h->link.frame.header.payload_size;
        for (size_t at = sizeof page; at + HLP1_RECORD_SIZE <= end; at += HLP1_RECORD_SIZE)
            fold(h, h->link.frame.payload + at);
        if (h->cursor == read.first) break; /* nothing new: it would be asked for for ever */
    } while (h->cursor < page.head);
    /* A host that keeps a log has it on disk before this: the device may now overwrite what was read. */
    struct hlp1_journal_ack ack = {h->welcome.journal_epoch, h->cursor};
    return ask(&h->link, HLP1_MSG_JOURNAL_ACK, &ack, sizeof ack);
}

/* ---- the procedure ---- */

static enum result command(struct host *h, uint16_t id, const void *payload, size_t size, void *done,
                           size_t done_size) {
    enum result result = ask(&h->link, id, payload, size);
    if (result == DONE) take(&h->link, done, done_size);
    return result;
}

static void open_session(struct host *h) {
    struct hlp1_session_open plan = {.target_cores = TARGET, .coverage_bp = COVERAGE_BP, .depth_um = DEPTH_UM};
    uint8_t payload[sizeof plan + 2] = {0};
    memcpy(payload, &plan, sizeof plan), payload[sizeof plan] = CELLS; /* one zone: u16 cm2, low byte first */
    h->link.deaf = true; /* an interrupt between the question and its answer would leave a session that nobody knows */
    enum result result = command(h, HLP1_MSG_SESSION_OPEN, payload, sizeof payload, &h->session, sizeof h->session);
    h->link.deaf = false;
    h->next_cycle_no = h->session.first_cycle_no;
    if (result != DONE) fail(1, "SESSION_OPEN: %s", h->link.no.sentence);
    h->link.at_stake = "; the session stays open on the device";
}

static enum result numb(struct host *h) {
    struct hlp1_anesthesia_start start = {.method = "lidocaine injection"};
    struct hlp1_anesthesia_start_done done;
    enum result result = command(h, HLP1_MSG_ANESTHESIA_START, &start, sizeof start, &done, sizeof done);
    if (result != DONE) return result;
    h->numbed = true;
    printf("numbed; the device asks for %u s\n", done.wait_s);
    rest(&h->link, 1000 * (int64_t)done.wait_s);
    return DONE;
}

static enum result confirm(struct host *h) {
    struct hlp1_anesthesia_confirm by = {.confirmed_by = "c_host"};
    enum result result = ask(&h->link, HLP1_MSG_ANESTHESIA_CONFIRM, &by, sizeof by);
    h->confirmed = result == DONE;
    return result;
}

static enum result arm(struct host *h) {
    h->link.heartbeat_ms = h->welcome.heartbeat_armed_ms;
    enum result result = ask(&h->link, HLP1_MSG_ARM, NULL, 0);
    h->armed = result == DONE;
    if (h->armed) h->link.lease_ms = h->welcome.lease_armed_ms, printf("armed\n"); /* not before: ARM may be lost */
    return result;
}

static enum result reposition(struct host *h) {
    struct hlp1_reposition to = {.cell = h->cells_used}; /* the device refuses one that is not in the plan */
    struct hlp1_reposition_done done;
    enum result result = command(h, HLP1_MSG_REPOSITION, &to, sizeof to, &done, sizeof done);
    if (result != DONE) return result;
    h->cells_used++, h->cycles_left = done.cycles_left;
    printf("cell %u takes %u cycles\n", done.cell, done.cycles_left);
    return read_journal(h);
}

static enum result purge(struct host *h) {
    struct hlp1_purge_done done;
    enum result result = command(h, HLP1_MSG_PURGE, NULL, 0, &done, sizeof done);
    if (result != DONE) return result;
    h->flagged = done.flagged;
    h->purges = done.flagged ? h->purges + 1 : 0;
    printf("purged; needles still clogged: 0x%02x\n", done.flagged);
    return DONE;
}

static enum result cycle(struct host *h) {
    struct hlp1_punch punch = {.cycle_no = h->cycle_no + 1, .depth_um = DEPTH_UM};
    struct hlp1_advance next = {.cycle_no = punch.cycle_no, .steps = 1};
    struct hlp1_count_done done;
    punch.deadline_ms = (uint32_t)now_ms() + h->link.uptime_offset_ms + PUNCH_VALID_MS; /* wraps, as it should */
    enum result result = ask(&h->link, HLP1_MSG_PUNCH, &punch, sizeof punch);
    if (result == REFUSED || result == INTERRUPTED) return result; /* refused: the number is still free */
    h->cycle_no = punch.cycle_no;
    for (uint16_t id = HLP1_MSG_SUCTION; result == DONE && id <= HLP1_MSG_COUNT; id++) /* all three name the cycle */
        result = ask(&h->link, id, &next, id == HLP1_MSG_ADVANCE ? sizeof next : sizeof next.cycle_no);
    if (result != DONE) return result;
    take(&h->link, &done, sizeof done);
    h->counted = done.total_cores_counted, h->cycles_left = done.cycles_left, h->flagged = done.flagged;
    h->remedies = 0;
    printf("cycle %u: %u cores, %u of %u\n", done.cycle_no, done.cores_counted, h->counted, (unsigned)TARGET);
    return DONE;
}

/* What a trained operator does about a no. False: a person is needed. */
static bool remedied(struct host *h, enum result result) {
    bool held = h->link.state == HLP1_DEVICE_STATE_SAFE || h->link.state == HLP1_DEVICE_STATE_FAULT;
    if (result == INTERRUPTED) return false;
    printf("%s: %s\n", result == REFUSED ? "refused" : result == FAILED ? "failed" : "aborted", h->link.no.sentence);
    if (held || h->link.state == HLP1_DEVICE_STATE_LOCKED || h->remedies++ >= MOST_REMEDIES) return false;
    if (result == ABORTED) return true; /* its number is used up; where the device is now, the next command tells */
    if (h->link.no.code == HLP1_CODE_E_STORAGE) return read_journal(h) == DONE;
    switch (h->link.no.interlock) {
    case HLP1_INTERLOCK_ANESTHESIA_TIME: /* both ends round to seconds: wait out the difference */
    case HLP1_INTERLOCK_SUCTION: rest(&h->link, PAUSE_MS); return true;
    case HLP1_INTERLOCK_CLOG: h->flagged = 1; return true;
    case HLP1_INTERLOCK_DENSITY: h->cycles_left = 0; return true;
    default: return false;
    }
}

/* Does what is next until the target is counted; false where it could not be. */
static bool work(struct host *h) {
    while (h->counted < TARGET) {
        enum result result = !h->numbed ? numb(h) : !h->confirmed ? confirm(h) : !h->armed ? arm(h)
                           : h->flagged ? purge(h) : !h->cycles_left ? reposition(h) : cycle(h);
        if (h->purges >= MOST_PURGES || (result != DONE && !remedied(h, result))) return false;
    }
    return true;
}

/* Disarms or stops, reads the journal to its end, and closes with the fold of it; the exit code. */
static int close_session(struct host *h, bool completed) {
    struct link *l = &h->link;
    struct counts device = {0};
    l->deaf = true, l->lease_ms = h->welcome.lease_idle_ms;
    if (ask(l, completed ? HLP1_MSG_DISARM : HLP1_MSG_STOP, NULL, 0) != DONE)
        printf("not disarmed: %s\n", l->no.sentence); /* a device that holds itself is closed as it is */
    l->heartbeat_ms = h->welcome.heartbeat_idle_ms;
    if (read_journal(h) != DONE) fail(1, "the journal cannot be read: %s", l->no.sentence);
    struct hlp1_session_close close = {.session_no = h->session.session_no,
        .reason = completed ? HLP1_CLOSE_REASON_COMPLETED : HLP1_CLOSE_REASON_ABORTED, .cycles = h->fold.cycles,
        .completed = h->fold.completed, .aborted = h->fold.aborted, .ambiguous = h->fold.ambiguous,
        .punctures = h->fold.punctures, .cores_counted = h->fold.cores_counted};
    if (ask(l, HLP1_MSG_SESSION_CLOSE, &close, sizeof close) != DONE) fail(1, "not closed: %s", l->no.sentence);
    struct hlp1_session_close_done done;
    take(l, &done, sizeof done);
    memcpy(&device, (const char *)&done + offsetof(struct hlp1_session_close_done, cycles), sizeof device);
    l->at_stake = NULL;
    if (read_journal(h) != DONE || !h->closed) h->problems++; /* the close itself is on record, or it was none */
    if (!completed) ask(l, HLP1_MSG_FAULT_RESET, NULL, 0);    /* the way out of SAFE, for whoever comes next */
    struct hlp1_bye bye = {.reason = HLP1_BYE_REASON_CLOSING};
    tell(l, HLP1_MSG_BYE, 0, &bye, sizeof bye);
    bool agreed = memcmp(&device, &h->fold, sizeof device) == 0 && h->problems == 0;
    printf("link: retries=%u bad_frames=%u strays=%u\n", l->retries, l->bad_frames, l->strays);
    printf("session=%u %s cycles=%u completed=%u aborted=%u ambiguous=%u punctures=%u cores_counted=%u agreed=%s\n",
           h->session.session_no, completed ? "completed" : "aborted", h->fold.cycles, h->fold.completed,
           h->fold.aborted, h->fold.ambiguous, h->fold.punctures, h->fold.cores_counted, agreed ? "yes" : "no");
    return completed && agreed ? 0 : 1;
}

#ifndef HLP1_NO_MAIN
int main(void) {
    static struct host host;
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL), sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0); /* whoever watches sees each step as it is done */
    host.link.fd = open_url(getenv("HANDPIECE_URL"));
    greet(&host);
    if (host.welcome.session_no) fail(1, "session %u is open on the device: close it first", host.welcome.session_no);
    open_session(&host);
    bool completed = work(&host);
    return close_session(&host, completed);
}
#endif
