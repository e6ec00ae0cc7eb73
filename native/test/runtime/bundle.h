// A bundle in a temporary folder, with a rootfs of busybox, and what the tests ask of the container that is made of it.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "runtime/launch.h"

namespace mooring::test {

using Json = nlohmann::json;
namespace fs = std::filesystem;

struct Ended {
  int status = -1;     // exit code, or 128 + signal
  std::string output;  // of stdout and stderr together
};

/// A started container; killed and reaped at the end of its life if it still runs.
class Container {
 public:
  Container(Launched launched, UniqueFd output) : launched_(std::move(launched)), output_(std::move(output)) {}
  Container(Container&&) = default;
  ~Container();
  pid_t pid() const { return launched_.pid; }
  Launched& launched() { return launched_; }
  Ended wait();
  /// For a script that ends in "exec sleep 30": waits until it is there.
  void await_sleep() const;
  /// The same, then kills it.
  Ended stop_at_sleep();
  /// /proc/<pid>/<name>, from the host.
  std::string proc(const std::string& name) const;
  /// The value of a line "Name:\tvalue" of /proc/<pid>/status.
  std::string status(const std::string& name) const;

 private:
  Launched launched_;
  UniqueFd output_;
};

class Bundle {
 public:
  Bundle();
  ~Bundle();
  Bundle(const Bundle&) = delete;

  Json config;  // written at launch
  const fs::path& path() const { return path_; }
  fs::path rootfs() const { return path_ / "rootfs"; }
  const std::string& cgroup() const { return cgroup_; }
  /// Sets what the container's shell does.
  Bundle& script(const std::string& text);
  Bundle& add_mount(Json mount);
  /// A user namespace of its own, in which 0 to 65535 are 200000 to 265535 outside, and a rootfs that belongs to those.
  Bundle& map_users();
  Result<Launched> try_launch(int output = -1);
  Container start();
  Ended run();
  /// The message with which launch() fails, "" if it does not.
  std::string error();

 private:
  fs::path path_;
  std::string cgroup_;
};

constexpr unsigned outside_root = 200000;

/// The v1 folder of a controller, or the v2 folder, for a cgroup of ours.
fs::path cgroup_folder(const std::string& controller, const std::string& cgroup);
std::string slurp(const fs::path& path);
/// Waits, with a bound, until `done` says so.
bool eventually(const std::function<bool()>& done);

}  // namespace mooring::test
