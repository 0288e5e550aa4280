/* What is modelled, since there is no handpiece: needles, vacuum, cores. A real device has its drivers
 * in place of this file, under the same names. Nothing ticks: each value is worked out when it is asked for. */
#include "../device.h"
#include <math.h>

static struct {
    uint64_t random;
    bool pump; double from_kpa; millis kpa_at;               /* the pressure when the pump was switched last */
    int from_um, to_um, stroke_um; millis from_at, to_at;    /* the needles' way, in a straight line */
    uint8_t cut, evacuated;
} plant;

void plant_seed(uint64_t seed) { plant.random = seed * 2 + 1; }
double plant_chance(void) { /* SplitMix: small, and good enough for needles */
    uint64_t x = plant.random += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u, x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return (double)((x ^ x >> 31) >> 11) / 9007199254740992.0;
}
static uint8_t draw(double chance) {
    uint8_t drawn = 0;
    for (int n = 0; n < (int)value(NEEDLES); n++) drawn |= (uint8_t)((plant_chance() < chance) << n);
    return drawn;
}

double plant_kpa(millis now) {
    double steady = plant.pump ? value(VACUUM_SET_KPA) + value(LEAK_KPA_S) * value(VACUUM_TAU_S) : 0;
    double tau_ms = 1000 * value(plant.pump ? VACUUM_TAU_S : VENT_TAU_S);
    if (steady > 0) steady = 0; /* a leak brings it to ambient at most */
    return steady + (plant.from_kpa - steady) * exp(-(double)(now - plant.kpa_at) / tau_ms);
}
void plant_pump(bool on, millis now) { plant.from_kpa = plant_kpa(now), plant.kpa_at = now, plant.pump = on; }

uint16_t plant_depth_um(millis now) {
    if (now >= plant.to_at) return (uint16_t)plant.to_um;
    return (uint16_t)(plant.from_um + (plant.to_um - plant.from_um) * (now - plant.from_at) / (plant.to_at - plant.from_at));
}
static millis move(int to_um, millis duration, millis now) {
    plant.from_um = plant_depth_um(now), plant.from_at = now, plant.to_um = to_um, plant.to_at = now + duration;
    return plant.to_at;
}
millis plant_stroke(uint16_t depth_um, millis now) {
    return move(plant.stroke_um = depth_um, (millis)value(PUNCH_MS), now);
}
millis plant_retract(millis now) { /* from wherever they are, at once: half-way out takes half the time */
    int at = plant_depth_um(now);
    return move(0, at ? 1 + (millis)value(RETRACT_MS) * at / plant.stroke_um : 0, now);
}
bool plant_home(millis now) { return plant.to_um == 0 && now >= plant.to_at; }

void plant_cut(void) { plant.cut = draw(1 - value(MISS_P)); }
void plant_evacuate(millis now) { /* each core lets some air in */
    double kpa = plant_kpa(now);
    plant.evacuated = plant.cut & draw(1 / (1 + exp((25 + kpa) / 4)));
    for (int n = 0; n < (int)HLP1_MAX_NEEDLES; n++)
        if (plant.evacuated >> n & 1) kpa += 0.45;
    plant.from_kpa = kpa < 0 ? kpa : 0, plant.kpa_at = now, plant.cut = 0;
}
uint8_t plant_sense(void) {
    uint8_t seen = (uint8_t)(plant.evacuated & ~draw(value(SENSOR_BLIND_P)));
    plant.evacuated = 0;
    return seen;
}
