FROM @BASE@
RUN mkdir -p /a/b/c && echo 1 > /a/b/c/1 && echo 2 > /a/2
RUN rm -r /a/b && rm /bin/ash && mkdir /a/b && echo new > /a/b/new
RUN mv /a/2 /a/3 && chmod 700 /a && chown 9:9 /a/b/new && mkfifo /pipe
