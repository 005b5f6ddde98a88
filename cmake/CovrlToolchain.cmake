# Compiler, linker and sanitizer settings shared by every target.
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM)
  add_link_options(-fuse-ld=mold)
endif()

add_library(covrl_options INTERFACE)
# -Wrestrict and -Wstringop-overflow of g++ 12 misfire on std::string concatenation (GCC bugs 105329, 105651).
target_compile_options(covrl_options INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wno-unknown-pragmas -Wno-restrict -Wno-stringop-overflow -fno-math-errno>
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${CCACHE_PROGRAM}>>:-fpch-preprocess>
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:${COVRL_WERROR}>>:-Werror>)
target_compile_definitions(covrl_options INTERFACE COVRL_VERSION="${PROJECT_VERSION}")
target_include_directories(covrl_options INTERFACE ${CMAKE_SOURCE_DIR})
if(COVRL_SANITIZE)
  # Undefined behaviour ends the program: else it is a line that a passing test hides.
  set(sanitizer_flags -fsanitize=${COVRL_SANITIZE} -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:${sanitizer_flags}>")
  add_link_options(-fsanitize=${COVRL_SANITIZE})
endif()
