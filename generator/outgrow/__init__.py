"""`gen outgrow`: what one server carries, what is asked of it, and what comes then."""
