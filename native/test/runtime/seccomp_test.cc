#include <doctest/doctest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "bundle.h"
#include "runtime/seccomp_filter.h"

using namespace mooring;
using namespace mooring::test;

namespace {

Json refuse_mkdir() {
  return {{"defaultAction", "SCMP_ACT_ALLOW"},
          {"architectures", {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86"}},
          {"syscalls", {{{"names", {"mkdir", "mkdirat", "no_such_call"}}, {"action", "SCMP_ACT_ERRNO"}, {"errnoRet", 95}}}}};
}

}  // namespace

TEST_CASE("seccomp refuses what it should, with the errno asked for, with and without no_new_privs") {
  Bundle bundle;
  bundle.config["linux"]["seccomp"] = refuse_mkdir();
  SUBCASE("with") { bundle.config["process"]["noNewPrivileges"] = true; }
  SUBCASE("without") { bundle.config["process"]["noNewPrivileges"] = false; }
  Container container = bundle.script("mkdir /tmp/y; echo done; exec sleep 30").start();
  CHECK(container.status("Seccomp") == "2");
  CHECK(container.stop_at_sleep().output == "mkdir: can't create directory '/tmp/y': Operation not supported\ndone\n");
}

TEST_CASE("a filter is kept, found again, and never trusted from a folder that others may write") {
  Bundle bundle;
  const fs::path cache = bundle.path() / "cache";
  bundle.config["linux"]["seccomp"] = refuse_mkdir();
  bundle.config["annotations"]["dev.mooring.seccomp.cache"] = cache;
  bundle.script("mkdir /tmp/y || echo refused");
  CHECK(bundle.run().output.find("refused") != std::string::npos);
  const auto entries = [&] { return std::vector<fs::path>(fs::directory_iterator(cache), {}); };
  REQUIRE(entries().size() == 1);
  const fs::path entry = entries().front();

  SUBCASE("an equal section takes the kept program") {
    const auto written = fs::last_write_time(entry);
    CHECK(bundle.run().output.find("refused") != std::string::npos);
    CHECK(entries().size() == 1);
    CHECK(fs::last_write_time(entry) == written);
  }
  SUBCASE("another section gets its own") {
    bundle.config["linux"]["seccomp"]["syscalls"][0]["names"] = {"rmdir"};
    CHECK(bundle.run().output.empty());
    CHECK(entries().size() == 2);
  }
  SUBCASE("an entry under the wrong key is compiled anew") {
    std::string text = slurp(entry);
    text[20] ^= 1;
    std::ofstream(entry, std::ios::binary) << text;
    CHECK(bundle.run().output.find("refused") != std::string::npos);
  }
  SUBCASE("a folder that others may enter") {
    fs::permissions(cache, fs::perms(0755));
    CHECK(bundle.error().find("must belong to this user and be closed to all others") != std::string::npos);
  }
}

TEST_CASE("each action does what it is for") {
  Bundle bundle;
  bundle.config["linux"]["seccomp"] = refuse_mkdir();
  Json& rule = bundle.config["linux"]["seccomp"]["syscalls"][0];
  rule.erase("errnoRet");
  const auto act = [&](const char* action) {
    rule["action"] = action;
    return bundle.script("busybox mkdir /tmp/y; echo $?").run().output;
  };
  CHECK(act("SCMP_ACT_ERRNO") == "mkdir: can't create directory '/tmp/y': Operation not permitted\n1\n");
  CHECK(act("SCMP_ACT_KILL_PROCESS").find("159\n") != std::string::npos);  // 128 + SIGSYS
  CHECK(act("SCMP_ACT_KILL_THREAD").find("159\n") != std::string::npos);
  CHECK(act("SCMP_ACT_KILL").find("159\n") != std::string::npos);
  CHECK(act("SCMP_ACT_TRAP").find("159\n") != std::string::npos);
  CHECK(act("SCMP_ACT_TRACE") == "mkdir: can't create directory '/tmp/y': Function not implemented\n1\n");  // nobody traces
  CHECK(act("SCMP_ACT_LOG") == "0\n");
  CHECK(act("SCMP_ACT_ALLOW") == "mkdir: can't create directory '/tmp/y': File exists\n1\n");
}

TEST_CASE("the default action has its errno, and flags are taken") {
  Bundle bundle;
  Json& seccomp = bundle.config["linux"]["seccomp"] = refuse_mkdir();
  seccomp["flags"] = {"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
  CHECK(bundle.script("busybox mkdir /tmp/y; echo $?").run().output.ends_with("\n1\n"));
  seccomp["flags"] = {"SECCOMP_FILTER_FLAG_WISH"};
  CHECK(bundle.error() == "config.json: linux.seccomp.flags: \"SECCOMP_FILTER_FLAG_WISH\" is not supported");
}

TEST_CASE("what seccomp can't do is refused by field") {
  Bundle bundle;
  Json& seccomp = bundle.config["linux"]["seccomp"] = refuse_mkdir();
  SUBCASE("") {
    seccomp["syscalls"][0]["action"] = "SCMP_ACT_WISH";
    CHECK(bundle.error() == "config.json: linux.seccomp.syscalls[0].action: unknown action \"SCMP_ACT_WISH\"");
  }
  SUBCASE("") {
    seccomp["architectures"][1] = "SCMP_ARCH_ABACUS";
    CHECK(bundle.error() == "config.json: linux.seccomp.architectures[1]: unknown architecture \"SCMP_ARCH_ABACUS\"");
  }
  SUBCASE("") {
    seccomp["syscalls"][0]["args"] = {{{"index", 6}, {"value", 1}, {"op", "SCMP_CMP_EQ"}}};
    CHECK(bundle.error() == "config.json: linux.seccomp.syscalls[0].args[0].index: a system call has the arguments 0 to 5");
  }
}
