/* The device's end of each link: frames, HELLO, heartbeat, lease, NAK, and the memory of what was answered.
 *
 * Law: a command is carried out once. What comes again is answered from memory, what is older is refused, and neither
 * gets as far as commands.c. What is no frame is never answered, since nothing in it can be trusted. */
#include "device.h"
#include <string.h>

struct port ports[PORTS];
static const uint32_t schemas[] = HLP1_SCHEMA_IDS;

/* --- sending --- */

static uint32_t checksum(const struct hlp1_frame *frame) {
    return hlp1_crc32c((const uint8_t *)frame, HLP1_HEADER_SIZE + frame->header.payload_size);
}
static bool parting(unsigned kind, unsigned id) { return kind == HLP1_KIND_LINK && (id == HLP1_MSG_NAK || id == HLP1_MSG_BYE); }

static void send_frame(struct port *port, unsigned kind, unsigned flags, unsigned id, unsigned link_id, unsigned correlation_id,
                       const void *payload, size_t size, millis now) {
    struct hlp1_frame frame = {{(uint8_t)(HLP1_MAJOR << 4 | kind), (uint8_t)flags, (uint16_t)id, ++port->seq,
        (uint16_t)link_id, (uint16_t)correlation_id, 0, (uint8_t)size}, {0}};
    uint8_t wire[HLP1_MAX_FRAME_SIZE];
    if (size) memcpy(frame.payload, payload, size);
    if (parting(kind, id)) port->own[port->owned++ % OWN] = checksum(&frame);
    size = hlp1_encode(&frame, wire), port->choked |= port->out_size + size > sizeof port->out;
    if (port->choked) return; /* the shell gives the port up */
    memcpy(port->out + port->out_size, wire, size), port->out_size += size;
    if (link_id == port->link_id) port->sent_at = now; /* a NAK to a stranger must not put the heartbeat off */
}
void port_tell(struct port *port, unsigned kind, uint16_t id, const void *payload, size_t size, millis now) {
    send_frame(port, kind, 0, id, port->link_id, 0, payload, size, now);
}
/* At most ten in any second, and not only on average: rubbish brings no storm of answers. */
static bool spend(millis *spent, millis now) {
    if (spent[0] && now - spent[0] < 1000) return false;
    memmove(spent, spent + 1, (BUDGET - 1) * sizeof *spent), spent[BUDGET - 1] = now;
    return true;
}
static void nak(struct port *port, const struct hlp1_header *about, const refused *why, millis now) {
    struct hlp1_nak nak = {why->code, about->seq, why->expected, why->actual, ""};
    if ((about->major_and_kind & 15) == HLP1_KIND_LINK && about->message_id == HLP1_MSG_NAK) return; /* it would never end */
    memcpy(nak.sentence, why->sentence, sizeof nak.sentence);
    if (spend(port->naks, now)) /* on the link that the frame named, so that its sender listens */
        send_frame(port, HLP1_KIND_LINK, 0, HLP1_MSG_NAK, about->link_id, about->correlation_id, &nak, sizeof nak, now);
}

/* --- each command once --- */

static struct answer *remembered(struct port *port, uint16_t correlation_id) {
    for (struct answer *at = port->answers; correlation_id && at < port->answers + ANSWERS; at++)
        if (at->correlation_id == correlation_id) return at;
    return NULL;
}
static bool newer(uint16_t a, uint16_t b) { return a != b && (uint16_t)(a - b) < 0x8000; }
/* A place for a command: a free one of its kind, else that of the answer that was final first. */
static struct answer *begin(struct port *port, uint16_t id, const struct command *of) {
    unsigned first = of->lane == MOTION ? 0 : MOTIONS, end = of->lane == MOTION ? MOTIONS : ANSWERS;
    struct answer *best = NULL, *all = port->answers;
    if (of->lane == QUERY && port->any_motion && (uint16_t)(id - port->newest - 0x4000) < 0x4000) {
        port->newest = (uint16_t)(id - 0x4000); /* who asked for half a circle of ids would find its next motion too old */
        for (unsigned n = 0; n < MOTIONS; n++) if (all[n].final) all[n].correlation_id = 0;
    } else if (of->lane != QUERY && (!port->any_motion || newer(id, port->newest))) {
        port->newest = id, port->any_motion = true;
    }
    for (unsigned n = first; n < end; n++)
        if ((!all[n].correlation_id || all[n].final) && (!best || all[n].order < best->order)) best = all + n;
    *best = (struct answer){.correlation_id = id};
    return best;
}
static void say(struct port *port, const struct answer *what, unsigned flags, millis now) {
    send_frame(port, what->kind, flags, what->message_id, port->link_id, what->correlation_id, what->payload, what->size, now);
}
/* Answers a command; RECEIVED and PROGRESS are not final. What was asked on a link that is gone is not answered. */
void reply(const struct asker *to, uint16_t id, unsigned flags, const void *payload, size_t size, millis now) {
    struct answer *held = to->port && to->link_id == to->port->link_id ? remembered(to->port, to->correlation_id) : NULL;
    if (!held || held->final) return;
    struct answer said = {held->correlation_id, id, held->command, ++to->port->order, true, true, HLP1_KIND_REPLY,
        (uint8_t)size, {0}};
    if (size) memcpy(said.payload, payload, size);
    said.final = id != HLP1_MSG_RECEIVED && id != HLP1_MSG_PROGRESS;
    if (id == HLP1_MSG_PROGRESS) said.kind = HLP1_KIND_PROGRESS; else *held = said;
    say(to->port, &said, flags, now);
}
/* A refusal that is not remembered: of a command that was not taken. */
static void turn_away(struct port *port, uint16_t correlation_id, const refused *why, millis now) {
    send_frame(port, HLP1_KIND_REPLY, 0, HLP1_MSG_REFUSED, port->link_id, correlation_id, why, sizeof *why, now);
}
static void take_command(struct port *port, const struct hlp1_frame *frame, millis now) {
    const struct hlp1_header *h = &frame->header;
    const struct command *of = command_of(h->message_id);
    uint32_t command = hlp1_crc32c(frame->payload, h->payload_size) ^ (uint32_t)h->message_id << 16; /* flags apart */
    struct answer *known = remembered(port, h->correlation_id);
    struct asker asker = {port, of, port->link_id, h->correlation_id, frame->payload, h->payload_size};
    if (known && known->command == command) {
        if (known->said) say(port, known, HLP1_FLAG_REPLAYED, now);
    } else if (!h->correlation_id) {
        nak(port, h, no(E(ARGUMENT), 0, 0, 0, "a command needs a correlation id"), now);
    } else if (known || (of->lane == MOTION && port->any_motion && !newer(h->correlation_id, port->newest))) {
        turn_away(port, h->correlation_id, no(E(EXPIRED), 0, 0, 0, "a new command needs a newer correlation id"), now);
    } else {
        begin(port, h->correlation_id, of)->command = command;
        carry_out(&asker, now);
    }
}

/* --- the link --- */

static void end_link(struct port *port, millis now) {
    port->link_id = port->stream_ms = 0, port->role = HLP1_ROLE_VIEWER, port->any_motion = port->hurried = false;
    memset(port->answers, 0, sizeof port->answers);
    if (device.holder == port) device.holder = NULL, link_lost(now);
}
void port_leave(struct port *port, uint8_t reason, millis now) {
    if (port->link_id) port_tell(port, HLP1_KIND_LINK, HLP1_MSG_BYE, &reason, sizeof reason, now), end_link(port, now);
}
static const refused *judge(const struct port *port, const struct hlp1_hello *hello) {
    unsigned viewers = 0, minor = hello->minor;
    for (struct port *at = ports; at < ports + PORTS; at++)
        viewers += at != port && at->link_id && at->role != HLP1_ROLE_CONTROLLER && at->host_id != hello->host_id;
    if (!(hello->majors >> HLP1_MAJOR & 1))
        return no(E(VERSION), 0, 1u << HLP1_MAJOR, hello->majors, "this device speaks major %u only", HLP1_MAJOR);
    if (minor <= HLP1_MINOR && hello->schema_id && hello->schema_id != schemas[minor])
        return no(E(SCHEMA), 0, schemas[minor], hello->schema_id, "the schemas differ at minor %u", minor);
    if (!hello->host_id) return no(E(ARGUMENT), 0, 1, 0, "host_id 0 stands for no host: choose another number");
    if (hello->role == HLP1_ROLE_CONTROLLER || viewers < MAX_VIEWERS) return NULL;
    return no(E(BUSY), 0, 0, 0, "%u viewers are linked: one has to leave first", viewers);
}
static void greet(struct port *port, const struct hlp1_frame *frame, millis now) {
    uint16_t correlation_id = frame->header.correlation_id;
    struct hlp1_hello hello;
    memcpy(&hello, frame->payload, sizeof hello);
    bool again = port->link_id && port->greeting == correlation_id && !memcmp(&port->hello, &hello, sizeof hello);
    const refused *why = again ? NULL : judge(port, &hello);
    if (why) { nak(port, &frame->header, why, now); return; }
    if (!again) {
        if (!spend(port->links, now)) return; /* in silence: a host that asks in earnest asks again */
        end_link(port, now);
        for (struct port *at = ports; at < ports + PORTS; at++) /* a host has one link */
            if (at != port && at->host_id == hello.host_id) port_leave(at, HLP1_BYE_REASON_REPLACED, now);
        while (!(uint16_t)++memory.link_count) continue; /* 0 is no link */
        port->role = hello.role == HLP1_ROLE_CONTROLLER ? HLP1_ROLE_CONTROLLER : HLP1_ROLE_VIEWER;
        port->host_id = hello.host_id, port->max_payload_size = hello.max_payload_size, port->hello = hello;
        port->link_id = (uint16_t)memory.link_count, port->greeting = correlation_id, port->heard_at = now;
        port->welcome = describe(port, schemas[hello.minor < HLP1_MINOR ? hello.minor : HLP1_MINOR], now);
    }
    send_frame(port, HLP1_KIND_LINK, again ? HLP1_FLAG_REPLAYED : 0, HLP1_MSG_WELCOME, port->link_id, correlation_id,
        &port->welcome, sizeof port->welcome, now);
}
/* What only a device says, and a NAK or BYE of this one: the line echoes, and that must not keep a dead link alive. */
static bool echoed(const struct port *port, const struct hlp1_frame *frame, const struct hlp1_message *of) {
    for (unsigned n = 0; of && parting(of->kind, of->id) && n < OWN && n < port->owned; n++)
        if (port->own[n] == checksum(frame)) return true;
    return of && of->of_device;
}
/* Refuses a payload with what would be right: sizes where it ends too early, the range of HELLO's one field that has one. */
static refused *wrong_payload(const struct hlp1_message *of, const struct hlp1_frame *frame, const char *field) {
    unsigned size = frame->header.payload_size, takes = ((const struct hlp1_hello *)(const void *)frame->payload)->max_payload_size;
    if (size < of->least) return no(E(ARGUMENT), 0, of->least, size, "%s is missing: %u B of %u B", field, size, of->least);
    if (of->kind == HLP1_KIND_LINK && of->id == HLP1_MSG_HELLO)
        return no(E(ARGUMENT), 0, takes < 131 ? 131 : 224, takes, "%s has to be 131 B, which a NAK takes, to 224 B", field);
    return no(E(ARGUMENT), 0, 0, 0, "%s is no value of its range", field);
}
static void take(struct port *port, struct hlp1_frame *frame, millis now) {
    const struct hlp1_header *h = &frame->header;
    unsigned kind = h->major_and_kind & 15, major = h->major_and_kind >> 4;
    const struct hlp1_message *of = hlp1_message_of(kind, h->message_id);
    const char *field = of ? hlp1_wrong_field(of, frame->payload, h->payload_size) : NULL;
    bool ours = port->link_id && h->link_id == port->link_id;
    /* What a later minor appended to a message, and this frame does not have, reads as zero. */
    memset(frame->payload + h->payload_size, 0, sizeof frame->payload - h->payload_size);
    if (major != HLP1_MAJOR) {
        nak(port, h, no(E(VERSION), 0, HLP1_MAJOR, major, "this end speaks major %u", HLP1_MAJOR), now);
    } else if (echoed(port, frame, of)) {
        return;
    } else if (h->flags & HLP1_FLAG_MUST_UNDERSTAND) {
        nak(port, h, no(E(UNSUPPORTED), 0, 0, 0, "a must-understand flag is not known here"), now);
    } else if ((!of || field) && (ours || !h->link_id)) {
        const refused *why = of ? wrong_payload(of, frame, field)
            : no(E(UNKNOWN_MESSAGE), 0, 0, 0, "message 0x%04x of kind %u is not known here", h->message_id, kind);
        if (ours && (kind == HLP1_KIND_COMMAND || kind >= HLP1_KIND_BULK)) port->heard_at = now;
        if (ours && kind == HLP1_KIND_COMMAND) turn_away(port, h->correlation_id, why, now); else nak(port, h, why, now);
    } else if (of && !field && kind == HLP1_KIND_LINK && of->id == HLP1_MSG_HELLO) {
        greet(port, frame, now);
    } else if (!ours) {
        nak(port, h, no(E(LINK), 0, port->link_id, h->link_id, "that is not the link of this end; send HELLO"), now);
    } else {
        port->heard_at = now;
        if (kind == HLP1_KIND_COMMAND) take_command(port, frame, now);
        else if (of->id == HLP1_MSG_BYE || (of->id == HLP1_MSG_NAK && frame->payload[0] == E(LINK))) end_link(port, now);
    }
}

/* --- for the shell --- */

/* A free place; else that of the port that has been without a link for longest. */
struct port *port_open(millis now) {
    struct port *chosen = NULL;
    for (struct port *at = ports; at < ports + PORTS && !(chosen && !chosen->open); at++)
        if (!at->open || (!at->link_id && (!chosen || at->opened_at < chosen->opened_at))) chosen = at;
    if (chosen) *chosen = (struct port){.open = true, .opened_at = now};
    return chosen;
}
void port_close(struct port *port, millis now) { port->open = false, end_link(port, now); }
void port_receive(struct port *port, const uint8_t *data, size_t size, millis now) {
    for (; size--; data++)
        if (hlp1_feed(&port->decoder, *data, &port->frame) == HLP1_FOUND_FRAME) take(port, &port->frame, now);
}
static millis beat_at(const struct port *port) {
    return port->sent_at + (port->hurried ? port->welcome.heartbeat_armed_ms : port->welcome.heartbeat_idle_ms);
}
static millis lost_at(const struct port *port) {
    millis lease = port->hurried ? port->welcome.lease_armed_ms : port->welcome.lease_idle_ms;
    return lease ? port->heard_at + lease : NEVER; /* 0 is for work with a debugger */
}
/* The lease first: a heartbeat on a link that is lost would keep its host from finding out. */
void port_advance(struct port *port, millis now) {
    if (port->link_id && now >= lost_at(port)) end_link(port, now);
    else if (port->link_id && now >= beat_at(port)) heartbeat(port, now);
    if (!port->stream_ms || now < port->stream_due) return;
    port->stream_due += ((now - port->stream_due) / port->stream_ms + 1) * port->stream_ms; /* late, it sends no burst */
    telemetry(port, now);
}
millis port_due(const struct port *port) {
    millis due = beat_at(port) < lost_at(port) ? beat_at(port) : lost_at(port);
    if (!port->link_id) return NEVER;
    return port->stream_ms && port->stream_due < due ? port->stream_due : due;
}
