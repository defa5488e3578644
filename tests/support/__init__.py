"""What tests stand on: services from wheels, live servers, their cast, and clients that speak the wire."""
