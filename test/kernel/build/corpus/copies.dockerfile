FROM @BASE@
COPY a.txt b.txt /files/
COPY a.txt /renamed.txt
COPY --chown=33:33 src /owned/
COPY --chmod=0640 b.txt /modes/b
COPY src/one /one
COPY *.txt /pattern/
COPY ["a.txt", "/with blank/a"]
COPY link /followed
WORKDIR /w
COPY . .
ADD archive.tar /unpacked/
ADD a.txt /added/
