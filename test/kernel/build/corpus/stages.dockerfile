FROM @BASE@ AS build
RUN mkdir -p /out/deep && echo made > /out/deep/file && chmod 4711 /out/deep/file && chown 5:6 /out/deep && ln -s deep/file /out/link
FROM scratch AS empty
COPY --from=build /out/deep/file /only
COPY src /
FROM build AS more
RUN rm -r /out/deep && mkdir /out/deep && echo anew > /out/deep/other
FROM scratch
COPY --from=build /out /out
COPY --from=1 / /from-scratch
COPY --from=more /out/deep/ /more/
CMD ["cat", "/out/link"]
