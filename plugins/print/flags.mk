PLUGIN_LIBS_print := $(shell pkg-config --libs pangocairo 2>/dev/null)
PLUGIN_CFLAGS += $(patsubst -I%,-isystem %,$(shell pkg-config --cflags-only-I pangocairo 2>/dev/null))
