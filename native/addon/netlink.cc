#include "addon/netlink.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <optional>
#include <string>
#include <vector>

#include "addon/network_namespace.h"

namespace mooring {

namespace {

struct Request {
  std::string message;
  bool inside = false;
  bool netfilter = false;  // else to rtnetlink
  int tolerate = 0;
};

struct Reply {
  int failure = 0;
  std::string detail;  // what the kernel says to it, NLMSGERR_ATTR_MSG
  std::string data;
};

Result<UniqueFd> open_request_socket(int ns, int protocol) {
  auto socket = netlink_socket(ns, protocol);
  if (!socket) return socket;
  const int on = 1;
  ::setsockopt(socket->get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);  // without it errors come without words
  ::setsockopt(socket->get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  ::setsockopt(socket->get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);  // dump what is asked for, not all
  return socket;
}

/// The kernel's words behind an error, if it has any.
std::string error_words(const nlmsghdr* header) {
  if ((header->nlmsg_flags & NLM_F_ACK_TLVS) == 0) return {};
  const char* at = reinterpret_cast<const char*>(header) + NLMSG_LENGTH(sizeof(nlmsgerr));
  const char* end = reinterpret_cast<const char*>(header) + header->nlmsg_len;
  while (at + sizeof(nlattr) <= end) {
    const auto* attribute = reinterpret_cast<const nlattr*>(at);
    if (attribute->nla_len < sizeof(nlattr) || at + attribute->nla_len > end) break;
    if (attribute->nla_type == NLMSGERR_ATTR_MSG) return std::string(at + sizeof(nlattr));
    at += NLMSG_ALIGN(attribute->nla_len);
  }
  return {};
}

/// Takes the messages of one datagram; true when the answer is complete.
bool take(const std::string& datagram, size_t length, uint32_t sequence, Reply& reply) {
  auto left = static_cast<uint32_t>(length);
  for (auto* header = reinterpret_cast<const nlmsghdr*>(datagram.data()); NLMSG_OK(header, left); header = NLMSG_NEXT(header, left)) {
    if (header->nlmsg_seq != sequence) continue;
    if (header->nlmsg_flags & NLM_F_DUMP_INTR) reply.failure = EINTR;  // what was dumped changed meanwhile
    if (header->nlmsg_type == NLMSG_DONE) return true;
    if (header->nlmsg_type == NLMSG_ERROR) {
      const auto* error = static_cast<const nlmsgerr*>(NLMSG_DATA(header));
      if (error->error != 0) reply.failure = -error->error;
      reply.detail = error_words(header);
      return true;
    }
    reply.data.append(reinterpret_cast<const char*>(header), NLMSG_ALIGN(header->nlmsg_len));
  }
  return false;
}

Result<Reply> exchange(const UniqueFd& socket, Request& request, uint32_t sequence) {
  auto* header = reinterpret_cast<nlmsghdr*>(request.message.data());
  header->nlmsg_seq = sequence;
  if (::send(socket.get(), request.message.data(), request.message.size(), 0) < 0) return sys_error("send a netlink request");
  Reply reply;
  std::string buffer(32 << 10, '\0');  // what the kernel puts into one datagram of a dump at most
  for (;;) {
    const ssize_t length = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return sys_error("receive a netlink answer");
    if (take(buffer, static_cast<size_t>(length), sequence, reply)) return reply;
  }
}

class NetlinkWorker : public Napi::AsyncWorker {
 public:
  NetlinkWorker(Napi::Env env, int ns, std::vector<Request> requests)
      : AsyncWorker(env, "mooring.netlink"), deferred_(Napi::Promise::Deferred::New(env)), ns_(ns), requests_(std::move(requests)) {}
  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override { outcome_.emplace(run()); }

  void OnOK() override {
    const Napi::Env env = Env();
    if (!*outcome_) {
      deferred_.Reject(js_error(env, outcome_->error()));
      return;
    }
    const Napi::Array result = Napi::Array::New(env, replies_.size());
    for (uint32_t i = 0; i < replies_.size(); ++i) {
      const Napi::HandleScope scope(env);
      const Napi::Object entry = Napi::Object::New(env);
      if (replies_[i].failure != 0) entry.Set("errno", ::strerrorname_np(replies_[i].failure));
      if (!replies_[i].detail.empty()) entry.Set("detail", replies_[i].detail);
      entry.Set("data", Napi::Buffer<char>::Copy(env, replies_[i].data.data(), replies_[i].data.size()));
      result.Set(i, entry);
    }
    deferred_.Resolve(result);
  }

 private:
  Status run() {
    UniqueFd sockets[2][2];
    uint32_t sequence = 0;
    for (Request& request : requests_) {
      UniqueFd& socket = sockets[request.inside ? 1 : 0][request.netfilter ? 1 : 0];
      if (!socket) {
        auto opened = open_request_socket(request.inside ? ns_ : -1, request.netfilter ? NETLINK_NETFILTER : NETLINK_ROUTE);
        if (!opened) return opened.error();
        socket = std::move(*opened);
      }
      auto reply = exchange(socket, request, ++sequence);
      if (!reply) return reply.error();
      const int failure = reply->failure;
      replies_.push_back(std::move(*reply));
      if (failure != 0 && failure != request.tolerate) break;
    }
    return ok();
  }

  Napi::Promise::Deferred deferred_;
  const int ns_;
  std::vector<Request> requests_;
  std::vector<Reply> replies_;
  std::optional<Result<Unit>> outcome_;
};

bool read_request(const Napi::Value& value, Request& request) {
  if (!value.IsObject()) return false;
  const Napi::Object given = value.As<Napi::Object>();
  const Napi::Value message = given.Get("message");
  if (!message.IsBuffer()) return false;
  const auto bytes = message.As<Napi::Buffer<char>>();
  if (bytes.Length() < sizeof(nlmsghdr)) return false;
  request.message.assign(bytes.Data(), bytes.Length());
  request.inside = given.Get("inside").ToBoolean();
  request.netfilter = given.Get("netfilter").ToBoolean();
  request.tolerate = given.Get("tolerate").ToNumber().Int32Value();
  return true;
}

}  // namespace

Napi::Value netlink(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 2 || !info[0].IsNumber() || !info[1].IsArray()) return throw_type_error(env, "netlink wants a descriptor and an array of requests");
  const Napi::Array given = info[1].As<Napi::Array>();
  std::vector<Request> requests(given.Length());
  for (uint32_t i = 0; i < given.Length(); ++i) {
    const Napi::HandleScope scope(env);
    if (!read_request(given[i], requests[i])) return throw_type_error(env, "netlink wants requests of message, inside, netfilter and tolerate");
  }
  auto* worker = new NetlinkWorker(env, info[0].As<Napi::Number>().Int32Value(), std::move(requests));
  worker->Queue();
  return worker->promise();
}

}  // namespace mooring
