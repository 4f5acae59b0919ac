/* The floor of serving: each line of a publisher is written to every subscriber, and nothing else is done.
 *
 *   sender
 *
 * Speaks as targets/tcp.py does: a connection's first line is `subscribe`, which is answered `subscribed`, or `publish`.
 * Listens on a free port of 127.0.0.1, prints {"ready": true, "port": …, "pid": …}, and serves until SIGTERM. Lines that came
 * together are written together. There is no log and no waiting: a subscriber that has no room loses what does not fit,
 * which the ledger tells, and is let go if that is half of it.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define AT_ONCE 256
#define MOST 65536

static int subscribers[MOST], count;
static char rest[1 << 20];
static size_t kept;

static int publisher = -1;

static void leave(int one) {
    if (one == publisher)
        publisher = -1;
    for (int i = 0; i < count; i++)
        if (subscribers[i] == one)
            subscribers[i] = subscribers[--count];
    close(one);
}

static void fail(const char *what) {
    perror(what);
    exit(1);
}

int main(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), poll = epoll_create1(0), yes = 1;
    signal(SIGPIPE, SIG_IGN); /* a subscriber that has left is noticed when it is read */
    if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 4096) ||
        getsockname(listener, (struct sockaddr *)&address, &size))
        fail("sender: cannot listen");
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, ready[AT_ONCE];
    if (epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event))
        fail("sender: epoll");
    printf("{\"ready\": true, \"port\": %d, \"pid\": %d}\n", ntohs(address.sin_port), getpid());
    fflush(stdout);
    for (;;) {
        int came = epoll_wait(poll, ready, AT_ONCE, -1);
        for (int i = 0; i < came; i++) {
            int one = ready[i].data.fd;
            if (one == listener) {
                while ((one = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    setsockopt(one, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
                    event.data.fd = one;
                    epoll_ctl(poll, EPOLL_CTL_ADD, one, &event);
                }
                continue;
            }
            ssize_t got = read(one, rest + kept, sizeof rest - kept);
            if (got <= 0) {
                leave(one);
                continue;
            }
            if (one != publisher) {
                char *end = memchr(rest + kept, '\n', got);
                size_t hello = end ? end + 1 - (rest + kept) : 0;
                if (hello == 10 && !memcmp(rest + kept, "subscribe\n", hello) && count < MOST) {
                    subscribers[count++] = one;
                    if (write(one, "subscribed\n", 11) != 11)
                        leave(one);
                    continue;
                }
                if (hello != 8 || memcmp(rest + kept, "publish\n", hello)) {
                    leave(one);
                    continue;
                }
                publisher = one;
                got -= hello;
                memmove(rest + kept, rest + kept + hello, got);
            }
            kept += got;
            char *last = memrchr(rest, '\n', kept);
            if (!last)
                continue;
            size_t whole = last + 1 - rest;
            for (int k = count - 1; k >= 0; k--) {
                ssize_t went = write(subscribers[k], rest, whole);
                if (went >= 0 && went < (ssize_t)whole)
                    leave(subscribers[k]); /* half a line is no message, and the next must not seem to be its end */
            }
            kept -= whole;
            memmove(rest, rest + whole, kept);
        }
    }
}
