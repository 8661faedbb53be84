"""What everything stands on: conventions, files, bundles, weights, devices."""
