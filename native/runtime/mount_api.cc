#include "mount_api.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "open_in_root.h"

namespace mooring {
namespace {

// What the file system logged to its context, "e tmpfs: Bad value for 'size'" (fsopen(2)); the errno alone says little.
Error context_error(int context, std::string what) {
  Error error = sys_error(std::move(what));
  char line[512];
  for (ssize_t got; (got = read(context, line, sizeof line)) > 0;) {
    std::string text(line, static_cast<std::size_t>(got));
    while (!text.empty() && text.back() == '\n') text.pop_back();
    if (text.starts_with("e ")) error.message += " (" + text.substr(2) + ")";
  }
  return error;
}

}  // namespace

FsOption fs_option(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return {text, {}, true};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

Result<UniqueFd> new_mount(const std::string& type, const std::string& source, const std::vector<FsOption>& options, uint64_t attributes) {
  const UniqueFd context(fsopen(type.c_str(), FSOPEN_CLOEXEC));
  if (!context) return sys_error("open file system " + type);
  if (!source.empty() && fsconfig(context.get(), FSCONFIG_SET_STRING, "source", source.c_str(), 0) != 0)
    return context_error(context.get(), type + ": set source \"" + source + "\"");
  for (const FsOption& option : options) {
    const int failed = option.flag ? fsconfig(context.get(), FSCONFIG_SET_FLAG, option.key.c_str(), nullptr, 0)
                                   : fsconfig(context.get(), FSCONFIG_SET_STRING, option.key.c_str(), option.value.c_str(), 0);
    if (failed) return context_error(context.get(), type + ": set option " + option.key + (option.flag ? "" : "=" + option.value));
  }
  if (fsconfig(context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) return context_error(context.get(), "make file system " + type);
  UniqueFd mount(fsmount(context.get(), FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes)));
  if (!mount) return context_error(context.get(), "mount " + type);
  return mount;
}

Result<UniqueFd> clone_mount(int dir, const std::string& path, bool recursive) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
  if (recursive) flags |= AT_RECURSIVE;
  if (path.empty()) flags |= AT_EMPTY_PATH;
  UniqueFd mount(open_tree(dir, path.c_str(), flags));
  if (!mount) return sys_error("bind " + (path.empty() ? std::string("mount") : path));
  return mount;
}

Status change_mount(int mount, const MountChange& change, const std::string& label) {
  const bool mapped = change.user_namespace >= 0;
  if (!change.set && !change.clear && !change.propagation && !mapped) return ok();
  mount_attr attributes{};
  attributes.attr_set = change.set | (mapped ? MOUNT_ATTR_IDMAP : 0);
  attributes.attr_clr = change.clear;
  attributes.propagation = change.propagation;
  if (mapped) attributes.userns_fd = static_cast<uint64_t>(change.user_namespace);
  const unsigned flags = AT_EMPTY_PATH | (change.recursive ? AT_RECURSIVE : 0);
  if (mount_setattr(mount, "", flags, &attributes, sizeof attributes) != 0) return sys_error((mapped ? "map the ids of " : "set mount flags of ") + label);
  return ok();
}

Result<UniqueFd> working_folder() {
  UniqueFd folder(open_tree(AT_FDCWD, "", AT_EMPTY_PATH | OPEN_TREE_CLOEXEC));
  if (!folder) return sys_error("open the working folder");
  return folder;
}

Status attach_mount(int mount, int target, const std::string& label) {
  if (move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0) return sys_error("mount on " + label);
  return ok();
}

Status detach_mount(int mount, const std::string& label) {
  return umount2(fd_path(mount).c_str(), MNT_DETACH) == 0 ? ok() : Status(sys_error("unmount " + label));
}

}  // namespace mooring
