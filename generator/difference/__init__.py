"""`gen diff`: two configurations, or what is installed, by what they mean and not by their text."""
