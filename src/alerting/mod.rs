//! Alert rules over counts.
