"""Jobs through a provider's own batch interface: half the price, within a day."""
