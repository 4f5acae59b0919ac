"""For all tests: properties are tried without a deadline, because an example's time says nothing on a busy machine."""

from hypothesis import settings

settings.register_profile("pushbench", deadline=None)
settings.load_profile("pushbench")
