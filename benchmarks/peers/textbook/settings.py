"""The least that Channels needs. No login and no database, which is in this peer's favour."""

SECRET_KEY = "only-for-a-benchmark-on-loopback"
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["channels"]
ASGI_APPLICATION = "benchmarks.peers.textbook.asgi.application"
# The default capacity of 100 would drop most of a burst without a word.
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer", "CONFIG": {"capacity": 100_000}}}
USE_TZ = True
