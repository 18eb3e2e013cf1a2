#include "gateway/hold_off.h"

#include <netinet/in.h>
#include <sys/socket.h>

namespace poolwarden::gateway {
namespace {

// More than segments come with, which begin with 64 or 128; only a host of the same network that
// has set 255 is heard. Looked at after the segments of begun handshakes have been sorted out
// (ip(7), IP_MINTTL; IPV6_MINHOPCOUNT). A socket filter would do too, but some kernels have it for
// CAP_NET_ADMIN only.
constexpr int kMostHops = 255;

bool set_least_hops(int socket, int hops) {
  const bool v4 = ::setsockopt(socket, IPPROTO_IP, IP_MINTTL, &hops, sizeof hops) == 0;
  const bool v6 = ::setsockopt(socket, IPPROTO_IPV6, IPV6_MINHOPCOUNT, &hops, sizeof hops) == 0;
  return v4 || v6;
}

}  // namespace

bool hold_off_new_clients(int listening) { return set_least_hops(listening, kMostHops); }

void hear(int accepted) { set_least_hops(accepted, 0); }

}  // namespace poolwarden::gateway
