#!/bin/sh
# PostgreSQL's image runs this once, when it makes the cluster: the role that servers and the worker log in with. It is
# no more than a member of vacancy_app, whose rights `vacancy migrate` sets.
set -eu

# The password reaches psql through the environment: an argument would be there for every process to read.
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
\getenv password VACANCY_LOGIN_PASSWORD
CREATE ROLE vacancy_app NOLOGIN;
CREATE ROLE vacancy_login LOGIN PASSWORD :'password' IN ROLE vacancy_app;
SQL
