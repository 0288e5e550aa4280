/* What keeps people safe: alarms, the reactions that make everything stop, and what a PUNCH is checked for.
 *
 * Law: a reaction never asks; it makes the device safe and says so afterwards. The cause of an alarm and its signal are
 * two things: an acknowledgement hides nothing, and a latched alarm stays until FAULT_RESET. */
#include "device.h"
#include <string.h>

#define AS_ALARM(name, priority, latched, of_session, sentence) \
    {HLP1_ALARM_CODE_##name, HLP1_ALARM_PRIORITY_##priority, latched, of_session, sentence},
const struct alarm_row alarm_rows[] = {ALARMS(AS_ALARM)};
enum { ALARM_COUNT = sizeof alarm_rows / sizeof *alarm_rows };
struct alarm alarms[ALARM_COUNT];
static millis good_since; /* the vacuum, after it was low; 0: it is not yet */

/* --- alarms --- */

static int alarm_index(uint16_t code) {
    for (int n = 0; n < ALARM_COUNT; n++) if (alarm_rows[n].code == code) return n;
    return -1;
}
static bool alarm_present(uint16_t code) { return alarms[alarm_index(code)].active && alarms[alarm_index(code)].present; }
uint8_t alarm_state(int n) {
    return !alarms[n].active ? HLP1_ALARM_STATE_INACTIVE : !alarms[n].present ? HLP1_ALARM_STATE_LATCHED
        : alarms[n].acknowledged ? HLP1_ALARM_STATE_ACKNOWLEDGED : HLP1_ALARM_STATE_ACTIVE;
}
/* The alarm at a place of the list of those that are not inactive: by priority, then the oldest, then the lowest code. */
int alarm_listed(unsigned place) {
    for (int n = 0; n < ALARM_COUNT; n++) {
        unsigned ahead = 0;
        for (int m = 0; m < ALARM_COUNT; m++) {
            int first = alarm_rows[m].priority - alarm_rows[n].priority;
            if (!first) first = (alarms[m].since_ms < alarms[n].since_ms) - (alarms[m].since_ms > alarms[n].since_ms);
            ahead += alarms[m].active && m != n && (first > 0 || (!first && m < n));
        }
        if (alarms[n].active && ahead == place) return n;
    }
    return -1;
}
/* Journals an alarm as it is now, and tells every link of it. */
static void alarm_changed(int n, millis now) {
    const struct alarm_row *row = alarm_rows + n;
    uint8_t interlock = (uint8_t)(row->code / 100), state = alarm_state(n);
    struct hlp1_record_alarm_changed record = {0, 0, HLP1_RECORD_KIND_ALARM, row->code, interlock, row->priority, state, {0}};
    struct hlp1_alarm alarm = {row->code, interlock, row->priority, state, uptime_ms(now), ""};
    SET_TEXT(alarm.sentence, row->sentence);
    journal_append(&record, now);
    for (struct port *at = ports; at < ports + PORTS; at++)
        if (at->link_id) port_tell(at, HLP1_KIND_ALARM, HLP1_MSG_ALARM, &alarm, sizeof alarm, now);
}
void set_alarm(uint16_t code, bool present, millis now) {
    int n = alarm_index(code);
    if (alarms[n].active ? alarms[n].present == present : !present) return;
    if (present) alarms[n] = (struct alarm){.active = true, .present = true, .since_ms = uptime_ms(now)};
    else alarms[n].present = false, alarms[n].active = alarm_rows[n].latched;
    alarm_changed(n, now);
}
void alarms_reset(millis now) { /* forgets the latched ones whose cause has gone */
    for (int n = 0; n < ALARM_COUNT; n++)
        if (alarms[n].active && !alarms[n].present) alarms[n].active = false, alarm_changed(n, now);
}
void leave_alarms(millis now) { /* what was wrong with one session is not wrong with the next */
    for (int n = 0; n < ALARM_COUNT; n++) if (alarm_rows[n].of_session) set_alarm(alarm_rows[n].code, false, now);
}
refused *ack_alarm(const struct asker *a, millis now) {
    struct hlp1_alarm_ack_done done = {.code = FIELDS_OF(alarm_ack, a)->code};
    int n = alarm_index(done.code);
    if (n < 0) return no(E(ARGUMENT), 0, 0, done.code, "there is no alarm MC-%04u", done.code);
    if (alarms[n].active && !alarms[n].acknowledged) alarms[n].acknowledged = true, alarm_changed(n, now);
    done.state = alarm_state(n);
    return DONE(a, done);
}

/* --- reactions --- */

/* Brings the needles home; an open cycle ends ABORTED, its punctures kept, its cores not counted. */
static void retract(millis now) {
    uint8_t outcomes[HLP1_MAX_NEEDLES];
    device.home_due = plant_retract(now);
    memset(outcomes, HLP1_NEEDLE_OUTCOME_UNCOUNTED, sizeof outcomes);
    if (memory.open_cycle_no) cycle_end(HLP1_ENDING_ABORTED, outcomes, device.measured_um, now);
}
/* Ends the motion under way with an answer that is not its DONE. */
static void give_up(uint8_t state, uint16_t id, const void *answer, size_t size, millis now) {
    struct motion was = device.motion;
    device.state = state, device.motion.then = NULL;
    if (was.then) reply(&was.asker, id, 0, answer, size, now);
}
void make_safe(uint8_t state, uint8_t code, const char *why, millis now) {
    struct hlp1_aborted aborted = {.code = code};
    bool cycle = in(CYCLE);
    plant_pump(false, now), retract(now);
    if (cycle) aborted.ending = memory.last_cycle.ending, aborted.phase = memory.last_cycle.phase;
    SET_TEXT(aborted.sentence, why);
    give_up(state, HLP1_MSG_ABORTED, &aborted, sizeof aborted, now);
    memset(device.zones, 0, sizeof device.zones), forget_suction(now);
}
void link_lost(millis now) {
    if (!in(ARMED)) return;
    set_alarm(ALARM(LINK_LOST), true, now);
    make_safe(STATE(SAFE), E(LINK), "the link to the controller was lost", now);
    set_alarm(ALARM(LINK_LOST), false, now); /* latched: a person must have seen it */
}

/* Interlock 1: neither stage nor hand moves unless the needles are seen at home. */
refused *needles_not_home(millis now) {
    set_alarm(ALARM(NEEDLE_NOT_RETRACTED), true, now);
    make_safe(STATE(FAULT), E(INTERLOCK), "the needles are not home", now);
    return INTERLOCKED(NEEDLE_OUT, 0, 0, "the needles are not seen at home: retracting");
}
refused *refuse_reset(millis now) {
    if (plant_home(now)) { set_alarm(ALARM(NEEDLE_NOT_RETRACTED), false, now); return NULL; }
    if (now >= device.home_due) set_alarm(ALARM(NEEDLE_NOT_RETRACTED), true, now), device.home_due = plant_retract(now);
    return INTERLOCKED(NEEDLE_OUT, 0, 0, "the needles are not seen at home yet: ask again");
}

/* --- the vacuum: interlock 4 --- */

void forget_suction(millis now) { good_since = 0, set_alarm(ALARM(SUCTION_LOST), false, now); }
/* FAILED: of an ARM, or of a phase that has been broken off and whose needles should be home again. */
void suction_failed(millis now) {
    struct hlp1_failed failed = {E(INTERLOCK), HLP1_INTERLOCK_SUCTION, ALARM(SUCTION_LOST), "no vacuum: look for a leak"};
    if (!plant_home(now)) { needles_not_home(now); return; }
    if (in(IN(ARMING))) plant_pump(false, now), set_alarm(ALARM(SUCTION_LOST), true, now);
    give_up(in(IN(ARMING)) ? STATE(ANESTHESIA_CONFIRMED) : STATE(ARMED), HLP1_MSG_FAILED, &failed, sizeof failed, now);
}
void watch_suction(millis now) {
    double kpa = plant_kpa(now);
    if (in(IN(ARMING) | IN(DISARMING)) || !in(ARMED)) return;
    if (kpa > value(VACUUM_LOW_KPA)) {
        good_since = 0, set_alarm(ALARM(SUCTION_LOST), true, now);
        if (kpa <= value(VACUUM_STOP_KPA) || !memory.open_cycle_no) return;
        retract(now);
        if (!device.motion.then) memset(&device.motion, 0, sizeof device.motion); /* between two phases nobody waits */
        device.motion.due = device.home_due, device.motion.then = suction_failed;
    } else if (alarm_present(ALARM(SUCTION_LOST))) {
        if (!good_since) good_since = now;
        if (now - good_since >= (millis)(1000 * value(VACUUM_STABLE_S))) forget_suction(now);
    }
}

/* --- the checks of PUNCH, in the order in which they are made --- */

refused *no_room(void) {
    return no(E(STORAGE), 0, JOURNAL_RESERVE, journal_free(), "the journal is nearly full: read and acknowledge");
}
refused *refuse_punch(const struct hlp1_punch *c, millis now) {
    const struct session *s = &memory.session;
    uint32_t late_ms = uptime_ms(now) - c->deadline_ms, valid_s = (uint32_t)value(ANESTHESIA_VALID_S);
    uint32_t age_s = (uint32_t)((now - device.zones[device.zone].at) / 1000);
    bool numb = device.zones[device.zone].confirmed, unprepared = in(IN(SESSION_OPEN) | IN(ANESTHESIA_WAIT));
    unsigned made = device.cell == NO_CELL ? 0 : s->made[device.cell];
    if (unprepared) { /* the hazard is named before the state */
        set_alarm(ALARM(ANESTHESIA_MISSING), true, now);
        return INTERLOCKED(ANESTHESIA_NEEDED, 0, 0, "anesthesia is not confirmed for every zone");
    }
    if (!in(IN(ARMED))) return no(E(STATE), 0, 0, device.state, "PUNCH needs ARMED; the state is %u", device.state);
    if (c->depth_um != s->depth_um) return no(E(RANGE), 0, s->depth_um, c->depth_um, "the session has another depth");
    if (late_ms && late_ms < 0x80000000u) return no(E(EXPIRED), 0, 0, late_ms, "too late by %u ms", late_ms);
    if (journal_free() < JOURNAL_RESERVE) return no_room();
    if (device.cell == NO_CELL) return INTERLOCKED(ZONE, 0, 0, "the hand is at no cell: REPOSITION first");
    set_alarm(ALARM(DENSITY_REACHED), !cycles_left(), now);
    if (!cycles_left()) return INTERLOCKED(DENSITY, s->punctures_per_cell, made, "this cell is full: REPOSITION");
    set_alarm(ALARM(ANESTHESIA_MISSING), !numb, now);
    set_alarm(ALARM(ANESTHESIA_EXPIRED), numb && age_s >= valid_s, now);
    if (!numb) return INTERLOCKED(ANESTHESIA_NEEDED, 0, 0, "the anesthesia of zone %u is not confirmed", device.zone);
    if (age_s >= valid_s) return INTERLOCKED(ANESTHESIA_TIME, valid_s, age_s, "zone %u is numb no more", device.zone);
    watch_suction(now);
    if (alarm_present(ALARM(SUCTION_LOST)))
        return INTERLOCKED(SUCTION, 0, 0, "the vacuum is low, or has not been good for long enough");
    return NULL;
}
