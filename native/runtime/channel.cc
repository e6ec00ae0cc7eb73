#include "channel.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "send_descriptor.h"

namespace mooring {
namespace {

struct Header {
  int number;
  char kind;
};
constexpr std::size_t largest_text = 4000;

}  // namespace

Status send_packet(int socket, Message kind, int number, const std::string& text, int fd) {
  char packet[sizeof(Header) + largest_text];
  const Header header{number, static_cast<char>(kind)};
  const std::size_t length = std::min(text.size(), largest_text);
  std::memcpy(packet, &header, sizeof header);
  std::memcpy(packet + sizeof header, text.data(), length);
  if (fd < 0) {
    if (write(socket, packet, sizeof header + length) < 0) return sys_error("tell the caller");
    return ok();
  }
  return send_descriptor(socket, {packet, sizeof header + length}, fd, "hand a descriptor to the caller");
}

Result<Packet> receive_packet(int socket) {
  char packet[sizeof(Header) + largest_text];
  iovec content{packet, sizeof packet};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &content;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got;
  do got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  if (got < 0) return sys_error("hear from the container");
  if (got == 0) return Error{"end of stream"};
  Packet received;
  if (const cmsghdr* rights = CMSG_FIRSTHDR(&message); rights && rights->cmsg_type == SCM_RIGHTS) {
    int fd;
    std::memcpy(&fd, CMSG_DATA(rights), sizeof fd);
    received.fd.reset(fd);
  }
  Header header;
  if (static_cast<std::size_t>(got) < sizeof header) return Error{"hear from the container: torn packet", EPROTO};
  std::memcpy(&header, packet, sizeof header);
  received.kind = static_cast<Message>(header.kind);
  received.number = header.number;
  received.text.assign(packet + sizeof header, static_cast<std::size_t>(got) - sizeof header);
  return received;
}

}  // namespace mooring
