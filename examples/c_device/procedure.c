/* The procedure: a session's opening, anesthesia, arming, the hand, the cycle, stopping, closing.
 *
 * Law: a cycle number is used once: it is used up before anything moves, and its one record is written when it has
 * ended, however it ended. One motion is under way at a time; each of its steps is called when it is due. */
#include "device.h"
#include <math.h>
#include <string.h>

struct device device;
uint32_t uptime_ms(millis now) { return (uint32_t)(now - device.booted_at); }
void boot(uint64_t seed, millis now) {
    device = (struct device){.state = STATE(IDLE), .booted_at = now, .seed = seed, .cell = NO_CELL};
    plant_seed(seed), memory_begin((uint32_t)(4294967296.0 * plant_chance()) | 1, now);
}
void advance(millis now) {
    struct motion *m = &device.motion;
    struct hlp1_progress progress = {device.state, (uint32_t)(now - m->began), (uint32_t)m->expected_ms};
    watch_suction(now); /* before the motion, which it may end */
    if (m->then && now >= m->due) m->then(now);
    else if (m->then && now >= m->progress_at)
        m->progress_at += 1000, reply(&m->asker, HLP1_MSG_PROGRESS, 0, &progress, sizeof progress, now);
    if (device.holder && device.holder->hurried != in(ARMED)) { /* the short lease is for an armed device */
        device.holder->hurried = in(ARMED);
        if (in(HELD)) heartbeat(device.holder, now); /* its host would take the longer silence for a lost link */
    }
    for (struct port *at = ports; at < ports + PORTS; at++) port_advance(at, now);
}
millis next_due(millis now) {
    millis due = in(ARMED) ? now + TICK_MS : NEVER;
    if (device.motion.then && device.motion.due < due) due = device.motion.due;
    for (struct port *at = ports; at < ports + PORTS; at++) if (port_due(at) < due) due = port_due(at);
    return due;
}
static refused *begin(const struct asker *a, uint8_t state, millis due, millis expected_ms, then *then, millis now) {
    struct hlp1_received received = {(uint32_t)expected_ms};
    device.state = state, device.motion = (struct motion){*a, now, due, now + 1000, expected_ms, then};
    return reply(a, HLP1_MSG_RECEIVED, 0, &received, sizeof received, now), NULL;
}

/* Ends the motion under way with its DONE. */
static void end(uint8_t state, const void *done, size_t size, millis now) {
    struct asker asker = device.motion.asker;
    device.state = state, device.motion.then = NULL;
    reply(&asker, asker.command->id, 0, done, size, now);
}

/* --- the session --- */

uint8_t cycles_left(void) {
    const struct session *s = &memory.session;
    unsigned made = device.cell == NO_CELL ? 0 : s->made[device.cell];
    return made < s->punctures_per_cell ? (uint8_t)((s->punctures_per_cell - made) / s->needles) : 0;
}
refused *open_session(const struct asker *a, millis now) {
    const struct hlp1_session_open *c = FIELDS_OF(session_open, a);
    struct session s = {.session_no = memory.session_no + 1, .first_cycle_no = memory.cycle_no + 1,
        .depth_um = c->depth_um, .needles = (uint8_t)value(NEEDLES), .zones = (uint8_t)((a->size - sizeof *c) / 2)};
    unsigned cells = 0, cap = CELL_CAP / s.needles, cycles = (unsigned)lround(c->coverage_bp / 100.0 / CORE_MM2 / s.needles);
    bool empty = !s.zones;
    memcpy(s.zones_cm2, a->payload + sizeof *c, 2u * s.zones);
    for (unsigned n = 0; n < s.zones; n++) cells += s.zones_cm2[n], empty |= !s.zones_cm2[n];
    s.cells = (uint16_t)cells, s.cycles_per_cell = (uint8_t)(cycles < 1 ? 1 : cycles > cap ? cap : cycles);
    s.punctures_per_cell = (uint8_t)(s.cycles_per_cell * s.needles);
    if (empty || cells > MAX_CELLS) return no(E(RANGE), 0, MAX_CELLS, cells, "a plan needs 1 to %u cm2", MAX_CELLS);
    if (c->depth_um % 500) return no(E(RANGE), 0, 500, c->depth_um, "the depth is no multiple of 500 um");
    if (cells * s.punctures_per_cell < c->target_cores)
        return no(E(RANGE), 0, cells * s.punctures_per_cell, c->target_cores, "so many cores do not fit the cells");
    struct hlp1_record_session_opened record = {0, 0, HLP1_RECORD_KIND_SESSION_OPENED, s.session_no, c->target_cores,
        s.first_cycle_no, c->coverage_bp, s.depth_um, s.cells, s.zones, {0}};
    memory.session = s, memory.session_no = s.session_no, memory.session_open = true, journal_append(&record, now);
    leave_alarms(now);
    device.cell = NO_CELL, device.count_done.cycle_no = 0, device.state = STATE(SESSION_OPEN);
    struct hlp1_session_open_done done = {s.session_no, s.first_cycle_no, s.needles, s.cells, s.cycles_per_cell,
        s.punctures_per_cell};
    return DONE(a, done);
}
static refused *no_such_zone(unsigned zone) {
    return INTERLOCKED(ZONE, memory.session.zones, zone, "zone %u is not in the plan", zone);
}
static void note_zone(uint8_t zone, bool confirmed, uint32_t age_s, millis now) {
    struct hlp1_record_anesthesia record = {0, 0, HLP1_RECORD_KIND_ANESTHESIA, zone, confirmed, age_s, {0}};
    journal_append(&record, now);
    device.zones[zone].numbed = true, device.zones[zone].confirmed = confirmed;
}
refused *start_anesthesia(const struct asker *a, millis now) {
    const struct hlp1_anesthesia_start *c = FIELDS_OF(anesthesia_start, a);
    millis wait_s = (millis)value(ANESTHESIA_WAIT_S) - c->age_s;
    struct hlp1_anesthesia_start_done done = {(uint32_t)(wait_s > 0 ? wait_s : 0)};
    if (c->zone >= memory.session.zones) return no_such_zone(c->zone);
    note_zone(c->zone, false, c->age_s, now);
    device.zones[c->zone].at = now - 1000 * (millis)c->age_s, device.state = STATE(ANESTHESIA_WAIT);
    return DONE(a, done);
}
refused *confirm_anesthesia(const struct asker *a, millis now) {
    unsigned zone = FIELDS_OF(anesthesia_confirm, a)->zone;
    uint32_t wait_s = (uint32_t)value(ANESTHESIA_WAIT_S), valid_s = (uint32_t)value(ANESTHESIA_VALID_S);
    if (zone >= memory.session.zones) return no_such_zone(zone);
    if (!device.zones[zone].numbed) return INTERLOCKED(ANESTHESIA_NEEDED, 0, 0, "zone %u was not numbed", zone);
    uint32_t age_s = (uint32_t)((now - device.zones[zone].at) / 1000);
    if (age_s < wait_s || age_s >= valid_s)
        return INTERLOCKED(ANESTHESIA_TIME, age_s < wait_s ? wait_s : valid_s, age_s,
            "zone %u was numbed %u s ago: it waits %u s and holds %u s", zone, age_s, wait_s, valid_s);
    note_zone((uint8_t)zone, true, age_s, now);
    struct hlp1_anesthesia_confirm_done done = {valid_s - age_s};
    for (unsigned n = 0; n < memory.session.zones; n++)
        if (device.zones[n].numbed && !device.zones[n].confirmed) return DONE(a, done);
    device.state = STATE(ANESTHESIA_CONFIRMED);
    set_alarm(ALARM(ANESTHESIA_EXPIRED), false, now), set_alarm(ALARM(ANESTHESIA_MISSING), false, now);
    return DONE(a, done);
}
refused *close_session(const struct asker *a, millis now) {
    const struct hlp1_session_close *c = FIELDS_OF(session_close, a);
    static const char *const names[] = {"cycles", "completed", "aborted", "ambiguous", "punctures", "cores_counted"};
    uint32_t ours[6], theirs[6], open = memory.session_open ? memory.session_no : 0;
    memcpy(ours, &memory.session.counts, sizeof ours), memcpy(theirs, &c->cycles, sizeof theirs);
    if (!open || c->session_no != open) return no(E(STATE), 0, open, c->session_no, "that session is not open here");
    for (int n = 0; n < 6 && c->reason != HLP1_CLOSE_REASON_ABANDONED; n++)
        if (ours[n] != theirs[n])
            return INTERLOCKED(COUNT_MISMATCH, ours[n], theirs[n], "counts disagree: %s is %u here, %u at the host; "
                "reconcile before closing", names[n], ours[n], theirs[n]);
    struct hlp1_record_session_closed record = {0, 0, HLP1_RECORD_KIND_SESSION_CLOSED, c->reason, open, ours[0], ours[4],
        ours[5], {0}};
    struct hlp1_session_close_done done = {open, ours[0], ours[1], ours[2], ours[3], ours[4], ours[5]};
    memory.session_open = false, journal_append(&record, now);
    if (in(UNARMED)) device.state = STATE(IDLE);
    leave_alarms(now), memset(device.zones, 0, sizeof device.zones);
    return DONE(a, done);
}

/* --- arming, the hand, holding, stopping --- */

static void arming(millis now) {
    double kpa = plant_kpa(now), low = value(VACUUM_LOW_KPA);
    struct hlp1_arm_done done = {(int32_t)lround(1000 * kpa)};
    if (kpa <= low) end(STATE(ARMED), &done, sizeof done, now);
    else if (now < device.motion.began + (millis)(1000 * value(ARM_TIMEOUT_S))) device.motion.due = now + TICK_MS;
    else suction_failed(now);
}
refused *arm(const struct asker *a, millis now) {
    double share = value(VACUUM_LOW_KPA) / value(VACUUM_SET_KPA), takes = -1000 * value(VACUUM_TAU_S) * log(1 - share);
    plant_pump(true, now);
    return begin(a, STATE(ARMING), now + 1, share < 1 ? (millis)takes : 1, arming, now);
}
static void disarming(millis now) {
    struct hlp1_disarm_done done = {STATE(ANESTHESIA_CONFIRMED)};
    if (plant_kpa(now) < -1) device.motion.due = now + TICK_MS;
    else end(done.state, &done, sizeof done, now);
}
refused *disarm(const struct asker *a, millis now) {
    double suction = -plant_kpa(now);
    plant_pump(false, now), forget_suction(now);
    return begin(a, STATE(DISARMING), now + 1, suction > 1 ? (millis)(1000 * value(VENT_TAU_S) * log(suction)) : 1, disarming, now);
}
static unsigned first_cell(unsigned zone) {
    unsigned first = 0;
    while (zone--) first += memory.session.zones_cm2[zone];
    return first;
}
static void arrived(millis now) {
    device.cell = device.next_cell, device.zone = device.next_zone;
    struct hlp1_reposition_done done = {device.zone, (uint16_t)(device.cell - first_cell(device.zone)),
        memory.session.made[device.cell], cycles_left()};
    end(STATE(ARMED), &done, sizeof done, now);
}
refused *reposition(const struct asker *a, millis now) {
    const struct hlp1_reposition *c = FIELDS_OF(reposition, a);
    unsigned cells = c->zone < memory.session.zones ? memory.session.zones_cm2[c->zone] : 0;
    if (c->cell >= cells) return INTERLOCKED(ZONE, cells, c->cell, "zone %u cell %u is not in the plan", c->zone, c->cell);
    if (!plant_home(now)) return needles_not_home(now);
    millis travel = 1 + (millis)(1000 * value(REPOSITION_MEAN_S) * (0.7 + 0.6 * plant_chance())); /* the hand's own time */
    device.cell = NO_CELL, device.next_cell = (uint16_t)(first_cell(c->zone) + c->cell), device.next_zone = c->zone;
    return begin(a, STATE(REPOSITIONING), now + travel, travel, arrived, now);
}
refused *hold(const struct asker *a, millis now) { /* PAUSE and RESUME */
    device.state = a->command->id == HLP1_MSG_PAUSE ? STATE(PAUSED) : STATE(ARMED);
    return reply(a, a->command->id, 0, NULL, 0, now), NULL;
}
refused *stop(const struct asker *a, millis now) {
    if (!in(HELD | IN(IDLE))) make_safe(STATE(SAFE), E(STATE), "stopped by STOP", now);
    return DONE(a, device.state);
}
refused *reset(const struct asker *a, millis now) {
    struct hlp1_fault_reset_done done = {memory.session_open ? STATE(SESSION_OPEN) : STATE(IDLE), 0};
    alarms_reset(now), device.state = done.state;
    while (alarm_listed(done.alarms) >= 0) done.alarms++;
    return DONE(a, done);
}

/* --- the cycle --- */

static void punched(millis now) {
    device.phase_done = true;
    device.punch_done = (struct hlp1_punch_done){memory.cycle_no, device.measured_um,
        (uint8_t)((1u << memory.session.needles) - 1), (int32_t)lround(1000 * plant_kpa(now))};
    end(device.state, &device.punch_done, sizeof device.punch_done, now);
}
static void dwelt(millis now) { device.motion.due = plant_retract(now), device.motion.then = punched; }
static void at_depth(millis now) {
    device.measured_um = plant_depth_um(now), plant_cut();
    device.motion.due = now + (millis)value(DWELL_MS), device.motion.then = dwelt;
}
refused *punch(const struct asker *a, millis now) {
    const struct hlp1_punch *c = FIELDS_OF(punch, a);
    uint32_t last = memory.cycle_no, cycle_no = c->cycle_no;
    refused *why;
    if (cycle_no > last + 1) return no(E(CYCLE_GAP), 0, last + 1, cycle_no, "a gap: the next cycle is %u", last + 1);
    if (cycle_no == last && memory.open_cycle_no) { /* what is owed is the answer that the first PUNCH had */
        if (device.punch_done.cycle_no != last) return no(E(STATE), 0, 0, device.state, "that PUNCH is under way");
        return reply(a, a->command->id, HLP1_FLAG_REPLAYED, &device.punch_done, sizeof device.punch_done, now), NULL;
    }
    if (cycle_no <= last)
        return repeat(a, now) ? NULL : no(E(EXPIRED), 0, last + 1, cycle_no, "cycle %u was before: see the journal", cycle_no);
    if ((why = refuse_punch(c, now)) != NULL) return why;
    cycle_begin(cycle_no, device.cell), device.phase_done = false, device.measured_um = 0; /* before anything moves */
    return begin(a, STATE(PUNCHING), plant_stroke(c->depth_um, now),
        (millis)(value(PUNCH_MS) + value(DWELL_MS) + value(RETRACT_MS)), at_depth, now);
}
static void sucked(millis now) {
    device.phase_done = true, plant_evacuate(now), watch_suction(now); /* what came has let some air in */
    struct hlp1_suction_done done = {memory.cycle_no, (int32_t)lround(1000 * plant_kpa(now))};
    if (memory.open_cycle_no) end(device.state, &done, sizeof done, now);
}
static void advanced(millis now) {
    struct hlp1_advance_done done = {memory.cycle_no};
    device.phase_done = true, end(device.state, &done, sizeof done, now);
}
static void counted(millis now) {
    const struct session *s = &memory.session;
    uint8_t seen = plant_sense(), outcomes[HLP1_MAX_NEEDLES], cores = 0;
    for (unsigned n = 0; n < s->needles; n++)
        outcomes[n] = seen >> n & 1 ? HLP1_NEEDLE_OUTCOME_COUNTED : HLP1_NEEDLE_OUTCOME_EMPTY, cores += seen >> n & 1;
    cycle_end(HLP1_ENDING_COMPLETED, outcomes, device.measured_um, now);
    device.count_done = (struct hlp1_count_done){memory.cycle_no, memory.last_cycle.outcomes, cores, 0,
        s->made[device.cell], cycles_left(), s->counts.punctures, s->counts.cores_counted};
    end(STATE(ARMED), &device.count_done, sizeof device.count_done, now);
}

/* SUCTION, ADVANCE, COUNT: each may begin where the phase before it is done. */
refused *next_phase(const struct asker *a, millis now) {
    static then *const ends[] = {sucked, advanced, counted};
    uint32_t open = memory.open_cycle_no, cycle_no = FIELDS_OF(suction, a)->cycle_no; /* all three begin with it */
    unsigned phase = a->command->id - HLP1_MSG_SUCTION, before = STATE(PUNCHING) + phase; /* in the order of their states */
    if (!open || cycle_no != open)
        return repeat(a, now) ? NULL : no(E(CYCLE_GAP), 0, open, cycle_no, "cycle %u is not open; open is %u", cycle_no, open);
    if (!device.phase_done || device.state != before)
        return no(E(STATE), 0, 0, device.state, "out of order: the cycle is in phase %u", memory.open_phase);
    if (a->command->id == HLP1_MSG_ADVANCE && !plant_home(now)) return needles_not_home(now);
    millis takes = (millis)value(phase == 0 ? SUCTION_MS : phase == 1 ? ADVANCE_MS : COUNT_MS);
    if (phase == 1) takes *= FIELDS_OF(advance, a)->steps;
    memory.open_phase = (uint8_t)(HLP1_PHASE_SUCTION + phase), device.phase_done = false;
    return begin(a, (uint8_t)(before + 1), now + takes, takes, ends[phase], now);
}

/* Answers a command of the cycle that ended last with that ending; false if it is of no such cycle. */
bool repeat(const struct asker *a, millis now) {
    const struct hlp1_record_cycle *last = &memory.last_cycle;
    uint16_t id = a->command->id;
    struct hlp1_punch_done done = {last->cycle_no, last->depth_um, (uint8_t)((1u << last->needles) - 1), 0};
    struct hlp1_aborted aborted = {E(STATE), last->ending, last->phase, "that cycle has ended; its number is used up"};
    if (id < HLP1_MSG_PUNCH || id > HLP1_MSG_COUNT || !last->cycle_no) return false; /* all four begin with the number */
    if (FIELDS_OF(punch, a)->cycle_no != last->cycle_no) return false;
    if (id == HLP1_MSG_COUNT && device.count_done.cycle_no == last->cycle_no)
        reply(a, id, HLP1_FLAG_REPLAYED, &device.count_done, sizeof device.count_done, now);
    else if (last->ending != HLP1_ENDING_COMPLETED)
        reply(a, HLP1_MSG_ABORTED, HLP1_FLAG_REPLAYED, &aborted, sizeof aborted, now);
    else if (id == HLP1_MSG_PUNCH) /* as the record has it, and without a vacuum */
        reply(a, id, HLP1_FLAG_REPLAYED, &done, sizeof done, now);
    else return false;
    return true;
}
