/* What must outlive a loss of power: numbers, plan, totals, journal. This device keeps it in its working memory, so a
 * restart has a new epoch, which tells every host that the memory was erased.
 *
 * One with a flash part writes it there in cycle_begin() before the needles move, and in cycle_end() and
 * journal_append() before any frame tells of it. Law: a cycle's number is used up first, and its ending is one record. */
#include "device.h"
#include <string.h>

struct memory memory;
void memory_begin(uint32_t epoch, millis now) {
    struct hlp1_record_boot record = {0, 0, HLP1_RECORD_KIND_BOOT, 1, 0, HLP1_PHASE_NONE, {0}};
    memory.head = memory.tail = memory.boot_count = 1, memory.epoch = epoch; /* a cursor of 0 has read nothing */
    journal_append(&record, now);
}
void journal_append(void *record, millis now) {
    uint32_t first[2] = {memory.head, uptime_ms(now)}; /* each record begins with these two */
    memcpy(record, first, sizeof first);
    memcpy(memory.journal[memory.head++ % JOURNAL_SLOTS], record, HLP1_RECORD_SIZE);
}
void journal_note(void *record, millis now) { if (journal_free() > NOTES_KEEP_FREE) journal_append(record, now); }
/* Records that can be written before one is lost that nobody has acknowledged; numbers never wrap either. */
uint32_t journal_free(void) {
    uint32_t held = memory.head - memory.tail, room = held < JOURNAL_SLOTS ? JOURNAL_SLOTS - held : 0;
    uint32_t most = memory.head > memory.cycle_no ? memory.head : memory.cycle_no;
    return UINT32_MAX - most < room ? UINT32_MAX - most : room;
}
uint32_t journal_read(uint32_t first, uint32_t most, uint8_t *records) {
    uint32_t n = 0, oldest = memory.head > JOURNAL_SLOTS ? memory.head - JOURNAL_SLOTS : 1;
    if (first < oldest) { /* a GAP stands in the place of one record */
        struct hlp1_record_gap gap = {first, 0, HLP1_RECORD_KIND_GAP, oldest - first, {0}};
        memcpy(records, &gap, sizeof gap), n = 1, first = oldest;
    }
    for (; n < most && first < memory.head; n++, first++)
        memcpy(records + n * HLP1_RECORD_SIZE, memory.journal[first % JOURNAL_SLOTS], HLP1_RECORD_SIZE);
    return n;
}

/* Uses up a cycle number: whatever happens to the stroke, it is not used again. */
void cycle_begin(uint32_t cycle_no, uint16_t cell) {
    memory.cycle_no = memory.open_cycle_no = cycle_no, memory.open_phase = HLP1_PHASE_PUNCH, memory.cell = cell;
}

/* Ends the open cycle: its one record, the totals, the cell's punctures, and the register that held it. */
void cycle_end(uint8_t ending, const uint8_t *outcomes, uint16_t depth_um, millis now) {
    struct session *s = &memory.session;
    struct counts *c = &s->counts;
    struct hlp1_record_cycle record = {.kind = HLP1_RECORD_KIND_CYCLE, .ending = ending, .phase = memory.open_phase,
        .needles = s->needles, .cycle_no = memory.open_cycle_no, .cell = memory.cell, .depth_um = depth_um};
    for (unsigned n = 0; n < s->needles; n++) { /* the needles had left home, so each of them has punctured */
        record.outcomes |= (uint32_t)outcomes[n] << 4 * n;
        c->cores_counted += outcomes[n] == HLP1_NEEDLE_OUTCOME_COUNTED;
    }
    c->cycles++, c->completed += ending == HLP1_ENDING_COMPLETED, c->aborted += ending == HLP1_ENDING_ABORTED;
    c->punctures += s->needles, s->made[memory.cell] = (uint8_t)(s->made[memory.cell] + s->needles);
    record.total_punctures = c->punctures, record.total_cores_counted = c->cores_counted;
    journal_append(&record, now);
    memory.last_cycle = record, memory.open_cycle_no = 0;
}
