// Node-API without C++ exceptions, and how a native error looks in JavaScript.
#pragma once

#define NAPI_DISABLE_CPP_EXCEPTIONS
#include <napi.h>

#include <cstring>

#include "runtime/result.h"

namespace mooring {

/// `Error(message)` with `code` set to the errno's name, as Node's own system errors have it.
inline Napi::Value js_error(Napi::Env env, const Error& error) {
  const Napi::Error made = Napi::Error::New(env, error.message);
  if (error.code != 0) made.Value().Set("code", ::strerrorname_np(error.code));
  return made.Value();
}

inline Napi::Value throw_js(Napi::Env env, const Error& error) {
  napi_throw(env, js_error(env, error));
  return env.Undefined();
}

inline Napi::Value throw_type_error(Napi::Env env, const char* message) {
  Napi::TypeError::New(env, message).ThrowAsJavaScriptException();
  return env.Undefined();
}

}  // namespace mooring
