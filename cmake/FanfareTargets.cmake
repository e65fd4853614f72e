# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# fanfare_library(<folder> [SOURCES …] [PUBLIC …] [PRIVATE …]
#                 [PCH … | PCH_OF target])
#   The library of a folder, fanfare_<folder> with the alias fanfare::<folder>.
#   SOURCES are listed one by one; without any it is header-only. PUBLIC and
#   PRIVATE are what it links; PCH are the headers worth precompiling, those
#   that take long and that most of its sources include. With PCH_OF it shares
#   those of another target.
#
# fanfare_test(<name> [SOURCES …] [LINK …] [LABELS …] [TIMEOUT seconds]
#              [PCH_OF target])
#   A GoogleTest program fanfare_<name>_test; each of its tests is a CTest test
#   of its own, named <name>.<suite>.<test>. Without SOURCES there is none.
#   Without PCH_OF it shares the precompiled headers of fanfare_test_support.

include(GoogleTest)

function(fanfare_library folder)
  cmake_parse_arguments(arg "" "PCH_OF" "SOURCES;PUBLIC;PRIVATE;PCH" ${ARGN})
  set(target fanfare_${folder})
  if(arg_SOURCES)
    add_library(${target} STATIC ${arg_SOURCES})
    target_link_libraries(
      ${target}
      PUBLIC ${arg_PUBLIC}
      PRIVATE ${arg_PRIVATE} fanfare_build)
    if(arg_PCH)
      target_precompile_headers(${target} PRIVATE ${arg_PCH})
    elseif(arg_PCH_OF)
      target_precompile_headers(${target} REUSE_FROM ${arg_PCH_OF})
    endif()
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE ${arg_PUBLIC} ${arg_PRIVATE})
  endif()
  add_library(fanfare::${folder} ALIAS ${target})
endfunction()

function(fanfare_test name)
  cmake_parse_arguments(arg "" "TIMEOUT;PCH_OF" "SOURCES;LINK;LABELS" ${ARGN})
  if(NOT arg_SOURCES)
    return()
  endif()
  set(target fanfare_${name}_test)
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE ${arg_LINK} fanfare_test_support
                                          GTest::gmock_main fanfare_build)
  if(NOT arg_PCH_OF)
    set(arg_PCH_OF fanfare_test_support)
  endif()
  target_precompile_headers(${target} REUSE_FROM ${arg_PCH_OF})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 30) # an actor that leaks hangs, it does not fail
  endif()
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  if(FANFARE_SANITIZE)
    math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 3")
  endif()
  gtest_discover_tests(
    ${target}
    TEST_PREFIX "${name}."
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT})
endfunction()
