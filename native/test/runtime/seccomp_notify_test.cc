// SCMP_ACT_NOTIFY, with this process as the agent that is asked.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "bundle.h"
#include "runtime/exec.h"

using namespace mooring;
using namespace mooring::test;

namespace {

struct Asked {
  Json state;
  UniqueFd listener;
};

class Agent {
 public:
  explicit Agent(Bundle& bundle) : path_(bundle.path() / "agent") {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.string().copy(address.sun_path, sizeof address.sun_path - 1);
    socket_.reset(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(socket_.get(), 5) == 0);
    bundle.config["linux"]["seccomp"] = {{"defaultAction", "SCMP_ACT_ALLOW"}, {"listenerPath", path_}, {"listenerMetadata", "for the test"}, {"syscalls", {{{"names", {"mkdir", "mkdirat"}}, {"action", "SCMP_ACT_NOTIFY"}}}}};
  }

  /// What the runtime has sent.
  Asked accept_one() {
    Asked asked;
    const UniqueFd connection(accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(connection);
    char text[16384];
    iovec content{text, sizeof text};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &content;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    const ssize_t got = recvmsg(connection.get(), &message, MSG_CMSG_CLOEXEC);
    REQUIRE(got > 0);
    const cmsghdr* rights = CMSG_FIRSTHDR(&message);
    REQUIRE(rights);
    int fd;
    std::memcpy(&fd, CMSG_DATA(rights), sizeof fd);
    asked.listener.reset(fd);
    asked.state = Json::parse(std::string(text, static_cast<std::size_t>(got)));
    CHECK(read(connection.get(), text, 1) == 0);  // and nobody holds it any more
    return asked;
  }

  /// Answers one call with an error.
  static void refuse(const UniqueFd& listener, int code) {
    pollfd waiting{listener.get(), POLLIN, 0};
    REQUIRE(poll(&waiting, 1, 10000) == 1);
    seccomp_notif call{};
    REQUIRE(ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_RECV, &call) == 0);
    CHECK((call.data.nr == SYS_mkdir || call.data.nr == SYS_mkdirat));
    seccomp_notif_resp answer{};
    answer.id = call.id;
    answer.error = -code;
    REQUIRE(ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0);
  }

 private:
  fs::path path_;
  UniqueFd socket_;
};

}  // namespace

TEST_CASE("an agent gets the listener with the container's state, and decides") {
  Bundle bundle;
  Agent agent(bundle);
  SUBCASE("with no_new_privs") {}
  SUBCASE("without") { bundle.config["process"]["noNewPrivileges"] = false; }
  SUBCASE("in a user namespace") { bundle.map_users(); }
  bundle.config["annotations"]["a"] = "b";
  Container container = bundle.script("busybox mkdir /tmp/y; exec sleep 30").start();
  const Asked asked = agent.accept_one();
  CHECK(asked.state["ociVersion"] == "1.2.0");
  CHECK(asked.state["fds"] == Json{"seccompFd"});
  CHECK(asked.state["pid"] == container.pid());
  CHECK(asked.state["metadata"] == "for the test");
  CHECK(asked.state["state"]["id"] == bundle.path().filename().string());
  CHECK(asked.state["state"]["bundle"] == bundle.path().string());
  CHECK(asked.state["state"]["status"] == "creating");
  CHECK(asked.state["state"]["annotations"]["a"] == "b");
  Agent::refuse(asked.listener, EXDEV);
  container.await_sleep();
  CHECK(std::distance(fs::directory_iterator("/proc/" + std::to_string(container.pid()) + "/fd"), {}) == 3);
  CHECK(slurp("/proc/" + std::to_string(container.pid()) + "/task/" + std::to_string(container.pid()) + "/children") == "");  // the messenger has gone
  CHECK(container.stop_at_sleep().output == "mkdir: can't create directory '/tmp/y': Invalid cross-device link\n");
}

TEST_CASE("the agent is asked for a process of exec too, by a listener of its own") {
  Bundle bundle;
  Agent agent(bundle);
  Container container = bundle.script("exec sleep 30").start();
  agent.accept_one();
  container.await_sleep();
  Json process = bundle.config["process"];
  process["args"] = {"sh", "-c", "busybox mkdir /tmp/y"};
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  UniqueFd reading(ends[0]), writing(ends[1]);
  auto launched = execute({.id = "x", .pid = container.pid(), .process = process.dump(), .bundle = bundle.path(), .stdout_fd = writing.get(), .stderr_fd = writing.get()});
  if (!launched) FAIL(launched.error().message);
  writing.reset();
  const pid_t pid = launched->pid;
  Container inside(std::move(*launched), std::move(reading));
  const Asked asked = agent.accept_one();
  CHECK(asked.state["pid"] == pid);
  CHECK(asked.state["state"]["status"] == "running");
  CHECK(asked.state["state"]["pid"] == container.pid());
  Agent::refuse(asked.listener, EXDEV);
  CHECK(inside.wait().output.find("Invalid cross-device link") != std::string::npos);
}

TEST_CASE("notification that can't be is refused by field") {
  Bundle bundle;
  {
    Agent agent(bundle);
  }
  Json& seccomp = bundle.config["linux"]["seccomp"];
  CHECK(bundle.error() == "linux.seccomp.listenerPath: connect to " + (bundle.path() / "agent").string() + ": Connection refused");
  seccomp["syscalls"][0]["names"].push_back("write");
  CHECK(bundle.error() == "config.json: linux.seccomp.syscalls[0].names: \"write\" can't be asked about (SCMP_ACT_NOTIFY): the runtime needs it itself");
  seccomp["syscalls"][0]["names"] = {"mkdir"};
  seccomp.erase("listenerMetadata");
  seccomp.erase("listenerPath");
  CHECK(bundle.error() == "config.json: linux.seccomp.listenerPath: is missing: SCMP_ACT_NOTIFY needs somebody to ask");
  seccomp["defaultAction"] = "SCMP_ACT_NOTIFY";
  CHECK(bundle.error() == "config.json: linux.seccomp.defaultAction: SCMP_ACT_NOTIFY is for single system calls: the runtime needs some itself");
}
