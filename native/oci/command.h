// The commands of the OCI command line. Each returns the exit code, or the Error that ends it with 1.
#pragma once

#include <functional>

#include "container.h"
#include "flags.h"

namespace mooring::oci {

struct Context {
  std::string root;
  std::function<void(const std::string&)> warn;  // of what was not done as asked, and is no reason to fail
  bool systemd_cgroup = false;  // --systemd-cgroup
  std::string criu;  // --criu; empty: that in PATH
};

using Run = Result<int> (*)(const Context& context, const Arguments& arguments);

// create.cc
Result<int> create(const Context&, const Arguments&);
Result<int> start(const Context&, const Arguments&);
Result<int> run(const Context&, const Arguments&);
// exec_command.cc
Result<int> exec(const Context&, const Arguments&);
// end.cc
Result<int> kill_container(const Context&, const Arguments&);
Result<int> delete_container(const Context&, const Arguments&);
/// Ends it and removes all that is left of it, once its state allows that or `force` is given. The caller holds its lock.
Status remove_container(const Context&, const Container& container, bool force);
/// The same for a run that its caller has seen end, unless somebody has done so already.
Status remove_after_run(const Context&, const Container& container);
// look.cc
Result<int> state(const Context&, const Arguments&);
Result<int> list(const Context&, const Arguments&);
Result<int> ps(const Context&, const Arguments&);
// about.cc
Result<int> features(const Context&, const Arguments&);
Result<int> spec(const Context&, const Arguments&);
// change.cc
Result<int> pause(const Context&, const Arguments&);
Result<int> resume(const Context&, const Arguments&);
Result<int> update(const Context&, const Arguments&);
// checkpoint.cc
Result<int> checkpoint(const Context&, const Arguments&);
// restore.cc
Result<int> restore(const Context&, const Arguments&);
// events.cc
Result<int> events(const Context&, const Arguments&);

}  // namespace mooring::oci
