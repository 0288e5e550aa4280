/* HLP/1, the Handpiece Link Protocol, for hosts and devices in C99 or C++. TRAINING SIMULATOR - NOT A MEDICAL DEVICE.
 *
 * Made from protocols/ and firmware_sim/; to change it, change the code and run `make docs`. What it all means is in
 * docs/protocol.md; frames to test with are in frames.json.
 *
 *   HLP1_MSG_X    a message's id; a command and the reply that ends it share one and differ in kind
 *   HLP1_SIZE_X   bytes of its fixed fields
 *   struct hlp1_x its payload, packed; where an array fills the payload's rest, its beginning is at HLP1_SIZE_X
 *
 * A comment behind a field is its offset, its wire type, its unit and its range. Numbers are little-endian: copy bytes
 * with memcpy on such a machine, convert on another. A text (char[n]) is UTF-8 filled up with NUL; one that fills
 * its field has none, so print it with "%.*s". A value that an enumeration does not list is to be read as UNKNOWN.
 *
 * With HLP1_FRAMES defined before the include, three functions put frames on a wire and find them there; with
 * HLP1_CHECKS two more say what a message is, and which field keeps bytes from being its payload. */
#ifndef HLP1_H
#define HLP1_H

#include <stdint.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__ && !defined(HLP1_HOST_CONVERTS)
#error "HLP/1 is little-endian and this machine is not: convert each field, and say so with HLP1_HOST_CONVERTS"
#endif

/* --- version, frames, limits --- */

#define HLP1_NOTICE                          "TRAINING SIMULATOR - NOT A MEDICAL DEVICE"
#define HLP1_MAJOR                           1u /* the high four bits of a frame's first byte */
#define HLP1_MINOR                           1u /* the minor version that this header describes */
#define HLP1_SCHEMA_ID                       0x15518EE7u /* goes into HELLO; WELCOME must bring the same */
#define HLP1_SCHEMA_IDS                      {0x25CF6302u, 0x15518EE7u} /* by minor: HELLO's is the host's minor's */
#define HLP1_HEADER_SIZE                     12u
#define HLP1_CRC_SIZE                        4u /* CRC-32C, low byte first */
#define HLP1_MAX_PAYLOAD_SIZE                224u
#define HLP1_MAX_ENCODED_SIZE                241u /* stuffed, between the two zeros */
#define HLP1_MAX_FRAME_SIZE                  243u /* with both zeros */
#define HLP1_FLAG_SIGNED                     0x01u /* reserved */
#define HLP1_FLAG_REPLY_WANTED               0x02u
#define HLP1_FLAG_RETRANSMIT                 0x04u /* this frame was sent before */
#define HLP1_FLAG_REPLAYED                   0x08u /* answered from memory: nothing was done for it now */
#define HLP1_FLAG_MUST_UNDERSTAND            0x30u /* who does not know such a bit does not act */
#define HLP1_FIRST_RTO_MS                    200u /* for the first answer; each retry half as long again */
#define HLP1_LEAST_RTO_MS                    60u /* where round trips are measured */
#define HLP1_MAX_TRIES                       5u /* without an answer to them the link is lost */
#define HLP1_MAX_NAKS_PER_SECOND             10u
#define HLP1_MAX_LINKS_PER_SECOND            10u /* on one port; a HELLO beyond it is passed over */
#define HLP1_ANSWERS_REMEMBERED              16u /* of motions, and as many others, by the device on one link */
#define HLP1_RECORD_SIZE                     32u /* a journal record, zero-padded */
#define HLP1_RECORDS_PER_PAGE                6u /* fit one payload */
#define HLP1_MAX_NEEDLES                     8u /* four bits each in a cycle's outcomes */

/* --- message ids --- */

#define HLP1_MSG_HELLO                       0x0001u /* LINK */
#define HLP1_MSG_WELCOME                     0x0002u /* LINK */
#define HLP1_MSG_HEARTBEAT                   0x0003u /* LINK */
#define HLP1_MSG_HOST_HEARTBEAT              0x0004u /* LINK */
#define HLP1_MSG_BYE                         0x0005u /* LINK */
#define HLP1_MSG_NAK                         0x0006u /* LINK */
#define HLP1_MSG_ECHO                        0x0007u /* COMMAND */
#define HLP1_MSG_ECHO_DONE                   0x0007u /* REPLY */
#define HLP1_MSG_RECEIVED                    0x0010u /* REPLY */
#define HLP1_MSG_PROGRESS                    0x0011u /* PROGRESS */
#define HLP1_MSG_REFUSED                     0x0012u /* REPLY */
#define HLP1_MSG_FAILED                      0x0013u /* REPLY */
#define HLP1_MSG_ABORTED                     0x0014u /* REPLY */
#define HLP1_MSG_DEVICE_INFO                 0x0101u /* COMMAND */
#define HLP1_MSG_DEVICE_INFO_DONE            0x0101u /* REPLY */
#define HLP1_MSG_PARAM_LIST                  0x0201u /* COMMAND */
#define HLP1_MSG_PARAM_LIST_DONE             0x0201u /* REPLY */
#define HLP1_MSG_PARAM_GET                   0x0202u /* COMMAND */
#define HLP1_MSG_PARAM_GET_DONE              0x0202u /* REPLY */
#define HLP1_MSG_PARAM_SET                   0x0203u /* COMMAND */
#define HLP1_MSG_PARAM_SET_DONE              0x0203u /* REPLY */
#define HLP1_MSG_SESSION_OPEN                0x0301u /* COMMAND */
#define HLP1_MSG_SESSION_OPEN_DONE           0x0301u /* REPLY */
#define HLP1_MSG_ANESTHESIA_START            0x0302u /* COMMAND */
#define HLP1_MSG_ANESTHESIA_START_DONE       0x0302u /* REPLY */
#define HLP1_MSG_ANESTHESIA_CONFIRM          0x0303u /* COMMAND */
#define HLP1_MSG_ANESTHESIA_CONFIRM_DONE     0x0303u /* REPLY */
#define HLP1_MSG_ARM                         0x0304u /* COMMAND */
#define HLP1_MSG_ARM_DONE                    0x0304u /* REPLY */
#define HLP1_MSG_DISARM                      0x0305u /* COMMAND */
#define HLP1_MSG_DISARM_DONE                 0x0305u /* REPLY */
#define HLP1_MSG_REPOSITION                  0x0306u /* COMMAND */
#define HLP1_MSG_REPOSITION_DONE             0x0306u /* REPLY */
#define HLP1_MSG_PUNCH                       0x0307u /* COMMAND */
#define HLP1_MSG_PUNCH_DONE                  0x0307u /* REPLY */
#define HLP1_MSG_SUCTION                     0x0308u /* COMMAND */
#define HLP1_MSG_SUCTION_DONE                0x0308u /* REPLY */
#define HLP1_MSG_ADVANCE                     0x0309u /* COMMAND */
#define HLP1_MSG_ADVANCE_DONE                0x0309u /* REPLY */
#define HLP1_MSG_COUNT                       0x030Au /* COMMAND */
#define HLP1_MSG_COUNT_DONE                  0x030Au /* REPLY */
#define HLP1_MSG_PURGE                       0x030Bu /* COMMAND */
#define HLP1_MSG_PURGE_DONE                  0x030Bu /* REPLY */
#define HLP1_MSG_PAUSE                       0x030Cu /* COMMAND */
#define HLP1_MSG_PAUSE_DONE                  0x030Cu /* REPLY */
#define HLP1_MSG_RESUME                      0x030Du /* COMMAND */
#define HLP1_MSG_RESUME_DONE                 0x030Du /* REPLY */
#define HLP1_MSG_STOP                        0x030Eu /* COMMAND */
#define HLP1_MSG_STOP_DONE                   0x030Eu /* REPLY */
#define HLP1_MSG_FAULT_RESET                 0x030Fu /* COMMAND */
#define HLP1_MSG_FAULT_RESET_DONE            0x030Fu /* REPLY */
#define HLP1_MSG_SESSION_CLOSE               0x0310u /* COMMAND */
#define HLP1_MSG_SESSION_CLOSE_DONE          0x0310u /* REPLY */
#define HLP1_MSG_STREAM_SET                  0x0401u /* COMMAND */
#define HLP1_MSG_STREAM_SET_DONE             0x0401u /* REPLY */
#define HLP1_MSG_TELEMETRY_STATE             0x0402u /* TELEMETRY */
#define HLP1_MSG_EVENT                       0x0501u /* EVENT */
#define HLP1_MSG_JOURNAL_READ                0x0502u /* COMMAND */
#define HLP1_MSG_JOURNAL_PAGE                0x0502u /* REPLY */
#define HLP1_MSG_JOURNAL_ACK                 0x0503u /* COMMAND */
#define HLP1_MSG_JOURNAL_ACK_DONE            0x0503u /* REPLY */
#define HLP1_MSG_ALARM                       0x0601u /* ALARM */
#define HLP1_MSG_ALARM_LIST                  0x0602u /* COMMAND */
#define HLP1_MSG_ALARM_LIST_DONE             0x0602u /* REPLY */
#define HLP1_MSG_ALARM_ACK                   0x0603u /* COMMAND */
#define HLP1_MSG_ALARM_ACK_DONE              0x0603u /* REPLY */
#define HLP1_MSG_TRUTH_GET                   0x0F01u /* COMMAND */
#define HLP1_MSG_TRUTH_GET_DONE              0x0F01u /* REPLY */
#define HLP1_MSG_FAULT_INJECT                0x0F02u /* COMMAND */
#define HLP1_MSG_FAULT_INJECT_DONE           0x0F02u /* REPLY */
#define HLP1_MSG_FAULT_CLEAR                 0x0F03u /* COMMAND */
#define HLP1_MSG_FAULT_CLEAR_DONE            0x0F03u /* REPLY */
#define HLP1_MSG_FAULT_GET                   0x0F04u /* COMMAND */
#define HLP1_MSG_FAULT_GET_DONE              0x0F04u /* REPLY */
#define HLP1_MSG_POWER_CUT                   0x0F05u /* COMMAND */
#define HLP1_MSG_POWER_CUT_DONE              0x0F05u /* REPLY */

/* --- enumerations --- */

/* The low nibble of a frame's first byte. Not extensible without a new major version. */
enum hlp1_kind {
    HLP1_KIND_COMMAND = 0,
    HLP1_KIND_REPLY = 1,
    HLP1_KIND_PROGRESS = 2,
    HLP1_KIND_EVENT = 3,
    HLP1_KIND_TELEMETRY = 4,
    HLP1_KIND_ALARM = 5,
    HLP1_KIND_BULK = 6,
    HLP1_KIND_LINK = 7
};

/* Outcome of one needle in one cycle, four bits each in a cycle's record (needle 0 in the lowest four). */
enum hlp1_needle_outcome {
    HLP1_NEEDLE_OUTCOME_NOT_PUNCTURED = 0,
    HLP1_NEEDLE_OUTCOME_COUNTED = 1,
    HLP1_NEEDLE_OUTCOME_EMPTY = 2,
    HLP1_NEEDLE_OUTCOME_UNCOUNTED = 3,
    HLP1_NEEDLE_OUTCOME_AMBIGUOUS = 4
};

/* Reason why a command was not carried out. */
enum hlp1_code {
    HLP1_CODE_OK = 0,
    HLP1_CODE_E_UNKNOWN_MESSAGE = 1,
    HLP1_CODE_E_SCHEMA = 2,
    HLP1_CODE_E_VERSION = 3,
    HLP1_CODE_E_LINK = 4,
    HLP1_CODE_E_STATE = 5,
    HLP1_CODE_E_INTERLOCK = 6,
    HLP1_CODE_E_BUSY = 7,
    HLP1_CODE_E_ARGUMENT = 8,
    HLP1_CODE_E_RANGE = 9,
    HLP1_CODE_E_EXPIRED = 10,
    HLP1_CODE_E_CYCLE_GAP = 11,
    HLP1_CODE_E_STORAGE = 12,
    HLP1_CODE_E_AUTH = 13,
    HLP1_CODE_E_UNSUPPORTED = 14,
    HLP1_CODE_E_INTERNAL = 15,
    HLP1_CODE_UNKNOWN = 255
};

/* Part that a host asks to have on a link. */
enum hlp1_role {
    HLP1_ROLE_VIEWER = 0,
    HLP1_ROLE_CONTROLLER = 1,
    HLP1_ROLE_UNKNOWN = 255
};

/* The device's own state, as its firmware has it. */
enum hlp1_device_state {
    HLP1_DEVICE_STATE_OFF = 0,
    HLP1_DEVICE_STATE_SELF_TEST = 1,
    HLP1_DEVICE_STATE_IDLE = 2,
    HLP1_DEVICE_STATE_SESSION_OPEN = 3,
    HLP1_DEVICE_STATE_ANESTHESIA_WAIT = 4,
    HLP1_DEVICE_STATE_ANESTHESIA_CONFIRMED = 5,
    HLP1_DEVICE_STATE_ARMED = 6,
    HLP1_DEVICE_STATE_PUNCHING = 7,
    HLP1_DEVICE_STATE_SUCTIONING = 8,
    HLP1_DEVICE_STATE_ADVANCING = 9,
    HLP1_DEVICE_STATE_COUNTING = 10,
    HLP1_DEVICE_STATE_REPOSITIONING = 11,
    HLP1_DEVICE_STATE_PURGING = 12,
    HLP1_DEVICE_STATE_PAUSED = 13,
    HLP1_DEVICE_STATE_CLOSING = 14,
    HLP1_DEVICE_STATE_SAFE = 15,
    HLP1_DEVICE_STATE_FAULT = 16,
    HLP1_DEVICE_STATE_LOCKED = 17,
    HLP1_DEVICE_STATE_ARMING = 18,
    HLP1_DEVICE_STATE_DISARMING = 19,
    HLP1_DEVICE_STATE_UNKNOWN = 255
};

/* The phase of a cycle that was under way, or the last one that was completed. */
enum hlp1_phase {
    HLP1_PHASE_NONE = 0,
    HLP1_PHASE_PUNCH = 1,
    HLP1_PHASE_SUCTION = 2,
    HLP1_PHASE_ADVANCE = 3,
    HLP1_PHASE_COUNT = 4,
    HLP1_PHASE_UNKNOWN = 255
};

/* Ending of a cycle. OPEN is never in the journal: every record of a cycle is of an ended one. AMBIGUOUS: power was
 * lost and the stroke latch was unreadable, so whether the skin was punctured is not known; such a cycle counts as
 * punctured for density and is listed apart. */
enum hlp1_ending {
    HLP1_ENDING_OPEN = 0,
    HLP1_ENDING_COMPLETED = 1,
    HLP1_ENDING_ABORTED = 2,
    HLP1_ENDING_AMBIGUOUS = 3,
    HLP1_ENDING_UNKNOWN = 255
};

/* Reason for which the host closes a session. COMPLETED: the host's word; the device compares counts, and not the
 * target. ABANDONED: the host does not have the session's records and offers no fold; nothing is compared, and the
 * session is never reconciled. */
enum hlp1_close_reason {
    HLP1_CLOSE_REASON_COMPLETED = 1,
    HLP1_CLOSE_REASON_ABORTED = 2,
    HLP1_CLOSE_REASON_ABANDONED = 3,
    HLP1_CLOSE_REASON_UNKNOWN = 255
};

/* Styled after IEC 60601-1-8; never claimed to conform to it. */
enum hlp1_alarm_priority {
    HLP1_ALARM_PRIORITY_NONE = 0,
    HLP1_ALARM_PRIORITY_INFO = 1,
    HLP1_ALARM_PRIORITY_LOW = 2,
    HLP1_ALARM_PRIORITY_MEDIUM = 3,
    HLP1_ALARM_PRIORITY_HIGH = 4,
    HLP1_ALARM_PRIORITY_UNKNOWN = 255
};

/* Condition and acknowledgement of one alarm. LATCHED: shown until FAULT_RESET, even if its cause is gone. */
enum hlp1_alarm_state {
    HLP1_ALARM_STATE_INACTIVE = 0,
    HLP1_ALARM_STATE_ACTIVE = 1,
    HLP1_ALARM_STATE_ACKNOWLEDGED = 2,
    HLP1_ALARM_STATE_LATCHED = 3,
    HLP1_ALARM_STATE_UNKNOWN = 255
};

/* Reason for which an end leaves a link. */
enum hlp1_bye_reason {
    HLP1_BYE_REASON_CLOSING = 0,
    HLP1_BYE_REASON_REPLACED = 1,
    HLP1_BYE_REASON_LEASE_EXPIRED = 2,
    HLP1_BYE_REASON_REBOOT = 3,
    HLP1_BYE_REASON_UNKNOWN = 255
};

/* Right to change a parameter: nobody after the start, or a controlling host. */
enum hlp1_param_scope {
    HLP1_PARAM_SCOPE_START_ONLY = 0,
    HLP1_PARAM_SCOPE_HOST_SETTABLE = 1,
    HLP1_PARAM_SCOPE_UNKNOWN = 255
};

/* The kinds of journal record. */
enum hlp1_record_kind {
    HLP1_RECORD_KIND_GAP = 0,
    HLP1_RECORD_KIND_CYCLE = 1,
    HLP1_RECORD_KIND_SESSION_OPENED = 2,
    HLP1_RECORD_KIND_SESSION_CLOSED = 3,
    HLP1_RECORD_KIND_ALARM = 4,
    HLP1_RECORD_KIND_REFUSAL = 5,
    HLP1_RECORD_KIND_PARAMETER = 6,
    HLP1_RECORD_KIND_BOOT = 7,
    HLP1_RECORD_KIND_ANESTHESIA = 8,
    HLP1_RECORD_KIND_ACTION = 9,
    HLP1_RECORD_KIND_UNKNOWN = 255
};

/* Telemetry streams that a host can ask for. */
enum hlp1_stream {
    HLP1_STREAM_STATE = 1,
    HLP1_STREAM_UNKNOWN = 255
};

/* What refused or stopped a motion: its number, and the hazard. */
enum hlp1_interlock {
    HLP1_INTERLOCK_NONE = 0, /* no interlock spoke */
    HLP1_INTERLOCK_NEEDLE_OUT = 1, /* the stage or the hand moves while needles are in the skin */
    HLP1_INTERLOCK_ANESTHESIA_NEEDED = 2, /* a punch into skin that is not numb */
    HLP1_INTERLOCK_ANESTHESIA_TIME = 3, /* the zone is not numb yet, or not any more */
    HLP1_INTERLOCK_SUCTION = 4, /* cores stay in the skin or fall back */
    HLP1_INTERLOCK_BLOCKED_LINE = 5, /* the vacuum reads well and nothing flows */
    HLP1_INTERLOCK_CLOG = 6, /* a needle punctures and brings nothing */
    HLP1_INTERLOCK_COUNT_MISMATCH = 7, /* the count is not what was done */
    HLP1_INTERLOCK_DENSITY = 8, /* more skin is removed in one place than planned */
    HLP1_INTERLOCK_ZONE = 9, /* a stroke outside the planned zones */
    HLP1_INTERLOCK_DEPTH = 10, /* a stroke goes deeper than set */
    HLP1_INTERLOCK_CARTRIDGE = 11, /* needles that were used before, are expired, not sterile or missing */
    HLP1_INTERLOCK_WEAR = 12, /* blunt needles */
    HLP1_INTERLOCK_TRIGGER = 13, /* a stroke that no hand asked for */
    HLP1_INTERLOCK_POWER = 14, /* power is lost with needles out */
    HLP1_INTERLOCK_LINK = 15, /* nobody watches what the device does */
    HLP1_INTERLOCK_STALL = 16, /* the needle motor does not turn */
    HLP1_INTERLOCK_HEAT = 17, /* a handle too hot to hold */
    HLP1_INTERLOCK_CANISTER = 18, /* the canister runs over */
    HLP1_INTERLOCK_FLUID = 19, /* fluid gets into the handpiece */
    HLP1_INTERLOCK_EMERGENCY_STOP = 20, /* someone must stop it now */
    HLP1_INTERLOCK_SESSION_GAP = 21, /* two sessions too close together */
    HLP1_INTERLOCK_LOG = 22, /* what is done is not written down */
    HLP1_INTERLOCK_SELF_TEST = 23 /* a sensor that cannot be believed */
};

/* Alarm codes; 1501 is shown as MC-1501. The first two digits are the interlock's number. */
enum hlp1_alarm_code {
    HLP1_ALARM_CODE_NEEDLE_NOT_RETRACTED = 101, /* HIGH, latched: The needles are not home: the stage must not move. */
    HLP1_ALARM_CODE_ANESTHESIA_MISSING = 201, /* INFO: The anesthesia of this zone is not confirmed. */
    HLP1_ALARM_CODE_ANESTHESIA_EXPIRED = 301, /* LOW: The time of the anesthesia is over: confirm the zone again. */
    /* MEDIUM: The vacuum is low: no new cycle until it is stable again. Look for a leak. */
    HLP1_ALARM_CODE_SUCTION_LOST = 401,
    HLP1_ALARM_CODE_LINE_BLOCKED = 501, /* MEDIUM: The vacuum is good and no core comes: clear the line. */
    HLP1_ALARM_CODE_NEEDLE_CLOGGED = 601, /* LOW: A needle brings no cores: purge it. */
    HLP1_ALARM_CODE_NEEDLES_CLOGGED = 602, /* MEDIUM: Two or more needles bring no cores: purge before going on. */
    HLP1_ALARM_CODE_COUNT_MISMATCH = 701, /* LOW: More cores are missing than clogs explain: watch the count. */
    HLP1_ALARM_CODE_COUNT_STOPPED = 702, /* MEDIUM: Too many cores are missing: stopped until looked into. */
    /* MEDIUM: This cell is near its limit although the plan did not bring it there. */
    HLP1_ALARM_CODE_DENSITY_NEAR = 801,
    HLP1_ALARM_CODE_DENSITY_REACHED = 802, /* MEDIUM: This cell has reached its planned punctures: move on. */
    HLP1_ALARM_CODE_DENSITY_LOCKED = 803, /* HIGH, latched: This cell is at the cap of punctures: locked. */
    HLP1_ALARM_CODE_TOO_DEEP = 1001, /* HIGH, latched: The needles went deeper than set: retracted and locked. */
    /* MEDIUM: The cartridge is missing, used, expired or not sterile: fit a new one. */
    HLP1_ALARM_CODE_CARTRIDGE_REFUSED = 1101,
    HLP1_ALARM_CODE_CARTRIDGE_WORN = 1201, /* LOW: The cartridge nears the end of its life. */
    HLP1_ALARM_CODE_CARTRIDGE_WORN_OUT = 1202, /* MEDIUM: The cartridge is at the end of its life: fit a new one. */
    HLP1_ALARM_CODE_TRIGGER_UNSTEADY = 1301, /* INFO: The trigger is not steady yet, or it bounces. */
    HLP1_ALARM_CODE_TRIGGER_STUCK = 1302, /* HIGH: The trigger is held or stuck: release it before arming. */
    /* HIGH, latched: Power was lost in a cycle: the reserve retracted the needles. */
    HLP1_ALARM_CODE_POWER_LOST_IN_STROKE = 1401,
    /* HIGH, latched: The link to the controller was lost: retracted, vented, disarmed. */
    HLP1_ALARM_CODE_LINK_LOST = 1501,
    /* LOW: A retained command lies at the broker: refused. Clear it from its topic. */
    HLP1_ALARM_CODE_RETAINED_COMMAND = 1502,
    HLP1_ALARM_CODE_MOTOR_STALLED = 1601, /* HIGH: The needle motor stalls: retracted and locked. */
    HLP1_ALARM_CODE_HOT = 1701, /* LOW: The handle is warm: look at its vent. */
    HLP1_ALARM_CODE_TOO_HOT = 1702, /* MEDIUM: The handle is too hot: no new cycle until it has cooled. */
    HLP1_ALARM_CODE_CANISTER_NEARLY_FULL = 1801, /* LOW: The canister is nearly full. */
    HLP1_ALARM_CODE_CANISTER_FULL = 1802, /* MEDIUM: The canister is full: change it before going on. */
    HLP1_ALARM_CODE_FLUID_INSIDE = 1901, /* HIGH, latched: Fluid has got into the handpiece: locked. */
    HLP1_ALARM_CODE_EMERGENCY_STOP = 2001, /* INFO: The emergency stop is open. */
    HLP1_ALARM_CODE_SELF_TEST_FAILED = 2301 /* MEDIUM: The self-test failed: the device does nothing else. */
};

/* --- payloads --- */

#pragma pack(push, 1)

/* The twelve bytes before each payload. */
struct hlp1_header {
    uint8_t major_and_kind;            /*   0 u8, HLP1_MAJOR << 4 | enum hlp1_kind */
    uint8_t flags;                     /*   1 u8 */
    uint16_t message_id;               /*   2 u16 */
    uint16_t seq;                      /*   4 u16 */
    uint16_t link_id;                  /*   6 u16 */
    uint16_t correlation_id;           /*   8 u16 */
    uint8_t node;                      /*  10 u8 */
    uint8_t payload_size;              /*  11 u8 */
};

/* LINK 0x0001: The host asks for a link. Sent with link id 0; answered by WELCOME, or by NAK. */
#define HLP1_SIZE_HELLO                      25u
struct hlp1_hello {
    uint16_t majors;                   /*   0 u16 */
    uint8_t minor;                     /*   2 u8 */
    uint8_t role;                      /*   3 enum8, enum hlp1_role */
    uint64_t features;                 /*   4 u64 */
    uint32_t schema_id;                /*  12 u32 */
    uint32_t host_id;                  /*  16 u32 */
    uint8_t max_payload_size;          /*  20 u8, B, 131 to 224 */
    uint32_t nonce;                    /*  21 u32 */
};

/* LINK 0x0002: The device grants a link and says where it stands. */
#define HLP1_SIZE_WELCOME                    90u
struct hlp1_welcome {
    uint16_t link_id;                  /*   0 u16 */
    uint8_t minor;                     /*   2 u8 */
    uint8_t role;                      /*   3 enum8, enum hlp1_role */
    uint64_t features;                 /*   4 u64 */
    uint32_t schema_id;                /*  12 u32 */
    uint32_t nonce;                    /*  16 u32 */
    uint32_t boot_count;               /*  20 u32 */
    uint16_t heartbeat_armed_ms;       /*  24 u16, ms */
    uint16_t lease_armed_ms;           /*  26 u16, ms */
    uint16_t heartbeat_idle_ms;        /*  28 u16, ms */
    uint16_t lease_idle_ms;            /*  30 u16, ms */
    uint32_t journal_epoch;            /*  32 u32 */
    uint32_t journal_tail;             /*  36 u32 */
    uint32_t journal_head;             /*  40 u32 */
    uint32_t session_no;               /*  44 u32 */
    uint32_t cycle_no;                 /*  48 u32 */
    uint32_t cycles;                   /*  52 u32 */
    uint32_t punctures;                /*  56 u32 */
    uint32_t cores_counted;            /*  60 u32 */
    uint8_t state;                     /*  64 enum8, enum hlp1_device_state */
    uint8_t simulated;                 /*  65 bool */
    uint32_t uptime_ms;                /*  66 u32, ms */
    uint32_t controller_host_id;       /*  70 u32 */
    char model_version[16];            /*  74 s16 */
};

/* LINK 0x0003: The device has been silent for heartbeat_ms; this is its snapshot. 0 in `running_correlation_id`:
 * nothing runs. */
#define HLP1_SIZE_HEARTBEAT                  33u
struct hlp1_heartbeat {
    uint8_t state;                     /*   0 enum8, enum hlp1_device_state */
    uint8_t highest_alarm;             /*   1 enum8, enum hlp1_alarm_priority */
    uint8_t trigger_held;              /*   2 bool */
    uint16_t running_correlation_id;   /*   3 u16 */
    uint32_t cycle_no;                 /*   5 u32 */
    uint32_t cycles;                   /*   9 u32 */
    uint32_t punctures;                /*  13 u32 */
    uint32_t cores_counted;            /*  17 u32 */
    uint32_t journal_head;             /*  21 u32 */
    uint32_t params_hash;              /*  25 u32 */
    uint32_t uptime_ms;                /*  29 u32, ms */
};

/* LINK 0x0004: The host has been silent for heartbeat_ms. Renews the lease of its own link, as any valid frame there
 * does. */
#define HLP1_SIZE_HOST_HEARTBEAT             0u /* no fixed fields */

/* LINK 0x0005: An end leaves the link. From a controlling host it has the reaction of a lost link, at once. */
#define HLP1_SIZE_BYE                        1u
struct hlp1_bye {
    uint8_t reason;                    /*   0 enum8, enum hlp1_bye_reason */
};

/* LINK 0x0006: A frame with a good CRC could not be taken. `seq` is that frame's; at most ten a second are sent. */
#define HLP1_SIZE_NAK                        131u
struct hlp1_nak {
    uint8_t code;                      /*   0 enum8, enum hlp1_code */
    uint16_t seq;                      /*   1 u16 */
    uint32_t expected;                 /*   3 u32 */
    uint32_t actual;                   /*   7 u32 */
    char sentence[120];                /*  11 s120 */
};

/* COMMAND 0x0007: Ask for the same bytes back. At 0 follows u8[] data, to the payload's end. */
#define HLP1_SIZE_ECHO                       0u /* no fixed fields */

/* REPLY 0x0007: The bytes of the ECHO. At 0 follows u8[] data, to the payload's end. */
#define HLP1_SIZE_ECHO_DONE                  0u /* no fixed fields */

/* REPLY 0x0010: A motion was accepted and has begun; DONE is expected after `expected_ms`. */
#define HLP1_SIZE_RECEIVED                   4u
struct hlp1_received {
    uint32_t expected_ms;              /*   0 u32, ms */
};

/* PROGRESS 0x0011: A motion is still under way; sent once a second while it lasts. */
#define HLP1_SIZE_PROGRESS                   9u
struct hlp1_progress {
    uint8_t state;                     /*   0 enum8, enum hlp1_device_state */
    uint32_t elapsed_ms;               /*   1 u32, ms */
    uint32_t expected_ms;              /*   5 u32, ms */
};

/* REPLY 0x0012: A lawful no: nothing was begun. `interlock` is its number in the table of interlocks, 0 where none
 * spoke. */
#define HLP1_SIZE_REFUSED                    130u
struct hlp1_refused {
    uint8_t code;                      /*   0 enum8, enum hlp1_code */
    uint8_t interlock;                 /*   1 u8 */
    uint32_t expected;                 /*   2 u32 */
    uint32_t actual;                   /*   6 u32 */
    char sentence[120];                /*  10 s120 */
};

/* REPLY 0x0013: A motion was begun and the device could not finish it. */
#define HLP1_SIZE_FAILED                     124u
struct hlp1_failed {
    uint8_t code;                      /*   0 enum8, enum hlp1_code */
    uint8_t interlock;                 /*   1 u8 */
    uint16_t alarm_code;               /*   2 u16 */
    char sentence[120];                /*   4 s120 */
};

/* REPLY 0x0014: A motion was begun and was stopped from outside: by STOP, a lost link, the emergency stop or a
 * reboot. */
#define HLP1_SIZE_ABORTED                    123u
struct hlp1_aborted {
    uint8_t code;                      /*   0 enum8, enum hlp1_code */
    uint8_t ending;                    /*   1 enum8, enum hlp1_ending */
    uint8_t phase;                     /*   2 enum8, enum hlp1_phase */
    char sentence[120];                /*   3 s120 */
};

/* COMMAND 0x0101: Ask for the device's identity. */
#define HLP1_SIZE_DEVICE_INFO                0u /* no fixed fields */

/* REPLY 0x0101: The device's identity. `seed` is 0 on a real device; `has_truth` says whether TRUTH_GET is answered. */
#define HLP1_SIZE_DEVICE_INFO_DONE           101u
struct hlp1_device_info_done {
    char model[32];                    /*   0 s32 */
    char serial[16];                   /*  32 s16 */
    char firmware_version[16];         /*  48 s16 */
    char model_version[16];            /*  64 s16 */
    uint8_t simulated;                 /*  80 bool */
    uint8_t has_truth;                 /*  81 bool */
    uint64_t seed;                     /*  82 u64 */
    uint8_t needles;                   /*  90 u8 */
    uint16_t core_diameter_um;         /*  91 u16, um */
    uint32_t cartridge_serial;         /*  93 u32 */
    uint32_t cartridge_life_cycles;    /*  97 u32 */
};

/* COMMAND 0x0201: Ask for the parameter at `index`, from 0; the answer says how many there are. */
#define HLP1_SIZE_PARAM_LIST                 2u
struct hlp1_param_list {
    uint16_t index;                    /*   0 u16 */
};

/* REPLY 0x0201: One parameter: its value now, its default, its inclusive range, its unit and who may set it. */
#define HLP1_SIZE_PARAM_LIST_DONE            85u
struct hlp1_param_list_done {
    uint16_t count;                    /*   0 u16 */
    uint16_t index;                    /*   2 u16 */
    char name[32];                     /*   4 s32 */
    char unit[16];                     /*  36 s16 */
    uint8_t scope;                     /*  52 enum8, enum hlp1_param_scope */
    double value;                      /*  53 f64 */
    double default_;                   /*  61 f64 */
    double minimum;                    /*  69 f64 */
    double maximum;                    /*  77 f64 */
};

/* COMMAND 0x0202: Ask for one parameter's value by name. */
#define HLP1_SIZE_PARAM_GET                  32u
struct hlp1_param_get {
    char name[32];                     /*   0 s32 */
};

/* REPLY 0x0202: One parameter's value. */
#define HLP1_SIZE_PARAM_GET_DONE             40u
struct hlp1_param_get_done {
    char name[32];                     /*   0 s32 */
    double value;                      /*  32 f64 */
};

/* COMMAND 0x0203: Set a host-settable parameter. Refused for a viewer, a start-only parameter and a value out of
 * range. */
#define HLP1_SIZE_PARAM_SET                  40u
struct hlp1_param_set {
    char name[32];                     /*   0 s32 */
    double value;                      /*  32 f64 */
};

/* REPLY 0x0203: The value that now stands. */
#define HLP1_SIZE_PARAM_SET_DONE             40u
struct hlp1_param_set_done {
    char name[32];                     /*   0 s32 */
    double value;                      /*  32 f64 */
};

/* COMMAND 0x0301: Open a session and take control. `zones_cm2` is each zone's area in cells of 1 cm2, zone 0 first.
 * At 8 follows u16[] zones_cm2, to the payload's end. */
#define HLP1_SIZE_SESSION_OPEN               8u
struct hlp1_session_open {
    uint32_t target_cores;             /*   0 u32, 1 to 1000000 */
    uint16_t coverage_bp;              /*   4 u16, 0.01 %, 400 to 800 */
    uint16_t depth_um;                 /*   6 u16, um, 500 to 4000 */
};

/* REPLY 0x0301: The session's number, and the plan as the device will hold the host to it. */
#define HLP1_SIZE_SESSION_OPEN_DONE          13u
struct hlp1_session_open_done {
    uint32_t session_no;               /*   0 u32 */
    uint32_t first_cycle_no;           /*   4 u32 */
    uint8_t needles;                   /*   8 u8 */
    uint16_t cells;                    /*   9 u16 */
    uint8_t cycles_per_cell;           /*  11 u8 */
    uint8_t punctures_per_cell;        /*  12 u8 */
};

/* COMMAND 0x0302: Note that a zone was numbed `age_s` seconds ago; the wait runs from then. */
#define HLP1_SIZE_ANESTHESIA_START           37u
struct hlp1_anesthesia_start {
    uint8_t zone;                      /*   0 u8 */
    uint32_t age_s;                    /*   1 u32, s, 0 to 86400 */
    char method[32];                   /*   5 s32 */
};

/* REPLY 0x0302: Time for which CONFIRM for this zone is still refused. */
#define HLP1_SIZE_ANESTHESIA_START_DONE      4u
struct hlp1_anesthesia_start_done {
    uint32_t wait_s;                   /*   0 u32, s */
};

/* COMMAND 0x0303: A person confirms that the zone is numb. */
#define HLP1_SIZE_ANESTHESIA_CONFIRM         33u
struct hlp1_anesthesia_confirm {
    uint8_t zone;                      /*   0 u8 */
    char confirmed_by[32];             /*   1 s32 */
};

/* REPLY 0x0303: Time for which the confirmation holds. */
#define HLP1_SIZE_ANESTHESIA_CONFIRM_DONE    4u
struct hlp1_anesthesia_confirm_done {
    uint32_t valid_s;                  /*   0 u32, s */
};

/* COMMAND 0x0304: Start the pump. DONE when the vacuum stands below the limit for a new cycle. */
#define HLP1_SIZE_ARM                        0u /* no fixed fields */

/* REPLY 0x0304: Armed. */
#define HLP1_SIZE_ARM_DONE                   4u
struct hlp1_arm_done {
    int32_t vacuum_pa;                 /*   0 i32, Pa */
};

/* COMMAND 0x0305: Stop the pump and vent. */
#define HLP1_SIZE_DISARM                     0u /* no fixed fields */

/* REPLY 0x0305: Disarmed; the vacuum is vented. */
#define HLP1_SIZE_DISARM_DONE                1u
struct hlp1_disarm_done {
    uint8_t state;                     /*   0 enum8, enum hlp1_device_state */
};

/* COMMAND 0x0306: Ask the hand to move to a cell of a zone. DONE on arrival; the time is the hand's own. */
#define HLP1_SIZE_REPOSITION                 3u
struct hlp1_reposition {
    uint8_t zone;                      /*   0 u8 */
    uint16_t cell;                     /*   1 u16 */
};

/* REPLY 0x0306: Arrived. `cell_punctures` were made there before, `cycles_left` fit under the plan's limit. */
#define HLP1_SIZE_REPOSITION_DONE            5u
struct hlp1_reposition_done {
    uint8_t zone;                      /*   0 u8 */
    uint16_t cell;                     /*   1 u16 */
    uint8_t cell_punctures;            /*   3 u8 */
    uint8_t cycles_left;               /*   4 u8 */
};

/* COMMAND 0x0307: Begin cycle `cycle_no`: needles out to `depth_um`, dwell, back. Void after device uptime
 * `deadline_ms`. */
#define HLP1_SIZE_PUNCH                      10u
struct hlp1_punch {
    uint32_t cycle_no;                 /*   0 u32 */
    uint16_t depth_um;                 /*   4 u16, um */
    uint32_t deadline_ms;              /*   6 u32, ms */
};

/* REPLY 0x0307: The needles are home again. `depth_um` is what the encoder measured, `punctured` one bit a needle. */
#define HLP1_SIZE_PUNCH_DONE                 11u
struct hlp1_punch_done {
    uint32_t cycle_no;                 /*   0 u32 */
    uint16_t depth_um;                 /*   4 u16, um */
    uint8_t punctured;                 /*   6 u8 */
    int32_t vacuum_pa;                 /*   7 i32, Pa */
};

/* COMMAND 0x0308: Evacuate the cores of the open cycle. */
#define HLP1_SIZE_SUCTION                    4u
struct hlp1_suction {
    uint32_t cycle_no;                 /*   0 u32 */
};

/* REPLY 0x0308: Evacuated, as far as it could be. */
#define HLP1_SIZE_SUCTION_DONE               8u
struct hlp1_suction_done {
    uint32_t cycle_no;                 /*   0 u32 */
    int32_t vacuum_pa;                 /*   4 i32, Pa */
};

/* COMMAND 0x0309: Move the stage by `steps` pitches within the cell. */
#define HLP1_SIZE_ADVANCE                    5u
struct hlp1_advance {
    uint32_t cycle_no;                 /*   0 u32 */
    uint8_t steps;                     /*   4 u8, 1 to 8 */
};

/* REPLY 0x0309: Advanced. */
#define HLP1_SIZE_ADVANCE_DONE               4u
struct hlp1_advance_done {
    uint32_t cycle_no;                 /*   0 u32 */
};

/* COMMAND 0x030A: Read the count sensor and end the cycle. */
#define HLP1_SIZE_COUNT                      4u
struct hlp1_count {
    uint32_t cycle_no;                 /*   0 u32 */
};

/* REPLY 0x030A: The cycle's stored outcome. `outcomes` holds a `NeedleOutcome` in each four bits, needle 0 lowest. */
#define HLP1_SIZE_COUNT_DONE                 20u
struct hlp1_count_done {
    uint32_t cycle_no;                 /*   0 u32 */
    uint32_t outcomes;                 /*   4 u32 */
    uint8_t cores_counted;             /*   8 u8 */
    uint8_t flagged;                   /*   9 u8 */
    uint8_t cell_punctures;            /*  10 u8 */
    uint8_t cycles_left;               /*  11 u8 */
    uint32_t total_punctures;          /*  12 u32 */
    uint32_t total_cores_counted;      /*  16 u32 */
};

/* COMMAND 0x030B: Blow the flagged needles free. It does not always work: the answer says which are flagged still. */
#define HLP1_SIZE_PURGE                      0u /* no fixed fields */

/* REPLY 0x030B: Purged; one bit a needle. */
#define HLP1_SIZE_PURGE_DONE                 2u
struct hlp1_purge_done {
    uint8_t cleared;                   /*   0 u8 */
    uint8_t flagged;                   /*   1 u8 */
};

/* COMMAND 0x030C: Hold between cycles, armed; an open cycle is refused. */
#define HLP1_SIZE_PAUSE                      0u /* no fixed fields */

/* REPLY 0x030C: Paused. */
#define HLP1_SIZE_PAUSE_DONE                 0u /* no fixed fields */

/* COMMAND 0x030D: Go on after PAUSE. */
#define HLP1_SIZE_RESUME                     0u /* no fixed fields */

/* REPLY 0x030D: Armed again. */
#define HLP1_SIZE_RESUME_DONE                0u /* no fixed fields */

/* COMMAND 0x030E: Stop now: retract, vent, disarm, SAFE. From any link, in any state, harmless twice. */
#define HLP1_SIZE_STOP                       0u /* no fixed fields */

/* REPLY 0x030E: The stop has begun; its end is seen in the state. */
#define HLP1_SIZE_STOP_DONE                  1u
struct hlp1_stop_done {
    uint8_t state;                     /*   0 enum8, enum hlp1_device_state */
};

/* COMMAND 0x030F: Leave SAFE or FAULT and clear latched alarms whose cause is gone. The only way out of either. */
#define HLP1_SIZE_FAULT_RESET                0u /* no fixed fields */

/* REPLY 0x030F: The state after the reset, and how many alarms stay. */
#define HLP1_SIZE_FAULT_RESET_DONE           2u
struct hlp1_fault_reset_done {
    uint8_t state;                     /*   0 enum8, enum hlp1_device_state */
    uint8_t alarms;                    /*   1 u8 */
};

/* COMMAND 0x0310: Close the session with the host's own fold of the journal; refused, with both numbers, if it
 * disagrees. */
#define HLP1_SIZE_SESSION_CLOSE              29u
struct hlp1_session_close {
    uint32_t session_no;               /*   0 u32 */
    uint8_t reason;                    /*   4 enum8, enum hlp1_close_reason */
    uint32_t cycles;                   /*   5 u32 */
    uint32_t completed;                /*   9 u32 */
    uint32_t aborted;                  /*  13 u32 */
    uint32_t ambiguous;                /*  17 u32 */
    uint32_t punctures;                /*  21 u32 */
    uint32_t cores_counted;            /*  25 u32 */
};

/* REPLY 0x0310: Closed. The device's own totals, equal to the host's unless it closed as ABANDONED. */
#define HLP1_SIZE_SESSION_CLOSE_DONE         28u
struct hlp1_session_close_done {
    uint32_t session_no;               /*   0 u32 */
    uint32_t cycles;                   /*   4 u32 */
    uint32_t completed;                /*   8 u32 */
    uint32_t aborted;                  /*  12 u32 */
    uint32_t ambiguous;                /*  16 u32 */
    uint32_t punctures;                /*  20 u32 */
    uint32_t cores_counted;            /*  24 u32 */
};

/* COMMAND 0x0401: Ask for a stream every `interval_ms` on this link; 0 ends it. */
#define HLP1_SIZE_STREAM_SET                 3u
struct hlp1_stream_set {
    uint8_t stream;                    /*   0 enum8, enum hlp1_stream */
    uint16_t interval_ms;              /*   1 u16, ms, 0 to 60000 */
};

/* REPLY 0x0401: The interval that was granted; never below 20 ms. */
#define HLP1_SIZE_STREAM_SET_DONE            3u
struct hlp1_stream_set_done {
    uint8_t stream;                    /*   0 enum8, enum hlp1_stream */
    uint16_t interval_ms;              /*   1 u16, ms */
};

/* TELEMETRY 0x0402: The device as its sensors have it. */
#define HLP1_SIZE_TELEMETRY_STATE            26u
struct hlp1_telemetry_state {
    uint32_t uptime_ms;                /*   0 u32, ms */
    uint8_t state;                     /*   4 enum8, enum hlp1_device_state */
    uint16_t depth_um;                 /*   5 u16, um */
    int32_t vacuum_pa;                 /*   7 i32, Pa */
    uint32_t temperature_mk;           /*  11 u32, mK */
    uint32_t canister_ul;              /*  15 u32, uL */
    uint32_t cartridge_cycles;         /*  19 u32 */
    uint16_t cell;                     /*  23 u16 */
    uint8_t flagged;                   /*  25 u8 */
};

/* EVENT 0x0501: One journal record as it is written, where no reply tells the host of it; `record` is 32 bytes. At 0
 * follows u8[] record, to the payload's end. */
#define HLP1_SIZE_EVENT                      0u /* no fixed fields */

/* COMMAND 0x0502: Ask for up to `max_records` records from `first` on. */
#define HLP1_SIZE_JOURNAL_READ               9u
struct hlp1_journal_read {
    uint32_t epoch;                    /*   0 u32 */
    uint32_t first;                    /*   4 u32 */
    uint8_t max_records;               /*   8 u8, 1 to 255 */
};

/* REPLY 0x0502: Records in order from `first`; empty when there are none. `head` is the number the next record will
 * have. At 16 follows u8[] records, to the payload's end. */
#define HLP1_SIZE_JOURNAL_PAGE               16u
struct hlp1_journal_page {
    uint32_t epoch;                    /*   0 u32 */
    uint32_t first;                    /*   4 u32 */
    uint32_t tail;                     /*   8 u32 */
    uint32_t head;                     /*  12 u32 */
};

/* COMMAND 0x0503: Records before `upto` are safe with the host: their slots may be used again. Only the controller's
 * counts. */
#define HLP1_SIZE_JOURNAL_ACK                8u
struct hlp1_journal_ack {
    uint32_t epoch;                    /*   0 u32 */
    uint32_t upto;                     /*   4 u32 */
};

/* REPLY 0x0503: The tail that now stands; it never moves back. */
#define HLP1_SIZE_JOURNAL_ACK_DONE           4u
struct hlp1_journal_ack_done {
    uint32_t tail;                     /*   0 u32 */
};

/* ALARM 0x0601: One alarm changed its state. `code` 1203 is shown as MC-1203; `interlock` is the rule that raised
 * it. */
#define HLP1_SIZE_ALARM                      129u
struct hlp1_alarm {
    uint16_t code;                     /*   0 u16 */
    uint8_t interlock;                 /*   2 u8 */
    uint8_t priority;                  /*   3 enum8, enum hlp1_alarm_priority */
    uint8_t state;                     /*   4 enum8, enum hlp1_alarm_state */
    uint32_t uptime_ms;                /*   5 u32, ms */
    char sentence[120];                /*   9 s120 */
};

/* COMMAND 0x0602: Ask for the alarm at `index` of the list of alarms that are not inactive, from 0. */
#define HLP1_SIZE_ALARM_LIST                 1u
struct hlp1_alarm_list {
    uint8_t index;                     /*   0 u8 */
};

/* REPLY 0x0602: One alarm; where `index` is not below `count` the other fields are zero. */
#define HLP1_SIZE_ALARM_LIST_DONE            131u
struct hlp1_alarm_list_done {
    uint8_t count;                     /*   0 u8 */
    uint8_t index;                     /*   1 u8 */
    uint16_t code;                     /*   2 u16 */
    uint8_t interlock;                 /*   4 u8 */
    uint8_t priority;                  /*   5 enum8, enum hlp1_alarm_priority */
    uint8_t state;                     /*   6 enum8, enum hlp1_alarm_state */
    uint32_t uptime_ms;                /*   7 u32, ms */
    char sentence[120];                /*  11 s120 */
};

/* COMMAND 0x0603: The controller has seen the alarm `code`. */
#define HLP1_SIZE_ALARM_ACK                  2u
struct hlp1_alarm_ack {
    uint16_t code;                     /*   0 u16 */
};

/* REPLY 0x0603: The alarm's state after it. */
#define HLP1_SIZE_ALARM_ACK_DONE             3u
struct hlp1_alarm_ack_done {
    uint16_t code;                     /*   0 u16 */
    uint8_t state;                     /*   2 enum8, enum hlp1_alarm_state */
};

/* COMMAND 0x0F01: Ask for the ground truth of the last closed session. */
#define HLP1_SIZE_TRUTH_GET                  0u /* no fixed fields */

/* REPLY 0x0F01: The plant's own five counters of the session; kept apart from what was counted. */
#define HLP1_SIZE_TRUTH_GET_DONE             28u
struct hlp1_truth_get_done {
    uint32_t session_no;               /*   0 u32 */
    uint32_t cycles_commanded;         /*   4 u32 */
    uint32_t cycles_completed;         /*   8 u32 */
    uint32_t punctures;                /*  12 u32 */
    uint32_t cores_evacuated;          /*  16 u32 */
    uint32_t cores_counted;            /*  20 u32 */
    uint32_t clogs;                    /*  24 u32 */
};

/* COMMAND 0x0F02: Have a fault begin when a trigger holds: its kind, trigger and quantities are those of a scenario. */
#define HLP1_SIZE_FAULT_INJECT               193u
struct hlp1_fault_inject {
    char fault[32];                    /*   0 s32 */
    char when[120];                    /*  32 s120 */
    uint8_t given;                     /* 152 u8 */
    double value_0;                    /* 153 f64 */
    double value_1;                    /* 161 f64 */
    double value_2;                    /* 169 f64 */
    double value_3;                    /* 177 f64 */
    double value_4;                    /* 185 f64 */
};

/* REPLY 0x0F02: The fault waits for its trigger, under this number. */
#define HLP1_SIZE_FAULT_INJECT_DONE          2u
struct hlp1_fault_inject_done {
    uint16_t fault_id;                 /*   0 u16 */
};

/* COMMAND 0x0F03: End a fault, whether it has begun or not; 0 ends all. */
#define HLP1_SIZE_FAULT_CLEAR                2u
struct hlp1_fault_clear {
    uint16_t fault_id;                 /*   0 u16 */
};

/* REPLY 0x0F03: Faults that waited or were under way, and how many of those have never changed anything. */
#define HLP1_SIZE_FAULT_CLEAR_DONE           4u
struct hlp1_fault_clear_done {
    uint16_t cleared;                  /*   0 u16 */
    uint16_t unfired;                  /*   2 u16 */
};

/* COMMAND 0x0F04: Ask what has become of a fault. */
#define HLP1_SIZE_FAULT_GET                  2u
struct hlp1_fault_get {
    uint16_t fault_id;                 /*   0 u16 */
};

/* REPLY 0x0F04: A fault, and how often it has changed something; one that never has has not fired. */
#define HLP1_SIZE_FAULT_GET_DONE             40u
struct hlp1_fault_get_done {
    uint16_t fault_id;                 /*   0 u16 */
    uint32_t effects;                  /*   2 u32 */
    uint8_t began;                     /*   6 bool */
    uint8_t ended;                     /*   7 bool */
    char fault[32];                    /*   8 s32 */
};

/* COMMAND 0x0F05: Take the device's power away for a time, once this is answered. */
#define HLP1_SIZE_POWER_CUT                  4u
struct hlp1_power_cut {
    uint32_t for_ms;                   /*   0 u32, ms, 1 to 86400000 */
};

/* REPLY 0x0F05: The power goes. */
#define HLP1_SIZE_POWER_CUT_DONE             4u
struct hlp1_power_cut_done {
    uint32_t for_ms;                   /*   0 u32, ms */
};

/* --- journal records --- */

/* Kind 0: Stands for `missing` records from `event_no` on that the ring no longer holds. */
struct hlp1_record_gap {
    uint32_t event_no;                 /*   0 u32 */
    uint32_t uptime_ms;                /*   4 u32, ms */
    uint8_t kind;                      /*   8 enum8, enum hlp1_record_kind */
    uint32_t missing;                  /*   9 u32 */
    uint8_t zeros[19];
};

/* Kind 1: Ending of one cycle: `phase` is the one it was in, `outcomes` a `NeedleOutcome` in each four bits. */
struct hlp1_record_cycle {
    uint32_t event_no;                 /*   0 u32 */
    uint32_t uptime_ms;                /*   4 u32, ms */
    uint8_t kind;                      /*   8 enum8, enum hlp1_record_kind */
    uint8_t ending;                    /*   9 enum8, enum hlp1_ending */
    uint8_t phase;                     /*  10 enum8, enum hlp1_phase */
    uint8_t needles;                   /*  11 u8 */
    uint32_t cycle_no;                 /*  12 u32 */
    uint32_t outcomes;                 /*  16 u32 */
    uint16_t cell;                     /*  20 u16 */
    uint16_t depth_um;                 /*  22 u16, um */
    uint32_t total_punctures;          /*  24 u32 */
    uint32_t total_cores_counted;      /*  28 u32 */
};

/* Kind 2: A session was opened; its first cycle will be `first_cycle_no`. */
struct hlp1_record_session_opened {
    uint32_t event_no;                 /*   0 u32 */
    uint32_t uptime_ms;                /*   4 u32, ms */
    uint8_t kind;                      /*   8 enum8, enum hlp1_record_kind */
    uint32_t session_no;               /*   9 u32 */
    uint32_t target_cores;             /*  13 u32 */
    uint32_t first_cycle_no;           /*  17 u32 */
    uint16_t coverage_bp;              /*  21 u16, 0.01 % */
    uint16_t depth_um;                 /*  23 u16, um */
    uint16_t cells;                    /*  25 u16 */
    uint8_t zones;                     /*  27 u8 */
    uint8_t zeros[4];
};

/* Kind 3: A session was closed. The counts are the device's; both ends agree on them, unless `reason` is ABANDONED. */
struct hlp1_record_session_closed {
    uint32_t event_no;                 /*   0 u32 */
    uint32_t uptime_ms;                /*   4 u32, ms */
    uint8_t kind;                      /*   8 enum8, enum hlp1_record_kind */
    uint8_t reason;                    /*   9 enum8, enum hlp1_close_reason */
    uint32_t session_no;               /*  10 u32 */
    uint32_t cycles;                   /*  14 u32 */
    uint32_t punctures;                /*  18 u32 */
    uint32_t cores_counted;            /*  22 u32 */
    uint8_t zeros[6];
};

/* Kind 4: An alarm changed its state. */
struct hlp1_record_alarm_changed {
    uint32_t event_no;                 /*   0 u32 */
    uint32_t uptime_ms;                /*   4 u32, ms */
    uint8_t kind;                      /*   8 enum8, enum hlp1_record_kind */
    uint16_t code;                     /*   9 u16 */
    uint8_t interlock;                 /*  11 u8 */
    uint8_t priority;                  /*  12 enum8, enum hlp1_alarm_priority */
    uint8_t state;                     /*  13 enum8, enum hlp1_alarm_state */
    uint8_t zeros[18];
};

/* Kind 5: A command that would have changed something was refused. */
struct hlp1_record_refusal {
    uint32_t event_no;                 /*   0 u32 */
    uint32_t uptime_ms;                /*   4 u32, ms */
    uint8_t kind;                      /*   8 enum8, enum hlp1_record_kind */
    uint8_t code;                      /*   9 enum8, enum hlp1_code */
    uint8_t interlock;                 /*  10 u8 */
    uint16_t message_id;               /*  11 u16 */
    uint32_t cycle_no;                 /*  13 u32 */
    uint8_t zeros[15];
};

/* Kind 6: A parameter was set, named by its index in the parameter table. */
struct hlp1_record_parameter_set {
    uint32_t event_no;                 /*   0 u32 */
    uint32_t uptime_ms;                /*   4 u32, ms */
    uint8_t kind;                      /*   8 enum8, enum hlp1_record_kind */
    uint16_t index;                    /*   9 u16 */
    double value;                      /*  11 f64 */
    uint8_t zeros[13];
};

/* Kind 7: The device started. `open_cycle_no` is the cycle that the power loss ended, 0 if none was open. */
struct hlp1_record_boot {
    uint32_t event_no;                 /*   0 u32 */
    uint32_t uptime_ms;                /*   4 u32, ms */
    uint8_t kind;                      /*   8 enum8, enum hlp1_record_kind */
    uint32_t boot_count;               /*   9 u32 */
    uint32_t open_cycle_no;            /*  13 u32 */
    uint8_t phase;                     /*  17 enum8, enum hlp1_phase */
    uint8_t zeros[14];
};

/* Kind 8: A zone's anesthesia was noted (`confirmed` 0) or confirmed (1). */
struct hlp1_record_anesthesia {
    uint32_t event_no;                 /*   0 u32 */
    uint32_t uptime_ms;                /*   4 u32, ms */
    uint8_t kind;                      /*   8 enum8, enum hlp1_record_kind */
    uint8_t zone;                      /*   9 u8 */
    uint8_t confirmed;                 /*  10 u8 */
    uint32_t age_s;                    /*  11 u32, s */
    uint8_t zeros[17];
};

/* Kind 9: A host's command that is no cycle, such as ARM, PURGE or STOP: its message id, and where the hand was. */
struct hlp1_record_action {
    uint32_t event_no;                 /*   0 u32 */
    uint32_t uptime_ms;                /*   4 u32, ms */
    uint8_t kind;                      /*   8 enum8, enum hlp1_record_kind */
    uint16_t message_id;               /*   9 u16 */
    uint8_t zone;                      /*  11 u8 */
    uint16_t cell;                     /*  12 u16 */
    uint8_t zeros[18];
};

#pragma pack(pop)

/* --- what a compiler must make of it --- */

#define HLP1_CHECK(name, size) typedef char hlp1_check_##name[sizeof(struct hlp1_##name) == (size) ? 1 : -1]
HLP1_CHECK(header, HLP1_HEADER_SIZE);
HLP1_CHECK(hello, 25);
HLP1_CHECK(welcome, 90);
HLP1_CHECK(heartbeat, 33);
HLP1_CHECK(bye, 1);
HLP1_CHECK(nak, 131);
HLP1_CHECK(received, 4);
HLP1_CHECK(progress, 9);
HLP1_CHECK(refused, 130);
HLP1_CHECK(failed, 124);
HLP1_CHECK(aborted, 123);
HLP1_CHECK(device_info_done, 101);
HLP1_CHECK(param_list, 2);
HLP1_CHECK(param_list_done, 85);
HLP1_CHECK(param_get, 32);
HLP1_CHECK(param_get_done, 40);
HLP1_CHECK(param_set, 40);
HLP1_CHECK(param_set_done, 40);
HLP1_CHECK(session_open, 8);
HLP1_CHECK(session_open_done, 13);
HLP1_CHECK(anesthesia_start, 37);
HLP1_CHECK(anesthesia_start_done, 4);
HLP1_CHECK(anesthesia_confirm, 33);
HLP1_CHECK(anesthesia_confirm_done, 4);
HLP1_CHECK(arm_done, 4);
HLP1_CHECK(disarm_done, 1);
HLP1_CHECK(reposition, 3);
HLP1_CHECK(reposition_done, 5);
HLP1_CHECK(punch, 10);
HLP1_CHECK(punch_done, 11);
HLP1_CHECK(suction, 4);
HLP1_CHECK(suction_done, 8);
HLP1_CHECK(advance, 5);
HLP1_CHECK(advance_done, 4);
HLP1_CHECK(count, 4);
HLP1_CHECK(count_done, 20);
HLP1_CHECK(purge_done, 2);
HLP1_CHECK(stop_done, 1);
HLP1_CHECK(fault_reset_done, 2);
HLP1_CHECK(session_close, 29);
HLP1_CHECK(session_close_done, 28);
HLP1_CHECK(stream_set, 3);
HLP1_CHECK(stream_set_done, 3);
HLP1_CHECK(telemetry_state, 26);
HLP1_CHECK(journal_read, 9);
HLP1_CHECK(journal_page, 16);
HLP1_CHECK(journal_ack, 8);
HLP1_CHECK(journal_ack_done, 4);
HLP1_CHECK(alarm, 129);
HLP1_CHECK(alarm_list, 1);
HLP1_CHECK(alarm_list_done, 131);
HLP1_CHECK(alarm_ack, 2);
HLP1_CHECK(alarm_ack_done, 3);
HLP1_CHECK(truth_get_done, 28);
HLP1_CHECK(fault_inject, 193);
HLP1_CHECK(fault_inject_done, 2);
HLP1_CHECK(fault_clear, 2);
HLP1_CHECK(fault_clear_done, 4);
HLP1_CHECK(fault_get, 2);
HLP1_CHECK(fault_get_done, 40);
HLP1_CHECK(power_cut, 4);
HLP1_CHECK(power_cut_done, 4);
HLP1_CHECK(record_gap, HLP1_RECORD_SIZE);
HLP1_CHECK(record_cycle, HLP1_RECORD_SIZE);
HLP1_CHECK(record_session_opened, HLP1_RECORD_SIZE);
HLP1_CHECK(record_session_closed, HLP1_RECORD_SIZE);
HLP1_CHECK(record_alarm_changed, HLP1_RECORD_SIZE);
HLP1_CHECK(record_refusal, HLP1_RECORD_SIZE);
HLP1_CHECK(record_parameter_set, HLP1_RECORD_SIZE);
HLP1_CHECK(record_boot, HLP1_RECORD_SIZE);
HLP1_CHECK(record_anesthesia, HLP1_RECORD_SIZE);
HLP1_CHECK(record_action, HLP1_RECORD_SIZE);

/* --- frames --- */

#ifdef HLP1_FRAMES

struct hlp1_frame { struct hlp1_header header; uint8_t payload[HLP1_MAX_PAYLOAD_SIZE]; };

/* One direction of a wire, zeroed before its first byte: what came since the last zero. */
struct hlp1_decoder { uint8_t kept[HLP1_MAX_ENCODED_SIZE]; unsigned used, discarding; };

/* What a byte completes: nothing yet, a frame, or bytes that are none, for the first reason in this order. */
enum hlp1_found {
    HLP1_FOUND_NOTHING = 0,
    HLP1_FOUND_FRAME = 1,
    HLP1_FOUND_OVERSIZE = 2,
    HLP1_FOUND_COBS = 3,
    HLP1_FOUND_SHORT = 4,
    HLP1_FOUND_CRC = 5,
    HLP1_FOUND_LENGTH = 6
};

static inline uint32_t hlp1_crc32c(const uint8_t *data, unsigned size) {
    uint32_t crc = 0xFFFFFFFFu;
    for (unsigned i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1u ? 0x82F63B78u : 0u);
    }
    return ~crc;
}

/* Header, the payload that header.payload_size tells, and checksum, stuffed between two zeros. `wire` has room for
 * HLP1_MAX_FRAME_SIZE bytes; returns how many were written. */
static inline unsigned hlp1_encode(const struct hlp1_frame *frame, uint8_t *wire) {
    const uint8_t *body = (const uint8_t *)frame;
    unsigned size = HLP1_HEADER_SIZE + frame->header.payload_size, code = 1, out = 2;
    uint32_t crc = hlp1_crc32c(body, size);
    wire[0] = 0;
    for (unsigned i = 0; i < size + HLP1_CRC_SIZE; i++) {
        uint8_t byte = i < size ? body[i] : (uint8_t)(crc >> 8 * (i - size));
        if (byte) { wire[out++] = byte; continue; }
        wire[code] = (uint8_t)(out - code);
        code = out++;
    }
    wire[code] = (uint8_t)(out - code);
    wire[out++] = 0;
    return out;
}

/* What stood between two zeros. */
static inline enum hlp1_found hlp1_decode(const uint8_t *stuffed, unsigned size, struct hlp1_frame *frame) {
    uint8_t body[HLP1_MAX_ENCODED_SIZE];
    unsigned out = 0;
    uint32_t crc = 0;
    for (unsigned in = 0; in < size;) {
        unsigned run = stuffed[in++] - 1u; /* never 0 - 1: there is no zero between zeros */
        if (run > size - in) return HLP1_FOUND_COBS;
        while (run--) body[out++] = stuffed[in++];
        if (in < size) body[out++] = 0;
    }
    if (out < HLP1_HEADER_SIZE + HLP1_CRC_SIZE) return HLP1_FOUND_SHORT;
    out -= HLP1_CRC_SIZE;
    for (unsigned i = 0; i < HLP1_CRC_SIZE; i++) crc |= (uint32_t)body[out + i] << 8 * i;
    if (crc != hlp1_crc32c(body, out)) return HLP1_FOUND_CRC;
    if (body[HLP1_HEADER_SIZE - 1] != out - HLP1_HEADER_SIZE) return HLP1_FOUND_LENGTH;
    for (unsigned i = 0; i < out; i++) ((uint8_t *)frame)[i] = body[i];
    return HLP1_FOUND_FRAME;
}

/* Takes the next byte off the wire; `frame` is written only where a frame is found. */
static inline enum hlp1_found hlp1_feed(struct hlp1_decoder *decoder, uint8_t byte, struct hlp1_frame *frame) {
    unsigned size = decoder->used;
    if (byte && decoder->discarding) return HLP1_FOUND_NOTHING;
    if (byte && size < HLP1_MAX_ENCODED_SIZE) {
        decoder->kept[decoder->used++] = byte;
        return HLP1_FOUND_NOTHING;
    }
    decoder->used = 0;
    decoder->discarding = byte != 0; /* too long: said once, and skipped up to the next zero */
    if (byte) return HLP1_FOUND_OVERSIZE;
    return size ? hlp1_decode(decoder->kept, size, frame) : HLP1_FOUND_NOTHING;
}

#endif

/* --- what is no payload --- */

#ifdef HLP1_CHECKS

/* A message: bytes that its payload has at the least, and of one element of the array that fills the rest (0: none);
 * whether a device alone sends it, so that one which hears it hears itself; its last fixed field, and its array. */
struct hlp1_message { uint16_t id; uint8_t kind, least, element, of_device; const char *last_field, *array; };

/* The message of a kind and an id; 0 where this version knows none. */
static inline const struct hlp1_message *hlp1_message_of(unsigned kind, unsigned id) {
    static const struct hlp1_message messages[] = {
        {0x0001u, 7, 25, 0, 0, "nonce", ""},
        {0x0002u, 7, 90, 0, 1, "model_version", ""},
        {0x0003u, 7, 33, 0, 1, "uptime_ms", ""},
        {0x0004u, 7, 0, 0, 0, "", ""},
        {0x0005u, 7, 1, 0, 0, "reason", ""},
        {0x0006u, 7, 131, 0, 0, "sentence", ""},
        {0x0007u, 0, 0, 1, 0, "", "data"},
        {0x0007u, 1, 0, 1, 1, "", "data"},
        {0x0010u, 1, 4, 0, 1, "expected_ms", ""},
        {0x0011u, 2, 9, 0, 1, "expected_ms", ""},
        {0x0012u, 1, 130, 0, 1, "sentence", ""},
        {0x0013u, 1, 124, 0, 1, "sentence", ""},
        {0x0014u, 1, 123, 0, 1, "sentence", ""},
        {0x0101u, 0, 0, 0, 0, "", ""},
        {0x0101u, 1, 101, 0, 1, "cartridge_life_cycles", ""},
        {0x0201u, 0, 2, 0, 0, "index", ""},
        {0x0201u, 1, 85, 0, 1, "maximum", ""},
        {0x0202u, 0, 32, 0, 0, "name", ""},
        {0x0202u, 1, 40, 0, 1, "value", ""},
        {0x0203u, 0, 40, 0, 0, "value", ""},
        {0x0203u, 1, 40, 0, 1, "value", ""},
        {0x0301u, 0, 8, 2, 0, "depth_um", "zones_cm2"},
        {0x0301u, 1, 13, 0, 1, "punctures_per_cell", ""},
        {0x0302u, 0, 37, 0, 0, "method", ""},
        {0x0302u, 1, 4, 0, 1, "wait_s", ""},
        {0x0303u, 0, 33, 0, 0, "confirmed_by", ""},
        {0x0303u, 1, 4, 0, 1, "valid_s", ""},
        {0x0304u, 0, 0, 0, 0, "", ""},
        {0x0304u, 1, 4, 0, 1, "vacuum_pa", ""},
        {0x0305u, 0, 0, 0, 0, "", ""},
        {0x0305u, 1, 1, 0, 1, "state", ""},
        {0x0306u, 0, 3, 0, 0, "cell", ""},
        {0x0306u, 1, 5, 0, 1, "cycles_left", ""},
        {0x0307u, 0, 10, 0, 0, "deadline_ms", ""},
        {0x0307u, 1, 11, 0, 1, "vacuum_pa", ""},
        {0x0308u, 0, 4, 0, 0, "cycle_no", ""},
        {0x0308u, 1, 8, 0, 1, "vacuum_pa", ""},
        {0x0309u, 0, 5, 0, 0, "steps", ""},
        {0x0309u, 1, 4, 0, 1, "cycle_no", ""},
        {0x030Au, 0, 4, 0, 0, "cycle_no", ""},
        {0x030Au, 1, 20, 0, 1, "total_cores_counted", ""},
        {0x030Bu, 0, 0, 0, 0, "", ""},
        {0x030Bu, 1, 2, 0, 1, "flagged", ""},
        {0x030Cu, 0, 0, 0, 0, "", ""},
        {0x030Cu, 1, 0, 0, 1, "", ""},
        {0x030Du, 0, 0, 0, 0, "", ""},
        {0x030Du, 1, 0, 0, 1, "", ""},
        {0x030Eu, 0, 0, 0, 0, "", ""},
        {0x030Eu, 1, 1, 0, 1, "state", ""},
        {0x030Fu, 0, 0, 0, 0, "", ""},
        {0x030Fu, 1, 2, 0, 1, "alarms", ""},
        {0x0310u, 0, 29, 0, 0, "cores_counted", ""},
        {0x0310u, 1, 28, 0, 1, "cores_counted", ""},
        {0x0401u, 0, 3, 0, 0, "interval_ms", ""},
        {0x0401u, 1, 3, 0, 1, "interval_ms", ""},
        {0x0402u, 4, 26, 0, 1, "flagged", ""},
        {0x0501u, 3, 0, 1, 1, "", "record"},
        {0x0502u, 0, 9, 0, 0, "max_records", ""},
        {0x0502u, 1, 16, 1, 1, "head", "records"},
        {0x0503u, 0, 8, 0, 0, "upto", ""},
        {0x0503u, 1, 4, 0, 1, "tail", ""},
        {0x0601u, 5, 129, 0, 1, "sentence", ""},
        {0x0602u, 0, 1, 0, 0, "index", ""},
        {0x0602u, 1, 131, 0, 1, "sentence", ""},
        {0x0603u, 0, 2, 0, 0, "code", ""},
        {0x0603u, 1, 3, 0, 1, "state", ""},
        {0x0F01u, 0, 0, 0, 0, "", ""},
        {0x0F01u, 1, 28, 0, 1, "clogs", ""},
        {0x0F02u, 0, 193, 0, 0, "value_4", ""},
        {0x0F02u, 1, 2, 0, 1, "fault_id", ""},
        {0x0F03u, 0, 2, 0, 0, "fault_id", ""},
        {0x0F03u, 1, 4, 0, 1, "unfired", ""},
        {0x0F04u, 0, 2, 0, 0, "fault_id", ""},
        {0x0F04u, 1, 40, 0, 1, "fault", ""},
        {0x0F05u, 0, 4, 0, 0, "for_ms", ""},
        {0x0F05u, 1, 4, 0, 1, "for_ms", ""},
    };
    for (unsigned n = 0; n < sizeof messages / sizeof messages[0]; n++)
        if (messages[n].id == id && messages[n].kind == kind) return messages + n;
    return 0;
}

/* UTF-8 in its shortest form, without surrogates, and nothing but NUL behind the first NUL. */
static inline int hlp1_is_text(const uint8_t *text, unsigned size) {
    static const uint32_t least[4] = {0, 0x80, 0x800, 0x10000};
    unsigned at = 0;
    while (at < size && text[at]) {
        unsigned first = text[at++], more = first < 0x80 ? 0 : first >> 5 == 6 ? 1 : first >> 4 == 14 ? 2 : 3;
        uint32_t point = more ? first & (0x3Fu >> more) : first;
        if ((more == 3 && first >> 3 != 30) || more > size - at) return 0;
        for (unsigned n = 0; n < more; n++, at++) {
            if (text[at] >> 6 != 2) return 0;
            point = point << 6 | (text[at] & 0x3Fu);
        }
        if (point < least[more] || point > 0x10FFFF || point >> 11 == 0x1B) return 0;
    }
    while (at < size && !text[at]) at++;
    return at == size;
}

/* The field that keeps `size` bytes from being the payload of a message; 0 where nothing does. */
static inline const char *hlp1_wrong_field(const struct hlp1_message *of, const uint8_t *payload, unsigned size) {
    /* A number from `low` to `high`; a text, where `high` is 0; of eight bytes one that is neither NaN nor infinite. */
    static const struct {
        uint16_t id; uint8_t kind, offset, size; uint32_t low, high; const char *field;
    } limits[] = {
        {0x0001u, 7, 20, 1, 131u, 224u, "max_payload_size"},
        {0x0002u, 7, 74, 16, 0u, 0u, "model_version"},
        {0x0006u, 7, 11, 120, 0u, 0u, "sentence"},
        {0x0012u, 1, 10, 120, 0u, 0u, "sentence"},
        {0x0013u, 1, 4, 120, 0u, 0u, "sentence"},
        {0x0014u, 1, 3, 120, 0u, 0u, "sentence"},
        {0x0101u, 1, 0, 32, 0u, 0u, "model"},
        {0x0101u, 1, 32, 16, 0u, 0u, "serial"},
        {0x0101u, 1, 48, 16, 0u, 0u, "firmware_version"},
        {0x0101u, 1, 64, 16, 0u, 0u, "model_version"},
        {0x0201u, 1, 4, 32, 0u, 0u, "name"},
        {0x0201u, 1, 36, 16, 0u, 0u, "unit"},
        {0x0201u, 1, 53, 8, 0u, 1u, "value"},
        {0x0201u, 1, 61, 8, 0u, 1u, "default"},
        {0x0201u, 1, 69, 8, 0u, 1u, "minimum"},
        {0x0201u, 1, 77, 8, 0u, 1u, "maximum"},
        {0x0202u, 0, 0, 32, 0u, 0u, "name"},
        {0x0202u, 1, 0, 32, 0u, 0u, "name"},
        {0x0202u, 1, 32, 8, 0u, 1u, "value"},
        {0x0203u, 0, 0, 32, 0u, 0u, "name"},
        {0x0203u, 0, 32, 8, 0u, 1u, "value"},
        {0x0203u, 1, 0, 32, 0u, 0u, "name"},
        {0x0203u, 1, 32, 8, 0u, 1u, "value"},
        {0x0301u, 0, 0, 4, 1u, 1000000u, "target_cores"},
        {0x0301u, 0, 4, 2, 400u, 800u, "coverage_bp"},
        {0x0301u, 0, 6, 2, 500u, 4000u, "depth_um"},
        {0x0302u, 0, 1, 4, 0u, 86400u, "age_s"},
        {0x0302u, 0, 5, 32, 0u, 0u, "method"},
        {0x0303u, 0, 1, 32, 0u, 0u, "confirmed_by"},
        {0x0309u, 0, 4, 1, 1u, 8u, "steps"},
        {0x0310u, 0, 4, 1, 1u, 3u, "reason"},
        {0x0401u, 0, 0, 1, 1u, 1u, "stream"},
        {0x0401u, 0, 1, 2, 0u, 60000u, "interval_ms"},
        {0x0502u, 0, 8, 1, 1u, 255u, "max_records"},
        {0x0601u, 5, 9, 120, 0u, 0u, "sentence"},
        {0x0602u, 1, 11, 120, 0u, 0u, "sentence"},
        {0x0F02u, 0, 0, 32, 0u, 0u, "fault"},
        {0x0F02u, 0, 32, 120, 0u, 0u, "when"},
        {0x0F02u, 0, 153, 8, 0u, 1u, "value_0"},
        {0x0F02u, 0, 161, 8, 0u, 1u, "value_1"},
        {0x0F02u, 0, 169, 8, 0u, 1u, "value_2"},
        {0x0F02u, 0, 177, 8, 0u, 1u, "value_3"},
        {0x0F02u, 0, 185, 8, 0u, 1u, "value_4"},
        {0x0F04u, 1, 8, 32, 0u, 0u, "fault"},
        {0x0F05u, 0, 0, 4, 1u, 86400000u, "for_ms"},
    };
    if (size < of->least) return of->last_field;
    if (of->element && (size - of->least) % of->element) return of->array;
    for (unsigned n = 0; n < sizeof limits / sizeof limits[0]; n++) {
        unsigned bytes = limits[n].size, last = limits[n].offset + bytes;
        uint32_t number = 0;
        if (limits[n].id != of->id || limits[n].kind != of->kind || last > size) continue; /* a later minor's: absent */
        for (unsigned i = 0; i < bytes && i < 4; i++) number |= (uint32_t)payload[limits[n].offset + i] << 8 * i;
        if (bytes <= 4 ? number < limits[n].low || number > limits[n].high
            : limits[n].high ? (payload[last - 1] & 0x7F) == 0x7F && payload[last - 2] >= 0xF0
            : !hlp1_is_text(payload + limits[n].offset, bytes)) return limits[n].field;
    }
    return 0;
}

#endif

#endif
