/* A device in C99 that speaks HLP/1, over TCP or a pseudo-terminal, with nothing but libc, POSIX and hlp1.h.
 * TRAINING SIMULATOR - NOT A MEDICAL DEVICE.
 *
 * Here is all I/O: options, sockets, the clock. What comes is handed on with the time, what is to be sent is fetched:
 * the rest of the device opens nothing, waits for nothing and asks no clock, so that it can be run in any other time. */
#define _XOPEN_SOURCE 700
#include "../device.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define fail(code, ...) (fprintf(stderr, "c_device: " __VA_ARGS__), fputc('\n', stderr), exit(code))
static const char usage[] = "usage: c_device --tcp PORT|--pty [--seed N] [--param NAME=VALUE]...; PORT 0 is one that is free";
static volatile sig_atomic_t ending;
static int sockets[PORTS], listener = -1, slave = -1; /* the socket of each port; a pseudo-terminal is port 0's */

static void on_end(int number) { (void)number; ending = 1; }

/* The only clock. */
static millis clock_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (millis)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void listen_at(unsigned port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    listener = socket(AF_INET, SOCK_STREAM, 0), setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listener, (struct sockaddr *)&at, size) || listen(listener, PORTS)) fail(1, "port %u: %s", port, strerror(errno));
    getsockname(listener, (struct sockaddr *)&at, &size), fcntl(listener, F_SETFL, O_NONBLOCK);
    printf("tcp://127.0.0.1:%u\n", ntohs(at.sin_port));
}

static void open_pty(void) {
    struct termios raw;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    if (master < 0 || grantpt(master) || unlockpt(master)) fail(1, "no pseudo-terminal: %s", strerror(errno));
    slave = open(ptsname(master), O_RDWR | O_NOCTTY); /* kept open: a host that closes it must not end the line */
    if (slave < 0 || tcgetattr(slave, &raw)) fail(1, "%s: %s", ptsname(master), strerror(errno));
    raw.c_iflag = raw.c_oflag = raw.c_lflag = 0, raw.c_cflag = CS8 | CREAD | CLOCAL;
    tcsetattr(slave, TCSANOW, &raw), fcntl(master, F_SETFL, O_NONBLOCK), sockets[0] = master, port_open(clock_ms());
    printf("serial://%s\n", ptsname(master));
}

static void accept_one(millis now) {
    int fd = accept(listener, NULL, NULL);
    struct port *port = fd < 0 ? NULL : port_open(now);
    if (fd >= 0 && !port) close(fd); /* each place has a link that is needed */
    if (!port) return;
    if (sockets[port - ports] >= 0) close(sockets[port - ports]); /* of a connection without a link, which gives way */
    sockets[port - ports] = fd, fcntl(fd, F_SETFL, O_NONBLOCK);
}

static void take_in(struct port *port, millis now) {
    int *fd = sockets + (port - ports);
    uint8_t data[4096];
    ssize_t n = read(*fd, data, sizeof data);
    if (n > 0) port_receive(port, data, (size_t)n, now);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR)) port_close(port, now), close(*fd), *fd = -1;
}

static void send_out(struct port *port, millis now) {
    int *fd = sockets + (port - ports);
    ssize_t n = port->out_size ? write(*fd, port->out, port->out_size) : 0;
    if (n > 0) memmove(port->out, port->out + n, port->out_size - (size_t)n), port->out_size -= (size_t)n;
    if (port->choked && slave >= 0) tcflush(slave, TCIFLUSH), port->out_size = 0, port->choked = false; /* nobody is there */
    else if (port->choked) port_close(port, now), close(*fd), *fd = -1; /* who takes nothing is given up */
}

static void serve(void) {
    struct pollfd line[PORTS + 1] = {[PORTS] = {listener, POLLIN, 0}};
    millis now = clock_ms(), due = next_due(now);
    for (int n = 0; n < PORTS; n++) {
        if (ports[n].open) send_out(ports + n, now);
        line[n] = (struct pollfd){ports[n].open ? sockets[n] : -1, (short)(POLLIN | (ports[n].out_size ? POLLOUT : 0)), 0};
    }
    poll(line, PORTS + 1, due <= now ? 0 : due - now < 1000 ? (int)(due - now) : 1000);
    now = clock_ms();
    for (int n = 0; n < PORTS; n++) if (ports[n].open && line[n].revents & ~POLLOUT) take_in(ports + n, now);
    if (line[PORTS].revents) accept_one(now);
    advance(now);
}

int main(int count, char **words) {
    unsigned long long seed = (unsigned long long)time(NULL);
    long tcp = -1;
    bool pty = false;
    for (int n = 1; n < count; n++) {
        const char *word = words[n], *text = n + 1 < count ? words[n + 1] : "";
        char *end = "", name[33] = "";
        double number = 0;
        bool known = *text;
        if (!strcmp(word, "--pty")) { pty = true; continue; }
        if (!strcmp(word, "--tcp")) tcp = strtol(text, &end, 10);
        else if (!strcmp(word, "--seed")) seed = strtoull(text, &end, 10);
        else known = !strcmp(word, "--param") && sscanf(text, "%32[a-z_]=%lf", name, &number) == 2
            && parameter_named(name) >= 0 && parameter_set(parameter_named(name), number);
        if (!known || *end || tcp > 65535 || (tcp < 0 && !strcmp(word, "--tcp")))
            fail(2, "%s %s is not understood, or outside its range; %s", word, text, usage);
        n++;
    }
    if (pty == (tcp >= 0)) fail(2, "one of --tcp and --pty; %s", usage);
    signal(SIGPIPE, SIG_IGN), signal(SIGTERM, on_end), signal(SIGINT, on_end), setvbuf(stdout, NULL, _IOLBF, 0);
    for (int n = 0; n < PORTS; n++) sockets[n] = -1;
    boot(seed, clock_ms());
    printf("%s\n", HLP1_NOTICE);
    if (pty) open_pty(); else listen_at((unsigned)tcp);
    while (!ending) serve();
    for (int n = 0; n < PORTS; n++)
        if (ports[n].open) port_leave(ports + n, HLP1_BYE_REASON_REBOOT, clock_ms()), send_out(ports + n, clock_ms());
    return 0;
}
