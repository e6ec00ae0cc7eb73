# escape=`
ARG BASE=@BASE@
ARG GIVEN=default
FROM ${BASE} AS first
# a comment
ARG GIVEN
ARG LOCAL=${GIVEN:-none}
ARG EMPTY
ENV KEPT="$GIVEN/$LOCAL" PLUS=${EMPTY:+set} MINUS=${EMPTY:-unset}
RUN echo "$GIVEN $LOCAL $KEPT" > /arguments `
  # within

  && echo "two \ three" > /lines `
  && echo 'four' >> /lines
LABEL a="b`
c"
FROM first
RUN echo "<$GIVEN>" > /gone
