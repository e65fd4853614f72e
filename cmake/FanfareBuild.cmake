# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# How our sources are compiled: the target fanfare_build, which all other targets
# link privately, and ccache. Definitions belong here rather than to single targets,
# so that precompiled headers can be shared.

add_library(fanfare_build INTERFACE)
target_include_directories(
  fanfare_build INTERFACE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/include"
                          "${PROJECT_BINARY_DIR}/generated")
target_link_libraries(fanfare_build INTERFACE Threads::Threads)

# A forgotten CAF type id becomes a compile error.
target_compile_definitions(fanfare_build INTERFACE CAF_ENABLE_TYPE_ID_CHECKS)

target_compile_definitions(
  fanfare_build INTERFACE $<$<NOT:$<CONFIG:Release>>:_GLIBCXX_ASSERTIONS>)

# -- warnings -----------------------------------------------------------------

target_compile_options(
  fanfare_build
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wshadow
            -Wconversion
            -Wnon-virtual-dtor
            -Woverloaded-virtual
            -Wextra-semi
            -Wcast-qual
            -Wmissing-declarations
            # Designated initializers leave out members with defaults.
            -Wno-missing-field-initializers)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(
    fanfare_build
    INTERFACE -Wduplicated-cond
              -Wlogical-op
              # False alarms about std::string in GCC 12 (PR 105651).
              -Wno-restrict)
  if(FANFARE_SANITIZE)
    # The inserted checks confuse these flow analyses.
    target_compile_options(
      fanfare_build
      INTERFACE -Wno-maybe-uninitialized
                -Wno-stringop-overflow
                -Wno-stringop-overread
                -Wno-array-bounds
                # Asio's fences are invisible to the thread sanitizer. Its locks
                # are not, and suffice.
                -Wno-tsan)
  endif()
endif()
# What one source has in its anonymous namespace, another may call a local, and to
# GCC a source that is included by another looks like a header.
set(_unity "$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>")
target_compile_options(
  fanfare_build
  INTERFACE $<${_unity}:-Wno-shadow>
            $<$<AND:${_unity},$<CXX_COMPILER_ID:GNU>>:-Wno-subobject-linkage>)
if(FANFARE_WARNINGS_AS_ERRORS)
  target_compile_options(fanfare_build INTERFACE -Werror)
endif()

# -- sanitizers ---------------------------------------------------------------

if(FANFARE_SANITIZE)
  # CAF's spawn headers bind null references, hence no "null" check.
  set(FANFARE_SANITIZE_OPTIONS
      -fsanitize=${FANFARE_SANITIZE} -fno-sanitize=null -fno-sanitize-recover=all
      -fno-omit-frame-pointer)
  target_compile_options(fanfare_build INTERFACE ${FANFARE_SANITIZE_OPTIONS})
  target_link_options(fanfare_build INTERFACE -fsanitize=${FANFARE_SANITIZE})
endif()

# -- speed of building and linking --------------------------------------------

if(FANFARE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(FANFARE_CCACHE_PROGRAM ccache)
  mark_as_advanced(FANFARE_CCACHE_PROGRAM)
  if(FANFARE_CCACHE_PROGRAM)
    # Precompiled headers need ccache to ignore the times of files. With a base
    # directory, a second clone finds what the first one compiled.
    set(CMAKE_CXX_COMPILER_LAUNCHER
        env
        "CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime"
        "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1
        "${FANFARE_CCACHE_PROGRAM}")
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(fanfare_build INTERFACE -fpch-preprocess)
    endif()
  endif()
endif()

if(FANFARE_FAST_LINKER AND NOT FANFARE_LTO)
  find_program(FANFARE_MOLD mold)
  find_program(FANFARE_LLD ld.lld)
  mark_as_advanced(FANFARE_MOLD FANFARE_LLD)
  if(FANFARE_MOLD)
    target_link_options(fanfare_build INTERFACE -fuse-ld=mold)
  elseif(FANFARE_LLD)
    target_link_options(fanfare_build INTERFACE -fuse-ld=lld)
  endif()
endif()

if(FANFARE_LTO)
  include(CheckIPOSupported)
  check_ipo_supported()
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ON)
endif()
