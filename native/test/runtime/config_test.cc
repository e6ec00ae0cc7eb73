#include <doctest/doctest.h>

#include <fstream>

#include "bundle.h"
#include "runtime/config.h"

using namespace mooring;
using namespace mooring::test;

namespace {

std::string complaint(const Bundle& bundle, const Json& config) {
  std::ofstream(bundle.path() / "config.json") << config;
  auto read = read_config(bundle.path());
  return read ? "" : read.error().message;
}

}  // namespace

TEST_CASE("what is wrong in config.json is named by its path") {
  const Bundle bundle;
  CHECK(complaint(bundle, bundle.config) == "");
  struct Wrong {
    const char* patch;
    const char* message;
  };
  const Wrong wrongs[] = {
      {R"({"ociVersion": "2.0.0"})", "ociVersion: must be a version 1.x of the runtime specification"},
      {R"({"process": null})", "process: is missing: there is nothing to run"},
      {R"({"process": {"args": []}})", "process.args: must name the program to run"},
      {R"({"process": {"args": ["true", 7]}})", "process.args[1]: must be a string"},
      {R"({"process": {"args": ["a\u0000b"]}})", "process.args[0]: must not hold a NUL character"},
      {R"({"process": {"cwd": "tmp"}})", "process.cwd: must be an absolute path"},
      {R"({"process": {"user": {"uid": -1}}})", "process.user.uid: is too small"},
      {R"({"process": {"user": {"uid": 4294967296}}})", "process.user.uid: is too large"},
      {R"({"process": {"user": {"uid": 1.5}}})", "process.user.uid: must be a whole number"},
      {R"({"process": {"capabilities": {"bounding": ["CAP_CHOWN", 7]}}})", "process.capabilities.bounding[1]: must be a string"},
      {R"({"process": {"rlimits": [{"type": "RLIMIT_X", "soft": 1, "hard": 1}]}})", "process.rlimits[0].type: unknown limit \"RLIMIT_X\""},
      {R"({"process": {"rlimits": [{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}]}})", "process.rlimits[0].soft: is above the hard limit"},
      {R"({"linux": {"intelRdt": {"closID": "x"}}})", "linux.intelRdt: this runtime does not set up Intel RDT (resctrl); leave cache and memory bandwidth unlimited"},
      {R"({"process": {"terminal": "yes"}})", "process.terminal: must be true or false"},
      {R"({"root": {"path": null}})", "root.path: is missing"},
      {R"({"mounts": {}})", "mounts: must be a list"},
      {R"({"mounts": [{"type": "tmpfs"}]})", "mounts[0].destination: is missing"},
      {R"({"mounts": [{"destination": "/x", "type": "bind"}]})", "mounts[0].source: is missing: a bind mount needs one"},
      {R"({"hooks": {"prestart": [{"path": "x"}]}})", "hooks.prestart[0].path: must be an absolute path"},
      {R"({"linux": []})", "linux: must be an object"},
      {R"({"linux": {"namespaces": []}})", "linux.namespaces: must list a mount namespace"},

      {R"({"linux": {"namespaces": [{"type": "mount"}, {"type": "mount"}]}})", "linux.namespaces[1].type: the mount namespace is listed twice"},
      {R"({"linux": {"namespaces": [{"type": "mount"}]}})", "hostname: needs a uts namespace in linux.namespaces, else it would rename the host"},
      {R"({"linux": {"cgroupsPath": "/x/../../y"}})", "linux.cgroupsPath: must not hold \"..\""},
      {R"({"linux": {"resources": {"memory": {"limit": "64m"}}}})", "linux.resources.memory.limit: must be a whole number"},
      {R"({"linux": {"resources": {"blockIO": {"weight": 9}}}})", "linux.resources.blockIO.weight: must be 10 to 1000"},
      {R"({"linux": {"devices": [{"path": "/dev/x", "type": "z"}]}})", "linux.devices[0].type: must be c, u, b or p"},
      {R"({"linux": {"rootfsPropagation": "wide"}})", "linux.rootfsPropagation: unknown propagation \"wide\""},
      {R"({"linux": {"personality": {"domain": "VMS"}}})", "linux.personality.domain: must be LINUX or LINUX32"},
      {R"({"linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": []}]}}})", "linux.seccomp.syscalls[0].names: must name a system call"},
  };
  for (const Wrong& wrong : wrongs) {
    CAPTURE(wrong.patch);
    Json config = bundle.config;
    config.merge_patch(Json::parse(wrong.patch));
    // A merge patch with null removes the member, which is what those cases want.
    CHECK(complaint(bundle, config) == std::string("config.json: ") + wrong.message);
  }
}

TEST_CASE("what is no JSON, or unknown, or missing") {
  const Bundle bundle;
  std::ofstream(bundle.path() / "config.json") << "{\"ociVersion\": \n  oops}";
  auto read = read_config(bundle.path());
  REQUIRE(!read);
  CHECK(read.error().message.find("config.json is not JSON: ") != std::string::npos);
  CHECK(read.error().message.find("line 2, column 3") != std::string::npos);
  for (const char* number : {"1e999", "-1e999"}) {  // which no double holds
    const auto resources = read_resources_text(std::string("{\"pids\": {\"limit\": ") + number + "}}");
    REQUIRE(!resources);
    CHECK(resources.error().message.starts_with("the resources are not JSON: "));
  }
  Json config = bundle.config;
  config["futureProperty"] = 1;  // the spec: a runtime must ignore what it does not know
  CHECK(complaint(bundle, config) == "");
  fs::remove(bundle.path() / "config.json");
  read = read_config(bundle.path());
  REQUIRE(!read);
  CHECK(read.error().code == ENOENT);
}
