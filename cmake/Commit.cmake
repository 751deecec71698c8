# cmake -DSOURCE=<source folder> -DOUTPUT=<file> -P Commit.cmake: writes the source file of
# apps/commit.h, with the commit of the sources, unless it says so already.
find_program(GIT git)
set(commit "")
if(GIT AND EXISTS ${SOURCE}/.git)
  execute_process(COMMAND ${GIT} -C ${SOURCE} rev-parse --short HEAD
                  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  execute_process(COMMAND ${GIT} -C ${SOURCE} diff --quiet HEAD -- "*.cpp" "*.h" "*.cu" "*.txt" "*.cmake"
                  RESULT_VARIABLE differs ERROR_QUIET)
  if(commit AND differs)
    string(APPEND commit "+")
  endif()
endif()
set(text "#include \"apps/commit.h\"

std::string clade::apps::commit() { return \"${commit}\"; }
")
set(before "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} before)
endif()
if(NOT before STREQUAL text)
  file(WRITE ${OUTPUT} "${text}")
endif()
