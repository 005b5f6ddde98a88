// Visitor of what prints a configuration: each field comes as key, value and allowed values in
// text. Private (config_*.cc).
#pragma once

#include <string>
#include <vector>

#include "core/config.h"

namespace covrl::config {

class Printer : public Visitor {
 public:
  void field(const char* key, bool& value, const char* help) final;
  void field(const char* key, int64_t& value, const char* help, Range range) final;
  void field(const char* key, double& value, const char* help, Range range) final;
  void field(const char* key, std::string& value, const char* help) final;
  void field(const char* key, std::vector<std::string>& value, const char* help) final;
  void field(const char* key, std::vector<double>& value, const char* help, Range range) final;
  void field(const char* key, std::optional<int64_t>& value, const char* help, Range range) final;
  void field(const char* key, std::optional<double>& value, const char* help, Range range) final;
  void fraction(const char* key, double& value, const char* help, Range range) final;
  void word(const char* key, std::string& value, const char* help,
            const std::vector<std::string>& words) final;
  void words(const char* key, std::vector<std::string>& value, const char* help,
             const std::vector<std::string>& words) final;
  void check(bool, const char*, const std::string&) final {}
  bool given(const char*) const final { return false; }

 protected:
  virtual void print(const std::string& key, const std::string& value, const std::string& help,
                     const std::string& allowed) = 0;
};

}  // namespace covrl::config
