// `mooring-runtime` as an OCI runtime: the command line of runc and crun.
#pragma once

namespace mooring::oci {

extern const char* const kUsage;

/// Runs the whole command line and returns the exit code. Errors go to stderr and to --log.
int run_command_line(int argc, char** argv);

}  // namespace mooring::oci
