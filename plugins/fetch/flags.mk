PLUGIN_LIBS_fetch := -lcurl
