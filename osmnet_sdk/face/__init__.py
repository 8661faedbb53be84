"""The face: morphable model, camera, tracker and fit."""
