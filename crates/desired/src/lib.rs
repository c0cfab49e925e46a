//! Pure functions from a spec and observations to objects and status.
