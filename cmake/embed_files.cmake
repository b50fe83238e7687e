# cmake -D FROM=dir -D TO=dir -P embed_files.cmake
#
# Writes TO/parley_assets.{h,cpp}: every file of FROM, its bytes taken in by the assembler.

set(type_html "text/html; charset=utf-8")
set(type_js "text/javascript; charset=utf-8")
set(type_css "text/css; charset=utf-8")
set(type_json "application/json")
set(type_svg "image/svg+xml")
set(type_png "image/png")
set(type_ico "image/x-icon")
set(type_woff2 "font/woff2")

file(GLOB_RECURSE names LIST_DIRECTORIES false RELATIVE ${FROM} ${FROM}/*)
list(SORT names)
if(NOT names)
  message(FATAL_ERROR "${FROM} holds no file to embed")
endif()

set(bytes "")
set(externs "")
set(rows "")
set(n 0)
foreach(name ${names})
  get_filename_component(extension ${name} LAST_EXT)
  string(REGEX REPLACE "^\\." "" extension "${extension}")
  if(NOT DEFINED type_${extension})
    message(FATAL_ERROR "${name}: no content type is known for .${extension}; add it to embed_files.cmake")
  endif()
  file(SHA256 ${FROM}/${name} hash)
  string(SUBSTRING ${hash} 0 16 tag)
  string(APPEND bytes "asset_${n}: .incbin \\\"${FROM}/${name}\\\"\\nasset_${n}_end:\\n\"\n    \"")
  string(APPEND externs "extern const char asset_${n}[] asm(\"asset_${n}\");\nextern const char asset_${n}_end[] asm(\"asset_${n}_end\");\n")
  string(APPEND rows "        Asset{\"${name}\", \"${type_${extension}}\", \"\\\"${tag}\\\"\", between(asset_${n}, asset_${n}_end)},\n")
  math(EXPR n "${n} + 1")
endforeach()

file(WRITE ${TO}/parley_assets.h "#pragma once
#include <span>
#include <string_view>

namespace parley::assets {

struct Asset {
    std::string_view name;          ///< path below the web root: `index.html`
    std::string_view content_type;
    std::string_view etag;          ///< with its quotes; changes with the bytes
    std::string_view body;
};
/// Every file, by name. Static storage.
[[nodiscard]] std::span<const Asset> all() noexcept;

}  // namespace parley::assets
")
file(WRITE ${TO}/parley_assets.cpp "#include \"parley_assets.h\"

#include <array>

asm(\".pushsection .rodata\\n\"
    \"${bytes}.popsection\\n\");
${externs}
namespace parley::assets {
namespace {

std::string_view between(const char* from, const char* to) { return {from, static_cast<std::size_t>(to - from)}; }

}  // namespace

std::span<const Asset> all() noexcept {
    static const std::array<Asset, ${n}> kAll{
${rows}    };
    return kAll;
}

}  // namespace parley::assets
")
