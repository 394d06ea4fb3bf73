"""The outbox: messages written with the change that they tell of, and sent after its commit."""
