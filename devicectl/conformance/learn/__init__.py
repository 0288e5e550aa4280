"""A device as a machine: what it does is learned by trying, and held against what docs/protocol.md has it do."""
