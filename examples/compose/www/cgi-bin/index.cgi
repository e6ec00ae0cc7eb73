#!/bin/sh
# httpd runs it for "/", since there is no index.html.
row=$(echo 1 | nc database 5432)
[ -n "$row" ] && status="200 OK" || status="503 Service Unavailable"
printf 'Status: %s\r\nContent-Type: text/plain\r\n\r\n%s\n' "$status" "${row:-the database does not answer}"
