"""What Rollcall does, one verb a module, against ports that `rollcall.storage` implements."""
