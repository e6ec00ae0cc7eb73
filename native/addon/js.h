// Node-API without C++ exceptions, and how a native error looks in JavaScript.
#pragma once

#define NAPI_DISABLE_CPP_EXCEPTIONS
#include <napi.h>

#include <cstring>
#include <optional>
#include <string>
#include <vector>

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

/// The strings of an array; nothing where it is none, or holds something else.
inline std::optional<std::vector<std::string>> strings_of(const Napi::Value& value) {
  if (!value.IsArray()) return std::nullopt;
  const Napi::Array array = value.As<Napi::Array>();
  std::vector<std::string> strings;
  strings.reserve(array.Length());
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::HandleScope scope(value.Env());
    const Napi::Value item = array[i];
    if (!item.IsString()) return std::nullopt;
    strings.push_back(item.As<Napi::String>());
  }
  return strings;
}

}  // namespace mooring
