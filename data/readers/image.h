// One PNG or JPEG picture, by stb_image.
#pragma once

#include <string>
#include <string_view>

#include "tensor/tensor.h"

namespace clade::data {

// u8 (H, W, C) with C = 1 (grey) or 3 (RGB); alpha is dropped, 16 bits become 8. `file` names the
// bytes in messages. Throws Error on other formats and on damage; a header that promises more
// pixels than its bytes can hold is refused before anything is allocated for them.
Tensor parse_image(std::string_view bytes, const std::string& file);
Tensor load_image(const std::string& path);

}  // namespace clade::data
