#include "tests/support/amx_emulator.h"

#if defined(__x86_64__) && defined(__linux__)

#include <immintrin.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

namespace covrl::testing {
namespace {

constexpr int kNumTiles = 8, kMaxRows = 16, kMaxRowBytes = 64;  // palette 1

struct TileFile {
  bool configured = false;
  uint16_t row_bytes[kNumTiles] = {};
  uint8_t rows[kNumTiles] = {};  // 0: no such tile
  alignas(64) uint8_t data[kNumTiles][kMaxRows][kMaxRowBytes] = {};
};

thread_local TileFile tiles;
std::atomic<int64_t> executed{0};

[[noreturn]] void fault(const char* reason) {
  for (const char* text : {"AMX emulator: ", reason, "\n"})
    if (write(STDERR_FILENO, text, std::strlen(text)) < 0) break;
  std::abort();
}

enum Prefix { kNone, k66, kF3, kF2 };

// A VEX instruction of three-byte form in map 0F38, as far as the six need it.
struct Instruction {
  Prefix prefix;
  uint8_t opcode;
  bool in_memory;  // the operand that ModRM.rm names
  int reg, rm, vvvv;
  bool has_sib;
  uint8_t* address;  // base and displacement
  int64_t stride;    // index, scaled
  int64_t length;
};

int64_t register_value(const ucontext_t* context, int number) {
  constexpr int kPlace[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                              REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                              REG_R12, REG_R13, REG_R14, REG_R15};
  return context->uc_mcontext.gregs[kPlace[number]];
}

template <class Integer>
int64_t read_signed(const uint8_t*& bytes) {
  Integer value;
  std::memcpy(&value, bytes, sizeof value);
  bytes += sizeof value;
  return value;
}

// ModRM's memory operand; `bytes` is behind ModRM.
void decode_address(const ucontext_t* context, uint8_t modrm, bool x, bool b, const uint8_t* start,
                    const uint8_t* bytes, Instruction& instruction) {
  const int mod = modrm >> 6;
  int base = (modrm & 7) | (b ? 8 : 0);
  instruction.has_sib = (modrm & 7) == 4;
  if (instruction.has_sib) {
    const uint8_t sib = *bytes++;
    const int index = (sib >> 3 & 7) | (x ? 8 : 0);
    base = (sib & 7) | (b ? 8 : 0);
    if (index != 4) instruction.stride = register_value(context, index) << (sib >> 6);
  }
  const bool no_base = mod == 0 && (base & 7) == 5;
  int64_t address = no_base ? 0 : register_value(context, base);
  if (mod == 1) address += read_signed<int8_t>(bytes);
  if (mod == 2 || no_base) address += read_signed<int32_t>(bytes);
  instruction.length = bytes - start;
  if (no_base && !instruction.has_sib) address += reinterpret_cast<int64_t>(bytes);  // to rip
  instruction.address = reinterpret_cast<uint8_t*>(address);
}

Instruction decode(const ucontext_t* context) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(context->uc_mcontext.gregs[REG_RIP]);
  const bool r = !(bytes[1] & 0x80), x = !(bytes[1] & 0x40), b = !(bytes[1] & 0x20);
  const bool wide = bytes[2] & 0x80, long_vector = bytes[2] & 4;
  if (bytes[0] != 0xc4 || (bytes[1] & 0x1f) != 2 || wide || long_vector)
    fault("an illegal instruction that is not of AMX");
  Instruction instruction = {};
  instruction.prefix = static_cast<Prefix>(bytes[2] & 3);
  instruction.vvvv = ~bytes[2] >> 3 & 15;
  instruction.opcode = bytes[3];
  const uint8_t modrm = bytes[4];
  instruction.in_memory = modrm >> 6 != 3;
  instruction.reg = (modrm >> 3 & 7) | (r ? 8 : 0);
  instruction.rm = (modrm & 7) | (b ? 8 : 0);
  instruction.length = 5;
  if (instruction.in_memory) decode_address(context, modrm, x, b, bytes, bytes + 5, instruction);
  return instruction;
}

void load_configuration(const uint8_t* memory) {
  if (memory[0] == 0) {
    tiles = TileFile();
    return;
  }
  if (memory[0] != 1) fault("ldtilecfg: the palette is not 1");
  if (memory[1] != 0) fault("ldtilecfg: a start row, which no restart of ours needs");
  TileFile file;
  file.configured = true;
  for (int i = 2; i < 16; ++i)
    if (memory[i] != 0) fault("ldtilecfg: a reserved byte is not zero");
  for (int tile = 0; tile < 16; ++tile) {
    uint16_t row_bytes;
    std::memcpy(&row_bytes, memory + 16 + 2 * tile, sizeof row_bytes);
    const uint8_t rows = memory[48 + tile];
    if (tile >= kNumTiles && (row_bytes || rows)) fault("ldtilecfg: a tile beyond the palette's");
    if (row_bytes > kMaxRowBytes || rows > kMaxRows) fault("ldtilecfg: a tile is too large");
    if ((row_bytes == 0) != (rows == 0)) fault("ldtilecfg: rows without bytes, or the reverse");
    if (tile >= kNumTiles) continue;
    file.row_bytes[tile] = row_bytes;
    file.rows[tile] = rows;
  }
  tiles = file;
}

int require(int tile) {
  if (!tiles.configured) fault("a tile is used before ldtilecfg");
  if (tile >= kNumTiles || tiles.rows[tile] == 0) fault("a tile that is not configured");
  return tile;
}

void load(int tile, const uint8_t* memory, int64_t stride) {
  std::memset(tiles.data[require(tile)], 0, sizeof tiles.data[tile]);
  for (int row = 0; row < tiles.rows[tile]; ++row)
    std::memcpy(tiles.data[tile][row], memory + row * stride, tiles.row_bytes[tile]);
}

void store(int tile, uint8_t* memory, int64_t stride) {
  for (int row = 0; row < tiles.rows[require(tile)]; ++row)
    std::memcpy(memory + row * stride, tiles.data[tile][row], tiles.row_bytes[tile]);
}

void require_product(int sum, int a, int b) {
  for (const int tile : {sum, a, b})
    if (tiles.row_bytes[require(tile)] % 4 != 0) fault("tdpbf16ps: a row is not whole words");
  if (sum == a || sum == b || a == b) fault("tdpbf16ps: a tile is named twice");
  if (tiles.rows[sum] != tiles.rows[a]) fault("tdpbf16ps: rows of the sum and of A differ");
  if (tiles.row_bytes[sum] != tiles.row_bytes[b])
    fault("tdpbf16ps: columns of the sum and of B differ");
  if (tiles.row_bytes[a] / 4 != tiles.rows[b]) fault("tdpbf16ps: depths of A and B differ");
}

// Half a row of the sum. Columns beyond a tile's own hold zeros in all three.
__attribute__((noinline, target("avx2,fma"))) void multiply_row(int sum, int a, int b, int row,
                                                                int first_byte) {
  const __m256i high_half = _mm256_set1_epi32(static_cast<int>(0xffff0000u));
  __m256 even = _mm256_setzero_ps(), odd = even;
  for (int word = 0; word < tiles.rows[b]; ++word) {
    int pair;
    std::memcpy(&pair, tiles.data[a][row] + 4 * word, sizeof pair);
    const __m256i of_a = _mm256_set1_epi32(pair);
    const __m256i of_b =
        _mm256_load_si256(reinterpret_cast<const __m256i*>(tiles.data[b][word] + first_byte));
    even = _mm256_fmadd_ps(_mm256_castsi256_ps(_mm256_slli_epi32(of_a, 16)),
                           _mm256_castsi256_ps(_mm256_slli_epi32(of_b, 16)), even);
    odd = _mm256_fmadd_ps(_mm256_castsi256_ps(_mm256_and_si256(of_a, high_half)),
                          _mm256_castsi256_ps(_mm256_and_si256(of_b, high_half)), odd);
  }
  float* sums = reinterpret_cast<float*>(tiles.data[sum][row] + first_byte);
  _mm256_store_ps(sums, _mm256_add_ps(_mm256_load_ps(sums), _mm256_add_ps(even, odd)));
}

// Rounds to nearest and takes subnormal numbers for zero, whatever the program's modes.
void multiply(int sum, int a, int b) {
  require_product(sum, a, b);
  constexpr unsigned kFlushToZero = 0x8000, kDenormalsAreZero = 0x40, kNoExceptions = 0x1f80;
  const unsigned kept = _mm_getcsr();
  _mm_setcsr(kFlushToZero | kDenormalsAreZero | kNoExceptions);
  for (int row = 0; row < tiles.rows[sum]; ++row)
    for (const int first_byte : {0, kMaxRowBytes / 2}) multiply_row(sum, a, b, row, first_byte);
  _mm_setcsr(kept);
}

void execute(const Instruction& it) {
  const bool memory = it.in_memory;
  if (it.opcode == 0x49 && it.prefix == kNone && memory && it.reg == 0)
    load_configuration(it.address);
  else if (it.opcode == 0x49 && it.prefix == kNone && !memory && it.reg == 0 && it.rm == 0)
    tiles = TileFile();
  else if (it.opcode == 0x49 && it.prefix == kF2 && !memory && it.rm == 0)
    std::memset(tiles.data[require(it.reg)], 0, sizeof tiles.data[0]);
  else if (it.opcode == 0x4b && it.prefix == kF2 && it.has_sib)
    load(it.reg, it.address, it.stride);
  else if (it.opcode == 0x4b && it.prefix == kF3 && it.has_sib)
    store(it.reg, it.address, it.stride);
  else if (it.opcode == 0x5c && it.prefix == kF3 && !memory)
    multiply(it.reg, it.rm, it.vvvv);
  else
    fault("an instruction that is not among the six");
}

void handle(int, siginfo_t*, void* state) {
  auto* context = static_cast<ucontext_t*>(state);
  const Instruction instruction = decode(context);
  execute(instruction);
  context->uc_mcontext.gregs[REG_RIP] += instruction.length;
  ++executed;
}

}  // namespace

AmxEmulator::AmxEmulator() {
  struct sigaction action = {};
  action.sa_sigaction = handle;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  if (sigaction(SIGILL, &action, &previous_) != 0) fault("no handler of SIGILL");
}

AmxEmulator::~AmxEmulator() { sigaction(SIGILL, &previous_, nullptr); }

int64_t AmxEmulator::num_executed() { return executed; }
bool AmxEmulator::tiles_configured() { return tiles.configured; }

}  // namespace covrl::testing

#endif
