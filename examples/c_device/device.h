/* What the parts of the device share. TRAINING SIMULATOR - NOT A MEDICAL DEVICE.
 *
 *   link.c       frames, link, lease, heartbeat, NAK, each command once
 *   commands.c   who may command, in which state; what only asks; payloads that are none
 *   procedure.c  the session: anesthesia, arming, the hand, the cycle, stopping, closing
 *   safety.c     alarms, reactions, the checks of PUNCH, what is watched
 *   memory.c     what must outlive a loss of power: numbers, plan, totals, journal
 *   board/       what stands in for a machine: sockets and the clock (main.c), parameters, needles and vacuum (plant.c)
 *
 * All memory is static. Time is in milliseconds of a clock that never goes back, and is handed in. */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#define HLP1_FRAMES
#define HLP1_CHECKS
#include "hlp1.h"
#include "tables.h"

typedef int64_t millis;
typedef void then(millis now);                         /* the next step of a motion */

enum { TICK_MS = 5, MIN_STREAM_MS = 20 };                                 /* of the control loop, while armed */
enum { PORTS = 16, MAX_VIEWERS = PORTS - 1 };          /* the last place is for a controller */
enum { MAX_CELLS = 2000, MAX_ZONES = 108, NO_CELL = 0xFFFF, CELL_CAP = 63 };
enum { JOURNAL_SLOTS = 512, JOURNAL_RESERVE = 64, NOTES_KEEP_FREE = 128 };
enum { BUDGET = HLP1_MAX_NAKS_PER_SECOND };            /* and as many links a second on one port */
enum { MOTIONS = HLP1_ANSWERS_REMEMBERED + 1, ANSWERS = MOTIONS + HLP1_ANSWERS_REMEMBERED }; /* and one that runs */
enum { OWN = 16, SENTENCE_SIZE = 120 };
#define CORE_MM2 0.12566                               /* of skin, for a core of 0.4 mm */
#define NEVER INT64_MAX
#define SET_TEXT(field, text) memcpy(field, text, strlen(text) < sizeof(field) ? strlen(text) : sizeof(field))

#define AS_INDEX(index, ...) index,
enum parameter { PARAMETERS(AS_INDEX) PARAMETER_COUNT };
extern const struct parameter_row { const char *name, *unit; uint8_t scope; double usual, least, most; } parameters[];
extern double value_of[PARAMETER_COUNT];
static inline double value(enum parameter index) { return value_of[index]; }
int parameter_named(const char *name);                 /* its index; -1 for none */
bool parameter_set(int index, double to);              /* false outside its range */

/* --- memory.c --- */

struct session {
    uint32_t session_no, first_cycle_no;
    struct counts { uint32_t cycles, completed, aborted, ambiguous, punctures, cores_counted; } counts;
    uint16_t depth_um, cells, zones_cm2[MAX_ZONES];
    uint8_t zones, needles, cycles_per_cell, punctures_per_cell, made[MAX_CELLS]; /* punctures in each cell */
};
extern struct memory {
    uint32_t epoch, boot_count, link_count, session_no, cycle_no, head, tail;
    uint32_t open_cycle_no; uint8_t open_phase;        /* the register: 0 where no cycle is open */
    uint16_t cell;                                     /* where the open cycle is */
    bool session_open;
    struct session session;                            /* the open one; else the one that was closed last */
    struct hlp1_record_cycle last_cycle;
    uint8_t journal[JOURNAL_SLOTS][HLP1_RECORD_SIZE];
} memory;
void memory_begin(uint32_t epoch, millis now);
void journal_append(void *record, millis now);         /* fills in its number and the time */
void journal_note(void *record, millis now);           /* the same, if there is room to spare */
uint32_t journal_free(void);
uint32_t journal_read(uint32_t first, uint32_t most, uint8_t *records); /* how many, a GAP among them */
void cycle_begin(uint32_t cycle_no, uint16_t cell);
void cycle_end(uint8_t ending, const uint8_t *outcomes, uint16_t depth_um, millis now);

/* --- board/plant.c; sets of needles are masks, one bit each --- */

void plant_seed(uint64_t seed);
double plant_chance(void);                             /* 0 to 1 */
void plant_pump(bool on, millis now);                  /* off: the line is vented */
double plant_kpa(millis now);                          /* against ambient, 0 or below */
millis plant_stroke(uint16_t depth_um, millis now);    /* when the needles are there */
millis plant_retract(millis now);                      /* when they are home again */
uint16_t plant_depth_um(millis now);
bool plant_home(millis now);
void plant_cut(void);
void plant_evacuate(millis now);
uint8_t plant_sense(void);

/* --- link.c --- */

struct answer {                                        /* to one command; `said`: there is one, `final`: the last */
    uint16_t correlation_id, message_id; uint32_t command, order; bool said, final;
    uint8_t kind, size, payload[HLP1_MAX_PAYLOAD_SIZE];
};
struct port {
    bool open, choked; millis opened_at;
    struct hlp1_decoder decoder; struct hlp1_frame frame;
    uint8_t out[16384]; size_t out_size;               /* what the transport has not taken yet */
    uint16_t seq, link_id, newest; bool any_motion;    /* `newest`: correlation id of the newest motion or STOP */
    millis sent_at, heard_at, naks[BUDGET], links[BUDGET];
    uint16_t stream_ms; millis stream_due;             /* telemetry; 0: none */
    bool hurried; uint8_t role, max_payload_size; uint32_t host_id;
    uint16_t greeting; struct hlp1_hello hello; struct hlp1_welcome welcome; /* for a HELLO that comes again */
    struct answer answers[ANSWERS]; uint32_t order, own[OWN], owned; /* checksums of its NAKs and BYEs */
};
extern struct port ports[PORTS];
struct asker {                                         /* of one command, as long as an answer is owed */
    struct port *port; const struct command *command; uint16_t link_id, correlation_id; const uint8_t *payload; size_t size;
};

struct port *port_open(millis now);                    /* NULL where none gives way */
void port_close(struct port *port, millis now);
void port_receive(struct port *port, const uint8_t *data, size_t size, millis now);
void port_advance(struct port *port, millis now);
millis port_due(const struct port *port);
void port_tell(struct port *port, unsigned kind, uint16_t id, const void *payload, size_t size, millis now);
void port_leave(struct port *port, uint8_t reason, millis now);
void reply(const struct asker *to, uint16_t id, unsigned flags, const void *payload, size_t size, millis now);

/* --- commands.c --- */

typedef struct hlp1_refused refused;
typedef refused *handler(const struct asker *, millis);  /* NULL: answered, or begun */
struct command { uint16_t id; uint8_t lane, flags; uint32_t states; const char *name; handler *handler; };
const struct command *command_of(uint16_t id);         /* there is one for each that the header knows */
refused *no(unsigned code, unsigned interlock, uint32_t expected, uint32_t actual, const char *format, ...);
#define E(name) HLP1_CODE_E_##name
#define STATE(name) HLP1_DEVICE_STATE_##name
#define ALARM(name) HLP1_ALARM_CODE_##name
#define FIELDS_OF(type, asker) ((const struct hlp1_##type *)(const void *)(asker)->payload) /* packed: may lie anywhere */
#define INTERLOCKED(name, expected, actual, ...) \
    no(HLP1_CODE_E_INTERLOCK, HLP1_INTERLOCK_##name, expected, actual, __VA_ARGS__)
#define DONE(asker, done) (reply(asker, (asker)->command->id, 0, &(done), sizeof(done), now), (refused *)NULL)
void carry_out(const struct asker *asker, millis now);
struct hlp1_welcome describe(const struct port *port, uint32_t schema_id, millis now);
void heartbeat(struct port *port, millis now);
void telemetry(struct port *port, millis now);

/* --- safety.c --- */

extern struct alarm_row { uint16_t code; uint8_t priority; bool latched, of_session; const char *sentence; } const alarm_rows[];
extern struct alarm { bool active, present, acknowledged; uint32_t since_ms; } alarms[];
uint8_t alarm_state(int index);
int alarm_listed(unsigned place);                      /* the index of the alarm there; -1: none */
void set_alarm(uint16_t code, bool present, millis now);
void alarms_reset(millis now);
void leave_alarms(millis now);
refused *no_room(void);
refused *refuse_punch(const struct hlp1_punch *command, millis now); /* NULL where it allows; so does the next */
refused *refuse_reset(millis now);
void make_safe(uint8_t state, uint8_t code, const char *why, millis now);
refused *needles_not_home(millis now);
void link_lost(millis now);
void suction_failed(millis now);
void watch_suction(millis now);
void forget_suction(millis now);

/* --- procedure.c --- */

extern struct device {                                 /* what a loss of power takes away */
    uint8_t state; millis booted_at, home_due; uint64_t seed;
    struct port *holder;                               /* who has control; NULL: nobody */
    struct motion { struct asker asker; millis began, due, progress_at, expected_ms; then *then; } motion; /* then NULL: none */
    struct { bool numbed, confirmed; millis at; } zones[MAX_ZONES];
    uint8_t zone, next_zone; uint16_t cell, next_cell; /* of the hand; cells are numbered through all zones */
    bool phase_done; uint16_t measured_um;
    struct hlp1_punch_done punch_done; struct hlp1_count_done count_done;
} device;
static inline bool in(unsigned states) { return states >> device.state & 1u; }
uint32_t uptime_ms(millis now);
void boot(uint64_t seed, millis now);
void advance(millis now);                              /* what is due: motion, watches, every port */
millis next_due(millis now);
uint8_t cycles_left(void);                             /* that the present cell still takes */
bool repeat(const struct asker *asker, millis now);    /* answers a command of the cycle that ended last */
#define AS_HANDLER(name, lane, states, flags, function) handler function;
COMMANDS(AS_HANDLER)

#endif
