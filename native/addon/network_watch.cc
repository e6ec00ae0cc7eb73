#include "addon/network_watch.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "addon/environment.h"

namespace mooring {

namespace {

constexpr int kOwnNamespace = -1;
constexpr int kAnything = -1;
constexpr int kUnknown = 0;  // what has no interface, or more than one

struct Changes {
  std::set<std::pair<int, int>> links;  // namespace, interface index
  bool rules = false;
};

/// What both sockets heard and nobody has asked for yet.
class Board {
 public:
  void note(const Changes& heard) {
    const std::lock_guard lock(mutex_);
    changes_.links.insert(heard.links.begin(), heard.links.end());
    changes_.rules = changes_.rules || heard.rules;
  }
  Changes take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(changes_, {});
  }

 private:
  std::mutex mutex_;
  Changes changes_;
};

/// The interface that a message of rtnetlink is about.
int index_of(const nlmsghdr* header) {
  switch (header->nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return static_cast<const ifinfomsg*>(NLMSG_DATA(header))->ifi_index;
    case RTM_NEWQDISC:
    case RTM_DELQDISC:
    case RTM_NEWTCLASS:
    case RTM_DELTCLASS:
    case RTM_NEWTFILTER:
    case RTM_DELTFILTER:
      return static_cast<const tcmsg*>(NLMSG_DATA(header))->tcm_ifindex;
    case RTM_NEWADDR:
    case RTM_DELADDR:
      return static_cast<int>(static_cast<const ifaddrmsg*>(NLMSG_DATA(header))->ifa_index);
    default:
      break;
  }
  const auto* route = static_cast<const rtmsg*>(NLMSG_DATA(header));
  auto left = static_cast<int>(RTM_PAYLOAD(header));
  for (const rtattr* attribute = RTM_RTA(route); RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
    if (attribute->rta_type == RTA_OIF) return *static_cast<const int*>(RTA_DATA(attribute));
  return kUnknown;
}

/// Whether one of this process's threads made the new generation of the rule set.
bool is_own(const nlmsghdr* header) {
  const char* at = static_cast<const char*>(NLMSG_DATA(header)) + NLMSG_ALIGN(sizeof(nfgenmsg));
  const char* end = reinterpret_cast<const char*>(header) + header->nlmsg_len;
  while (at + sizeof(nlattr) <= end) {
    const auto* attribute = reinterpret_cast<const nlattr*>(at);
    if (attribute->nla_len < sizeof(nlattr)) break;
    if ((attribute->nla_type & NLA_TYPE_MASK) == NFTA_GEN_PROC_PID) {
      const auto task = ntohl(*reinterpret_cast<const uint32_t*>(at + sizeof(nlattr)));
      return ::access(("/proc/self/task/" + std::to_string(task)).c_str(), F_OK) == 0;
    }
    at += NLMSG_ALIGN(attribute->nla_len);
  }
  return false;
}

class ChangeSource : public Source {
 public:
  ChangeSource(UniqueFd socket, bool rules, std::shared_ptr<Board> board) : socket_(std::move(socket)), rules_(rules), board_(std::move(board)) {}
  int fd() const override { return socket_.get(); }
  uint32_t interest() const override { return EPOLLIN; }

  Verdict ready() override {
    Changes heard;
    char datagram[16 << 10];
    char control[CMSG_SPACE(sizeof(int))];
    for (;;) {
      iovec part{datagram, sizeof datagram};
      msghdr message{};
      message.msg_iov = &part;
      message.msg_iovlen = 1;
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      const ssize_t length = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT);
      if (length < 0 && errno == ENOBUFS) {  // more happened than the socket holds
        lost(heard);
        continue;
      }
      if (length < 0) break;
      take(heard, message, datagram, static_cast<uint32_t>(length));
    }
    if (heard.links.empty() && !heard.rules) return {};
    board_->note(heard);
    return {.tell = true};
  }

 private:
  void lost(Changes& heard) const {
    if (rules_)
      heard.rules = true;
    else
      heard.links.emplace(kOwnNamespace, kAnything);
  }

  void take(Changes& heard, msghdr& message, const char* datagram, uint32_t left) const {
    int ns = kOwnNamespace;
    for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr; each = CMSG_NXTHDR(&message, each))
      if (each->cmsg_level == SOL_NETLINK && each->cmsg_type == NETLINK_LISTEN_ALL_NSID) std::memcpy(&ns, CMSG_DATA(each), sizeof ns);
    for (auto* header = reinterpret_cast<const nlmsghdr*>(datagram); NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
      if (!rules_)
        heard.links.emplace(ns, index_of(header));
      else if (header->nlmsg_type == ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWGEN) && !is_own(header))
        heard.rules = true;
    }
  }

  UniqueFd socket_;
  const bool rules_;
  const std::shared_ptr<Board> board_;
};

class ChangeListener : public Listener {
 public:
  ChangeListener(std::shared_ptr<Board> board, std::shared_ptr<Napi::FunctionReference> on_change) : board_(std::move(board)), on_change_(std::move(on_change)) {}

  After tell(Napi::Env env) override {
    const Changes changes = board_->take();
    if (changes.links.empty() && !changes.rules) return After::kKeep;  // the other socket's turn took them along
    const Napi::Array links = Napi::Array::New(env, changes.links.size());
    uint32_t at = 0;
    for (const auto& [ns, index] : changes.links) {
      const Napi::Object link = Napi::Object::New(env);
      link.Set("nsid", ns);
      link.Set("index", index);
      links.Set(at++, link);
    }
    Environment::call(env, *on_change_, {links, Napi::Boolean::New(env, changes.rules)});
    return After::kKeep;
  }

 private:
  std::shared_ptr<Board> board_;
  std::shared_ptr<Napi::FunctionReference> on_change_;
};

/// The listener to routing messages, which takes that to rules along when it goes.
class LinkListener : public ChangeListener {
 public:
  LinkListener(Environment& environment, SourceId rules, std::shared_ptr<Board> board, std::shared_ptr<Napi::FunctionReference> on_change)
      : ChangeListener(std::move(board), std::move(on_change)), environment_(environment), rules_(rules) {}
  ~LinkListener() override { environment_.close(rules_); }

 private:
  Environment& environment_;
  const SourceId rules_;
};

Result<UniqueFd> subscribe(int protocol, std::initializer_list<int> groups) {
  UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
  if (!socket) return sys_error("open a netlink socket");
  const int on = 1;
  if (protocol == NETLINK_ROUTE && ::setsockopt(socket.get(), SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &on, sizeof on) != 0) return sys_error("listen to all network namespaces");
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return sys_error("bind a netlink socket");
  for (const int group : groups)
    if (::setsockopt(socket.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) return sys_error("join netlink group " + std::to_string(group));
  return socket;
}

}  // namespace

Napi::Value watch_network(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 1 || !info[0].IsFunction()) return throw_type_error(env, "watchNetwork wants a function");
  auto links = subscribe(NETLINK_ROUTE, {RTNLGRP_LINK, RTNLGRP_TC, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE});
  if (!links) return throw_js(env, links.error());
  auto rules = subscribe(NETLINK_NETFILTER, {NFNLGRP_NFTABLES});
  if (!rules) return throw_js(env, rules.error());

  Environment& environment = Environment::of(env);
  const auto board = std::make_shared<Board>();
  const auto on_change = std::make_shared<Napi::FunctionReference>(Napi::Persistent(info[0].As<Napi::Function>()));
  const auto rules_id = environment.listen(std::make_shared<ChangeSource>(std::move(*rules), true, board), std::make_shared<ChangeListener>(board, on_change));
  if (!rules_id) return throw_js(env, rules_id.error());
  const auto id = environment.listen(std::make_shared<ChangeSource>(std::move(*links), false, board), std::make_shared<LinkListener>(environment, *rules_id, board, on_change));
  if (!id) {
    environment.close(*rules_id);
    return throw_js(env, id.error());
  }
  return Napi::Number::New(env, static_cast<double>(*id));
}

}  // namespace mooring
