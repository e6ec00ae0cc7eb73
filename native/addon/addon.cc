// The addon's face to JavaScript. src/native/addon.ts is its only caller, and gives it types.
#include "addon/environment.h"
#include "addon/folder_watch.h"
#include "addon/lock_file.h"
#include "addon/mount_watch.h"
#include "addon/netlink.h"
#include "addon/network_namespace.h"
#include "addon/network_watch.h"
#include "addon/nftables.h"
#include "addon/process_watch.h"
#include "addon/project_quota.h"
#include "addon/read_attributes.h"
#include "addon/read_files.h"
#include "addon/spawn_monitor.h"
#include "addon/spawn_process.h"

namespace mooring {

namespace {

/// `(watch)`: closes a watch of any kind. Idempotent.
void close_watch(const Napi::CallbackInfo& info) {
  if (info.Length() != 1 || !info[0].IsNumber()) {
    throw_type_error(info.Env(), "closeWatch wants a watch");
    return;
  }
  Environment::of(info.Env()).close(info[0].As<Napi::Number>().Int64Value());
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  if (const auto created = Environment::create(env); !created) {
    throw_js(env, created.error());
    return exports;
  }
  exports.Set("spawnMonitor", Napi::Function::New(env, spawn_monitor, "spawnMonitor"));
  exports.Set("prepareMonitor", Napi::Function::New(env, prepare_monitor, "prepareMonitor"));
  exports.Set("orderMonitor", Napi::Function::New(env, order_monitor, "orderMonitor"));
  exports.Set("dismissMonitor", Napi::Function::New(env, dismiss_monitor, "dismissMonitor"));
  exports.Set("statusFd", kStatusFd);
  exports.Set("watchProcess", Napi::Function::New(env, watch_process, "watchProcess"));
  exports.Set("signalProcess", Napi::Function::New(env, signal_process, "signalProcess"));
  exports.Set("watchMounts", Napi::Function::New(env, watch_mounts, "watchMounts"));
  exports.Set("watchFolders", Napi::Function::New(env, watch_folders, "watchFolders"));
  exports.Set("markFolders", Napi::Function::New(env, mark_folders, "markFolders"));
  exports.Set("closeWatch", Napi::Function::New(env, close_watch, "closeWatch"));
  exports.Set("readAttributes", Napi::Function::New(env, read_attributes, "readAttributes"));
  exports.Set("hasProjectQuota", Napi::Function::New(env, has_project_quota, "hasProjectQuota"));
  exports.Set("limitFolder", Napi::Function::New(env, limit_folder, "limitFolder"));
  exports.Set("shareLimit", Napi::Function::New(env, share_limit, "shareLimit"));
  exports.Set("lockFile", Napi::Function::New(env, lock_file, "lockFile"));
  exports.Set("readFiles", Napi::Function::New(env, read_files, "readFiles"));
  exports.Set("createNetworkNamespace", Napi::Function::New(env, create_network_namespace, "createNetworkNamespace"));
  exports.Set("netlink", Napi::Function::New(env, netlink, "netlink"));
  exports.Set("watchNetwork", Napi::Function::New(env, watch_network, "watchNetwork"));
  exports.Set("runNft", Napi::Function::New(env, run_nft, "runNft"));
  return exports;
}

NODE_API_MODULE(mooring, init)

}  // namespace

}  // namespace mooring
