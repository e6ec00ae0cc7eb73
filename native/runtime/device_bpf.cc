#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cgroup.h"

namespace mooring {
namespace {

long bpf(bpf_cmd command, bpf_attr& attributes) { return syscall(SYS_bpf, command, &attributes, sizeof attributes); }

bpf_insn instruction(int code, int target, int source, int offset, int immediate) {
  return {static_cast<__u8>(code), static_cast<__u8>(target & 15), static_cast<__u8>(source & 15), static_cast<__s16>(offset), immediate};
}
bpf_insn load(int target, int offset) { return instruction(BPF_LDX | BPF_MEM | BPF_W, target, BPF_REG_1, offset, 0); }
bpf_insn math(int operation, int target, int immediate) { return instruction(BPF_ALU | operation | BPF_K, target, 0, 0, immediate); }
bpf_insn skip_if(int comparison, int reg, int immediate, int count) { return instruction(BPF_JMP | comparison | BPF_K, reg, 0, count, immediate); }

void answer(std::vector<bpf_insn>& code, int verdict) {
  code.push_back(math(BPF_MOV, BPF_REG_0, verdict));
  code.push_back(instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

int access_bits(const std::string& access) {
  int bits = 0;
  for (const char letter : access) bits |= letter == 'm' ? BPF_DEVCG_ACC_MKNOD : letter == 'r' ? BPF_DEVCG_ACC_READ : BPF_DEVCG_ACC_WRITE;
  return bits;
}

constexpr int all_access = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE;
constexpr int type = BPF_REG_2, wanted = BPF_REG_3, major_number = BPF_REG_4, minor_number = BPF_REG_5, scratch = BPF_REG_6;

// What to do once the device matches: an allow rule takes its letters off what is still wanted, a deny rule refuses if one is still wanted.
std::vector<bpf_insn> effect(const DeviceRule& rule) {
  std::vector<bpf_insn> code;
  const int bits = access_bits(rule.access);
  if (bits == all_access) {
    answer(code, rule.allow);
  } else if (rule.allow) {
    code.push_back(math(BPF_AND, wanted, ~bits));
    code.push_back(skip_if(BPF_JNE, wanted, 0, 2));
    answer(code, 1);
  } else {
    code.push_back(instruction(BPF_ALU | BPF_MOV | BPF_X, scratch, wanted, 0, 0));
    code.push_back(math(BPF_AND, scratch, bits));
    code.push_back(skip_if(BPF_JEQ, scratch, 0, 2));
    answer(code, 0);
  }
  return code;
}

// The last rule that speaks of a device and a letter decides, so the program asks them from last to first. The first of all denies everything, and ends it.
std::vector<bpf_insn> compile(const std::vector<DeviceRule>& rules) {
  std::vector<bpf_insn> code{load(type, 0), math(BPF_AND, type, 0xffff), load(wanted, 0), math(BPF_RSH, wanted, 16), load(major_number, 4), load(minor_number, 8)};
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
    const auto body = effect(*rule);
    int left = static_cast<int>(body.size()) + (rule->type != 'a') + rule->major.has_value() + rule->minor.has_value();
    const auto guard = [&](int reg, int64_t value) { code.push_back(skip_if(BPF_JNE, reg, static_cast<int>(value), --left)); };
    if (rule->type != 'a') guard(type, rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
    if (rule->major) guard(major_number, *rule->major);
    if (rule->minor) guard(minor_number, *rule->minor);
    code.insert(code.end(), body.begin(), body.end());
    // Nothing gets past this one, and the verifier refuses what can't be reached.
    if (rule->type == 'a' && access_bits(rule->access) == all_access) break;
  }
  return code;
}

template <typename T>
__u64 pointer(T* value) {
  return reinterpret_cast<__u64>(value);
}

Result<UniqueFd> current_program(int folder, const std::string& label) {
  __u32 ids[16];
  bpf_attr query{};
  query.query.target_fd = static_cast<__u32>(folder);
  query.query.attach_type = BPF_CGROUP_DEVICE;
  query.query.prog_ids = pointer(ids);
  query.query.prog_cnt = 16;
  if (bpf(BPF_PROG_QUERY, query) != 0) return sys_error("read the device programs of " + label);
  if (query.query.prog_cnt == 0) return UniqueFd();
  if (query.query.prog_cnt > 1) return Error{label + " holds several device programs; this runtime attaches one, so they are not its own"};
  bpf_attr get{};
  get.prog_id = ids[0];
  UniqueFd program(static_cast<int>(bpf(BPF_PROG_GET_FD_BY_ID, get)));
  if (!program) return sys_error("open the device program of " + label);
  return program;
}

}  // namespace

Status set_device_program(int folder, const std::string& label, const std::vector<DeviceRule>& rules) {
  const auto code = compile(rules);
  bpf_attr load_attributes{};
  load_attributes.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  load_attributes.insns = pointer(code.data());
  load_attributes.insn_cnt = static_cast<__u32>(code.size());
  load_attributes.license = pointer("Apache");
  const UniqueFd program(static_cast<int>(bpf(BPF_PROG_LOAD, load_attributes)));
  if (!program) return sys_error("load the device program of " + label);

  auto old = current_program(folder, label);
  if (!old) return std::move(old.error());
  bpf_attr attach{};
  attach.target_fd = static_cast<__u32>(folder);
  attach.attach_bpf_fd = static_cast<__u32>(program.get());
  attach.attach_type = BPF_CGROUP_DEVICE;
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  if (*old) {  // one step from the old list to the new, with no moment without
    attach.attach_flags |= BPF_F_REPLACE;
    attach.replace_bpf_fd = static_cast<__u32>(old->get());
  }
  if (bpf(BPF_PROG_ATTACH, attach) != 0) return sys_error("attach the device program to " + label);
  return ok();
}

}  // namespace mooring
