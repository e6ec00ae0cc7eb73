// What `mooring-archive` does, one function a command. Each shuts the process in before it looks at anything that a stranger made.
#pragma once

#include "archive/arguments.h"
#include "monitor/json_text.h"
#include "runtime/result.h"

namespace mooring {

/// How one command reads its arguments and tells how it went. An error whose code is 0 is the fault of what it was given.
struct Command {
  const char* name;
  const char* usage;
  size_t words;
  std::vector<std::string> options;
  Status (*run)(const Arguments& arguments, JsonObject& report);
};

/// unpack FOLDER MAX_BYTES MAX_ENTRIES MAX_FILE_BYTES MAX_DEPTH: the blob of a layer, from standard input. Tells the digest and size of the archive that it is without its compression.
Status unpack(const Arguments& arguments, JsonObject& report);

/// flush FOLDER: has all that was written to its file system reach the disk.
Status flush(const Arguments& arguments, JsonObject& report);

/// clean UPPER: makes an overlay's writable folder what unpacking its own archive would make.
Status clean(const Arguments& arguments, JsonObject& report);

/// pack UPPER: an overlay's writable folder as the archive of a layer. Says on descriptor 3 when that has grown, and tells its digest, where it is asked to.
Status pack(const Arguments& arguments, JsonObject& report);

/// changes UPPER: what was added, changed and deleted; one JSON object a line.
Status changes(const Arguments& arguments, JsonObject& report);

/// The following know a container by the options that container_tree.h tells of.
/// stat PATH, list PATH: one JSON object a line; of `list`, one for each name in a folder.
Status stat_path(const Arguments& arguments, JsonObject& report);
Status list(const Arguments& arguments, JsonObject& report);

/// cat PATH, write PATH: the content of a regular file.
Status cat(const Arguments& arguments, JsonObject& report);
Status write_file(const Arguments& arguments, JsonObject& report);

/// get PATH NAME: what is at PATH as an archive that calls it NAME. put FOLDER: an archive's entries into a folder.
Status get(const Arguments& arguments, JsonObject& report);
Status put(const Arguments& arguments, JsonObject& report);

/// copy-in FOLDER IDENTITY FILE NAME TO: FILE of a host's folder, known as host_folder.h has it, into the container's folder TO, where it is called NAME.
/// copy-out PATH NAME FOLDER IDENTITY: the other way round.
Status copy_in(const Arguments& arguments, JsonObject& report);
Status copy_out(const Arguments& arguments, JsonObject& report);

/// export: all files, without what is mounted on them.
Status export_tree(const Arguments& arguments, JsonObject& report);

}  // namespace mooring
