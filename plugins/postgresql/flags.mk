PLUGIN_LIBS_postgresql := -lpq
PLUGIN_CFLAGS += -I/usr/include/postgresql
