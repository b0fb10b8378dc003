"""`gen import`: what runs already becomes a profile, with a list of what that cannot say."""
