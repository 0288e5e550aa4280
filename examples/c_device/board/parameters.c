/* Parameters of the board: most are of what is modelled, and a real device has their values in its hardware. */
#include "../device.h"
#include <math.h>
#include <string.h>

#define AS_ROW(index, name, unit, scope, usual, least, most) {#name, #unit, HLP1_PARAM_SCOPE_##scope, usual, least, most},
#define AS_USUAL(index, name, unit, scope, usual, ...) usual,
const struct parameter_row parameters[] = {PARAMETERS(AS_ROW)};
double value_of[PARAMETER_COUNT] = {PARAMETERS(AS_USUAL)};

int parameter_named(const char *name) {
    for (int n = 0; n < PARAMETER_COUNT; n++) if (!strncmp(parameters[n].name, name, sizeof(struct hlp1_param_get))) return n;
    return -1;
}
bool parameter_set(int index, double to) {
    bool off = to == 0 && (index == LEASE_ARMED_MS || index == LEASE_IDLE_MS), whole = !strcmp(parameters[index].unit, "ms");
    bool fits = off || (to >= parameters[index].least && to <= parameters[index].most && (!whole || to == floor(to)));
    return fits ? value_of[index] = to, true : false;
}
