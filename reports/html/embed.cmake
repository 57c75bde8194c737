# cmake -DOUT=FILE -DNAME=SYMBOL "-DFILES=a;b" -P embed.cmake: the files one after another as an array of bytes in C.
set(bytes "")
foreach(file ${FILES})
    file(READ ${file} hex HEX)
    string(APPEND bytes "${hex}")
endforeach()
string(REGEX REPLACE "(................................)" "\\1\n    " bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
file(WRITE ${OUT} "#include \"reports/html_assets.h\"\n\nconst unsigned char ${NAME}[] = {\n    ${bytes}0};\n"
    "const size_t ${NAME}_len = sizeof(${NAME}) - 1;\n")
