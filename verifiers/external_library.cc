#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/error.h"
#include "verifiers/external_api.h"
#include "verifiers/timed.h"
#include "verifiers/verifier.h"

namespace covrl {
namespace {

constexpr const char* kPathKey = "verifier.external_library.path: ";

// A loaded shared object; it stays loaded as long as this lives.
class Library {
 public:
  explicit Library(const std::string& path)
      : path_(path), handle_(dlopen(std::filesystem::absolute(path).c_str(), RTLD_NOW)) {
    if (handle_ == nullptr) throw_usage(kPathKey, "cannot be loaded: ", dlerror());
  }
  ~Library() { dlclose(handle_); }
  Library(const Library&) = delete;

  template <class Function>
  Function function(const std::string& name) const {
    void* address = dlsym(handle_, name.c_str());
    if (address == nullptr)
      throw_usage(kPathKey, path_, " has no function ", name,
                  " with C linkage (verifiers/external_api.h)");
    return reinterpret_cast<Function>(address);
  }

 private:
  std::string path_;
  void* handle_;
};

covrl_text as_text(std::string_view text) { return {text.data(), text.size()}; }

Outcome outcome_of(int32_t outcome) {
  switch (outcome) {
    case COVRL_CORRECT:
      return Outcome::kCorrect;
    case COVRL_WRONG:
      return Outcome::kWrong;
    case COVRL_UNPARSED:
      return Outcome::kUnparsed;
    default:
      return Outcome::kFailed;
  }
}

class ExternalLibrary final : public Verifier {
 public:
  explicit ExternalLibrary(const ExternalLibraryOptions& options)
      : options_(options), library_(options.path) {
    const auto version = library_.function<uint32_t (*)()>("covrl_external_version")();
    if (version != COVRL_EXTERNAL_VERSION)
      throw_usage(kPathKey, options.path, " has version ", version,
                  " of the interface, this program has ", COVRL_EXTERNAL_VERSION,
                  "; compile it with today's verifiers/external_api.h");
    function_ = library_.function<covrl_external_function>(options.function);
  }
  std::string name() const override { return "external_library"; }

  Verdict verify(const VerifyRequest& request) const override {
    return timed([&] { return judged(request); });
  }

 private:
  Verdict judged(const VerifyRequest& request) const {
    const covrl_external_request asked = {as_text(request.data_source), as_text(request.response),
                                          as_text(request.gold), as_text(request.extra_info),
                                          as_text(options_.options)};
    covrl_external_result result = {};
    result.outcome = COVRL_FAILED;
    function_(&asked, &result);
    Verdict verdict;
    verdict.outcome = std::isfinite(result.score) ? outcome_of(result.outcome) : Outcome::kFailed;
    if (verdict.outcome == Outcome::kFailed) {
      verdict.reason =
          concat("the library answered outcome ", result.outcome, ", score ", result.score);
      return verdict;
    }
    verdict.score = result.score;
    verdict.extracted.assign(result.extracted,
                             std::min(result.extracted_size, sizeof result.extracted));
    return verdict;
  }

  ExternalLibraryOptions options_;
  Library library_;
  covrl_external_function function_ = nullptr;
};

}  // namespace

std::unique_ptr<Verifier> make_external_library_verifier(const VerifierOptions& options) {
  return std::make_unique<ExternalLibrary>(options.external_library);
}

}  // namespace covrl
