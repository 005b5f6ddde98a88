# covrl_library(NAME SOURCES ... LINKS ... [TORCH]): a static library; TORCH adds LibTorch and the precompiled header.
function(covrl_library name)
  cmake_parse_arguments(arg "TORCH" "" "SOURCES;LINKS" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC covrl_options ${arg_LINKS})
  if(arg_TORCH)
    target_link_libraries(${name} PUBLIC covrl_torch)
    covrl_use_torch_pch(${name})
  endif()
endfunction()

# One precompiled header of the tensor headers, built once and shared.
function(covrl_use_torch_pch name)
  if(NOT TARGET covrl_torch_pch)
    file(WRITE ${CMAKE_BINARY_DIR}/torch_pch.cc "// carrier of the precompiled header\n")
    add_library(covrl_torch_pch STATIC ${CMAKE_BINARY_DIR}/torch_pch.cc)
    target_link_libraries(covrl_torch_pch PUBLIC covrl_options covrl_torch)
    target_precompile_headers(covrl_torch_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/torch_pch.h)
  endif()
  target_precompile_headers(${name} REUSE_FROM covrl_torch_pch)
endfunction()

# covrl_test(NAME SOURCES ... LINKS ... [TORCH] [LABELS ...]): a GoogleTest program whose cases ctest runs one by one.
function(covrl_test name)
  cmake_parse_arguments(arg "TORCH" "" "SOURCES;LINKS;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE covrl_options covrl_test_support ${arg_LINKS} GTest::gtest GTest::gtest_main)
  if(arg_TORCH)
    target_link_libraries(${name} PRIVATE covrl_torch)
    covrl_use_torch_pch(${name})
  endif()
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT 600 LABELS "${arg_LABELS}")
endfunction()
