# install: headers as they stand in the tree, below include/clade; find_package(clade) gives
# clade::clade, which links every floor.
include(CMakePackageConfigHelpers)
get_property(floors GLOBAL PROPERTY CLADE_FLOORS)
add_library(clade INTERFACE)
add_library(clade::clade ALIAS clade)
target_link_libraries(clade INTERFACE ${floors})
target_include_directories(clade INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/clade>)

install(TARGETS clade clade_options ${floors} EXPORT clade-targets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
set_target_properties(clade_options PROPERTIES EXPORT_NAME options)
foreach(floor ${floors})
  string(REPLACE "clade_" "" folder ${floor})
  install(DIRECTORY ${folder} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/clade
          FILES_MATCHING PATTERN "*.h")
endforeach()
if(EXISTS ${PROJECT_SOURCE_DIR}/clade.h)
  install(FILES clade.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/clade)
endif()
install(DIRECTORY data/digits DESTINATION ${CMAKE_INSTALL_DATADIR}/clade)
