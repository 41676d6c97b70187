"""What test_plugins.py runs in other processes."""
