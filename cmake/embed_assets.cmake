# parley_embed_web(TARGET)
#
# Builds web/ (esbuild) and embeds what comes out into TARGET, a library or program of this project.
# The sources of TARGET may `#include "parley_assets.h"`: a table of name, content type, ETag, bytes.

set(_embed_script ${CMAKE_CURRENT_LIST_DIR}/embed_files.cmake)

function(parley_embed_web target)
  find_program(PARLEY_ESBUILD esbuild REQUIRED)
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${target}_web)
  file(GLOB_RECURSE inputs CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/web/src/* ${PROJECT_SOURCE_DIR}/web/vendor/*
    ${PROJECT_SOURCE_DIR}/clients/js/src/*)
  add_custom_command(
    OUTPUT ${out}/parley_assets.cpp ${out}/parley_assets.h
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${out}/files
    COMMAND ${PROJECT_SOURCE_DIR}/web/build.sh ${out}/files
    COMMAND ${CMAKE_COMMAND} -D FROM=${out}/files -D TO=${out} -P ${_embed_script}
    DEPENDS ${inputs} ${PROJECT_SOURCE_DIR}/web/build.sh ${_embed_script}
    COMMENT "Building and embedding the web page"
    VERBATIM)
  target_sources(${target} PRIVATE ${out}/parley_assets.cpp ${out}/parley_assets.h)
  target_include_directories(${target} PRIVATE ${out})
endfunction()
