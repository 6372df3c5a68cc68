"""What the tutor costs on top of the bare thing, as ratios measured side by side."""
