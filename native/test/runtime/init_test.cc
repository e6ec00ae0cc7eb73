#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "bundle.h"

using namespace mooring;
using namespace mooring::test;

namespace {

Bundle& with_init(Bundle& bundle) {
  bundle.config["annotations"]["dev.mooring.init"] = "true";
  return bundle;
}

std::vector<std::string> children(pid_t pid) {
  const std::string name = std::to_string(pid);
  std::istringstream list(slurp("/proc/" + name + "/task/" + name + "/children"));
  return {std::istream_iterator<std::string>(list), {}};
}

}  // namespace

TEST_CASE("init: the program is its child, and leads a session of its own") {
  Bundle bundle;
  with_init(bundle).script("echo $$; cut -d' ' -f4,5,6 /proc/self/stat; tr '\\0' ' ' </proc/1/cmdline; ls /proc/1/fd | wc -l");
  const Ended ended = bundle.run();
  CHECK(ended.status == 0);
  CHECK(ended.output == "2\n2 2 2\ninit 2 0\n");
}

TEST_CASE("init: what is left behind is reaped, which without it stays") {
  // Each of the three is orphaned, and ends when the shell, which would reap it while it waits for the next one, is a sleep that reaps nobody.
  const std::string script = "for i in 1 2 3; do (sh -c 'sleep 2 & exec true'); done; exec sleep 30";
  const auto dead = [](const std::string& process) { return slurp("/proc/" + process + "/stat").find(") Z ") != std::string::npos; };
  Bundle without, with;
  const Container keeping = without.script(script).start();
  keeping.await_sleep();
  CHECK(eventually([&] {
    const auto all = children(keeping.pid());
    return all.size() == 3 && std::all_of(all.begin(), all.end(), dead);
  }));
  const Container reaping = with_init(with).script(script).start();
  CHECK(eventually([&] {
    const auto all = children(reaping.pid());
    return all.size() == 1 && slurp("/proc/" + all[0] + "/comm") == "sleep\n" && children(std::stoi(all[0])).empty();
  }));
}

TEST_CASE("init: the exit status goes on, as a shell has it") {
  Bundle plain, killed, missing;
  CHECK(with_init(plain).script("exit 42").run().status == 42);
  CHECK(with_init(killed).script("kill -SEGV $$").run().status == 128 + SIGSEGV);
  with_init(missing).config["process"]["args"] = {"/no/such/program"};
  CHECK(missing.error() == "exec: \"/no/such/program\": no such file or directory");
}

TEST_CASE("init: a program that its loader can not run is told of, as without") {
  Bundle bundle;
  std::ofstream(bundle.rootfs() / "bin/odd") << "#!/no/interpreter\n";
  fs::permissions(bundle.rootfs() / "bin/odd", fs::perms::all);
  with_init(bundle).config["process"]["args"] = {"/bin/odd"};
  CHECK(bundle.error() == "exec: \"/bin/odd\": its interpreter or loader is missing in the rootfs");
}

TEST_CASE("init: signals are passed on, also those that come at once") {
  for (const int number : {SIGTERM, SIGUSR1, SIGHUP, SIGINT, SIGRTMIN + 3}) {
    Bundle bundle;
    with_init(bundle).script("exec sleep 30");
    Container container = bundle.start();
    REQUIRE(kill(container.pid(), number) == 0);
    CHECK(container.wait().status == 128 + number);
  }
  Bundle trapping;
  with_init(trapping).script("trap 'echo caught; exit 5' TERM; echo up >/up; while :; do sleep 0.01; done");
  Container container = trapping.start();
  REQUIRE(eventually([&] { return fs::exists(trapping.rootfs() / "up"); }));
  kill(container.pid(), SIGTERM);
  const Ended ended = container.wait();
  CHECK(ended.status == 5);
  CHECK(ended.output == "caught\n");
}

TEST_CASE("init: with it ends everything, and with the program it ends") {
  Bundle bundle;
  with_init(bundle).script("sleep 300 & exec true");
  CHECK(bundle.run().status == 0);  // which waits for the end of the streams, that the sleep holds open
}

TEST_CASE("init: a terminal is the program's, with its job control") {
  Bundle bundle;
  bundle.config["process"]["terminal"] = true;
  // An interactive shell says so where it has no job control; a stopped job is one that has it.
  with_init(bundle).config["process"]["args"] = {"/bin/sh", "-im"};
  auto launched = bundle.try_launch();
  REQUIRE(launched);
  const UniqueFd console(launched->console.release());
  Container container(std::move(*launched), UniqueFd());
  std::string seen;
  const auto read_until = [&](const char* text) {
    pollfd waiting{console.get(), POLLIN, 0};
    char buffer[256];
    while (seen.find(text) == std::string::npos && poll(&waiting, 1, 5000) > 0) {
      const ssize_t got = read(console.get(), buffer, sizeof buffer);
      if (got <= 0) break;
      seen.append(buffer, static_cast<std::size_t>(got));
    }
    return seen.find(text) != std::string::npos;
  };
  const auto type = [&](const std::string& text) { return write(console.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()); };
  REQUIRE(type("echo is-$((40+2)); sleep 30\n"));
  REQUIRE(read_until("is-42"));
  REQUIRE(eventually([&] {
    type("\x1a");  // ^Z, until the job is there to be stopped
    return read_until("Stopped");
  }));
  REQUIRE(type("kill %1; exit 7\nexit 7\n"));
  CHECK(container.wait().status == 7);
  CHECK(seen.find("job control") == std::string::npos);
}

TEST_CASE("CVE-2019-5736, init: no file of the host's is behind it, and what is can not be changed") {
  Bundle bundle;
  with_init(bundle).config["process"]["capabilities"] = {};
  bundle.script("exec sleep 30");
  Container container = bundle.start();
  const std::string proc = "/proc/" + std::to_string(container.pid());
  CHECK(fs::read_symlink(proc + "/exe") == "/memfd:mooring-init (deleted)");
  std::string maps = slurp(proc + "/maps");
  CHECK(maps.find("mooring-runtime") == std::string::npos);
  CHECK(maps.find("build/tests") == std::string::npos);
  // Not even for root of the host.
  const UniqueFd file(open((proc + "/exe").c_str(), O_WRONLY | O_CLOEXEC));
  CHECK((!file || write(file.get(), "x", 1) < 0));
  CHECK(fs::is_empty(proc + "/fd"));
}

TEST_CASE("init: its annotation is true or false") {
  Bundle bundle;
  bundle.config["annotations"]["dev.mooring.init"] = "yes";
  CHECK(bundle.error() == "config.json: annotations[\"dev.mooring.init\"]: must be \"true\" or \"false\"");
}
