#include "addon/project_quota.h"

#include <fcntl.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include <functional>

#include "runtime/unique_fd.h"

namespace mooring {

namespace {

/// Projects of folders, far from the small numbers that administrators give.
constexpr uint32_t kFirstProject = 0x4d52'0000;
constexpr uint32_t kProjects = 0x0001'0000;
constexpr uint64_t kBlock = 1024;  // QIF_DQBLKSIZE: what limits are counted in

Result<UniqueFd> open_folder(const std::string& path) {
  UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return sys_error("open " + path);
  return folder;
}

long quota(const UniqueFd& folder, int command, uint32_t project, void* data) { return ::syscall(SYS_quotactl_fd, folder.get(), QCMD(command, PRJQUOTA), project, data); }

/// Of a file system that counts and does not refuse, limits would be words.
bool is_enforced(const UniqueFd& folder) {
  fs_quota_stat state{};
  return quota(folder, Q_XGETQSTAT, 0, &state) == 0 && (state.qs_flags & FS_QUOTA_PDQ_ENFD) != 0;
}

Result<fsxattr> attributes_of(const UniqueFd& folder, const std::string& path) {
  fsxattr attributes{};
  if (::ioctl(folder.get(), FS_IOC_FSGETXATTR, &attributes) != 0) return sys_error("read the project of " + path);
  return attributes;
}

Status put_into(const UniqueFd& folder, const std::string& path, uint32_t project) {
  auto attributes = attributes_of(folder, path);
  if (!attributes) return std::move(attributes.error());
  attributes->fsx_projid = project;
  attributes->fsx_xflags |= FS_XFLAG_PROJINHERIT;
  if (::ioctl(folder.get(), FS_IOC_FSSETXATTR, &*attributes) != 0) return sys_error("give " + path + " project " + std::to_string(project));
  return ok();
}

/// One that nothing is counted under, and that has no limit: nobody's.
Result<uint32_t> free_project(const UniqueFd& folder, const std::string& path) {
  const auto start = static_cast<uint32_t>(std::hash<std::string>{}(path));
  for (uint32_t step = 0; step < kProjects; ++step) {
    const uint32_t project = kFirstProject + (start + step) % kProjects;
    if_dqblk found{};
    if (quota(folder, Q_GETQUOTA, project, &found) != 0) {
      if (errno == ENOENT || errno == ESRCH) return project;
      return sys_error("read the quota of project " + std::to_string(project));
    }
    if (found.dqb_bhardlimit == 0 && found.dqb_curspace == 0 && found.dqb_curinodes == 0) return project;
  }
  return Error{"no project is free for " + path, 0};
}

Status limit(const std::string& path, uint64_t bytes) {
  const auto folder = open_folder(path);
  if (!folder) return folder.error();
  const auto attributes = attributes_of(*folder, path);
  if (!attributes) return attributes.error();
  uint32_t project = attributes->fsx_projid;
  if (project == 0) {
    if (bytes == 0) return ok();
    const auto found = free_project(*folder, path);
    if (!found) return found.error();
    project = *found;
  }
  if_dqblk limits{};
  limits.dqb_bhardlimit = limits.dqb_bsoftlimit = (bytes + kBlock - 1) / kBlock;
  limits.dqb_valid = QIF_BLIMITS;
  // Before the folder has the project: what is in it was never without a limit.
  if (quota(*folder, Q_SETQUOTA, project, &limits) != 0) return sys_error("limit project " + std::to_string(project) + " of " + path);
  return attributes->fsx_projid == project ? ok() : put_into(*folder, path, project);
}

Status share(const std::string& path, const std::string& model_path) {
  const auto folder = open_folder(path);
  if (!folder) return folder.error();
  const auto model = open_folder(model_path);
  if (!model) return model.error();
  const auto attributes = attributes_of(*model, model_path);
  if (!attributes) return attributes.error();
  return attributes->fsx_projid == 0 ? ok() : put_into(*folder, path, attributes->fsx_projid);
}

/// Does its work on a thread of the pool, and settles with what that gives.
class QuotaWorker : public Napi::AsyncWorker {
 public:
  using Work = std::function<Result<bool>()>;
  QuotaWorker(Napi::Env env, Work work) : AsyncWorker(env, "mooring.projectQuota"), deferred_(Napi::Promise::Deferred::New(env)), work_(std::move(work)) {}
  Napi::Promise promise() const { return deferred_.Promise(); }

  void Execute() override { found_ = work_(); }

  void OnOK() override {
    if (found_)
      deferred_.Resolve(Napi::Boolean::New(Env(), *found_));
    else
      deferred_.Reject(js_error(Env(), found_.error()));
  }

 private:
  Napi::Promise::Deferred deferred_;
  Work work_;
  Result<bool> found_ = false;
};

Napi::Value settled_by(Napi::Env env, QuotaWorker::Work work) {
  auto* worker = new QuotaWorker(env, std::move(work));
  worker->Queue();
  return worker->promise();
}

QuotaWorker::Work done_by(std::function<Status()> work) {
  return [work = std::move(work)]() -> Result<bool> {
    MOORING_TRY(work());
    return true;
  };
}

}  // namespace

Napi::Value has_project_quota(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 1 || !info[0].IsString()) return throw_type_error(env, "hasProjectQuota wants a folder");
  return settled_by(env, [path = info[0].As<Napi::String>().Utf8Value()]() -> Result<bool> {
    const auto folder = open_folder(path);
    if (!folder) return folder.error();
    return is_enforced(*folder);
  });
}

Napi::Value limit_folder(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 2 || !info[0].IsString() || !info[1].IsNumber()) return throw_type_error(env, "limitFolder wants a folder and a number of bytes");
  const auto bytes = info[1].As<Napi::Number>().Int64Value();
  if (bytes < 0) return throw_type_error(env, "limitFolder wants no negative number of bytes");
  return settled_by(env, done_by([path = info[0].As<Napi::String>().Utf8Value(), bytes] { return limit(path, static_cast<uint64_t>(bytes)); }));
}

Napi::Value share_limit(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 2 || !info[0].IsString() || !info[1].IsString()) return throw_type_error(env, "shareLimit wants two folders");
  return settled_by(env, done_by([path = info[0].As<Napi::String>().Utf8Value(), model = info[1].As<Napi::String>().Utf8Value()] { return share(path, model); }));
}

}  // namespace mooring
