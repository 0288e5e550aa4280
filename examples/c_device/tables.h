/* The device's tables, as data: parameters, alarms, commands.
 * TRAINING SIMULATOR - NOT A MEDICAL DEVICE. */
#ifndef TABLES_H
#define TABLES_H

/* --- parameters: index, name, unit, who sets it, default, range; 0 switches a lease off --- */

#define PARAMETERS(X) \
    X(NEEDLES, needles, needles, START_ONLY, 3, 1, 8) \
    X(PUNCH_MS, punch_ms, ms, START_ONLY, 30, 1, 500) \
    X(DWELL_MS, dwell_ms, ms, START_ONLY, 10, 0, 500) \
    X(RETRACT_MS, retract_ms, ms, START_ONLY, 40, 1, 150) \
    X(SUCTION_MS, suction_ms, ms, START_ONLY, 100, 1, 5000) \
    X(ADVANCE_MS, advance_ms, ms, START_ONLY, 60, 1, 5000) \
    X(COUNT_MS, count_ms, ms, START_ONLY, 20, 1, 5000) \
    X(REPOSITION_MEAN_S, reposition_mean_s, s, START_ONLY, 4, 0.01, 600) \
    X(VACUUM_SET_KPA, vacuum_set_kpa, kPa, START_ONLY, -55, -80, -35) \
    X(VACUUM_TAU_S, vacuum_tau_s, s, START_ONLY, 0.8, 0.05, 10) \
    X(VENT_TAU_S, vent_tau_s, s, START_ONLY, 0.1, 0.01, 0.11) \
    X(VACUUM_LOW_KPA, vacuum_low_kpa, kPa, START_ONLY, -40, -80, -5) \
    X(VACUUM_STOP_KPA, vacuum_stop_kpa, kPa, START_ONLY, -30, -80, -1) \
    X(VACUUM_STABLE_S, vacuum_stable_s, s, START_ONLY, 2, 0, 60) \
    X(ARM_TIMEOUT_S, arm_timeout_s, s, START_ONLY, 10, 1, 120) \
    X(LEAK_KPA_S, leak_kpa_s, kPa/s, START_ONLY, 0, 0, 200) \
    X(MISS_P, miss_p, 1, START_ONLY, 0.01, 0, 1) \
    X(SENSOR_BLIND_P, sensor_false_negative_p, 1, START_ONLY, 0.002, 0, 1) \
    X(ANESTHESIA_WAIT_S, anesthesia_wait_s, s, START_ONLY, 300, 0, 86400) \
    X(ANESTHESIA_VALID_S, anesthesia_valid_s, s, START_ONLY, 3600, 1, 86400) \
    X(HEARTBEAT_ARMED_MS, heartbeat_armed_ms, ms, HOST_SETTABLE, 200, 50, 1000) \
    X(LEASE_ARMED_MS, lease_armed_ms, ms, HOST_SETTABLE, 600, 300, 2000) \
    X(HEARTBEAT_IDLE_MS, heartbeat_idle_ms, ms, HOST_SETTABLE, 5000, 200, 20000) \
    X(LEASE_IDLE_MS, lease_idle_ms, ms, HOST_SETTABLE, 15000, 1000, 60000)

/* --- alarms: name, priority, latched, over with its session, sentence --- */

#define ALARMS(X) \
    X(NEEDLE_NOT_RETRACTED, HIGH, true, false, "The needles are not home: the stage must not move.") \
    X(ANESTHESIA_MISSING, INFO, false, true, "The anesthesia of this zone is not confirmed.") \
    X(ANESTHESIA_EXPIRED, LOW, false, true, "The time of the anesthesia is over: confirm the zone again.") \
    X(SUCTION_LOST, MEDIUM, false, false, "The vacuum is low: no new cycle until it is stable again. Look for a leak.") \
    X(DENSITY_REACHED, MEDIUM, false, true, "This cell has reached its planned punctures: move on.") \
    X(LINK_LOST, HIGH, true, false, "The link to the controller was lost: retracted, vented, disarmed.")

/* --- commands: lane, states in which it is lawful (0: any), what it needs, its handler --- */

enum lane { MOTION, QUERY, STOPPING };
enum { SESSION = 1, ROOM = 2, NOTED = 4, SETTING = 8 }; /* an open one; in the journal; a record of itself; no state */

#define IN(state) (1u << HLP1_DEVICE_STATE_##state)
#define UNARMED (IN(SESSION_OPEN) | IN(ANESTHESIA_WAIT) | IN(ANESTHESIA_CONFIRMED))
#define CYCLE (IN(PUNCHING) | IN(SUCTIONING) | IN(ADVANCING) | IN(COUNTING))
#define ARMED (IN(ARMING) | IN(ARMED) | CYCLE | IN(REPOSITIONING) | IN(PURGING) | IN(PAUSED) | IN(DISARMING))
#define HELD (IN(SAFE) | IN(FAULT) | IN(LOCKED))
#define RUNNING (IN(IDLE) | UNARMED | ARMED)

#define COMMANDS(X) \
    X(ECHO, QUERY, 0, 0, echo) \
    X(DEVICE_INFO, QUERY, 0, 0, device_info) \
    X(PARAM_LIST, QUERY, 0, 0, param_list) \
    X(PARAM_GET, QUERY, 0, 0, param_get) \
    X(PARAM_SET, MOTION, 0, ROOM | SETTING, param_set) \
    X(SESSION_OPEN, MOTION, IN(IDLE), ROOM, open_session) \
    X(ANESTHESIA_START, MOTION, UNARMED, SESSION | ROOM, start_anesthesia) \
    X(ANESTHESIA_CONFIRM, MOTION, IN(ANESTHESIA_WAIT), SESSION | ROOM, confirm_anesthesia) \
    X(ARM, MOTION, IN(ANESTHESIA_CONFIRMED), SESSION | ROOM | NOTED, arm) \
    X(DISARM, MOTION, IN(ARMED) | IN(PAUSED), SESSION | NOTED, disarm) \
    X(REPOSITION, MOTION, IN(ARMED), SESSION | ROOM, reposition) \
    X(PUNCH, MOTION, RUNNING, SESSION, punch) \
    X(SUCTION, MOTION, RUNNING, SESSION, next_phase) \
    X(ADVANCE, MOTION, RUNNING, SESSION, next_phase) \
    X(COUNT, MOTION, RUNNING, SESSION, next_phase) \
    X(PAUSE, MOTION, IN(ARMED), SESSION | NOTED, hold) \
    X(RESUME, MOTION, IN(PAUSED), SESSION | NOTED, hold) \
    X(STOP, STOPPING, RUNNING | HELD, NOTED, stop) \
    X(FAULT_RESET, MOTION, IN(SAFE) | IN(FAULT), NOTED, reset) \
    X(SESSION_CLOSE, MOTION, UNARMED | HELD | IN(IDLE), 0, close_session) \
    X(JOURNAL_READ, QUERY, 0, 0, read_journal) \
    X(JOURNAL_ACK, QUERY, 0, 0, ack_journal) \
    X(ALARM_LIST, QUERY, 0, 0, list_alarms) \
    X(ALARM_ACK, MOTION, 0, SETTING, ack_alarm) \
    X(STREAM_SET, QUERY, 0, 0, stream_set) \
    X(TRUTH_GET, QUERY, 0, 0, not_here) \
    X(FAULT_INJECT, QUERY, 0, 0, not_here) \
    X(FAULT_CLEAR, QUERY, 0, 0, not_here) \
    X(FAULT_GET, QUERY, 0, 0, not_here) \
    X(POWER_CUT, QUERY, 0, 0, not_here) \
    X(PURGE, MOTION, 0, SETTING, not_here)

#endif
