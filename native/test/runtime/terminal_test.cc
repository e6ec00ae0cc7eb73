#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bundle.h"

using namespace mooring;
using namespace mooring::test;

TEST_CASE("a terminal: the pty is of the container's devpts, controls it, and its master comes to the caller") {
  Bundle bundle;
  auto& process = bundle.config["process"];
  process["terminal"] = true;
  process["consoleSize"] = {{"height", 33}, {"width", 77}};
  bundle.script("tty; stat -c %t /dev/console; head -n1 </dev/tty; exec sleep 30");
  auto launched = bundle.try_launch();
  REQUIRE(launched);
  REQUIRE(launched->console);
  const UniqueFd console(launched->console.release());
  Container container(std::move(*launched), UniqueFd());
  REQUIRE(write(console.get(), "typed\n", 6) == 6);
  std::string seen;
  char buffer[256];
  pollfd waiting{console.get(), POLLIN, 0};
  // Once echoed by the terminal, once by head, which has it from /dev/tty.
  const auto typed_twice = [&] { return seen.find("typed\r\n") != seen.rfind("typed\r\n"); };
  while (!typed_twice() && poll(&waiting, 1, 5000) > 0) {
    const ssize_t got = read(console.get(), buffer, sizeof buffer);
    if (got <= 0) break;
    seen.append(buffer, static_cast<std::size_t>(got));
  }
  CHECK(seen.find("/dev/pts/0\r\n") != std::string::npos);
  CHECK(seen.find("88\r\n") != std::string::npos);  // 136, a pty, in hexadecimal
  CHECK(typed_twice());
}

TEST_CASE("CVE-2025-52565: without a devpts of its own there is no terminal") {
  Bundle bundle;
  bundle.config["process"]["terminal"] = true;
  bundle.config["mounts"].erase(2);
  CHECK(bundle.error().find("process.terminal: open /dev/pts/ptmx in the rootfs: No such file or directory (a mount of type devpts at /dev/pts is needed)") == 0);
  bundle.script("mkdir -p /x");
  fs::create_directories(bundle.rootfs() / "pts");
  bundle.config["mounts"].push_back({{"destination", "/dev/pts"}, {"type", "bind"}, {"source", bundle.rootfs() / "pts"}});
  fs::create_symlink("/proc/self/exe", bundle.rootfs() / "pts/ptmx");
  CHECK(bundle.error().find("/dev/pts/ptmx is not on devpts") != std::string::npos);
}
