# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# The library that programs embed: everything below the server, as one.
#
#   fanfare_engine          static; the alias fanfare::engine in this build
#   fanfare_engine_shared   shared: exports what FANFARE_API marks, nothing else

set(_parts model protocol storage actors engine_parts)
set(_objects)
foreach(_part IN LISTS _parts)
  list(APPEND _objects $<TARGET_OBJECTS:fanfare_${_part}>)
endforeach()
if(FANFARE_SEPARATE_ASIO)
  list(APPEND _objects $<TARGET_OBJECTS:fanfare_asio>)
endif()
# What it is built with; nothing of this appears in the public headers.
set(_needed
    CAF::core
    LMDB::lmdb
    OpenSSL::SSL
    OpenSSL::Crypto
    Boost::json
    Boost::url
    PkgConfig::CARES
    PkgConfig::IDN2
    Threads::Threads)
# Before 1.0 a minor version may change the interface.
if(PROJECT_VERSION_MAJOR EQUAL 0)
  set(FANFARE_SOVERSION "${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR}")
else()
  set(FANFARE_SOVERSION "${PROJECT_VERSION_MAJOR}")
endif()

function(fanfare_engine_library target type export_name)
  add_library(${target} ${type} ${_objects})
  set_target_properties(
    ${target}
    PROPERTIES LINKER_LANGUAGE CXX
               OUTPUT_NAME fanfare
               EXPORT_NAME ${export_name})
  target_compile_features(${target} INTERFACE cxx_std_20)
  target_include_directories(
    ${target} INTERFACE $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                        $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/generated>
                        $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PRIVATE ${_needed})
  if(FANFARE_SANITIZE)
    # Programs that embed it, such as the examples, are instrumented as well.
    target_compile_options(${target} INTERFACE ${FANFARE_SANITIZE_OPTIONS})
    target_link_options(${target} PUBLIC -fsanitize=${FANFARE_SANITIZE})
  endif()
endfunction()

fanfare_engine_library(fanfare_engine STATIC engine_static)
fanfare_engine_library(fanfare_engine_shared SHARED engine)
set_target_properties(
  fanfare_engine_shared
  PROPERTIES VERSION ${PROJECT_VERSION}
             SOVERSION ${FANFARE_SOVERSION}
             LINK_DEPENDS "${PROJECT_SOURCE_DIR}/cmake/fanfare.map")
target_link_options(
  fanfare_engine_shared PRIVATE
  "LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/fanfare.map")
if(NOT FANFARE_SANITIZE) # which leave symbols to the program
  target_link_options(fanfare_engine_shared PRIVATE LINKER:-z,defs)
endif()

if(BUILD_SHARED_LIBS)
  add_library(fanfare::engine ALIAS fanfare_engine_shared)
else()
  add_library(fanfare::engine ALIAS fanfare_engine)
endif()
add_library(fanfare::engine_static ALIAS fanfare_engine)
