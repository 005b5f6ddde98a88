#include <array>

#include "core/error.h"
#include "policy/config_reader.h"
#include "policy/families/family.h"

namespace covrl {
namespace {

const std::array<const ModelFamily*, 2> kFamilies = {&kQwen2Family, &kLlamaFamily};

std::string supported() {
  std::string text;
  for (const ModelFamily* family : kFamilies) {
    if (!text.empty()) text += ", ";
    text += concat(family->architecture, " (", family->model_type, ")");
  }
  return text;
}

std::string architecture_of(const Json& root, const std::string& where) {
  const Json* list = find_key(root, "architectures");
  if (list == nullptr) return "";
  if (!list->is_array() || list->empty() || !list->front().is_string())
    throw_usage(where, ": \"architectures\" must be a list of names, got ", shown(*list));
  return list->front().get<std::string>();
}

}  // namespace

const ModelFamily& find_family(const Json& root, const std::string& where) {
  const std::string architecture = architecture_of(root, where);
  const std::string model_type = get_string(root, "model_type", where);
  for (const ModelFamily* family : kFamilies) {
    if (model_type == family->model_type &&
        (architecture.empty() || architecture == family->architecture))
      return *family;
  }
  throw_usage(where, ": unsupported model: \"architectures\" names \"", architecture,
              "\", \"model_type\" is \"", model_type, "\"; supported are ", supported());
}

const ModelFamily& find_family(const std::string& model_type) {
  for (const ModelFamily* family : kFamilies)
    if (model_type == family->model_type) return *family;
  throw_usage("unsupported model_type \"", model_type, "\"; supported are ", supported());
}

}  // namespace covrl
