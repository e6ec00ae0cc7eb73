#include "addon/lock_file.h"

#include <sys/file.h>

namespace mooring {

Napi::Value lock_file(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (info.Length() != 1 || !info[0].IsNumber()) return throw_type_error(env, "lockFile wants a descriptor");
  if (::flock(info[0].As<Napi::Number>().Int32Value(), LOCK_EX | LOCK_NB) == 0) return Napi::Boolean::New(env, true);
  if (errno == EWOULDBLOCK) return Napi::Boolean::New(env, false);
  return throw_js(env, sys_error("flock"));
}

}  // namespace mooring
