#include "systemd_bus.h"

#include <dbus/dbus.h>
#include <unistd.h>

#include <memory>

namespace mooring {
namespace {

constexpr const char* service = "org.freedesktop.systemd1";
constexpr const char* path = "/org/freedesktop/systemd1";
constexpr const char* manager = "org.freedesktop.systemd1.Manager";
constexpr int patience_ms = 25000;

struct Unref {
  void operator()(DBusMessage* message) const { dbus_message_unref(message); }
  void operator()(DBusConnection* connection) const {
    dbus_connection_close(connection);
    dbus_connection_unref(connection);
  }
};
using Message = std::unique_ptr<DBusMessage, Unref>;
using Connection = std::unique_ptr<DBusConnection, Unref>;

// What libdbus says when something fails.
struct BusError {
  DBusError error = DBUS_ERROR_INIT;
  ~BusError() { dbus_error_free(&error); }
  Error as_error(const std::string& what) const { return Error{what + ": " + (error.message ? error.message : "no answer")}; }
  bool is(const char* name) const { return dbus_error_has_name(&error, name); }
};

Error no_memory() { return Error{"speak to systemd: out of memory", ENOMEM}; }

Message method(const char* name) { return Message(dbus_message_new_method_call(service, path, manager, name)); }

Result<Connection> connect_to_bus() {
  if (access("/run/systemd/system", F_OK) != 0) return Error{"cgroups by systemd: systemd is not what runs this host; use the cgroupfs driver", ENOENT};
  BusError failed;
  Connection connection(dbus_bus_get_private(DBUS_BUS_SYSTEM, &failed.error));
  if (!connection) return failed.as_error("cgroups by systemd: connect to the system bus");
  dbus_connection_set_exit_on_disconnect(connection.get(), false);
  return connection;
}

Result<Message> ask(DBusConnection* connection, const Message& message, const std::string& what, const char* harmless = nullptr) {
  BusError failed;
  Message answer(dbus_connection_send_with_reply_and_block(connection, message.get(), patience_ms, &failed.error));
  if (answer) return answer;
  if (harmless && failed.is(harmless)) return Message();
  return failed.as_error("cgroups by systemd: " + what);
}

struct Append {
  DBusMessageIter* to;
  bool operator()(bool value) const {
    const dbus_bool_t word = value;
    return basic("b", DBUS_TYPE_BOOLEAN, &word);
  }
  bool operator()(uint64_t value) const { return basic("t", DBUS_TYPE_UINT64, &value); }
  bool operator()(const std::string& value) const {
    const char* text = value.c_str();
    return basic("s", DBUS_TYPE_STRING, &text);
  }
  bool operator()(const std::vector<uint32_t>& value) const {
    DBusMessageIter variant, list;
    const uint32_t* items = value.data();
    return dbus_message_iter_open_container(to, DBUS_TYPE_VARIANT, "au", &variant) && dbus_message_iter_open_container(&variant, DBUS_TYPE_ARRAY, "u", &list) &&
           dbus_message_iter_append_fixed_array(&list, DBUS_TYPE_UINT32, &items, static_cast<int>(value.size())) && dbus_message_iter_close_container(&variant, &list) &&
           dbus_message_iter_close_container(to, &variant);
  }
  bool basic(const char* signature, int type, const void* value) const {
    DBusMessageIter variant;
    return dbus_message_iter_open_container(to, DBUS_TYPE_VARIANT, signature, &variant) && dbus_message_iter_append_basic(&variant, type, value) && dbus_message_iter_close_container(to, &variant);
  }
};

// "a(sv)"
bool append_properties(DBusMessageIter& message, const std::vector<UnitProperty>& properties) {
  DBusMessageIter list, pair;
  if (!dbus_message_iter_open_container(&message, DBUS_TYPE_ARRAY, "(sv)", &list)) return false;
  for (const UnitProperty& property : properties) {
    const char* name = property.name.c_str();
    if (!dbus_message_iter_open_container(&list, DBUS_TYPE_STRUCT, nullptr, &pair) || !dbus_message_iter_append_basic(&pair, DBUS_TYPE_STRING, &name) ||
        !std::visit(Append{&pair}, property.value) || !dbus_message_iter_close_container(&list, &pair))
      return false;
  }
  return dbus_message_iter_close_container(&message, &list);
}

// systemd tells of the end of jobs only those who have asked to hear of it, which is done before the job is asked for.
Status listen_to_jobs(DBusConnection* connection) {
  BusError failed;
  dbus_bus_add_match(connection, "type='signal',sender='org.freedesktop.systemd1',interface='org.freedesktop.systemd1.Manager',member='JobRemoved'", &failed.error);
  if (dbus_error_is_set(&failed.error)) return failed.as_error("cgroups by systemd: listen to its jobs");
  const Message subscribe = method("Subscribe");
  if (!subscribe) return no_memory();
  auto done = ask(connection, subscribe, "listen to its jobs");
  return done ? ok() : Status(std::move(done.error()));
}

// JobRemoved(u id, o job, s unit, s result)
Status await_job(DBusConnection* connection, const Message& reply, const std::string& what) {
  const char* job = nullptr;
  if (!dbus_message_get_args(reply.get(), nullptr, DBUS_TYPE_OBJECT_PATH, &job, DBUS_TYPE_INVALID)) return Error{"cgroups by systemd: " + what + ": an answer without a job"};
  for (;;) {
    while (const Message signal{dbus_connection_pop_message(connection)}) {
      dbus_uint32_t id;
      const char *ended, *unit, *result;
      if (!dbus_message_is_signal(signal.get(), manager, "JobRemoved") ||
          !dbus_message_get_args(signal.get(), nullptr, DBUS_TYPE_UINT32, &id, DBUS_TYPE_OBJECT_PATH, &ended, DBUS_TYPE_STRING, &unit, DBUS_TYPE_STRING, &result, DBUS_TYPE_INVALID) || std::string(job) != ended)
        continue;
      return std::string(result) == "done" ? ok() : Status(Error{"cgroups by systemd: " + what + ": " + result});
    }
    if (!dbus_connection_read_write(connection, patience_ms)) return Error{"cgroups by systemd: " + what + ": the bus has gone"};
  }
}

// Calls a method that starts a job, and waits for the job.
Status run_job(DBusConnection* connection, const Message& call, const std::string& what, const char* harmless = nullptr) {
  auto reply = ask(connection, call, what, harmless);
  if (!reply) return std::move(reply.error());
  return *reply ? await_job(connection, *reply, what) : ok();
}

}  // namespace

Status start_scope(const std::string& scope, const std::vector<UnitProperty>& properties) {
  auto connection = connect_to_bus();
  if (!connection) return std::move(connection.error());
  MOORING_TRY(listen_to_jobs(connection->get()));
  const Message call = method("StartTransientUnit");
  if (!call) return no_memory();
  const char *name = scope.c_str(), *mode = "replace";
  DBusMessageIter message, none;
  dbus_message_iter_init_append(call.get(), &message);
  if (!dbus_message_iter_append_basic(&message, DBUS_TYPE_STRING, &name) || !dbus_message_iter_append_basic(&message, DBUS_TYPE_STRING, &mode) || !append_properties(message, properties) ||
      !dbus_message_iter_open_container(&message, DBUS_TYPE_ARRAY, "(sa(sv))", &none) || !dbus_message_iter_close_container(&message, &none))
    return no_memory();
  return run_job(connection->get(), call, "start " + scope);
}

Status set_unit_properties(const std::string& unit, const std::vector<UnitProperty>& properties) {
  auto connection = connect_to_bus();
  if (!connection) return std::move(connection.error());
  const Message call = method("SetUnitProperties");
  if (!call) return no_memory();
  const char* name = unit.c_str();
  const dbus_bool_t runtime = true;
  DBusMessageIter message;
  dbus_message_iter_init_append(call.get(), &message);
  if (!dbus_message_iter_append_basic(&message, DBUS_TYPE_STRING, &name) || !dbus_message_iter_append_basic(&message, DBUS_TYPE_BOOLEAN, &runtime) || !append_properties(message, properties)) return no_memory();
  auto done = ask(connection->get(), call, "change " + unit);
  return done ? ok() : Status(std::move(done.error()));
}

Status stop_unit(const std::string& unit) {
  auto connection = connect_to_bus();
  if (!connection) return std::move(connection.error());
  MOORING_TRY(listen_to_jobs(connection->get()));
  const Message call = method("StopUnit");
  const char *name = unit.c_str(), *mode = "replace";
  if (!call || !dbus_message_append_args(call.get(), DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &mode, DBUS_TYPE_INVALID)) return no_memory();
  return run_job(connection->get(), call, "stop " + unit, "org.freedesktop.systemd1.NoSuchUnit");
}

}  // namespace mooring
