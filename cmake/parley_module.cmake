# parley_module(NAME DEPENDS a b LIBS x y)
#
# One folder of src/ is one static library. DEPENDS is the only statement of what the folder may
# include (tests/layout checks every #include against it). LIBS are outside libraries, linked
# PRIVATE unless named after PUBLIC_LIBS. TEST_LIBS are for the tests alone.
#
# Files are found by their suffix: *_test.cpp go to NAME_test, *_itest.cpp to NAME_itest,
# *_fuzz.cpp each to a fuzz target of its own, *_bench.cpp to NAME_bench, the rest to the library.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

add_library(parley_flags INTERFACE)
target_compile_options(parley_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                                              -Woverloaded-virtual -Wimplicit-fallthrough)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False positives of g++ 12 in inlined std::string and std::variant code.
  target_compile_options(parley_flags INTERFACE -Wno-restrict -Wno-maybe-uninitialized
                                                -Wno-stringop-overflow -Wno-array-bounds)
endif()
target_compile_features(parley_flags INTERFACE cxx_std_20)

function(parley_module name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;LIBS;PUBLIC_LIBS;TEST_LIBS" ${ARGN})
  set(dir ${CMAKE_CURRENT_SOURCE_DIR}/${name})
  string(REPLACE "/" "_" name ${name})  # adapters/postgres: parley_adapters_postgres, adapters_postgres_test
  file(GLOB_RECURSE all CONFIGURE_DEPENDS ${dir}/*.cpp)
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS ${dir}/*.h)
  set(tests ${all})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  set(itests ${all})
  list(FILTER itests INCLUDE REGEX "_itest\\.cpp$")
  set(fuzzers ${all})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cpp$")
  set(benches ${all})
  list(FILTER benches INCLUDE REGEX "_bench\\.cpp$")
  set(sources ${all})
  list(FILTER sources EXCLUDE REGEX "_(test|itest|fuzz|bench)\\.cpp$")

  set(target parley_${name})
  list(TRANSFORM ARG_DEPENDS PREPEND parley_ OUTPUT_VARIABLE deps)
  if(sources)
    add_library(${target} STATIC ${sources})
    set(scope PUBLIC)
    target_sources(${target} PUBLIC FILE_SET headers TYPE HEADERS BASE_DIRS ${CMAKE_CURRENT_SOURCE_DIR}
                                    FILES ${headers})
    target_link_libraries(${target} PUBLIC parley_flags ${deps} ${ARG_PUBLIC_LIBS} Threads::Threads
                                    PRIVATE ${ARG_LIBS})
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
    target_link_libraries(${target} INTERFACE parley_flags ${deps} ${ARG_PUBLIC_LIBS} Threads::Threads)
  endif()
  target_include_directories(${target} ${scope} ${CMAKE_CURRENT_SOURCE_DIR})

  if(PARLEY_TESTS)
    foreach(kind test itest)
      if(${kind}s)
        find_package(GTest REQUIRED)
        add_executable(${name}_${kind} ${${kind}s})
        target_link_libraries(${name}_${kind} PRIVATE ${target} ${ARG_LIBS} ${ARG_TEST_LIBS} GTest::gmock GTest::gtest_main)
        add_test(NAME ${name}_${kind} COMMAND ${name}_${kind} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
      endif()
    endforeach()
  endif()
  if(PARLEY_FUZZ)
    foreach(source ${fuzzers})
      get_filename_component(fuzz ${source} NAME_WE)
      add_executable(${fuzz} ${source})
      target_link_libraries(${fuzz} PRIVATE ${target} ${ARG_LIBS})
      target_link_options(${fuzz} PRIVATE -fsanitize=fuzzer)
      set_property(GLOBAL APPEND PROPERTY PARLEY_FUZZERS ${fuzz})
    endforeach()
  endif()
  if(PARLEY_BENCH AND benches)
    find_package(benchmark REQUIRED)
    add_executable(${name}_bench ${benches})
    target_link_libraries(${name}_bench PRIVATE ${target} ${ARG_LIBS} benchmark::benchmark_main)
  endif()
endfunction()
