"""A package of somebody else, which test_plugins.py installs."""
