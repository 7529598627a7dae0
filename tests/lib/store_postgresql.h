/* A fresh schema in the PostgreSQL that WEFT_TEST_POSTGRESQL names (tests/postgresql_e2e.sh starts one). */
#ifndef TESTS_STORE_POSTGRESQL_H
#define TESTS_STORE_POSTGRESQL_H

/* The url of an empty schema, new with every call, until the program ends; NULL: there is no PostgreSQL. */
const char *store_postgresql_url(void);
/* The same for a data folder: asked again for the same folder, the same url. */
const char *store_postgresql_for(const char *dir);

#endif
