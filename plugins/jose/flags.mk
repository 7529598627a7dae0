PLUGIN_LIBS_jose := -lcrypto
