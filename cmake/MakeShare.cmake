# SPDX-FileCopyrightText: Fanfare contributors
# SPDX-License-Identifier: Apache-2.0
#
# Script: cmake -D PROGRAM= -D OUTPUT= -P MakeShare.cmake
#   Lets the program write what is made of its help texts: man1/*.1 and the
#   completions bash, zsh and fish.

cmake_policy(VERSION 3.25)

file(REMOVE_RECURSE "${OUTPUT}")
file(MAKE_DIRECTORY "${OUTPUT}")
execute_process(COMMAND "${PROGRAM}" manual "${OUTPUT}/man1"
                COMMAND_ERROR_IS_FATAL ANY)
foreach(_shell IN ITEMS bash zsh fish)
  execute_process(
    COMMAND "${PROGRAM}" completion ${_shell}
    OUTPUT_FILE "${OUTPUT}/${_shell}"
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()
