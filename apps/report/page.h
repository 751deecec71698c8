// The files of report/page/ as text. CMake makes page.cpp of them (see apps/CMakeLists.txt).
#pragma once

namespace clade::apps {

extern const char* const kPageHtml;  // with places for {{style}}, {{data}} and {{script}}
extern const char* const kPageStyle;
extern const char* const kPageScript;

}  // namespace clade::apps
