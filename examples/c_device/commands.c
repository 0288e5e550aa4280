/* Commands: who may give one, in which state it is lawful, and those that only ask. */
#include "device.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define AS_COMMAND(name, lane, states, flags, function) {HLP1_MSG_##name, lane, flags, states, #name, function},
static const struct command commands[] = {COMMANDS(AS_COMMAND)};

const struct command *command_of(uint16_t id) {
    for (size_t n = 0; n < sizeof commands / sizeof *commands; n++) if (commands[n].id == id) return commands + n;
    return NULL;
}
refused *no(unsigned code, unsigned interlock, uint32_t expected, uint32_t actual, const char *format, ...) {
    static refused refusal; /* valid until the next one: there is never more than one under way */
    char sentence[sizeof refusal.sentence + 1]; /* ASCII, which can be cut anywhere */
    va_list values;
    va_start(values, format), vsnprintf(sentence, sizeof sentence, format, values), va_end(values);
    refusal = (refused){(uint8_t)code, (uint8_t)interlock, expected, actual, ""};
    SET_TEXT(refusal.sentence, sentence);
    return &refusal;
}

/* --- parameters --- */

refused *param_list(const struct asker *a, millis now) {
    unsigned n = FIELDS_OF(param_list, a)->index;
    if (n >= PARAMETER_COUNT) return no(E(RANGE), 0, PARAMETER_COUNT, n, "there are %u parameters", PARAMETER_COUNT);
    const struct parameter_row *row = parameters + n;
    struct hlp1_param_list_done done = {PARAMETER_COUNT, (uint16_t)n, "", "", row->scope, value_of[n], row->usual,
        row->least, row->most};
    SET_TEXT(done.name, row->name), SET_TEXT(done.unit, row->unit);
    return DONE(a, done);
}
refused *param_get(const struct asker *a, millis now) {
    struct hlp1_param_get_done done = {"", 0};
    int index = parameter_named(memcpy(done.name, a->payload, sizeof done.name));
    if (index < 0) return no(E(ARGUMENT), 0, 0, 0, "there is no parameter %.32s", done.name);
    done.value = value_of[index];
    return DONE(a, done);
}
refused *param_set(const struct asker *a, millis now) {
    struct hlp1_param_set_done done;
    int index = parameter_named(memcpy(&done, a->payload, sizeof done));
    struct hlp1_record_parameter_set record = {0, 0, HLP1_RECORD_KIND_PARAMETER, (uint16_t)index, done.value, {0}};
    if (index < 0) return no(E(RANGE), 0, 0, 0, "there is no parameter %.32s", done.name);
    const struct parameter_row *row = parameters + index;
    if (row->scope != HLP1_PARAM_SCOPE_HOST_SETTABLE) return no(E(AUTH), 0, 0, 0, "%s is set at the start", row->name);
    if (!parameter_set(index, done.value)) return no(E(RANGE), 0, 0, 0, "%s: %g to %g", row->name, row->least, row->most);
    journal_append(&record, now);
    return DONE(a, done);
}

/* --- what the device says of itself --- */

static struct counts open_counts(void) { return memory.session_open ? memory.session.counts : (struct counts){0}; }
struct hlp1_welcome describe(const struct port *port, uint32_t schema_id, millis now) {
    struct counts c = open_counts();
    return (struct hlp1_welcome){.link_id = port->link_id, .minor = HLP1_MINOR, .role = port->role,
        .schema_id = schema_id, .nonce = port->hello.nonce, .boot_count = memory.boot_count,
        .heartbeat_armed_ms = (uint16_t)value(HEARTBEAT_ARMED_MS), .lease_armed_ms = (uint16_t)value(LEASE_ARMED_MS),
        .heartbeat_idle_ms = (uint16_t)value(HEARTBEAT_IDLE_MS), .lease_idle_ms = (uint16_t)value(LEASE_IDLE_MS),
        .journal_epoch = memory.epoch, .journal_tail = memory.tail, .journal_head = memory.head,
        .session_no = memory.session_open ? memory.session_no : 0, .cycle_no = memory.cycle_no, .cycles = c.cycles,
        .punctures = c.punctures, .cores_counted = c.cores_counted, .state = device.state, .simulated = 1,
        .uptime_ms = uptime_ms(now), .controller_host_id = device.holder ? device.holder->host_id : 0, .model_version = "1"};
}
void heartbeat(struct port *port, millis now) {
    struct counts c = open_counts();
    int first = alarm_listed(0);
    struct hlp1_heartbeat beat = {device.state, first < 0 ? HLP1_ALARM_PRIORITY_NONE : alarm_rows[first].priority, 0,
        device.motion.then ? device.motion.asker.correlation_id : 0, memory.cycle_no, c.cycles, c.punctures,
        c.cores_counted, memory.head, hlp1_crc32c((const uint8_t *)value_of, sizeof value_of), uptime_ms(now)};
    port_tell(port, HLP1_KIND_LINK, HLP1_MSG_HEARTBEAT, &beat, sizeof beat, now);
}
void telemetry(struct port *port, millis now) {
    struct hlp1_telemetry_state state = {uptime_ms(now), device.state, plant_depth_um(now),
        (int32_t)lround(1000 * plant_kpa(now)), 295150, 0, 0, device.cell, 0};
    port_tell(port, HLP1_KIND_TELEMETRY, HLP1_MSG_TELEMETRY_STATE, &state, sizeof state, now);
}
refused *device_info(const struct asker *a, millis now) {
    struct hlp1_device_info_done done = {.model = "c_device", .firmware_version = "c-1", .model_version = "1",
        .simulated = 1, .seed = device.seed, .needles = (uint8_t)value(NEEDLES), .core_diameter_um = 400, .cartridge_serial = 1};
    for (int n = 0; n < 8; n++) done.serial[n] = "0123456789ABCDEF"[device.seed >> (28 - 4 * n) & 15];
    return DONE(a, done);
}

/* --- what only asks --- */

refused *not_here(const struct asker *a, millis now) {
    return (void)now, no(E(UNSUPPORTED), 0, 0, 0, "%s: this device has no such thing", a->command->name);
}
refused *echo(const struct asker *a, millis now) {
    unsigned size = a->size, most = a->port->max_payload_size;
    if (size > most) return no(E(RANGE), 0, most, size, "%u B to echo: this host takes %u B", size, most);
    return reply(a, a->command->id, 0, a->payload, size, now), NULL;
}
refused *stream_set(const struct asker *a, millis now) {
    struct hlp1_stream_set_done done = {HLP1_STREAM_STATE, FIELDS_OF(stream_set, a)->interval_ms};
    if (done.interval_ms && done.interval_ms < MIN_STREAM_MS) done.interval_ms = MIN_STREAM_MS;
    a->port->stream_ms = done.interval_ms, a->port->stream_due = now + done.interval_ms;
    return DONE(a, done);
}
refused *read_journal(const struct asker *a, millis now) {
    const struct hlp1_journal_read *c = FIELDS_OF(journal_read, a);
    struct { struct hlp1_journal_page head; uint8_t records[HLP1_RECORDS_PER_PAGE][HLP1_RECORD_SIZE]; } page = {
        {memory.epoch, c->first ? c->first : 1, memory.tail, memory.head}, {{0}}};
    uint32_t fit = (a->port->max_payload_size - (uint32_t)sizeof page.head) / HLP1_RECORD_SIZE;
    if (c->epoch != memory.epoch) return no(E(ARGUMENT), 0, memory.epoch, c->epoch, "another epoch: this memory was erased");
    uint32_t n = journal_read(page.head.first, c->max_records < fit ? c->max_records : fit, page.records[0]);
    return reply(a, a->command->id, 0, &page, sizeof page.head + n * HLP1_RECORD_SIZE, now), NULL;
}
static bool may_control(const struct port *port) {
    return port->role == HLP1_ROLE_CONTROLLER && (!device.holder || device.holder == port);
}
refused *ack_journal(const struct asker *a, millis now) {
    const struct hlp1_journal_ack *c = FIELDS_OF(journal_ack, a);
    if (!may_control(a->port)) return no(E(AUTH), 0, 0, 0, "only the controller's acknowledgement counts");
    if (c->epoch != memory.epoch || c->upto > memory.head)
        return no(E(RANGE), 0, memory.head, c->upto, "the journal ends at %u in epoch 0x%08x", memory.head, memory.epoch);
    if (c->upto > memory.tail) memory.tail = c->upto;
    return DONE(a, memory.tail);
}
refused *list_alarms(const struct asker *a, millis now) {
    struct hlp1_alarm_list_done done = {.index = FIELDS_OF(alarm_list, a)->index};
    int index = alarm_listed(done.index);
    while (alarm_listed(done.count) >= 0) done.count++;
    if (index >= 0) SET_TEXT(done.sentence, alarm_rows[index].sentence), done.code = alarm_rows[index].code,
        done.interlock = (uint8_t)(done.code / 100), done.priority = alarm_rows[index].priority,
        done.state = alarm_state(index), done.uptime_ms = alarms[index].since_ms;
    return DONE(a, done);
}

/* --- control: one link commands, the others look --- */

static refused *unlawful(const struct command *c) {
    int first = alarm_listed(0);
    const char *remedy = in(IN(LOCKED)) ? "only a restart leads out" : "FAULT_RESET comes first";
    bool second = c->id == HLP1_MSG_SESSION_OPEN && memory.session_open, alone = c->flags & SESSION && !memory.session_open;
    bool holds = first >= 0 && alarm_rows[first].priority > HLP1_ALARM_PRIORITY_INFO; /* an information holds nothing */
    unsigned interlock = holds ? alarm_rows[first].code / 100u : 0;
    if (in(HELD)) return no(interlock ? E(INTERLOCK) : E(STATE), interlock, 0, device.state, "held: %s", remedy);
    if (c->id == HLP1_MSG_ARM && in(UNARMED)) return INTERLOCKED(ANESTHESIA_NEEDED, 0, 0, "anesthesia is not confirmed");
    return no(E(STATE), 0, 0, second ? memory.session_no : device.state, "%s has no place in state %u%s", c->name,
        device.state, second ? ": a session is open" : alone ? ": no session is open" : "");
}
static refused *govern(const struct asker *a, millis now) {
    const struct command *c = a->command;
    bool lawful = c->flags & SETTING || (in(c->states) && (!(c->flags & SESSION) || memory.session_open));
    struct hlp1_record_action record = {0, 0, HLP1_RECORD_KIND_ACTION, c->id, device.zone, device.cell, {0}};
    refused *why = NULL;
    if (c->lane != STOPPING && a->port->role != HLP1_ROLE_CONTROLLER)
        return no(E(AUTH), 0, 0, 0, "this link is a viewer's: it may ask and STOP, nothing else");
    if (c->lane != STOPPING && !may_control(a->port))
        return no(E(BUSY), 0, 0, device.holder->host_id, "host 0x%08x holds control", device.holder->host_id);
    if (!lawful) return repeat(a, now) ? NULL : unlawful(c);
    if (c->flags & ROOM && journal_free() < JOURNAL_RESERVE) return no_room();
    if (c->id == HLP1_MSG_FAULT_RESET && (why = refuse_reset(now)) != NULL) return why;
    if (c->flags & NOTED) journal_note(&record, now);
    why = c->handler(a, now);
    if (!why && c->lane != STOPPING && !(c->flags & SETTING)) device.holder = memory.session_open ? a->port : NULL;
    return why;
}
void carry_out(const struct asker *a, millis now) {
    const struct command *c = a->command;
    refused *why = c->lane == QUERY ? c->handler(a, now) : govern(a, now);
    if (why) reply(a, HLP1_MSG_REFUSED, 0, why, sizeof *why, now);
    if (!why || c->lane == QUERY || !may_control(a->port)) return;
    struct hlp1_record_refusal record = {0, 0, HLP1_RECORD_KIND_REFUSAL, why->code, why->interlock, c->id, 0, {0}};
    if (c->id >= HLP1_MSG_PUNCH && c->id <= HLP1_MSG_COUNT) memcpy(&record.cycle_no, a->payload, sizeof record.cycle_no);
    journal_note(&record, now);
}
