// `mooring-archive`: reads and writes trees of files that strangers made, shut in with them, from and to tar archives. It says as one line of JSON
// on standard error how that went: {"entries":…} or {"error":…}.
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "archive/commands.h"
#include "archive/container_tree.h"

namespace mooring {

namespace {

constexpr int kBadUsage = 2;

constexpr const char* kContainer = "--pid PID --start-time TICKS | --lower LAYER... --upper FOLDER --work FOLDER [--read-only yes] [--bind SOURCE --part PATH --at PATH --access ro|rw]...";

std::vector<std::string> with_container(std::vector<std::string> options) {
  const auto container = container_options();
  options.insert(options.end(), container.begin(), container.end());
  return options;
}

const Command kCommands[] = {
    {"unpack", "FOLDER MAX_BYTES MAX_ENTRIES MAX_FILE_BYTES MAX_DEPTH [--growth told] < BLOB", 5, {"growth"}, unpack},
    {"flush", "FOLDER", 1, {}, flush},
    {"clean", "UPPER [--below LAYER]... [--omit PATH]... [--latest SECONDS]", 1, {"below", "omit", "latest"}, clean},
    {"pack", "UPPER [--below LAYER]... [--omit PATH]... [--latest SECONDS] [--growth told] [--digest told] > ARCHIVE", 1, {"below", "omit", "latest", "growth", "digest"}, pack},
    {"changes", "UPPER [--below LAYER]... [--omit PATH]...", 1, {"below", "omit", "latest"}, changes},
    {"stat", "PATH CONTAINER", 1, container_options(), stat_path},
    {"list", "PATH CONTAINER", 1, container_options(), list},
    {"cat", "PATH CONTAINER > CONTENT", 1, container_options(), cat},
    {"write", "PATH CONTAINER < CONTENT", 1, container_options(), write_file},
    {"get", "PATH NAME CONTAINER > ARCHIVE", 2, container_options(), get},
    {"put", "FOLDER CONTAINER [--owners root|archive] < ARCHIVE", 1, with_container({"owners"}), put},
    {"copy-in", "FOLDER IDENTITY FILE NAME TO CONTAINER [--owners root|archive]", 5, with_container({"owners"}), copy_in},
    {"copy-out", "PATH NAME FOLDER IDENTITY CONTAINER [--owners maker|archive]", 4, with_container({"owners"}), copy_out},
    {"export", "CONTAINER > ARCHIVE", 0, container_options(), export_tree},
};

const Command* command_of(int argc, char** argv) {
  for (const Command& command : kCommands) {
    if (argc > 1 && std::string_view(argv[1]) == command.name) return &command;
  }
  return nullptr;
}

int usage(const std::string& why) {
  std::string text = why.empty() ? "" : "mooring-archive: " + why + "\n";
  for (const Command& command : kCommands) text += "usage: mooring-archive " + std::string(command.name) + " " + command.usage + "\n";
  text += "CONTAINER is: " + std::string(kContainer) + "\n";
  std::fputs(text.c_str(), stderr);
  return kBadUsage;
}

int run(const Command& command, const Arguments& arguments) {
  JsonObject report;
  const auto done = command.run(arguments, report);
  JsonObject failure;
  if (!done) failure.text("error", done.error().message).boolean("archiveFault", done.error().code == 0).number("errno", done.error().code);
  const std::string line = (done ? report : failure).str() + "\n";
  return ::write(STDERR_FILENO, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && done ? 0 : 1;
}

}  // namespace

}  // namespace mooring

int main(int argc, char** argv) {
  using namespace mooring;
  const Command* command = command_of(argc, argv);
  if (command == nullptr) return usage("");
  const auto arguments = Arguments::parse(argc - 2, argv + 2, command->options);
  if (!arguments) return usage(arguments.error().message);
  if (arguments->words().size() != command->words) return usage(std::string(command->name) + " wants other arguments");
  return run(*command, *arguments);
}
