# clang_headers(TARGETS… HEADERS… OPTIONS…): what these tests include most, compiled once for all of them by clang: with a
# sanitizer it spends half its time on it. CMake's own precompiled headers name the build's folder in their contents and
# options, and the compiler cache finds nothing in another clone; here clang finds them by itself beside the header, and the
# cache goes by a sum of what they are. `OPTIONS`: what the targets are compiled with besides CMAKE_CXX_FLAGS.
function(clang_headers)
  cmake_parse_arguments(with "" "" "TARGETS;HEADERS;OPTIONS" ${ARGN})
  set(file ${CMAKE_CURRENT_BINARY_DIR}/headers.hpp)
  list(TRANSFORM with_HEADERS REPLACE "(.+)" "#include \\1\n")
  string(CONCAT text ${with_HEADERS})
  separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS} -std=c++20 -Xclang -fno-pch-timestamp")
  list(APPEND flags ${with_OPTIONS})
  string(SHA256 sum "${text} ${CMAKE_CXX_COMPILER_VERSION} ${flags}")
  file(CONFIGURE OUTPUT ${file} CONTENT "${text}" @ONLY)
  file(CONFIGURE OUTPUT ${file}.pch.sum CONTENT "${sum}" @ONLY)
  add_custom_command(OUTPUT ${file}.pch DEPENDS ${file} COMMAND ${CMAKE_CXX_COMPILER} ${flags} -x c++-header ${file} -o ${file}.pch)
  add_custom_target(headers DEPENDS ${file}.pch)
  foreach(target IN LISTS with_TARGETS)
    target_compile_options(${target} PRIVATE -include ${file} -Xclang -fno-pch-timestamp)
    add_dependencies(${target} headers)
    get_target_property(sources ${target} SOURCES)
    set_source_files_properties(${sources} PROPERTIES OBJECT_DEPENDS ${file}.pch)
  endforeach()
endfunction()
