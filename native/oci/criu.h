// CRIU (criu(8)), which makes files of processes and processes of files. It is the host's own program, called by its command line.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "flags.h"
#include "runtime/result.h"

namespace mooring::oci {

/// What checkpoint and restore are told of where the images are.
struct CriuFolders {
  std::string images;  // --image-path, absolute
  std::string work;    // --work-path, absolute: logs and statistics; else that of the images
};

/// Makes the folder of the images where `make` says so. Errors name the flag.
Result<CriuFolders> criu_folders(const Arguments& arguments, bool make);

struct CriuCall {
  std::string program;  // --criu; empty: "criu", looked up in PATH
  std::string command;  // "dump", "pre-dump", "restore"
  CriuFolders folders;
  std::vector<std::string> words;     // what follows the command
  std::vector<int> inherited;         // descriptors that it is to have
  std::function<Status()> prepare;    // what its process does first; may be empty
};

/// Whether PATH has a program of that name.
bool has_program(const std::string& name);

/// Runs it to its end. The Error holds the first that CRIU wrote to its log, and where that is; or says that there is no CRIU here.
Status run_criu(const CriuCall& call);

/// The words for those flags that CRIU itself knows, of the given command.
std::vector<std::string> passed_on(const Arguments& arguments);

}  // namespace mooring::oci
