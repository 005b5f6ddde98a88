#include "rollout/parquet.h"

#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/reader.h>

#include <filesystem>

#include "core/error.h"

namespace covrl {

namespace {

// One column: its name, for errors, and the file.
struct Place {
  const std::string& path;
  const std::string& column;
};

Json to_json(const arrow::Array& array, int64_t i, const Place& place);

template <class Array>
Json number(const arrow::Array& array, int64_t i) {
  return static_cast<const Array&>(array).Value(i);
}

template <class Array>
Json text(const arrow::Array& array, int64_t i) {
  return std::string(static_cast<const Array&>(array).GetView(i));
}

template <class Array>
Json list(const arrow::Array& array, int64_t i, const Place& place) {
  const auto& lists = static_cast<const Array&>(array);
  const std::shared_ptr<arrow::Array> items = lists.value_slice(i);
  Json result = Json::array();
  for (int64_t k = 0; k < items->length(); ++k) result.push_back(to_json(*items, k, place));
  return result;
}

Json structure(const arrow::Array& array, int64_t i, const Place& place) {
  const auto& structs = static_cast<const arrow::StructArray&>(array);
  Json result = Json::object();
  for (int k = 0; k < structs.num_fields(); ++k)
    result[structs.struct_type()->field(k)->name()] = to_json(*structs.field(k), i, place);
  return result;
}

Json dictionary(const arrow::Array& array, int64_t i, const Place& place) {
  const auto& words = static_cast<const arrow::DictionaryArray&>(array);
  return to_json(*words.dictionary(), words.GetValueIndex(i), place);
}

Json to_json(const arrow::Array& array, int64_t i, const Place& place) {
  if (array.IsNull(i)) return nullptr;
  switch (array.type_id()) {
    case arrow::Type::NA:
      return nullptr;
    case arrow::Type::BOOL:
      return number<arrow::BooleanArray>(array, i);
    case arrow::Type::INT8:
      return number<arrow::Int8Array>(array, i);
    case arrow::Type::INT16:
      return number<arrow::Int16Array>(array, i);
    case arrow::Type::INT32:
      return number<arrow::Int32Array>(array, i);
    case arrow::Type::INT64:
      return number<arrow::Int64Array>(array, i);
    case arrow::Type::UINT8:
      return number<arrow::UInt8Array>(array, i);
    case arrow::Type::UINT16:
      return number<arrow::UInt16Array>(array, i);
    case arrow::Type::UINT32:
      return number<arrow::UInt32Array>(array, i);
    case arrow::Type::UINT64:
      return number<arrow::UInt64Array>(array, i);
    case arrow::Type::FLOAT:
      return number<arrow::FloatArray>(array, i);
    case arrow::Type::DOUBLE:
      return number<arrow::DoubleArray>(array, i);
    case arrow::Type::STRING:
      return text<arrow::StringArray>(array, i);
    case arrow::Type::LARGE_STRING:
      return text<arrow::LargeStringArray>(array, i);
    case arrow::Type::LIST:
      return list<arrow::ListArray>(array, i, place);
    case arrow::Type::LARGE_LIST:
      return list<arrow::LargeListArray>(array, i, place);
    case arrow::Type::STRUCT:
      return structure(array, i, place);
    case arrow::Type::DICTIONARY:
      return dictionary(array, i, place);
    default:
      throw_usage(place.path, ": column \"", place.column, "\" has type ", array.type()->ToString(),
                  "; supported: strings, integers, floats, booleans, lists and structs of these. "
                  "Convert or drop the column");
  }
}

[[noreturn]] void not_parquet(const std::string& path, const arrow::Status& status) {
  throw_usage(path, ": not a complete parquet file: ", status.message());
}

std::unique_ptr<parquet::arrow::FileReader> open(const std::string& path) {
  if (!std::filesystem::exists(path)) throw_usage(path, ": no such file");
  auto file = arrow::io::ReadableFile::Open(path);
  if (!file.ok()) throw_usage(path, ": cannot be read: ", file.status().message());
  auto reader = parquet::arrow::OpenFile(*file, arrow::default_memory_pool());
  if (!reader.ok()) not_parquet(path, reader.status());
  return std::move(*reader);
}

Json row_of(const arrow::RecordBatch& batch, int64_t i, const std::string& path) {
  Json row = Json::object();
  for (int column = 0; column < batch.num_columns(); ++column) {
    const std::string& name = batch.column_name(column);
    row[name] = to_json(*batch.column(column), i, {path, name});
  }
  return row;
}

}  // namespace

void read_parquet(const std::string& path, int64_t limit,
                  const std::function<void(int64_t, const Json&)>& row) {
  std::unique_ptr<parquet::arrow::FileReader> reader = open(path);
  const arrow::Result<std::shared_ptr<arrow::Table>> table = reader->ReadTable();
  if (!table.ok()) not_parquet(path, table.status());
  arrow::TableBatchReader batches(**table);
  int64_t index = 0;
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    if (const arrow::Status status = batches.ReadNext(&batch); !status.ok())
      not_parquet(path, status);
    if (batch == nullptr) return;
    for (int64_t i = 0; i < batch->num_rows(); ++i, ++index) {
      if (limit >= 0 && index >= limit) return;
      row(index, row_of(*batch, i, path));
    }
  }
}

}  // namespace covrl
