// The first byte chooses the options.
#include "data/readers/csv.h"

#include "tests/fuzz/fuzz.h"

using namespace clade;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  return fuzz::read(data, size, [](std::string_view bytes) {
    if (bytes.empty()) return;
    const uint8_t choice = uint8_t(bytes[0]);
    data::CsvOptions options;
    options.separator = "\0,; \t"[choice % 5];
    options.header = data::CsvOptions::Header(choice / 5 % 3);
    if (choice & 64) options.label_column = "-1";
    if (choice & 128) options.drop_columns = {"1"};
    const data::Dataset d = data::parse_csv(bytes.substr(1), "fuzz", options);
    fuzz::require(d.size() >= 1 && int64_t(d.columns.size()) == d.values.size(1));
  });
}

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  return fuzz::sow(*argc, *argv,
                   {std::string(1, '\0') + "a,b\n1,\"2\"\n?,NA\n", "\2a;\"b;\"\n1;-2.5e3\n",
                    "\3  1  2 \r\n\r\n 3 nan\r\n", "\xc1id,x,c\n7,1.5,\"say \"\"a\"\"\"\n"});
}
