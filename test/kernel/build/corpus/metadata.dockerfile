FROM @BASE@
LABEL one=1 "two words"="a b" three='$GIVEN'
ENV A=1 B="two words" C=$A D=e\ f
ENV OLD form of it
ENV PATH=/opt/bin:$PATH
EXPOSE 80 8080/udp
USER www-data:www-data
WORKDIR /tmp
WORKDIR sub/../other
VOLUME /data /more
STOPSIGNAL SIGUSR1
ENTRYPOINT echo "an entry"
CMD ["echo", "$A"]
