"""The chat of the Channels tutorial as a Django project: one group, one `group_add` per connection."""
