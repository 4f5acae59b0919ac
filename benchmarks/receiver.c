/* The floor of receiving: subscribers that read what comes and do nothing else.
 *
 *   receiver PORT SUBSCRIBERS PATH [websocket]
 *
 * Connects them one after the other to 127.0.0.1, prints {"connected": N}, then reads all of them through one epoll until
 * SIGTERM; then it prints {"messages": …, "reads": …}. Its CPU time is read from outside, as the swarm's is. No load
 * generator can do with less: nothing is parsed and nothing is recorded, but that messages are counted, by their quotes
 * around "seq", so that it is known that they came.
 */
#include <errno.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define AT_ONCE 1024
#define MARK "\"seq\":"
#define MARK_BYTES (sizeof MARK - 1)

static volatile sig_atomic_t told_to_end;

static void end(int signal) {
    (void)signal;
    told_to_end = 1;
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

/* How many marks are in what was read; one that is cut in two by the end of a read is counted by what was kept of it. */
static long marks(const char *data, size_t size, unsigned char *kept) {
    long found = 0;
    size_t matched = *kept;
    const char *at = data, *stop = data + size;
    while (at < stop) {
        if (matched == 0) {
            at = memchr(at, MARK[0], stop - at);
            if (!at)
                break;
        }
        if (*at == MARK[matched]) {
            at++;
            if (++matched == MARK_BYTES) {
                found++;
                matched = 0;
            }
        } else {
            matched = 0; /* no beginning of the mark is inside it but its first byte, which is looked at again */
            if (*at != MARK[0])
                at++;
        }
    }
    *kept = matched;
    return found;
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: receiver PORT SUBSCRIBERS PATH [websocket]\n");
        return 2;
    }
    struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    inet_pton(AF_INET, "127.0.0.1", &server.sin_addr);
    int subscribers = atoi(argv[2]);
    char request[512];
    int request_bytes = snprintf(
        request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nAccept: */*\r\n%s\r\n", argv[3], argv[1],
        argc > 4 ? "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                 : "");
    int poll = epoll_create1(0);
    unsigned char *kept = calloc(subscribers, 1);
    int *sockets = calloc(subscribers, sizeof *sockets);
    static char buffer[65536];
    for (int i = 0; i < subscribers; i++) {
        int one = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(one, (struct sockaddr *)&server, sizeof server) || write(one, request, request_bytes) != request_bytes)
            fail("receiver: cannot connect");
        ssize_t got = 0, more;
        while (got < 4 || !memmem(buffer, got, "\r\n\r\n", 4)) {
            if ((more = read(one, buffer + got, sizeof buffer - got)) <= 0)
                fail("receiver: no answer");
            got += more;
        }
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        if (epoll_ctl(poll, EPOLL_CTL_ADD, one, &event))
            fail("receiver: epoll");
        sockets[i] = one;
    }
    struct sigaction action = {.sa_handler = end};
    sigaction(SIGTERM, &action, NULL);
    printf("{\"connected\": %d}\n", subscribers);
    fflush(stdout);
    long messages = 0, reads = 0;
    struct epoll_event ready[AT_ONCE];
    while (!told_to_end) {
        int count = epoll_wait(poll, ready, AT_ONCE, 1000); /* a signal just before it would go unheard */
        for (int i = 0; i < count; i++) {
            int which = ready[i].data.u32;
            ssize_t got = read(sockets[which], buffer, sizeof buffer);
            if (got <= 0) {
                fprintf(stderr, "receiver: subscriber %d was ended: %s\n", which, got ? strerror(errno) : "closed");
                return 1;
            }
            reads++;
            messages += marks(buffer, got, &kept[which]);
        }
    }
    printf("{\"messages\": %ld, \"reads\": %ld}\n", messages, reads);
    return 0;
}
